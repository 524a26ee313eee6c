"""The interpreter: what each state does, in virtual time, and that moto's interpreter does the same."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, cast

import boto3
import moto.core.config
import pytest
from botocore.config import Config
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.wrappers import Request, Response

from sandbox.backend import Backend
from sandbox.clock import Clock
from sandbox.definition import DefinitionError
from sandbox.execution import Execution
from sandbox.executions import Executions
from sandbox.front import AwsFailure
from sandbox.functions import Functions
from sandbox.invocation import Result
from sandbox.server import Server
from tests.sandbox.machines import ARN, INVOKE, MACHINES, RULES, call, chooser, functions, states

START = datetime(2026, 11, 25, 12, tzinfo=UTC)
MACHINE = "arn:aws:states:us-east-1:111122223333:stateMachine:toy"


class Toys:
    """Functions of a test, by the last word of their ARN."""

    def __init__(self) -> None:
        self.named = functions()
        self.calls: list[tuple[str, Any]] = []

    def invoke(self, name: str, event: Any) -> Result:
        short = name.rpartition(":")[2]
        self.calls.append((short, event))
        try:
            return Result(self.named[short](event))
        except KeyError as error:
            raise AwsFailure("ResourceNotFoundException", name) from error
        except Exception as error:  # noqa: BLE001  as Lambda does
            return Result({"errorType": type(error).__name__, "errorMessage": str(error)}, failed=True)


class Bench:
    """An interpreter with toy functions."""

    def __init__(self) -> None:
        self.clock = Clock(START)
        self.toys = Toys()
        self.told: list[dict[str, Any]] = []
        self.machines = Executions(self.clock, cast(Functions, self.toys), self.told.append)

    def run(self, definition: dict[str, Any], given: Any, *, idle: bool = True) -> Execution:
        self.machines.add_machine(MACHINE, definition)
        execution = self.machines.start(MACHINE, given, "run")
        if idle:
            self.clock.run_until_idle()
        return execution

    def seconds(self) -> float:
        return (self.clock.now() - START).total_seconds()


def outcome(execution: Execution) -> tuple[str, Any]:
    return execution.status, execution.output if execution.status == "SUCCEEDED" else execution.error


@pytest.mark.parametrize(("definition", "given", "expected"), [m[1:] for m in MACHINES], ids=[m[0] for m in MACHINES])
def test_a_machine_does_what_the_language_says(definition: Any, given: Any, expected: Any) -> None:
    assert outcome(Bench().run(definition, given)) == expected


@pytest.mark.parametrize(("rule", "given", "expected"), RULES, ids=[json.dumps(rule[0]) for rule in RULES])
def test_a_choice_rule_holds_as_the_language_says(rule: Any, given: Any, expected: bool) -> None:
    assert outcome(Bench().run(chooser(rule), given)) == ("SUCCEEDED", expected)


@pytest.fixture(scope="module")
def oracle() -> Iterator[Any]:
    """moto's interpreter, its tasks answered by the toy functions; returns a runner."""
    backend = Backend(lambda: datetime.now(UTC))
    application = DomainDispatcherApplication(create_backend_app)
    toys = Toys()

    def front(environ: Any, start: Any) -> Any:
        if environ["PATH_INFO"].startswith("/2015-03-31/functions/"):
            request = Request(environ)
            result = toys.invoke(request.path.split("/")[3], json.loads(request.get_data() or b"{}"))
            answer = Response(json.dumps(result.payload), content_type="application/json")
            if result.failed:
                answer.headers["X-Amz-Function-Error"] = "Unhandled"
            return answer(environ, start)
        with backend.lock:
            return application(environ, start)

    server = Server(front)
    before = dict(moto.core.config.default_user_config)
    moto.core.config.default_user_config["stepfunctions"] = {"execute_state_machine": True}
    os.environ["MOTO_PORT"] = server.url.rpartition(":")[2]
    client = boto3.client(
        "stepfunctions",
        region_name="us-east-1",
        endpoint_url=server.url,
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=Config(inject_host_prefix=False),
    )
    count = iter(range(1_000_000))

    def run(definition: Any, given: Any) -> tuple[str, Any]:
        toys.named = functions()
        number = next(count)
        machine = client.create_state_machine(
            name=f"m{number}", definition=json.dumps(definition), roleArn="arn:aws:iam::123456789012:role/r"
        )["stateMachineArn"]
        arn = client.start_execution(stateMachineArn=machine, name=f"e{number}", input=json.dumps(given))[
            "executionArn"
        ]
        until = time.monotonic() + 20
        while (told := client.describe_execution(executionArn=arn))["status"] == "RUNNING":
            assert time.monotonic() < until, "moto's interpreter did not come to an end"
        return told["status"], json.loads(told["output"]) if told["status"] == "SUCCEEDED" else told.get("error")

    yield run
    client.close()
    server.stop()
    del os.environ["MOTO_PORT"]
    settings = cast(dict[str, Any], moto.core.config.default_user_config)
    settings.clear()
    settings.update(before)
    backend.close()


