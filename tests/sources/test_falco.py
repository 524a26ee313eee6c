"""Falco's alerts: what may be missing or odd, what the queue tells and no alert may, and what repeats share."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firebreak.core.errors import FindingError, NotForFirebreak
from firebreak.core.finding import Actor, Remote, Severity
from firebreak.core.source import Origin
from firebreak.sources.falco import Falco
from firebreak.wire.falco_rules import BY_PRIORITY, RULES
from tests.sources.findings import HERE, changed, fixture, one

SHELL = fixture("falco", "reverse-shell")
RAW = fixture("falco", "raw")
EXEC = fixture("falco", "k8s-audit-exec")
ALERT = "detail.alert"
RULE = "Drop and execute new binary in container"


def with_fields(event: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return a bus event whose alert has other output fields; double underscores stand for dots."""
    own = {name.replace("__", "."): value for name, value in fields.items()}
    return changed(event, f"{ALERT}.output_fields", event["detail"]["alert"]["output_fields"] | own)


def test_object_and_text_are_the_same_alert() -> None:
    assert one(fixture("falco", "reverse-shell-as-text")) == one(SHELL)


def test_bare_and_on_the_bus_are_the_same_finding() -> None:
    bare = one(SHELL["detail"]["alert"])
    assert bare == one(SHELL)


@pytest.mark.parametrize(
    ("origin", "option"),
    [
        (Origin(region="eu-west-1", cluster="prod-a"), "account"),
        (Origin(account="111122223333", cluster="prod-a"), "region"),
        (Origin(account="111122223333", region="eu-west-1"), "cluster"),
        (Origin(account="111122223333", region="somewhere else", cluster="prod-a"), "region"),
    ],
)
def test_a_bare_alert_needs_all_three_from_the_operator(origin: Origin, option: str) -> None:
    with pytest.raises(FindingError, match=f"give --{option}") as caught:
        one(RAW, origin)
    assert caught.value.field == option


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("account", ...),
        ("account", "12"),
        ("region", None),
        ("region", "Mars 1"),
        ("cluster", ...),
        ("cluster", 7),
        ("cluster", "a\nb"),
        ("cluster", "c" * 101),
    ],
)
def test_on_the_bus_the_queue_tells_and_the_surroundings_do_not(field: str, value: Any) -> None:
    with pytest.raises(FindingError) as caught:
        one(changed(SHELL, f"detail.{field}", value), HERE)
    assert caught.value.field == f"detail.{field}"


@pytest.mark.parametrize("field", ["firebreak_account", "firebreak_cluster", "firebreak_region"])
def test_an_alert_that_says_it_comes_from_elsewhere_is_refused(field: str) -> None:
    identity = SHELL["detail"][field.removeprefix("firebreak_")]
    assert one(with_fields(SHELL, **{field: identity})).key == one(SHELL).key
    for unknown in (None, "", "<NA>"):
        assert one(with_fields(SHELL, **{field: unknown})).key == one(SHELL).key
    for other in ("444455556666", "${CLUSTER_NAME}"):
        with pytest.raises(FindingError) as caught:
            one(with_fields(SHELL, **{field: other}))
        assert caught.value.field == f"detail.alert.output_fields.{field}"


@pytest.mark.parametrize("alert", [..., None, 5, [], "not json", "[]", '"text"', "[" * 50_000, '{"a": NaN}', ""])
def test_an_alert_that_is_no_object_names_itself(alert: Any) -> None:
    with pytest.raises(FindingError) as caught:
        one(changed(SHELL, ALERT, alert))
    assert caught.value.field == "detail.alert"


def test_half_a_surrogate_pair_inside_a_text_is_found() -> None:
    with pytest.raises(FindingError, match="surrogate"):
        one(changed(SHELL, ALERT, '{"rule": "\\ud800", "priority": "Notice"}'))


