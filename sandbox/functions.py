"""Lambda: our handlers, run in this process, each with its own settings and its own credentials."""

from __future__ import annotations

import importlib
import json
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from sandbox import wire
from sandbox.clock import Clock
from sandbox.front import Answer, AwsFailure, Front
from sandbox.identity import Caller, Identities, access_key, session_arn
from sandbox.invocation import Interruption, Interruptions, Invocation, Killed, Result, finished, running

Handler = Callable[[Any, Any], Any]
ASYNC_RETRIES = (60.0, 120.0)
"""Seconds before the two retries of an asynchronous invocation ("Error handling for asynchronous invocation")."""


@dataclass(frozen=True)
class Function:
    """A function as its template declares it.

    Attributes:
        name: function name.
        arn: function ARN.
        module: the module that holds `build(environment, clock)`.
        role: ARN of its role.
        environment: its variables.
        timeout: seconds.
        memory: MB.
        failures: where failed asynchronous invocations go (ARN), None if nowhere.
        retries: how often an asynchronous invocation is tried again.
    """

    name: str
    arn: str
    module: str
    role: str
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout: int = 3
    memory: int = 128
    failures: str | None = None
    retries: int = 2


class Functions:
    """The functions and their invocations.

    Attributes:
        invocations: every invocation so far.
        failures: asynchronous events that were given up, with where they went.

    Args:
        endpoint: where AWS is.
        environment: variables that every function gets besides its own; "{url}" in a value stands for the endpoint.
        dead_letter: sends a text to a queue or topic by ARN.
    """

    def __init__(
        self,
        clock: Clock,
        identities: Identities,
        endpoint: str,
        environment: Mapping[str, str],
        dead_letter: Callable[[str, str], None],
    ) -> None:
        self.invocations: list[Invocation] = []
        self.interruptions = Interruptions(self._running_with)
        self._clock = clock
        self._identities = identities
        self._endpoint = endpoint
        self._environment = environment
        self._dead_letter = dead_letter
        self._functions: dict[str, Function] = {}
        self._warm: dict[str, list[Handler]] = {}
        self._running: dict[str, Invocation] = {}
        self._lock = threading.Lock()

    def register(self, function: Function) -> None:
        """Add a function; its calls are known by an access key of its own."""
        self._functions[function.name] = function
        account = function.arn.split(":")[4]
        caller = Caller(session_arn(function.role, function.name), account, function.role, function.name, function.name)
        self._identities.add(access_key(function.arn), caller)

    def forget(self) -> None:
        """Let no function be warm: the next invocation of each starts it."""
        with self._lock:
            self._warm.clear()

    def find(self, name: str) -> Function:
        """Return a function by name, ARN or qualified ARN.

        Raises:
            AwsFailure: there is none.
        """
        short = name.split(":")[6] if name.startswith("arn:") else name.partition(":")[0]
        if short not in self._functions:
            raise AwsFailure("ResourceNotFoundException", f"Function not found: {name}", 404)
        return self._functions[short]

    def all(self) -> list[Function]:
        """Return every function."""
        return list(self._functions.values())

    def invoke(self, name: str, event: Any) -> Result:
        """Run a function and wait for it.

        Raises:
            AwsFailure: there is no such function.
        """
        function = self.find(name)
        invocation = Invocation(
            function.name,
            function.arn,
            str(uuid.uuid4()),
            function.memory,
            json.loads(json.dumps(event)),
            self._clock.now() + timedelta(seconds=function.timeout),
            self._clock.now,
        )
        with self._lock:
            self.invocations.append(invocation)
            outer = self._running.get(function.name)
            self._running[function.name] = invocation
        token = running(invocation)
        try:
            invocation.result = self._run(function, invocation)
        finally:
            finished(token)
            with self._lock:
                if outer is not None:
                    self._running[function.name] = outer
                else:
                    self._running.pop(function.name, None)
        return invocation.result

    def invoke_later(self, name: str, event: Any, done: Callable[[Result], None] = lambda result: None) -> None:
        """Run a function asynchronously: tried again twice, then its event goes to the function's failure target."""
        function = self.find(name)
        self._attempt(function, event, 0, done)

    def serve(self, front: Front) -> None:
        """Answer Invoke."""
        front.serve("lambda:Invoke", self._invoke)

    def _invoke(self, request: wire.Request, caller: Caller | None) -> Answer:
        name = request.path.split("/")[3]
        event = json.loads(request.body or b"{}")
        if request.headers.get("x-amz-invocation-type") == "Event":
            self.invoke_later(name, event)
            return Answer(202, [], b"")
        result = self.invoke(name, event)
        headers = [("Content-Type", "application/json"), ("X-Amz-Executed-Version", "$LATEST")]
        if result.failed:
            headers.append(("X-Amz-Function-Error", "Unhandled"))
        return Answer(200, headers, json.dumps(result.payload).encode())

    def kill_before(self, function: str, call: int) -> Interruption:
        """Kill the next invocation of a function that comes to its n-th call, before the call is sent."""
        return self.interruptions.plan(Interruption(self.find(function).name, call, "before"))

    def kill_after(self, function: str, call: int) -> Interruption:
        """Kill the next invocation of a function that comes to its n-th call, after the call was done."""
        return self.interruptions.plan(Interruption(self.find(function).name, call, "after"))

    def freeze(
        self, function: str, call: int, meanwhile: Callable[[], None], when: Literal["before", "after"] = "before"
    ) -> Interruption:
        """Hold the next invocation that comes to its n-th call while `meanwhile` runs, then let it go on."""
        return self.interruptions.plan(Interruption(self.find(function).name, call, when, meanwhile))

    def _attempt(self, function: Function, event: Any, tried: int, done: Callable[[Result], None]) -> None:
        def finish(result: Result) -> None:
            if not result.failed:
                done(result)
            elif tried < function.retries:
                pause = ASYNC_RETRIES[min(tried, len(ASYNC_RETRIES) - 1)]
                self._clock.after(pause, lambda: self._attempt(function, event, tried + 1, done))
            else:
                if function.failures:
                    self._dead_letter(function.failures, json.dumps(event))
                done(result)

        self._clock.submit(lambda: self.invoke(function.name, event), finish)

    def _run(self, function: Function, invocation: Invocation) -> Result:
        handler: Handler | None = None
        result = Result(None)
        try:
            handler = self._take(function)
            result = Result(json.loads(json.dumps(handler(invocation.event, invocation))))
        except Killed:
            invocation.dead = True
        except Exception as error:  # noqa: BLE001  whatever a handler raises, Lambda answers with
            result = Result({"errorType": type(error).__name__, "errorMessage": str(error)}, failed=True)
        if invocation.late:
            invocation.dead = True
            said = f"RequestId: {invocation.aws_request_id} Error: Task timed out after {function.timeout:.2f} seconds"
            return Result({"errorType": "Sandbox.Timedout", "errorMessage": said}, failed=True)
        if invocation.dead:
            said = f"RequestId: {invocation.aws_request_id} Error: Runtime exited with error: signal: killed"
            return Result({"errorType": "Runtime.ExitError", "errorMessage": said}, failed=True)
        if handler is not None:
            self._give_back(function, handler)
        return result

    def _take(self, function: Function) -> Handler:
        """Return an idle execution environment's handler, or start one. No two invocations share one at a time."""
        with self._lock:
            if idle := self._warm.setdefault(function.name, []):
                return idle.pop()
        module = importlib.import_module(function.module)
        handler: Handler = module.build(self._settings(function), clock=self._clock.now)
        return handler

    def _give_back(self, function: Function, handler: Handler) -> None:
        with self._lock:
            self._warm.setdefault(function.name, []).append(handler)

    def _settings(self, function: Function) -> Mapping[str, str]:
        _, _, _, region, account, _ = function.arn.split(":", 5)
        return {
            **function.environment,
            **{name: value.replace("{url}", self._endpoint) for name, value in self._environment.items()},
            "AWS_ACCESS_KEY_ID": access_key(function.arn),
            "AWS_SECRET_ACCESS_KEY": "sandbox",  # nothing checks signatures
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_ACCOUNT_ID": account,
            "AWS_ENDPOINT_URL": self._endpoint,
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        }

    def _running_with(self, key: str) -> Invocation | None:
        caller = self._identities.find(key) if key else None
        return self._running.get(caller.function) if caller and caller.function else None
