"""The way from event to contained: AWS calls in sequence, and the time they take with 20 ms added to each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.events import guardduty
from benchmarks.figure import Figure
from sandbox.journal import Call
from sandbox.lab import DEPLOYMENT, Lab, lab
from sandbox.synthesis_cache import application

ROOT = Path(__file__).parent.parent
ADDED = 0.02  # seconds, to every call

LEAST: Mapping[str, int] = {
    "Triage: record incident, lock and wish in one transaction": 1,
    "Triage: StartExecution": 1,
    "Decide: read the incident": 1,
    "Decide: take on the observer role": 1,
    "Decide: look the instance up": 1,
    "Decide: record decision and steps": 1,
    "Plan the snapshot: read, look at the volumes, record the plan": 3,
    "Execute the snapshot: read, intent with lease, role, CreateSnapshots, record": 5,
    "Plan the isolation: read, look at interfaces and groups, record the plan": 4,
    "Execute the isolation: read, intent with lease, role, read back, record": 5,
}
"""What cannot be left out in sequence, each part in its own function with its own role; and one call per interface."""

WAITS_FOR_NOBODY = ("s3:PutObject",)
"""Calls of Triage after StartExecution: the execution runs beside them."""


@dataclass(frozen=True)
class Way:
    """One finding's way.

    Attributes:
        calls: on the path from the event to the verified isolation.
        wall: seconds from the event to then.
        inside: seconds of these that were spent in the sandbox, the added ones included.
    """

    calls: int
    wall: float
    inside: float


def figures(rounds: int, tick: Callable[[], None]) -> Iterator[Figure]:
    """Measure an instance with one interface and one with two, warm.

    Args:
        rounds: how often each is contained and released.
        tick: called after each.
    """
    with lab(application(DEPLOYMENT, ROOT / "playbooks")[0]) as standing:
        _contain(standing, standing.estate.web[2], 1)  # every function has been started once
        for interfaces, instance in ((1, standing.estate.web[0]), (2, standing.estate.bastion)):
            ways = []
            for number in range(rounds):
                standing.sandbox.front.latency = ADDED
                ways.append(_contain(standing, instance, 100 * interfaces + number))
                standing.sandbox.front.latency = 0.0
                _release(standing)
                tick()
            least = sum(LEAST.values()) + interfaces
            calls = ways[0].calls
            noun = "one interface" if interfaces == 1 else "two interfaces"
            yield Figure(
                f"AWS calls from event to contained, {noun}",
                f"the least possible, {least}",
                tuple(way.calls / least for way in ways),
                f"{calls} calls over {least}",
            )
            yield Figure(
                f"wall time from event to contained, {noun}",
                "the same calls with 20 ms added to each and nothing else",
                tuple(way.wall / way.inside for way in ways),
                f"{ways[0].wall:.2f} s over {ways[0].inside:.2f} s",
                1.3,
            )
            yield Figure(
                f"wall time from event to contained, {noun}, over the least",
                f"{least} such calls",
                tuple(way.wall / (way.inside / way.calls * least) for way in ways),
                f"{ways[0].wall:.2f} s over {ways[0].inside / calls * least:.2f} s",
                1.3,
            )


def _contain(standing: Lab, instance: str, number: int) -> Way:
    sandbox = standing.sandbox
    sandbox.journal.clear()
    inside = _Inside(sandbox.front)
    begun = time.perf_counter()
    done: list[float] = []

    def watch(execution: Any, event: Any) -> None:
        if event.kind == "succeeded" and event.state == "StartStepContain" and not done:
            done.append(time.perf_counter() - begun)
            inside.stop()

    sandbox.machines.watch = watch
    sandbox.put_event(guardduty(sandbox.account, sandbox.region, instance, number, sandbox.clock.now()))
    sandbox.run_until_idle(600)
    calls = _path(list(sandbox.journal))
    return Way(len(calls), done[0], inside.seconds)


class _Inside:
    """Counts the seconds that the front spends on calls, until it is stopped."""

    def __init__(self, front: Any) -> None:
        self.seconds = 0.0
        self._front, self._serve = front, front._aws
        front._aws = self._timed

    def _timed(self, *arguments: Any) -> Any:
        begun = time.perf_counter()
        try:
            return self._serve(*arguments)
        finally:
            self.seconds += time.perf_counter() - begun

    def stop(self) -> None:
        self._front._aws = self._serve


def _path(calls: list[Call]) -> list[Call]:
    """The calls up to the one that records the isolation as verified."""
    ours = [call for call in calls if call.function]
    last = max(place for place, call in enumerate(ours) if call.function == "firebreak-execute")
    return [call for call in ours[: last + 1] if call.name not in WAITS_FOR_NOBODY]


def _release(standing: Lab) -> None:
    """Take everything back, so that the next round finds the estate as it was."""
    sandbox = standing.sandbox
    states = sandbox.client("stepfunctions")
    machine = sandbox.functions.find("firebreak-triage").environment["FIREBREAK_STATE_MACHINE_ARN"]
    rows = sandbox.table_items(standing.table, "INCIDENT#")
    for row in rows:
        if row["sk"] == "INCIDENT" and row["status"] == "contained":
            name = row["pk"].removeprefix("INCIDENT#")
            given = f'{{"incident": "{name}", "revision": 1, "mode": "undo", "attempt": 1}}'
            states.start_execution(stateMachineArn=machine, name=f"{name}-r1-undo-a1", input=given)
    sandbox.run_until_idle(600)
    sandbox.advance(3600)  # how often an action runs in an hour is bounded
