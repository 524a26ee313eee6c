"""Task tokens: who waits with one, and the calls that answer it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sandbox import wire
from sandbox.clock import Clock, Timer
from sandbox.flow import Resume
from sandbox.front import AwsFailure, Front
from sandbox.identity import Caller
from sandbox.paths import StateError


@dataclass
class _Token:
    resume: Resume
    heartbeat: float | None
    timer: Timer | None = None
    open: bool = True


class Tokens:
    """The tokens of all executions."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tokens: dict[str, _Token] = {}

    def serve(self, front: Front) -> None:
        """Answer the operations that report on a task."""
        front.serve("states:SendTaskSuccess", self._success)
        front.serve("states:SendTaskFailure", self._failure)
        front.serve("states:SendTaskHeartbeat", self._heartbeat)

    def wait(self, name: str, resume: Resume, heartbeat: float | None) -> None:
        """Let a task wait with a token.

        Args:
            resume: called with the answer.
            heartbeat: seconds between heartbeats, None where none are asked for.
        """
        self._tokens[name] = _Token(resume, heartbeat)
        self._beat(name)

    def _redeem(self, request: wire.Request) -> _Token:
        token = self._tokens.get(str(request.parameters.get("taskToken")))
        if token is None:
            raise AwsFailure("InvalidToken", "Invalid Token: 'Invalid token'")
        if not token.open:
            raise AwsFailure("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")
        return token

    def _success(self, request: wire.Request, caller: Caller | None) -> None:
        try:
            output = json.loads(request.parameters["output"])
        except ValueError as error:
            raise AwsFailure("InvalidOutput", f"Invalid Output: {error}") from error
        self._answer(request, output)

    def _failure(self, request: wire.Request, caller: Caller | None) -> None:
        said = request.parameters
        self._answer(request, StateError(said.get("error", ""), said.get("cause", "")))

    def _answer(self, request: wire.Request, value: Any) -> None:
        token = self._redeem(request)
        self.void(str(request.parameters["taskToken"]))
        self._clock.soon(lambda: token.resume(value))

    def _heartbeat(self, request: wire.Request, caller: Caller | None) -> None:
        self._redeem(request)
        self._beat(str(request.parameters["taskToken"]))

    def _beat(self, name: str) -> None:
        token = self._tokens[name]
        if token.timer is not None:
            token.timer.cancel()
        if token.heartbeat is not None:
            late = StateError("States.HeartbeatTimeout", f"no heartbeat for {token.heartbeat:g} seconds")
            token.timer = self._clock.after(token.heartbeat, lambda: token.resume(late), deadline=True)

    def void(self, name: str) -> None:
        """Close a token: nobody waits with it any more."""
        token = self._tokens[name]
        token.open = False
        if token.timer is not None:
            token.timer.cancel()
