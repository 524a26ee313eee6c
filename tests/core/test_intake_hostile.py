"""Messages made to break the way in, as text and member by member: findings, or an error that can be shown."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from firebreak.core.errors import InputError
from firebreak.core.intake import MAX_DEPTH, normalise
from firebreak.core.registry import sources
from firebreak.handlers.triage import _parsed
from tests.core.test_intake import settled
from tests.hostile import HIDDEN, require_fit
from tests.sources.findings import HERE, fixture

DETAIL = fixture("guardduty", "instance-dns")
ALERT = {"rule": "r", "priority": "Notice", "output": "x", "source": "syscall", "hostname": "a", "time": "2026-11-02"}
FIELDS = ("k8s.ns.name", "k8s.pod.name", "k8s.pod.uid", "fd.name", "fd.rip", "fd.rport", "evt.time", "container.id")
PLAIN = HIDDEN.encode("utf-8", "replace").decode()


def outcome(body: str) -> Any:
    """Return the findings of a message, or the error, whose text has to be fit for a row, a log and a person."""
    try:
        event = _parsed(body)
        if isinstance(event, InputError):
            raise event
        found = normalise(event, HERE, sources())
    except InputError as error:
        require_fit(str(error), 1_000)
        return error
    settled(found)
    return found


@pytest.mark.parametrize(
    "body",
    [
        "[" * 10_000,
        '{"detail":' * 10_000,
        "[" * 10_000 + "]" * 10_000,
        '{"detail":' * (MAX_DEPTH + 1) + "1" + "}" * (MAX_DEPTH + 1),
        '{"source":"aws.guardduty","detail":{"severity":' + "9" * 5_000 + "}}",
        '{"source":"aws.guardduty","detail":{"severity":NaN}}',
        '{"source":"aws.guardduty","detail":{"severity":-Infinity}}',
        '{"source":"aws.guardduty","detail":{"severity":1e999}}',
        '{"source":"aws.guardduty","detail":{"id":"\\ud800"}}',
        '{"source":"firebreak.falco","detail-type":"Falco Alert","detail":{"alert":"' + "[" * 10_000 + '"}}',
        '{"x":"\x00"}',
        "NaN",
        "\ufeff{}",
        "",
        "\x00",
        PLAIN,
        json.dumps(["x"] * 100_000),
        json.dumps({PLAIN * n: 1 for n in range(1_000)}),
        json.dumps({"source": PLAIN * 1_000, "detail-type": PLAIN * 1_000}),
    ],
)
def test_what_is_no_event_is_refused_in_words_that_can_be_shown(body: str) -> None:
    assert isinstance(outcome(body), InputError)


def test_of_a_key_that_is_there_twice_the_last_one_counts() -> None:
    (found,) = outcome('{"rule":"first","rule":"last","priority":"Notice","output":"x"}')
    assert found.type == "last"


VALUES: list[Any] = [
    *(HIDDEN, PLAIN, PLAIN * 2_000, "x" * 100_000, "\u0301" * 5_000, "", " ", "../" * 100, "*", "i-" + "0" * 10_000),
    *(10**4_000, -(10**4_000), 10**400, -1, 0, 1e308, 5e-324, float("nan"), float("inf"), True, None),
    *([], {}, [PLAIN] * 1_000, {PLAIN: PLAIN}, [[[PLAIN]]], [{}] * 1_000),
]


def guardduty(member: str, value: Any) -> str:
    return json.dumps({**DETAIL, "detail": {**DETAIL["detail"], member: value}})


def falco(member: str, value: Any) -> str:
    fields = {"k8s.ns.name": "shop", "k8s.pod.name": "web-0"}
    alert = {**ALERT, "output_fields": fields | {member: value}} if member in FIELDS else {**ALERT, member: value}
    place = {"account": "111122223333", "region": "eu-west-1", "cluster": "shop"}
    return json.dumps({"source": "firebreak.falco", "detail-type": "Falco Alert", "detail": {**place, "alert": alert}})


@pytest.mark.parametrize("member", sorted(DETAIL["detail"]))
def test_any_odd_member_of_a_guardduty_finding_is_read_or_refused(member: str) -> None:
    for value in VALUES:
        outcome(guardduty(member, value))


@pytest.mark.parametrize("member", [*ALERT, *FIELDS, "output_fields", "tags", "uuid", HIDDEN])
def test_any_odd_member_of_a_falco_alert_is_read_or_refused(member: str) -> None:
    for value in VALUES:
        outcome(falco(member, value))


@settings(max_examples=60)
@given(st.text('{}[]",:\\u0123456789eE.-truefalsnN \ud800\u202e\x00', max_size=60))
@example("1" * 4_301)
def test_any_text_is_read_or_refused(body: str) -> None:
    outcome(body)


@pytest.mark.parametrize("levels", [2, 3, 4])
def test_texts_in_lists_of_lists_are_few_whatever_their_number(levels: int) -> None:
    wide: Any = {"name": PLAIN[:10]}
    for _ in range(levels):
        wide = [wide] * 20
    service = {**DETAIL["detail"]["service"], "malwareScanDetails": {"threats": wide}}
    found = outcome(guardduty("service", service))
    if not isinstance(found, InputError):  # or the event as a whole was too large
        assert max(map(len, found[0].untrusted.values())) <= 1_000
