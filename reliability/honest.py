"""Kills that are honest: the invocation runs in a process of its own, and that process is really gone.

Elsewhere a kill is an exception that no handler may catch, and every later call of the invocation fails with it. That
is a stand-in; here it is held against what it stands for. As a story, one is called "process: " and a shape.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any
from unittest.mock import patch

from reliability.fault import Fault, Misfortune
from reliability.run import Outcome
from reliability.sandboxed import WORLD, Player, named, player
from sandbox.functions import Function, Functions
from sandbox.invocation import Invocation, Result

PREFIX = "process: "
SHAPES = ('ec2.isolate_instance ask {"cut_tracked": true}', "ebs.snapshot_volumes auto, ec2.isolate_instance auto")
"""Shapes that are played: between them, every function but Triage's other lane takes part."""

PATIENCE = 120
"""Seconds of real time that a process may take."""


def kills(number: int, seed: int) -> list[Misfortune]:
    """Return so many kills, before and after calls drawn at random, shape by shape."""
    made: list[Misfortune] = []
    drawn = random.Random(seed)  # noqa: S311 - repeats, guards nothing
    for place, shape in enumerate(SHAPES):
        with player(named(WORLD + shape)) as played:
            calls = sum(_calm(played)[1])
        for at in sorted(drawn.sample(range(1, calls + 1), (number + place) // len(SHAPES))):
            fault = Fault(at, drawn.choice(("kill_before", "kill_after")))
            made.append(Misfortune(PREFIX + shape, (fault,), seed))
    return made


def play_all(misfortunes: Iterable[Misfortune]) -> Iterator[tuple[Misfortune, Outcome]]:
    """Play misfortunes of one kill each, each shape in one lab."""
    for story, of_story in groupby(misfortunes, lambda misfortune: misfortune.story):
        with player(named(WORLD + story.removeprefix(PREFIX))) as played:
            calm, calls = _calm(played)
            for misfortune in of_story:
                if not misfortune.faults:
                    yield misfortune, played.play(())
                    continue
                outcome = _play(played, calls, misfortune.faults[0])
                yield misfortune, replace(outcome, sites=calm.sites)  # what the process called was seen by nobody


def _calm(played: Player) -> tuple[Outcome, Sequence[int]]:
    """A run in calm, and how many calls each invocation made; what the first run makes beside that is not counted."""
    played.play(())
    begun = len(played.lab.sandbox.functions.invocations)
    outcome = played.play(())
    return outcome, [invocation.calls for invocation in played.lab.sandbox.functions.invocations[begun:]]


def _play(played: Player, calls: Sequence[int], fault: Fault) -> Outcome:
    number, call = 0, fault.call
    while number < len(calls) and call > calls[number]:
        call -= calls[number]
        number += 1
    functions = played.lab.sandbox.functions
    fate = _Fate(functions, number, call, "before" if fault.kind == "kill_before" else "after")
    with patch.object(functions, "_run", fate.run):
        outcome = played.play(())
    if not fate.met:
        return replace(outcome, violations=(*outcome.violations, f"I7 call {fault.call} was never reached"))
    return replace(outcome, struck=1)


@dataclass
class _Fate:
    """Runs one invocation, the n-th from here on, in a process that ends at a call; the others as ever."""

    functions: Functions
    number: int
    call: int
    when: str
    met: bool = False

    def __post_init__(self) -> None:
        self._plain = self.functions._run

    def run(self, function: Function, invocation: Invocation) -> Result:
        self.number -= 1
        if self.number != -1:
            return self._plain(function, invocation)
        with tempfile.TemporaryDirectory() as folder:
            answer = Path(folder) / "answer.json"
            ended = subprocess.run(
                [sys.executable, "-m", "reliability.mortal"],
                input=json.dumps({**self._told(function, invocation), "answer": str(answer)}),
                text=True,
                capture_output=True,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                timeout=PATIENCE,
                check=False,
            )
            if ended.returncode == -signal.SIGKILL:
                self.met = invocation.dead = True
                return Result({"errorType": "Runtime.ExitError", "errorMessage": "signal: killed"}, failed=True)
            if answer.exists():
                return Result(json.loads(answer.read_text(encoding="utf-8")))
            return Result({"errorType": "Error", "errorMessage": ended.stderr[-2_000:]}, failed=True)

    def _told(self, function: Function, invocation: Invocation) -> dict[str, Any]:
        return {
            "function": function.name,
            "arn": function.arn,
            "module": function.module,
            "memory": function.memory,
            "settings": dict(self.functions._settings(function)),
            "event": invocation.event,
            "request": invocation.aws_request_id,
            "now": invocation.now().isoformat(),
            "left": invocation.get_remaining_time_in_millis() / 1000,
            "call": self.call,
            "when": self.when,
        }
