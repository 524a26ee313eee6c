"""The whole way of an event, in a small application."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.world import Sandbox
from tests.sandbox.app import STACKS


def finding(name: str) -> dict[str, Any]:
    return {
        "version": "0",
        "id": f"event-{name}",
        "detail-type": "GuardDuty Finding",
        "source": "aws.guardduty",
        "account": "111122223333",
        "time": "2026-11-25T12:00:00Z",
        "region": "us-east-1",
        "resources": [],
        "detail": {"id": name},
    }


def vote(sandbox: Sandbox, name: str) -> None:
    item = {"pk": {"S": f"VOTE#{name}"}, "sk": {"S": "alice"}}
    sandbox.client("dynamodb").put_item(TableName="toy", Item=item)


def test_an_event_goes_all_the_way_and_a_vote_resumes_the_machine(sandbox: Sandbox) -> None:
    sandbox.put_event(finding("f1"))
    sandbox.run_until_idle()
    (execution,) = sandbox.executions()
    assert (execution.name, execution.status, execution.entered()) == ("f1", "RUNNING", ["Ask"])
    assert [item["pk"] for item in sandbox.table_items("toy")] == ["FINDING#f1", "TOKEN#f1"]
    vote(sandbox, "f1")
    sandbox.run_until_idle()
    assert execution.status == "SUCCEEDED"
    assert execution.output["answer"] == {"approved": True}
    assert execution.output["result"]["status"] == "settled"


def test_an_event_delivered_twice_starts_one_execution(sandbox: Sandbox) -> None:
    sandbox.put_event(finding("f1"))
    sandbox.put_event(finding("f1"))
    sandbox.run_until_idle()
    assert len(sandbox.executions()) == 1
    assert sandbox.queue("core-Lane") == []


def test_nobody_answers_and_the_question_expires_by_the_virtual_clock(sandbox: Sandbox) -> None:
    sandbox.put_event(finding("f1"))
    sandbox.run_until_idle()
    sandbox.advance(3599)
    assert [execution.status for execution in sandbox.executions()] == ["RUNNING"]
    sandbox.advance(2)
    (execution,) = sandbox.executions()
    assert (execution.status, execution.error) == ("FAILED", "Expired")
    assert [event["detail"]["status"] for _, event in sandbox.events.seen if event["source"] == "aws.states"] == [
        "FAILED"
    ]
    (token,) = [item["token"] for item in sandbox.table_items("toy", "TOKEN#")]
    with pytest.raises(sandbox.client("stepfunctions").exceptions.TaskTimedOut):
        sandbox.client("stepfunctions").send_task_success(taskToken=token, output="{}")


@pytest.mark.parametrize("poison", ["not json", "[" * 100_000], ids=["no JSON", "nested too deep"])
def test_a_poison_message_ends_in_the_dead_letter_queue_and_its_neighbours_do_not(
    sandbox: Sandbox, poison: str
) -> None:
    url = sandbox.cloud.queues[sandbox.queue_arn("core-Lane")]
    for body in (poison, json.dumps(finding("good"))):
        sandbox.client("sqs").send_message(QueueUrl=url, MessageBody=body)
    sandbox.run_until_idle()
    assert sandbox.queue("toy-dead") == [poison]
    assert [execution.name for execution in sandbox.executions()] == ["good"]
    poisoned = [i for i in sandbox.functions.invocations if poison in str(i.event)]
    assert len(poisoned) == 3


def test_a_killed_triage_is_redelivered_and_ends_the_same(sandbox: Sandbox) -> None:
    killed = sandbox.functions.kill_after("toy-triage", call=1)
    sandbox.put_event(finding("f1"))
    sandbox.run_until_idle(within=0)
    assert killed.hit
    assert sandbox.executions() == []
    assert len(sandbox.table_items("toy", "FINDING#")) == 1
    sandbox.run_until_idle()
    assert [execution.name for execution in sandbox.executions()] == ["f1"]
    runs = [(i.function_name, i.calls) for i in sandbox.functions.invocations if i.function_name == "toy-triage"]
    assert runs == [("toy-triage", 1), ("toy-triage", 2)]


def test_the_journal_names_the_function_behind_each_call(sandbox: Sandbox) -> None:
    sandbox.put_event(finding("f1"))
    sandbox.run_until_idle()
    assert [(call.name, call.function) for call in sandbox.journal] == [
        ("dynamodb:PutItem", "toy-triage"),
        ("states:StartExecution", "toy-triage"),
        ("dynamodb:PutItem", "toy-work"),
    ]


@pytest.mark.parametrize(
    ("body", "alert"),
    [
        ('{"rule": "shell", "n": 1}', {"rule": "shell", "n": 1}),
        ('plain text with a " and a <$.body>', 'plain text with a " and a <$.body>'),
        ("NaN", "NaN"),
        ("[1, null]", [1, None]),
    ],
)
def test_a_pipe_embeds_json_bodies_as_what_they_are_and_others_as_text(
    sandbox: Sandbox, body: str, alert: object
) -> None:
    url = sandbox.cloud.queues[sandbox.queue_arn("falco")]
    sandbox.client("sqs").send_message(QueueUrl=url, MessageBody=body)
    sandbox.run_until_idle(within=0)
    (event,) = [event for _, event in sandbox.events.seen if event["source"] == "firebreak.falco"]
    assert event["detail"]["alert"] == alert
    assert event["detail-type"] == "Falco Alert"
    assert sandbox.queue("falco") == []


def test_two_sandboxes_do_not_run_at_once_and_leave_nothing_to_each_other() -> None:
    with Sandbox(STACKS) as first:
        vote(first, "x")
        with pytest.raises(RuntimeError, match="another sandbox"):
            Sandbox(STACKS).start()
    with Sandbox(STACKS) as second:
        assert second.table_items("toy") == []
        assert len(second.journal.calls("dynamodb:Scan")) == 1


def test_the_same_way_goes_by_itself_in_wall_time() -> None:
    with Sandbox(STACKS, wall=True, patience=0.01) as sandbox:
        sandbox.put_event(finding("f1"))
        sandbox.run_until_idle()
        assert [execution.entered() for execution in sandbox.executions()] == [["Ask"]]
        vote(sandbox, "f1")
        sandbox.run_until_idle()
        assert [execution.status for execution in sandbox.executions()] == ["SUCCEEDED"]
