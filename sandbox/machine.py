"""An interpreter of state machines in JSONPath, for the states that ours use, on a clock that tests turn.

Follows "Amazon States Language" and "Step Functions Developer Guide". `sandbox.definition` has refused beforehand what
it does not know.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from sandbox.choice import holds
from sandbox.clock import Clock
from sandbox.flow import Effect, Steps, limited, sleep, together
from sandbox.paths import StateError, evaluate, fill, read, write

DATA_LIMIT = 262_144
HISTORY_LIMIT = 25_000


@dataclass(frozen=True)
class Event:
    """One entry of an execution's history.

    Attributes:
        at: when.
        kind: entered, exited, scheduled, succeeded, failed, retried, caught.
        state: name of the state.
        detail: input, output, error or payload.
    """

    at: datetime
    kind: str
    state: str
    detail: Any = None


class Tasks(Protocol):
    """How the interpreter has tasks done."""

    def run(self, resource: str, payload: Any, token: str | None, heartbeat: float | None) -> Effect:
        """Return the effect that does a task; its value is the task's result or a StateError."""
        ...

    def new_token(self) -> str:
        """Return a fresh task token."""
        ...


@dataclass
class Interpreter:
    """Runs one execution of a definition.

    Attributes:
        history: what happened so far.
    """

    definition: Mapping[str, Any]
    clock: Clock
    tasks: Tasks
    context: Mapping[str, Any]
    history: list[Event] = field(default_factory=list)
    watch: Callable[[Event], None] = lambda event: None

    def run(self, given: Any) -> Steps:
        """Return the steps of the whole execution."""
        return self._states(self.definition, given, self.context)

    def _states(self, definition: Mapping[str, Any], data: Any, context: Mapping[str, Any]) -> Steps:
        name: str | None = definition["StartAt"]
        while name is not None:
            entered = self.clock.now().isoformat(timespec="milliseconds")
            here = {**context, "State": {"Name": name, "EnteredTime": entered, "RetryCount": 0}}
            state = definition["States"][name]
            self._note("entered", name, data)
            data, name_next = yield from self._state(name, state, data, here)
            if len(json.dumps(data, separators=(",", ":")).encode()) > DATA_LIMIT:
                raise StateError("States.DataLimitExceeded", f"{name}: output over {DATA_LIMIT} bytes")
            self._note("exited", name, data)
            name = name_next
        return data

    def _state(self, name: str, state: Mapping[str, Any], data: Any, context: dict[str, Any]) -> Steps:
        """Run one state with its retries; return its output and the next state's name."""
        tried: dict[int, int] = {}
        while True:
            try:
                return (yield from self._once(name, state, data, context))
            except StateError as error:
                self._note("failed", name, {"Error": error.error, "Cause": error.cause})
                delay = _retry(state.get("Retry", ()), error, tried)
                if delay is not None:
                    self._note("retried", name, delay)
                    context["State"]["RetryCount"] += 1
                    yield sleep(self.clock, delay)
                    continue
                for catcher in state.get("Catch", ()):
                    if _covers(catcher["ErrorEquals"], error.error):
                        self._note("caught", name, catcher["Next"])
                        said = {"Error": error.error, "Cause": error.cause}
                        return write(catcher.get("ResultPath", "$"), data, said), catcher["Next"]
                raise

    def _once(self, name: str, state: Mapping[str, Any], data: Any, context: dict[str, Any]) -> Steps:
        given = _select(state.get("InputPath", "$"), data, context)
        following = state.get("Next")
        match state["Type"]:
            case "Choice":
                output = _select(state.get("OutputPath", "$"), given, context)
                return output, self._choose(name, state, given, context)
            case "Fail":
                raise StateError(_said(state, "Error", given, context), _said(state, "Cause", given, context))
            case "Succeed":
                return _select(state.get("OutputPath", "$"), given, context), None
            case "Wait":
                yield sleep(self.clock, self._seconds(state, given, context))
                return _select(state.get("OutputPath", "$"), given, context), following
            case "Pass":
                shaped = fill(state["Parameters"], given, context) if "Parameters" in state else given
                result = state.get("Result", shaped)
            case "Task":
                result = yield from self._task(name, state, given, context)
            case "Parallel":
                shaped = fill(state["Parameters"], given, context) if "Parameters" in state else given
                result = yield together(
                    [lambda b=branch: self._states(b, shaped, context) for branch in state["Branches"]],  # type: ignore[misc]
                    0,
                )
            case _:
                result = yield from self._map(state, given, context)
        if "ResultSelector" in state:
            result = fill(state["ResultSelector"], result, context)
        return _select(
            state.get("OutputPath", "$"), write(state.get("ResultPath", "$"), given, result), context
        ), following

    def _task(self, name: str, state: Mapping[str, Any], given: Any, context: dict[str, Any]) -> Steps:
        token = self.tasks.new_token() if state["Resource"].endswith(".waitForTaskToken") else None
        seen = {**context, "Task": {"Token": token}} if token else context
        payload = fill(state["Parameters"], given, seen) if "Parameters" in state else given
        timeout = state.get("TimeoutSeconds")
        if "TimeoutSecondsPath" in state:
            timeout = read(state["TimeoutSecondsPath"], given, context)
        self._note("scheduled", name, payload)
        effect = self.tasks.run(state["Resource"], payload, token, state.get("HeartbeatSeconds"))
        result = yield limited(self.clock, effect, timeout, "States.Timeout")
        self._note("succeeded", name, result)
        return result

    def _map(self, state: Mapping[str, Any], given: Any, context: dict[str, Any]) -> Steps:
        items = read(state.get("ItemsPath", "$"), given, context)
        if not isinstance(items, list):
            raise StateError("States.Runtime", "a Map needs a list of items")
        selector = state.get("ItemSelector", state.get("Parameters"))
        processor = state.get("ItemProcessor", state.get("Iterator"))

        def branch(index: int, item: Any) -> Callable[[], Steps]:
            inner = {**context, "Map": {"Item": {"Index": index, "Value": item}}}
            shaped = item if selector is None else fill(selector, given, inner)
            return lambda: self._states(processor, shaped, inner)

        branches = [branch(index, item) for index, item in enumerate(items)]
        return (yield together(branches, state.get("MaxConcurrency", 0)))

    def _choose(self, name: str, state: Mapping[str, Any], given: Any, context: Any) -> str:
        for rule in state["Choices"]:
            if holds(rule, given, context):
                return str(rule["Next"])
        if "Default" not in state:
            raise StateError("States.NoChoiceMatched", f"{name}: no rule holds and there is no default")
        return str(state["Default"])

    def _seconds(self, state: Mapping[str, Any], given: Any, context: Any) -> float:
        if "Seconds" in state or "SecondsPath" in state:
            seconds = state.get("Seconds") if "Seconds" in state else read(state["SecondsPath"], given, context)
            if not isinstance(seconds, int | float) or isinstance(seconds, bool) or seconds < 0:
                raise StateError("States.Runtime", f"cannot wait {seconds!r} seconds")
            return float(seconds)
        until = state.get("Timestamp") or read(state["TimestampPath"], given, context)
        return max(0.0, (datetime.fromisoformat(until) - self.clock.now()).total_seconds())

    def _note(self, kind: str, state: str, detail: Any = None) -> None:
        event = Event(self.clock.now(), kind, state, detail)
        self.history.append(event)
        self.watch(event)
        if len(self.history) > HISTORY_LIMIT:
            raise StateError("States.Runtime", f"the history is over {HISTORY_LIMIT} events")


