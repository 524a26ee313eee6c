"""Triage: from a batch of messages to incidents whose executions exist, whatever happens between two calls."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from firebreak.adapters.admission_table import AdmissionTable
from firebreak.adapters.incident_rows import read_incident
from firebreak.adapters.table import Table
from firebreak.adapters.writes import PRESENT, update
from firebreak.core.incident import Incident
from firebreak.core.playbook import Match, Playbook, Playbooks, PlaybookStep
from firebreak.handlers import triage
from tests.faults import Killed, counted
from tests.world import AUTOMATIC, World, world

ISOLATE = PlaybookStep(
    action="ec2.isolate_instance", consent="auto", stage="contain", effect="reversible", target_kind="instance"
)
PLAYBOOKS = Playbooks(
    playbooks=(
        Playbook(
            name="c2", description="d", priority=1, match=Match(type=("Backdoor:*", "Trojan:*")), steps=(ISOLATE,)
        ),
    )
)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as place:
        place.configure(AUTOMATIC, PLAYBOOKS)
        yield place


def finding(
    number: int = 1,
    *,
    kind: str = "Backdoor:EC2/C&CActivity.B!DNS",
    instance: str = "i-0abcd1234abcd1234",
    severity: float = 8,
    minutes: int = 0,
    **detail: Any,
) -> dict[str, Any]:
    """A GuardDuty event as EventBridge delivers it (Amazon GuardDuty User Guide, "EventBridge event format")."""
    return {
        "version": "0",
        "id": f"00000000-0000-0000-0000-{number:012d}",
        "source": "aws.guardduty",
        "detail-type": "GuardDuty Finding",
        "account": "123456789012",
        "time": "2026-11-02T10:00:05Z",
        "region": "eu-west-1",
        "resources": [],
        "detail": {
            "schemaVersion": "2.0",
            "accountId": "123456789012",
            "region": "eu-west-1",
            "partition": "aws",
            "id": f"{number:032x}",
            "arn": f"arn:aws:guardduty:eu-west-1:123456789012:detector/d/finding/{number:032x}",
            "type": kind,
            "severity": severity,
            "createdAt": "2026-11-02T09:58:11.000Z",
            "updatedAt": f"2026-11-02T10:{minutes:02d}:00.000Z",
            "resource": {"resourceType": "Instance", "instanceDetails": {"instanceId": instance}},
            "service": {
                "serviceName": "guardduty",
                "archived": False,
                "count": 1,
                "action": {"actionType": "DNS_REQUEST", "dnsRequestAction": {"domain": "c2.example.com"}},
            },
            **detail,
        },
    }


def batch(*events: Any, lane: str = "urgent") -> dict[str, Any]:
    """An SQS batch as Lambda gets it."""
    return {
        "Records": [
            {
                "messageId": f"message-{number}",
                "body": event if isinstance(event, str) else json.dumps(event),
                "eventSourceARN": f"arn:aws:sqs:eu-west-1:123456789012:{lane}",
            }
            for number, event in enumerate(events, 1)
        ]
    }


def incidents(place: World) -> list[Incident]:
    return [read_incident(row) for (pk, sk), row in sorted(place.rows().items()) if sk == "INCIDENT"]


def failures(answer: dict[str, Any]) -> list[str]:
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def test_a_finding_opens_an_incident_whose_execution_exists_before_it_is_handled(place: World) -> None:
    invoke = place.function(triage)
    with counted() as calls:
        assert failures(invoke(batch(finding()))) == []
    (incident,) = incidents(place)
    assert place.executions() == [f"{incident.id}-r1-respond-a1"]
    assert incident.title == "guardduty: Backdoor:EC2/C&CActivity.B!DNS"
    assert calls.seen == [
        "dynamodb.UpdateItem",
        "dynamodb.TransactWriteItems",
        "sfn.StartExecution",
        "s3.PutObject",
        "dynamodb.TransactWriteItems",
    ]


def test_the_execution_gets_identifiers_only(place: World) -> None:
    place.function(triage)(batch(finding()))
    states, (incident,) = place.client("stepfunctions"), incidents(place)
    found = states.list_executions(stateMachineArn=place.environment["FIREBREAK_STATE_MACHINE_ARN"])["executions"][0]
    given = json.loads(states.describe_execution(executionArn=found["executionArn"])["input"])
    assert given == {"incident": incident.id, "revision": 1, "mode": "respond", "attempt": 1}


def test_a_repeat_costs_one_conditional_write(place: World) -> None:
    invoke = place.function(triage)
    invoke(batch(finding()))
    with counted() as calls:
        invoke(batch(finding()))
        invoke(batch(finding(minutes=3)))
    assert calls.seen == ["dynamodb.UpdateItem"] * 2
    assert [incident.revision for incident in incidents(place)] == [1]


def test_duplicates_inside_a_batch_are_one(place: World) -> None:
    with counted() as calls:
        place.function(triage)(batch(*[finding()] * 10))
    assert len(calls.seen) == 5
    (row,) = [row for (pk, _), row in place.rows().items() if pk.startswith("FINDING#")]
    assert row["deliveries"] == 10


def deliveries(place: World) -> list[int]:
    return [row["deliveries"] for (pk, _), row in sorted(place.rows().items()) if pk.startswith("FINDING#")]


def test_what_joins_again_keeps_the_count_of_what_came_before(place: World) -> None:
    invoke = place.function(triage)
    for time in range(4):
        invoke(batch(*[finding(minutes=8 * time)] * (time + 1)))
        place.pass_time(minutes=8)
    assert [incident.revision for incident in incidents(place)] == [2]  # some joined, some were repeats
    assert deliveries(place) == [1 + 2 + 3 + 4]


@pytest.mark.parametrize("again", [3, 1, 0])
def test_a_repeat_that_comes_again_after_the_quiet_time_is_no_news(place: World, again: int) -> None:
    invoke = place.function(triage)
    for minutes in (0, 3, 1):  # the older one must not move the time back
        invoke(batch(finding(minutes=minutes)))
    place.pass_time(minutes=60)
    invoke(batch(finding(minutes=again)))
    assert ([incident.revision for incident in incidents(place)], deliveries(place)) == ([1], [4])
    invoke(batch(finding(minutes=4)))  # the control: a later one is
    assert [incident.revision for incident in incidents(place)] == [2]


def test_an_older_update_is_never_news(place: World) -> None:
    invoke = place.function(triage)
    invoke(batch(finding(minutes=30)))
    place.pass_time(minutes=60)
    invoke(batch(finding(minutes=5, severity=9.5)))
    assert [(incident.revision, int(incident.severity)) for incident in incidents(place)] == [(1, 3)]


@pytest.mark.parametrize(
    ("second", "revisions"),
    [
        (finding(minutes=1), 1),
        (finding(minutes=1, severity=9.5), 2),
        (finding(2), 1),
        (finding(2, kind="Trojan:EC2/DNSDataExfiltration"), 2),
        (finding(2, kind="Recon:EC2/Portscan"), 1),
    ],
    ids=["the same later", "the band rises", "same again", "another type that acts", "another type that does not"],
)
def test_what_adds_something_makes_a_revision(place: World, second: dict[str, Any], revisions: int) -> None:
    invoke = place.function(triage)
    invoke(batch(finding()))
    invoke(batch(second))
    (incident,) = incidents(place)
    assert incident.revision == revisions
    assert len(place.executions()) == revisions


def test_what_adds_nothing_makes_at_most_one_revision_in_ten_minutes(place: World) -> None:
    invoke = place.function(triage)
    invoke(batch(finding()))
    for minute in range(1, 26):
        place.pass_time(minutes=1)
        invoke(batch(finding(minutes=minute)))
    assert [incident.revision for incident in incidents(place)] == [3]


def test_findings_on_one_target_are_one_incident(place: World) -> None:
    place.function(triage)(batch(finding(1), finding(2), finding(3, instance="i-0fedc4321fedc4321")))
    assert [len(incident.locks) for incident in incidents(place)] == [1, 1]
    rows = [sk for (pk, sk) in place.rows() if pk.startswith("INCIDENT#") and sk.startswith("FINDING#")]
    assert len(rows) == 3


def test_a_sequence_and_its_members_are_one_incident(place: World) -> None:
    arn = "arn:aws:guardduty:eu-west-1:123456789012:detector/d/finding/seq"
    first = finding(1, associatedAttackSequenceArn=arn)
    second = finding(2, instance="i-0fedc4321fedc4321", associatedAttackSequenceArn=arn)
    place.function(triage)(batch(first, second))
    assert len(incidents(place)) == 1


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (finding(service={"additionalInfo": {"sample": True}}), "sample"),
        (finding(service={"archived": True}), "archived"),
    ],
    ids=["sample", "archived"],
)
def test_a_finding_that_is_never_acted_on_ends_in_a_recorded_reason(
    place: World, event: dict[str, Any], reason: str
) -> None:
    invoke = place.function(triage)
    assert failures(invoke(batch(event))) == failures(invoke(batch(event))) == []
    assert incidents(place) == []
    (row,) = place.rows().values()
    assert (row["dropped"], row["deliveries"]) == (reason, 2)


def test_a_finding_that_was_dropped_may_be_acted_on_later(place: World) -> None:
    invoke = place.function(triage)
    invoke(batch(finding(service={"archived": True})))
    invoke(batch(finding(minutes=2)))
    assert len(incidents(place)) == 1


def test_a_finding_on_which_no_playbook_acts_is_told_and_starts_nothing(place: World) -> None:
    invoke = place.function(triage)
    event = finding(kind="Recon:EC2/Portscan")
    with counted() as calls:
        invoke(batch(event))
    assert calls.seen == ["dynamodb.UpdateItem", "sns.Publish", "dynamodb.PutItem"]
    with counted() as calls:
        invoke(batch(event))
    assert calls.seen == ["dynamodb.UpdateItem"]
    assert place.executions() == []


@pytest.mark.parametrize(
    "body",
    ["not json", "[]", "null", '"text"', "{}", "[" * 100_000, json.dumps({"source": "aws.guardduty"}), "\ud800"],
    ids=["text", "list", "null", "string", "empty", "deep", "bare", "surrogate"],
)
def test_a_message_that_cannot_be_used_is_given_back_with_its_error_recorded(place: World, body: str) -> None:
    answer = place.function(triage)(batch(finding(), body))
    assert failures(answer) == ["message-2"]
    assert len(incidents(place)) == 1
    row = place.rows()[("REJECTED#urgent", "message-2")]
    assert row["error"]


def test_bulk_executions_beyond_the_limit_wait(place: World) -> None:
    place.configure(AUTOMATIC.model_copy(update={"bulk_executions": 2}), PLAYBOOKS)
    events = [finding(number, instance=f"i-{number:017x}", severity=5) for number in range(1, 6)]
    place.function(triage)(batch(*events, lane="bulk"))
    assert len(incidents(place)) == 5
    assert len(place.executions()) == 2
    assert len([sk for (_, sk) in place.rows() if sk.startswith("WAITING#")]) == 3
    place.function(triage)(batch(finding(9, instance="i-0fedc4321fedc4321")))
    assert len(place.executions()) == 3


def test_a_finding_that_comes_again_once_its_execution_is_over_holds_no_slot(place: World) -> None:
    message = batch(finding(severity=5), lane="bulk")
    place.function(triage)(message)
    states, (name,) = place.client("stepfunctions"), place.executions()
    machine = place.environment["FIREBREAK_STATE_MACHINE_ARN"]
    states.stop_execution(executionArn=f"{machine.replace(':stateMachine:', ':execution:')}:{name}")
    table = Table(place.client("dynamodb"), "firebreak")
    AdmissionTable(table).leave(name)
    ((pk, sk),) = (key for key in place.rows() if key[1] == "FINDING")
    table.write(update(pk, sk, PRESENT, put={"handled": False}))  # stopped just before it was marked
    place.function(triage)(message)
    assert place.rows()[pk, sk]["handled"]
    assert place.rows()["ADMISSION", "RUNNING"]["slots"] == 0


def test_a_closed_incident_is_followed_by_a_new_one_when_its_target_is_hit_again(place: World) -> None:
    invoke = place.function(triage)
    invoke(batch(finding()))
    close(place)
    place.pass_time(minutes=11)
    invoke(batch(finding(minutes=11)))
    assert sorted(incident.status for incident in incidents(place)) == ["closed", "open"]


def test_a_lock_that_an_ended_incident_still_holds_stops_nobody(place: World) -> None:
    invoke = place.function(triage)
    invoke(batch(finding()))
    close(place, free=False)
    invoke(batch(finding(2)))
    assert sorted(incident.status for incident in incidents(place)) == ["closed", "open"]


def close(place: World, *, free: bool = True) -> None:
    """Close the only incident, as Close does; or as a Close that was killed before it freed the locks."""
    (incident,) = incidents(place)
    (row,) = [row for (_, sk), row in place.rows().items() if sk == "INCIDENT"]
    closed = incident.model_copy(update={"status": "closed"})
    key = {"pk": {"S": row["pk"]}, "sk": {"S": row["sk"]}}
    dynamodb = place.client("dynamodb")
    dynamodb.update_item(
        TableName="firebreak",
        Key=key,
        UpdateExpression="SET #s = :s, body = :b",
        ExpressionAttributeNames={"#s": "status"},
        ExpressionAttributeValues={":s": {"S": "closed"}, ":b": {"S": closed.model_dump_json()}},
    )
    for lock in incident.locks if free else ():
        dynamodb.delete_item(TableName="firebreak", Key={"pk": {"S": f"LOCK#{lock}"}, "sk": {"S": "LOCK"}})


SECOND = finding(2, kind="Trojan:EC2/DNSDataExfiltration")


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("first", "events", "lane"),
    [
        ([], [finding()], "urgent"),
        ([], [finding(), SECOND], "urgent"),
        ([finding()], [SECOND], "urgent"),
        ([], [finding(severity=5)], "bulk"),
        ([], [finding(kind="Recon:EC2/Portscan"), finding(3, service={"archived": True})], "bulk"),
    ],
    ids=["news", "news and more", "a revision", "bulk", "told and dropped"],
)
def test_a_crash_at_any_call_and_a_redelivery_end_in_the_same_state(
    tmp_path: Path, first: list[Any], events: list[Any], lane: str, after: bool
) -> None:
    calm = run(tmp_path, first, events, lane, kill=0, after=after)
    kill = 0
    while True:
        kill += 1
        crashed = run(tmp_path, first, events, lane, kill=kill, after=after)
        if crashed is None:
            break
        assert crashed == calm, f"killed at call {kill}"
    assert kill > len(events)


def run(
    folder: Path, first: list[Any], events: list[Any], lane: str, *, kill: int, after: bool
) -> dict[str, Any] | None:
    """Deliver a batch, die at a call, deliver it again to a fresh function; None where the kill was not reached."""
    with world(folder) as place:
        place.configure(AUTOMATIC, PLAYBOOKS)
        if first:
            place.function(triage)(batch(*first))
        message = batch(*events, lane=lane)
        with counted(kill, after=after) as calls, contextlib.suppress(Killed):
            place.function(triage)(copy.deepcopy(message))
        if kill and not calls.reached:
            return None
        place.function(triage)(message)
        place.function(triage)(message)
        return state(place)


def state(place: World) -> dict[str, Any]:
    """Everything that is left, without how often it was delivered."""
    rows = copy.deepcopy(place.rows())
    for row in rows.values():
        row.pop("deliveries", None)
    return {"rows": rows, "executions": place.executions(), "objects": place.objects("raw-events")}


def test_a_function_that_is_denied_its_table_gives_the_whole_batch_back(place: World) -> None:
    invoke = place.function(triage)
    place.client("dynamodb").delete_table(TableName="firebreak")
    assert failures(invoke(batch(finding(), finding(2)))) == ["message-1", "message-2"]


def test_the_quiet_time_is_the_same_for_the_finding_and_its_incident(place: World) -> None:
    place.function(triage)(batch(finding()))
    (incident,) = incidents(place)
    assert incident.quiet_until == place.clock() + timedelta(minutes=10)


def test_findings_of_one_cluster_are_not_one_incident(place: World) -> None:
    workloads = [
        finding(
            number,
            kind="Backdoor:Runtime/C&CActivity.B",
            resource={
                "resourceType": "EKSCluster",
                "eksClusterDetails": {
                    "name": "prod",
                    "arn": "arn:aws:eks:eu-west-1:123456789012:cluster/prod",
                },
                "kubernetesDetails": {
                    "kubernetesWorkloadDetails": {"namespace": "shop", "name": f"pod-{number}", "type": "pods"}
                },
            },
        )
        for number in (1, 2)
    ]
    place.function(triage)(batch(*workloads))
    assert len(incidents(place)) == 2


def test_a_playbook_that_neither_acts_nor_tells_ends_in_a_recorded_reason(place: World) -> None:
    silent = Playbook(name="silent", description="d", priority=2, match=Match(type=("Recon:*",)), notify=False)
    place.configure(AUTOMATIC, Playbooks(playbooks=(*PLAYBOOKS.playbooks, silent)))
    with counted() as calls:
        place.function(triage)(batch(finding(kind="Recon:EC2/Portscan")))
    assert "sns.Publish" not in calls.seen
    (row,) = place.rows().values()
    assert row["dropped"] == "playbook silent neither acts nor tells"