@pytest.mark.parametrize("kind", ["Falco Digest", None, 5])
def test_another_message_of_the_same_sender_is_told_apart(kind: Any) -> None:
    with pytest.raises(NotForFirebreak, match="Falco Alert"):
        one(changed(SHELL, "detail-type", kind))


@pytest.mark.parametrize("rule", [..., None, "", 5, "a\x00b", "r" * 513])
def test_a_rule_is_needed(rule: Any) -> None:
    for event, path in ((SHELL, "detail.alert.rule"), (RAW, "rule")):
        with pytest.raises(FindingError) as caught:
            one(changed(event, path, rule))
        assert caught.value.field == path


@pytest.mark.parametrize("priority", [..., None, "", "Loud", 3])
def test_a_priority_is_needed(priority: Any) -> None:
    with pytest.raises(FindingError) as caught:
        one(changed(RAW, "priority", priority))
    assert caught.value.field == "priority"


@pytest.mark.parametrize(("word", "severity"), BY_PRIORITY.items())
def test_a_rule_nobody_listed_counts_by_its_priority(word: str, severity: Severity) -> None:
    for spelling in (word, word.upper(), word.capitalize()):
        found = one(RAW | {"rule": "Ours", "priority": spelling})
        assert (found.severity, found.posture) == (severity, "unknown")


@pytest.mark.parametrize(
    ("rule", "priority", "severity", "posture"),
    [
        ("Redirect STDOUT/STDIN to Network Connection in Container", "Notice", Severity.HIGH, "acting"),
        ("Fileless execution via memfd_create", "Critical", Severity.CRITICAL, "acting"),
        ("Detect release_agent File Container Escapes", "Critical", Severity.CRITICAL, "acting"),
        ("Known Cryptominer Process Executed", "Critical", Severity.CRITICAL, "acting"),
        ("Privileged Container Device Access", "Critical", Severity.HIGH, "acting"),
        ("Find AWS Credentials", "Warning", Severity.MEDIUM, "acting"),
        ("Launch Package Management Process in Container", "Error", Severity.MEDIUM, "unknown"),
        ("Terminal shell in container", "Notice", Severity.LOW, "unknown"),
        ("Attach/Exec Pod", "Notice", Severity.MEDIUM, "unknown"),
    ],
)
def test_a_listed_rule_counts_by_what_it_means(rule: str, priority: str, severity: Severity, posture: str) -> None:
    found = one(RAW | {"rule": rule, "priority": priority})
    assert (found.severity, found.posture) == (severity, posture)
    assert found.posture_reason == RULES[rule].because


def test_an_audit_log_never_shows_a_workload_doing_harm() -> None:
    for rule in ("Our audit rule", "Attach/Exec Pod", "Create Privileged Pod"):
        assert one(changed(EXEC, f"{ALERT}.rule", rule)).posture == "unknown"


def test_where_an_audit_plugin_runs_is_never_what_is_hit() -> None:
    assert EXEC["detail"]["alert"]["hostname"]
    assert [each.kind for each in one(EXEC).targets] == ["pod", "kubernetes_user", "cluster"]


def test_a_hostname_that_looks_like_an_instance_stays_a_hostname() -> None:
    found = one(fixture("falco", "host-process"))
    assert (found.targets[0].kind, found.targets[0].label) == ("host", "prod-a/i-0abc1234def567890")
    assert not any(each.kind == "instance" for each in found.targets)


def test_talons_context_points_at_nothing() -> None:
    found = one(fixture("falco", "talon"))
    assert "i-0aaaaaaaaaaaaaaaa" not in found.model_dump_json()
    assert found.delivery == "0123456789abcdef"


@pytest.mark.parametrize("value", [None, "", "<NA>", 5, [], "x" * 254])
def test_a_pod_without_a_usable_name_leaves_the_host(value: Any) -> None:
    found = one(with_fields(SHELL, k8s__pod__name=value))
    assert [each.kind for each in found.targets] == ["host", "cluster"]