# moto says States.Runtime where the language says States.NoChoiceMatched.
AGREED = [machine for machine in MACHINES if machine[0] != "nothing holds"]


@pytest.mark.parametrize(("definition", "given", "expected"), [m[1:] for m in AGREED], ids=[m[0] for m in AGREED])
def test_moto_runs_the_machine_to_the_same_end(oracle: Any, definition: Any, given: Any, expected: Any) -> None:
    assert oracle(definition, given) == expected


def test_moto_finds_the_same_choice_rules_to_hold(oracle: Any) -> None:
    differing = [
        (rule, given) for rule, given, expected in RULES if oracle(chooser(rule), given) != ("SUCCEEDED", expected)
    ]
    assert differing == []


def test_waits_retries_and_branches_take_virtual_time_only() -> None:
    bench = Bench()
    wait = {"Type": "Wait", "Seconds": 3600, "End": True}
    definition = states(
        "A",
        A={"Type": "Parallel", "Branches": [states("W", W=wait), states("V", V=wait)], "Next": "B"},
        B=call("flaky", Retry=[{"ErrorEquals": ["Custom"], "IntervalSeconds": 10, "BackoffRate": 2.0}]),
    )
    execution = bench.run(definition, {}, idle=False)
    bench.clock.run_until_idle(within=3599)
    assert execution.status == "RUNNING"
    bench.clock.run_until_idle(within=4000)
    assert execution.status == "SUCCEEDED"
    assert bench.seconds() == 3600 + 10 + 20


def test_a_retry_waits_no_longer_than_its_limit() -> None:
    bench = Bench()
    retry = {"ErrorEquals": ["Custom"], "IntervalSeconds": 10, "BackoffRate": 10.0, "MaxDelaySeconds": 15}
    assert bench.run(states("A", A=call("flaky", Retry=[retry])), {}).status == "SUCCEEDED"
    assert bench.seconds() == 25


def test_max_concurrency_keeps_items_back_and_branches_interleave() -> None:
    bench = Bench()
    item = states("E", E=call("echo", Next="W"), W={"Type": "Wait", "Seconds": 10, "End": True})
    definition = states("A", A={"Type": "Map", "MaxConcurrency": 2, "ItemProcessor": item, "End": True})
    assert bench.run(definition, [1, 2, 3, 4, 5]).output == [1, 2, 3, 4, 5]
    assert bench.seconds() == 30


def test_the_first_failing_branch_stops_the_others() -> None:
    bench = Bench()
    slow = states("W", W={"Type": "Wait", "Seconds": 10, "Next": "E"}, E=call("echo"))
    definition = states("A", A={"Type": "Parallel", "Branches": [slow, states("B", B=call("broken"))], "End": True})
    assert bench.run(definition, {}).error == "Custom"
    assert [name for name, _ in bench.toys.calls] == ["broken"]
    assert bench.seconds() == 0


ASK = {
    "Type": "Task",
    "Resource": f"{INVOKE}.waitForTaskToken",
    "Parameters": {"FunctionName": f"{ARN}echo", "Payload": {"token.$": "$$.Task.Token"}},
    "TimeoutSeconds": 60,
    "End": True,
}


def token(bench: Bench) -> str:
    return str(bench.toys.calls[-1][1]["token"])


def send(bench: Bench, operation: str, **parameters: str) -> None:
    served: dict[str, Any] = {}

    class Recorder:
        def serve(self, name: str, operation: Any) -> None:
            served[name] = operation

    bench.machines.serve(cast(Any, Recorder()))
    served[f"states:{operation}"](type("R", (), {"parameters": parameters})(), None)


