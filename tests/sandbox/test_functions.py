"""Invocations: errors, warm starts, retries, and being broken between two calls."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.journal import Fault
from sandbox.world import Sandbox


def finding(name: str) -> dict[str, Any]:
    return {"Records": [{"messageId": "m", "body": json.dumps({"detail": {"id": name}})}]}


def test_an_error_is_answered_in_lambdas_form(sandbox: Sandbox) -> None:
    answer = sandbox.client("lambda").invoke(FunctionName="toy-echo", Payload=json.dumps({"boom": True}))
    assert answer["FunctionError"] == "Unhandled"
    assert json.loads(answer["Payload"].read()) == {"errorType": "Throttled", "errorMessage": "boom"}


def test_a_function_is_built_once_and_stays_warm(sandbox: Sandbox) -> None:
    arn = sandbox.functions.find("toy-echo").arn
    answers = [
        json.loads(sandbox.client("lambda").invoke(FunctionName=name, Payload=b'"hi"')["Payload"].read())
        for name in ("toy-echo", arn, f"{arn}:$LATEST")
    ]
    assert [(answer["runs"], answer["event"], answer["left"]) for answer in answers] == [
        (1, "hi", 30_000),
        (2, "hi", 30_000),
        (3, "hi", 30_000),
    ]


def test_a_function_that_does_not_exist_is_not_found(sandbox: Sandbox) -> None:
    with pytest.raises(sandbox.client("lambda").exceptions.ResourceNotFoundException):
        sandbox.client("lambda").invoke(FunctionName="nobody")


def test_a_failing_asynchronous_event_is_tried_three_times_and_not_lost(sandbox: Sandbox) -> None:
    import dataclasses

    failing = dataclasses.replace(sandbox.functions.find("toy-echo"), failures=sandbox.queue_arn("toy-dead"))
    sandbox.functions.register(failing)
    sandbox.client("lambda").invoke(FunctionName="toy-echo", InvocationType="Event", Payload=b'{"boom": true}')
    sandbox.run_until_idle(within=0)
    assert len(sandbox.functions.invocations) == 1
    sandbox.run_until_idle()
    assert len(sandbox.functions.invocations) == 3
    assert sandbox.queue("toy-dead") == ['{"boom": true}']


@pytest.mark.parametrize(("when", "rows"), [("before", 0), ("after", 1)])
def test_a_kill_leaves_exactly_the_calls_made_before_it(sandbox: Sandbox, when: str, rows: int) -> None:
    kill = {"before": sandbox.functions.kill_before, "after": sandbox.functions.kill_after}[when]
    planned = kill("toy-triage", 1)
    assert sandbox.invoke("toy-triage", finding("f"))["errorType"] == "Runtime.ExitError"
    assert planned.hit
    assert len(sandbox.table_items("toy")) == rows
    assert sandbox.executions() == []
    assert sandbox.invoke("toy-triage", finding("f")) == {"batchItemFailures": []}
    assert len(sandbox.executions()) == 1


def test_a_killed_environment_is_built_again(sandbox: Sandbox) -> None:
    built = [sandbox.invoke("toy-work", {"fail": 0})["runs"] for _ in range(2)]
    sandbox.functions.kill_before("toy-work", 1)
    assert sandbox.invoke("toy-work", {"token": "t", "finding": "f"})["errorType"] == "Runtime.ExitError"
    assert [*built, sandbox.invoke("toy-work", {"fail": 0})["runs"]] == [1, 2, 1]


def test_a_kill_beyond_the_last_call_never_happens(sandbox: Sandbox) -> None:
    planned = sandbox.functions.kill_after("toy-triage", 3)
    assert sandbox.invoke("toy-triage", finding("f")) == {"batchItemFailures": []}
    assert not planned.hit


def test_a_frozen_invocation_goes_on_after_what_others_did_meanwhile(sandbox: Sandbox) -> None:
    seen: list[int] = []

    def meanwhile() -> None:
        seen.append(len(sandbox.table_items("toy")))
        assert sandbox.invoke("toy-triage", finding("f")) == {"batchItemFailures": []}
        seen.append(len(sandbox.executions()))

    sandbox.functions.freeze("toy-triage", 2, meanwhile)
    assert sandbox.invoke("toy-triage", finding("f")) == {"batchItemFailures": []}
    assert seen == [1, 1]
    assert len(sandbox.executions()) == 1


def test_a_slow_call_uses_the_time_up_and_what_follows_never_happens(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault("dynamodb:PutItem", delay=31))
    assert sandbox.invoke("toy-triage", finding("f"))["errorType"] == "Sandbox.Timedout"
    assert len(sandbox.table_items("toy")) == 1
    assert sandbox.executions() == []


def test_a_function_whose_last_call_is_slow_was_killed_too_though_nothing_follows(sandbox: Sandbox) -> None:
    assert sandbox.invoke("toy-triage", finding("f")) == {"batchItemFailures": []}
    assert not sandbox.functions.invocations[-1].dead
    sandbox.faults.add(Fault("states:StartExecution", delay=31))
    assert sandbox.invoke("toy-triage", finding("g"))["errorType"] == "Sandbox.Timedout"
    assert sandbox.functions.invocations[-1].dead


def test_a_function_reaches_nothing_outside_the_sandbox(sandbox: Sandbox) -> None:
    import dataclasses

    outside = {**sandbox.functions.find("toy-triage").environment, "PART": "outside"}
    sandbox.functions.register(dataclasses.replace(sandbox.functions.find("toy-triage"), environment=outside))
    said = sandbox.invoke("toy-triage", {})
    assert said["errorType"] == "RuntimeError"
    assert "198.51.100.7" in said["errorMessage"]