def test_without_a_cluster_there_are_hosts_only() -> None:
    found = one(changed(SHELL, "detail.cluster", ""))
    assert [(each.kind, each.label) for each in found.targets] == [("host", "/ip-10-0-0-23.eu-west-1.compute.internal")]


@pytest.mark.parametrize("source", [..., None, "", "syscall", "syscalls"])
def test_where_the_source_is_missing_it_was_a_system_call(source: Any) -> None:
    found = one(changed(SHELL, f"{ALERT}.source", source))
    assert (found.tags["falco_source"], found.id) == ("syscall", one(SHELL).id)


@pytest.mark.parametrize("tags", [..., None, [], "alone", [1, None, "x\n"]])
def test_tags_may_be_anything(tags: Any) -> None:
    assert one(changed(SHELL, f"{ALERT}.tags", tags)).id == one(SHELL).id


@pytest.mark.parametrize("fields", [..., None, [], "text", {}])
def test_output_fields_may_be_missing(fields: Any) -> None:
    found = one(changed(SHELL, f"{ALERT}.output_fields", fields))
    assert [each.kind for each in found.targets] == ["host", "cluster"]


@pytest.mark.parametrize("digits", range(10))
def test_a_time_has_none_to_nine_fraction_digits(digits: int) -> None:
    fraction = ".123456789"[: digits + 1] if digits else ""
    found = one(RAW | {"time": f"2026-11-02T09:59:01{fraction}Z"})
    microsecond = int(fraction[1:7].ljust(6, "0")) if digits else 0
    assert found.updated_at == datetime(2026, 11, 2, 9, 59, 1, microsecond, UTC)


@pytest.mark.parametrize("time", [..., None, "", "0001-01-01T00:00:00", "soon"])
def test_a_time_that_is_missing_is_the_events_own(time: Any) -> None:
    found = one(changed(SHELL, f"{ALERT}.time", time))
    assert found.updated_at == datetime(2026, 11, 2, 9, 59, 1, 123456, UTC)  # evt.time
    without = changed(with_fields(SHELL, evt__time=None), f"{ALERT}.time", ...)
    assert one(without).updated_at == datetime(2026, 11, 2, 9, 59, 3, tzinfo=UTC)  # when it arrived


def test_a_time_to_come_cannot_make_later_repeats_old() -> None:
    found = one(changed(SHELL, f"{ALERT}.time", "9999-12-31T23:59:59Z"))
    assert found.updated_at == datetime(2026, 11, 2, 9, 59, 3, tzinfo=UTC)


def test_numbers_beyond_64_bits_do_no_harm() -> None:
    found = one(RAW)
    assert found.untrusted["proc.exe_ino.ctime_duration_proc_start"] == "18446744073670260079"
    assert one(RAW | {"output_fields": {"evt.time": 10**400, "x": -(10**4000)}}).type == RULE


@pytest.mark.parametrize(
    ("field", "value", "remote"),
    [
        ("fd__rport", "4444", Remote(ip="198.51.100.7", domain="c2.example", port=4444)),
        ("fd__rport", None, Remote(ip="198.51.100.7", domain="c2.example")),
        ("fd__rip__name", None, Remote(ip="198.51.100.7", port=4444)),
        ("fd__rip__name", "c2.example", Remote(ip="198.51.100.7", domain="c2.example", port=4444)),
        ("fd__rip__name", ["<b>", "c2.example"], Remote(ip="198.51.100.7", domain="c2.example", port=4444)),
    ],
)
def test_the_other_end_is_read_from_whatever_it_comes_as(field: str, value: Any, remote: Remote) -> None:
    assert one(with_fields(SHELL, **{field: value})).remotes == (remote,)


@pytest.mark.parametrize("addresses", [["198.51.100.7", "203.0.113.9"], "198.51.100.7, 203.0.113.9"])
def test_source_addresses_of_an_audit_log_are_a_list_or_a_text(addresses: Any) -> None:
    found = one(with_fields(EXEC, ka__sourceips=addresses))
    assert found.remotes == (Remote(ip="198.51.100.7"), Remote(ip="203.0.113.9"))