def _select(path: str | None, data: Any, context: Any) -> Any:
    return {} if path is None else read(path, data, context)


def _said(state: Mapping[str, Any], name: str, given: Any, context: Any) -> str:
    if f"{name}Path" in state:
        return str(evaluate(state[f"{name}Path"], given, context))
    return str(state.get(name, ""))


def _retry(rules: Any, error: StateError, tried: dict[int, int]) -> float | None:
    """Return how long to wait before trying again; None if not to."""
    for number, rule in enumerate(rules):
        if not _covers(rule["ErrorEquals"], error.error):
            continue
        done = tried.get(number, 0)
        if done >= rule.get("MaxAttempts", 3):
            return None
        tried[number] = done + 1
        delay: float = rule.get("IntervalSeconds", 1) * rule.get("BackoffRate", 2.0) ** done
        # Full jitter means "up to": the sandbox takes the longest, so that runs repeat.
        return min(delay, float(rule.get("MaxDelaySeconds", delay)))
    return None


def _covers(names: list[str], error: str) -> bool:
    """Whether an error is among those that a Retry or Catch names ("Handling errors in Step Functions workflows")."""
    if error in names:
        return True
    if "States.ALL" in names and error not in ("States.DataLimitExceeded", "States.Runtime"):
        return True
    return "States.TaskFailed" in names and not error.startswith("States.")