def test_a_token_resumes_its_task_once() -> None:
    bench = Bench()
    execution = bench.run(states("A", A=ASK), {})
    assert execution.status == "RUNNING"
    send(bench, "SendTaskSuccess", taskToken=token(bench), output='{"yes": true}')
    bench.clock.run_until_idle()
    assert execution.output == {"yes": True}
    with pytest.raises(AwsFailure, match="TaskTimedOut"):
        send(bench, "SendTaskSuccess", taskToken=token(bench), output="{}")
    with pytest.raises(AwsFailure, match="InvalidToken"):
        send(bench, "SendTaskSuccess", taskToken="made up", output="{}")


def test_a_token_that_fails_carries_error_and_cause() -> None:
    bench = Bench()
    catch = [{"ErrorEquals": ["Denied"], "Next": "B"}]
    execution = bench.run(states("A", A={**ASK, "Catch": catch}, B={"Type": "Pass", "End": True}), {})
    send(bench, "SendTaskFailure", taskToken=token(bench), error="Denied", cause="bob said no")
    bench.clock.run_until_idle()
    assert execution.output == {"Error": "Denied", "Cause": "bob said no"}


def test_a_question_times_out_and_its_token_is_dead() -> None:
    bench = Bench()
    execution = bench.run(states("A", A=ASK), {})
    bench.clock.advance(59)
    assert execution.status == "RUNNING"
    bench.clock.advance(2)
    assert outcome(execution) == ("FAILED", "States.Timeout")
    with pytest.raises(AwsFailure, match="TaskTimedOut"):
        send(bench, "SendTaskSuccess", taskToken=token(bench), output="{}")


def test_a_heartbeat_keeps_a_task_alive() -> None:
    bench = Bench()
    execution = bench.run(states("A", A={**ASK, "HeartbeatSeconds": 10}), {})
    bench.clock.advance(9)
    send(bench, "SendTaskHeartbeat", taskToken=token(bench))
    bench.clock.advance(9)
    assert execution.status == "RUNNING"
    bench.clock.advance(2)
    assert outcome(execution) == ("FAILED", "States.HeartbeatTimeout")


def test_names_are_idempotent_while_running_and_closed_afterwards() -> None:
    bench = Bench()
    first = bench.run(states("A", A=ASK), {"n": 1})
    assert bench.machines.start(MACHINE, {"n": 1}, "run") is first
    with pytest.raises(AwsFailure, match="ExecutionAlreadyExists"):
        bench.machines.start(MACHINE, {"n": 2}, "run")
    bench.clock.advance(61)
    with pytest.raises(AwsFailure, match="ExecutionAlreadyExists"):
        bench.machines.start(MACHINE, {"n": 1}, "run")


def test_an_execution_past_its_own_limit_times_out_and_tells() -> None:
    bench = Bench()
    definition = {**states("A", A={"Type": "Wait", "Seconds": 100, "End": True}), "TimeoutSeconds": 50}
    execution = bench.run(definition, {})
    assert execution.status == "TIMED_OUT"
    assert [event["detail"]["status"] for event in bench.told] == ["TIMED_OUT"]


def test_a_missing_function_is_an_error_of_the_task() -> None:
    assert Bench().run(states("A", A=call("nobody")), {}).error == "Lambda.ResourceNotFoundException"


def test_too_much_data_cannot_be_caught_by_all() -> None:
    bench = Bench()
    bench.toys.named["echo"] = lambda event: "x" * 300_000
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "B"}]
    execution = bench.run(states("A", A=call("echo", Catch=catch), B={"Type": "Succeed"}), {})
    assert outcome(execution) == ("FAILED", "States.DataLimitExceeded")


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"Type": "Pass", "Assign": {}, "End": True}, "Assign"),
        ({"Type": "Pass"}, "Next or End"),
        ({"Type": "Pass", "Next": "Nowhere"}, "Nowhere"),
        ({"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "End": True}, "sns:publish"),
        ({"Type": "Map", "ToleratedFailurePercentage": 10, "ItemProcessor": {}, "End": True}, "Tolerated"),
    ],
)
def test_what_the_interpreter_does_not_know_is_refused_beforehand(state: Any, said: str) -> None:
    with pytest.raises(DefinitionError, match=said):
        Bench().machines.add_machine(MACHINE, states("A", A=state))