def test_of_hundreds_of_other_ends_fifty_are_kept() -> None:
    found = one(with_fields(EXEC, ka__sourceips=[f"198.51.100.{number % 200}" for number in range(400)]))
    assert len(found.remotes) == 50


@pytest.mark.parametrize("node", ["Not A Node", "-x", "n" * 254, "<NA>", None])
def test_a_node_is_a_target_only_by_a_name_that_a_node_can_have(node: Any) -> None:
    joined = fixture("falco", "k8s-audit-node")
    assert one(joined).targets[0].kind == "node"
    assert [each.kind for each in one(with_fields(joined, ka__target__name=node)).targets] == [
        "kubernetes_user",
        "cluster",
    ]


def test_of_hundreds_of_fields_thirty_are_shown() -> None:
    found = one(with_fields(SHELL, **{f"field{number}": "x" for number in range(400)}))
    assert len(found.untrusted) == 30


def test_who_is_impersonated_is_an_actor_too() -> None:
    found = one(with_fields(EXEC, ka__impuser__name="system:admin"))
    assert found.actors == (Actor(name="kubernetes-admin"), Actor(name="system:admin"))


@pytest.mark.parametrize(
    ("case", "signal", "reason"),
    [
        ("heartbeat", "heartbeat", "heartbeat"),
        ("drops", "sensor_blind", "sensor blind"),
        ("test-rule", "threat", "sample"),
        ("reverse-shell", "threat", None),
    ],
)
def test_news_of_the_sensor_is_no_threat(case: str, signal: str, reason: str | None) -> None:
    found = one(fixture("falco", case))
    assert (found.signal, found.drop_reason) == (signal, reason)


def test_other_internal_troubles_blind_the_sensor_too() -> None:
    for rule in ("Falco internal: syscall event drop", "Falco internal: timeouts notification"):
        assert one(changed(fixture("falco", "drops"), f"{ALERT}.rule", rule)).signal == "sensor_blind"


def test_a_heartbeat_tells_which_machine_lives() -> None:
    alive = fixture("falco", "heartbeat")
    other = changed(alive, f"{ALERT}.hostname", "ip-10-0-0-24.eu-west-1.compute.internal")
    assert one(alive).id != one(other).id
    assert one(alive).targets[0].label == "prod-a/ip-10-0-0-23.eu-west-1.compute.internal"
    nameless = one(changed(alive, f"{ALERT}.hostname", ...))  # evt.hostname is added by our settings
    assert nameless.targets[0].label == "prod-a/ip-10-0-0-23"


SAME = {
    "time": ("time", "2026-11-02T10:59:01.5Z"),
    "uuid": ("uuid", "00000000-0000-4000-8000-000000000000"),
    "output": ("output", "anything"),
    "tags": ("tags", []),
    "command line": ("output_fields.proc·cmdline", "sh -c id"),
    "container": ("output_fields.container·id", "ffffffffffff"),
    "port of ours": ("output_fields.fd·name", "10.0.1.7:55555->198.51.100.7:4444"),
    "another pod of the workload": ("output_fields.k8s·pod·name", "checkout-5d9c7b8f6-bbbbb"),
    "a newer revision of the workload": ("output_fields.k8s·pod·name", "checkout-7cb4d99b5d-x2x7q"),
}
OTHER = {
    "rule": ("rule", "Netcat Remote Code Execution in Container"),
    "machine": ("hostname", "ip-10-0-0-99.eu-west-1.compute.internal"),
    "namespace": ("output_fields.k8s·ns·name", "bank"),
    "workload": ("output_fields.k8s·pod·name", "cart-5d9c7b8f6-x2x7q"),
    "program": ("output_fields.proc·exepath", "/bin/bash"),
    "other end": ("output_fields.fd·rip", "203.0.113.9"),
}


