"""Step Functions: executions of state machines, task tokens, and the API that our code reaches them by."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from sandbox import wire
from sandbox.clock import Clock
from sandbox.definition import check
from sandbox.execution import Execution, listed, status_change
from sandbox.flow import Cancel, Effect, Flow, Resume
from sandbox.front import AwsFailure, Front
from sandbox.functions import Functions
from sandbox.identity import Caller
from sandbox.invocation import Result
from sandbox.machine import Event, Interpreter
from sandbox.paths import StateError
from sandbox.tokens import Tokens

INVOKE = "arn:aws:states:::lambda:invoke"
WAIT = ".waitForTaskToken"


class Executions:
    """All state machines and their executions.

    Args:
        told: called with the event "Step Functions Execution Status Change" when an execution ends badly or well.
    """

    def __init__(self, clock: Clock, functions: Functions, told: Callable[[dict[str, Any]], None]) -> None:
        self.all: list[Execution] = []
        self.watch: Callable[[Execution, Event], None] = lambda execution, event: None
        self._clock = clock
        self._functions = functions
        self._told = told
        self._machines: dict[str, Mapping[str, Any]] = {}
        self._tokens = Tokens(clock)

    def serve(self, front: Front) -> None:
        """Answer the operations of Step Functions that our code uses."""
        for name, operation in {
            "StartExecution": self._start,
            "DescribeExecution": self._describe,
            "StopExecution": self._stop,
            "ListExecutions": self._list,
        }.items():
            front.serve(f"states:{name}", operation)
        self._tokens.serve(front)

    def add_machine(self, arn: str, definition: Mapping[str, Any]) -> None:
        """Make a state machine known.

        Raises:
            DefinitionError: the interpreter would not run it to the letter.
        """
        check(definition, runs)
        self._machines[arn] = definition

    @property
    def machines(self) -> list[str]:
        """The ARNs of the state machines."""
        return list(self._machines)

    def start(self, machine: str, given: Any, name: str | None = None) -> Execution:
        """Start an execution.

        Raises:
            AwsFailure: no such machine, or the name was used for something else or has ended.
        """
        if machine not in self._machines:
            raise AwsFailure("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{machine}'")
        name = name or str(uuid.uuid4())
        arn = machine.replace(":stateMachine:", ":execution:") + f":{name}"
        for execution in self.all:
            if execution.arn == arn:
                if execution.status == "RUNNING" and execution.input == given:
                    return execution
                raise AwsFailure("ExecutionAlreadyExists", f"Execution Already Exists: '{arn}'")
        execution = Execution(arn, name, machine, given, self._clock.now())
        self.all.append(execution)
        definition = self._machines[machine]
        began = execution.started.isoformat(timespec="milliseconds")
        context = {
            "Execution": {"Id": arn, "Input": given, "Name": name, "RoleArn": "", "StartTime": began},
            "StateMachine": {"Id": machine, "Name": machine.rpartition(":")[2]},
        }
        interpreter = Interpreter(
            definition,
            self._clock,
            self,
            context,
            execution.history,
            lambda event: self.watch(execution, event),
        )
        execution.flow = Flow(interpreter.run(given), lambda value: self._ended(execution, value))
        if "TimeoutSeconds" in definition:
            late = StateError("States.Timeout", "the execution took too long")
            execution.limit = self._clock.after(
                definition["TimeoutSeconds"], lambda: self._close(execution, "TIMED_OUT", late), deadline=True
            )
        self._clock.soon(execution.flow.start)
        return execution

    # How the interpreter has tasks done.

    def new_token(self) -> str:
        """Return a fresh task token."""
        return uuid.uuid4().hex

    def run(self, resource: str, payload: Any, token: str | None, heartbeat: float | None) -> Effect:
        """Invoke a function; with a token, wait until someone sends it."""
        wrapped = resource.removesuffix(WAIT) == INVOKE
        name = payload["FunctionName"] if wrapped else resource
        event = payload.get("Payload", {}) if wrapped else payload

        def begin(resume: Resume) -> Cancel:
            if token is not None:
                self._tokens.wait(token, resume, heartbeat)

            def done(result: Result | StateError) -> None:
                if isinstance(result, StateError):
                    resume(result)
                elif result.failed:
                    cancel()
                    resume(StateError(result.payload["errorType"], json.dumps(result.payload)))
                elif token is None:
                    answer = {"ExecutedVersion": "$LATEST", "Payload": result.payload, "StatusCode": 200}
                    resume(answer if wrapped else result.payload)

            def cancel() -> None:
                if token is not None:
                    self._tokens.void(token)

            self._clock.submit(lambda: self._invoke(name, event), done)
            return cancel

        return begin

    def _invoke(self, name: str, event: Any) -> Result | StateError:
        try:
            return self._functions.invoke(name, event)
        except AwsFailure as failure:
            return StateError(f"Lambda.{failure.code}", failure.message)

    # The API.

    def _start(self, request: wire.Request, caller: Caller | None) -> Mapping[str, Any]:
        try:
            given = json.loads(request.parameters.get("input") or "{}")
        except ValueError as error:
            raise AwsFailure("InvalidExecutionInput", f"Invalid State Machine Execution Input: '{error}'") from error
        execution = self.start(request.parameters["stateMachineArn"], given, request.parameters.get("name"))
        return {"executionArn": execution.arn, "startDate": execution.started.timestamp()}

    def _find(self, arn: str) -> Execution:
        for execution in self.all:
            if execution.arn == arn:
                return execution
        raise AwsFailure("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")

    def _describe(self, request: wire.Request, caller: Caller | None) -> Mapping[str, Any]:
        execution = self._find(request.parameters["executionArn"])
        told = {**listed(execution), "input": json.dumps(execution.input)}
        if execution.status == "SUCCEEDED":
            told["output"] = json.dumps(execution.output)
        if execution.error:
            told |= {"error": execution.error, "cause": execution.cause}
        return told

    def _list(self, request: wire.Request, caller: Caller | None) -> Mapping[str, Any]:
        wanted = request.parameters.get("stateMachineArn"), request.parameters.get("statusFilter")
        found = [e for e in reversed(self.all) if wanted[0] == e.machine and wanted[1] in (None, e.status)]
        return {"executions": [listed(execution) for execution in found]}

    def _stop(self, request: wire.Request, caller: Caller | None) -> Mapping[str, Any]:
        execution = self._find(request.parameters["executionArn"])
        said = StateError(request.parameters.get("error", ""), request.parameters.get("cause", ""))
        if execution.status == "RUNNING":
            self._close(execution, "ABORTED", said)
        return {"stopDate": execution.stopped.timestamp() if execution.stopped else None}

    # How executions end.

    def _ended(self, execution: Execution, value: Any) -> None:
        if not isinstance(value, StateError):
            execution.output = value
        self._close(execution, "FAILED" if isinstance(value, StateError) else "SUCCEEDED", value)

    def _close(self, execution: Execution, status: str, value: Any) -> None:
        execution.status = status
        execution.stopped = self._clock.now()
        if isinstance(value, StateError):
            execution.error, execution.cause = value.error, value.cause
        if execution.flow is not None:
            execution.flow.cancel()
        if execution.limit is not None:
            execution.limit.cancel()
        self._told(status_change(execution))


def runs(resource: str) -> bool:
    """Tell whether a task of this resource can be run: a function, by its ARN or by invoke."""
    return resource.removesuffix(WAIT) == INVOKE or ":lambda:" in resource