def _alert_with(path: str, value: Any) -> dict[str, Any]:
    alert = json.loads(json.dumps(SHELL["detail"]["alert"]))
    *parents, last = path.split(".")
    part = alert[parents[0]] if parents else alert
    part[last.replace("·", ".")] = value
    return changed(SHELL, ALERT, alert)


@pytest.mark.parametrize(("path", "value"), SAME.values(), ids=SAME)
def test_repeats_share_an_id(path: str, value: Any) -> None:
    assert one(_alert_with(path, value)).id == one(SHELL).id


@pytest.mark.parametrize(("path", "value"), OTHER.values(), ids=OTHER)
def test_what_differs_in_kind_has_another_id(path: str, value: Any) -> None:
    assert one(_alert_with(path, value)).id != one(SHELL).id


@pytest.mark.parametrize(
    ("one_file", "another", "same"),
    [
        ("/etc/shadow", "/etc/sudoers", True),
        ("/etc/shadow", "/etc/pam.d/su", False),
        ("/shadow", "/sudoers", True),
    ],
)
def test_files_of_one_folder_are_touched_alike(one_file: str, another: str, same: bool) -> None:
    first, second = (one(with_fields(SHELL, fd__name=file, fd__rip=None)).id for file in (one_file, another))
    assert (first == second) is same


@pytest.mark.parametrize(
    ("pod", "workload"),
    [
        ("web-5d9c7b8f6-x2x7q", "web-6c8d7b9f5-zzzzz"),
        ("agent-x2x7q", "agent-bbbbb"),
        ("store-0", "store-12"),
        ("a-b-5d9c7b8f6-x2x7q", "a-b-5d9c7b8f6-x2x7r"),
    ],
)
def test_pods_of_one_workload_are_told_by_what_kubernetes_did_not_generate(pod: str, workload: str) -> None:
    ids = {one(with_fields(SHELL, k8s__pod__name=name)).id for name in (pod, workload)}
    assert len(ids) == 1
    assert (
        one(with_fields(SHELL, k8s__pod__name="redis-master")).id != one(with_fields(SHELL, k8s__pod__name="redis")).id
    )


def test_the_machine_an_audit_plugin_runs_on_makes_no_difference() -> None:
    assert one(changed(EXEC, f"{ALERT}.hostname", "elsewhere")).id == one(EXEC).id
    assert one(with_fields(EXEC, ka__target__name="other-5d9c7b8f6-x2x7q")).id != one(EXEC).id


def test_redeliveries_share_the_uuid_or_else_the_digest_of_the_alert() -> None:
    assert one(SHELL).delivery == SHELL["detail"]["alert"]["uuid"]
    turned = dict(reversed(list(RAW.items())))
    assert one(turned).delivery == one(RAW).delivery
    assert one(RAW | {"time": "2026-11-02T10:59:01Z"}).delivery != one(RAW).delivery


@given(st.text(max_size=3000), st.text(max_size=50))
def test_text_an_attacker_chooses_is_bounded_and_kept_apart(text: str, label: str) -> None:
    mark = "⟪evil⟫" + text.encode("utf-8", "replace").decode()
    event = with_fields(
        SHELL, proc__cmdline=mark, user__name=mark, **{f"x{label.encode('utf-8', 'replace').decode()}": mark}
    )
    found = one(changed(event, f"{ALERT}.output", mark))
    assert found.untrusted["output"].startswith("⟪evil⟫")
    assert max(map(len, found.untrusted.values())) <= 1_000
    assert len(found.untrusted) <= 30
    assert "⟪evil⟫" not in str(found.model_dump(mode="json", exclude={"untrusted"}))


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"rule": "r"},
        {"priority": "Notice", "output": "x"},
        {"rule": "allow", "effect": "deny"},
        {"source": "someone", "detail-type": "Falco Alert", "detail": SHELL["detail"]},
        {"source": "aws.guardduty", "detail-type": "GuardDuty Finding", "detail": {}},
    ],
)
def test_nothing_else_is_claimed(event: dict[str, Any]) -> None:
    assert not Falco().claims(event)
