"""Plays one story under one misfortune, and says what did not hold."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from firebreak.operator_files import load_playbooks
from reliability.blast import PROTECTED, RAILS
from reliability.blueprint import Blueprint, read
from reliability.fault import Misfortune
from reliability.injector import MOST, Injector, Runaway
from reliability.invariants import Watch
from reliability.memory import MemoryWorld
from reliability.naming import named
from reliability.scripted import SCRIPTED
from reliability.seat import seated
from reliability.state import canonical, converged
from reliability.telling import INSTANCE, OTHER, PLAYBOOKS, Story
from sandbox.clock import Clock
from sandbox.invocation import current
from sandbox.lab import DEPLOYMENT
from sandbox.synthesis_cache import ROOT, application

LAST = 1.0
"""Seconds that a frozen invocation has left when it goes on."""

PATIENCE = 40
"""How often Sweep's schedule comes after the story, before what still waits counts as stuck."""


@dataclass(frozen=True)
class Outcome:
    """What a run came to.

    Attributes:
        calls: how many calls it made.
        sites: who made each: "plan dynamodb:query", in order.
        violations: what did not hold.
        state: the canonical state it ended in.
        struck: how many of the faults happened.
        converged: what of it no order of deliveries may change.
        lags: the calls that may answer with what was so a moment ago.
        places: in the code, from which calls were made.
    """

    calls: int
    sites: tuple[str, ...]
    violations: tuple[str, ...]
    state: Any
    struck: int
    converged: Any = None
    lags: frozenset[int] = frozenset()
    places: frozenset[str] = frozenset()

    @classmethod
    def of(cls, injector: Injector, violations: Iterable[str], state: Any = None, converged: Any = None) -> Outcome:
        """Return what the calls of a run came to."""
        calls = injector.calls
        return cls(
            len(calls),
            tuple(f"{call.function.removeprefix('firebreak-') or 'person'} {call.name}" for call in calls),
            tuple(dict.fromkeys(violations)),
            state,
            len(injector.struck),
            converged,
            frozenset(call.number for call in calls if call.lags),
            frozenset(injector.places),
        )


@cache
def blueprint() -> Blueprint:
    """Return the synthesized pipeline."""
    found, _ = application(DEPLOYMENT, ROOT / "playbooks")
    return read(next(stack for stack in found.stacks if stack.name == "firebreak-response"))


@contextmanager
def config() -> Iterator[str]:
    """Yield a folder with the settings and the playbooks of the stories."""
    with tempfile.TemporaryDirectory(prefix="firebreak-") as folder:
        (Path(folder) / "playbooks").mkdir()
        (Path(folder) / "playbooks" / "stories.yaml").write_text(PLAYBOOKS)
        playbooks = load_playbooks(Path(folder) / "playbooks", SCRIPTED.__getitem__, actions=list(SCRIPTED))
        deployment = DEPLOYMENT.model_copy(update={"slack": None, "guard": RAILS, "bulk_executions": 1})
        (Path(folder) / "playbooks.json").write_text(playbooks.model_dump_json())
        (Path(folder) / "deployment.json").write_text(json.dumps(deployment.model_dump(mode="json")))
        yield folder


def play(misfortune: Misfortune, folder: str) -> Outcome:
    """Play the story that a misfortune names.

    Args:
        misfortune: which, and what goes wrong.
        folder: of the settings, see `config`.
    """
    return tell(named(misfortune.story), misfortune, folder)


def tell(story: Story, misfortune: Misfortune, folder: str) -> Outcome:
    """Play a story."""
    world: MemoryWorld

    def serve(*call: Any) -> Any:
        return world.serve(*call)

    plan = blueprint()  # before the scripted actions are seated: a synthesis knows the real ones
    with seated(serve, lambda seconds: None, lambda: bool(world.estate.names)):
        world = MemoryWorld(plan, folder)
        for instance in (INSTANCE, OTHER, PROTECTED):
            world.estate.doors |= {f"{instance}/door-1": ("a", "b"), f"{instance}/door-2": ("c",)}
            world.estate.things.add(instance)
        watch = Watch(world)
        world.injector.plan(misfortune.faults)
        world.injector.meanwhile = lambda: others(world.clock)
        try:
            story.play(world)
            world.injector.plan(())
            _settle(world)
            watch.end(undone=story.undone)
        except Runaway:
            watch.violations.append(f"I7 {MOST} calls, and no end")
        return Outcome.of(world.injector, watch.violations, canonical(world), converged(world))


def _settle(world: MemoryWorld) -> None:
    """Nothing goes wrong any more: Sweep comes by its schedule until all is quiet."""
    for _ in range(PATIENCE):
        world.sweep()
        if not _busy(world):
            break
        world.clock.advance(300)


def others(clock: Clock) -> None:
    """Everybody else goes on until the frozen invocation has almost no time left."""
    invocation = current()
    assert invocation is not None
    left = (invocation.deadline - clock.now()).total_seconds()
    if left > LAST:
        clock.advance(left - LAST)


def _busy(world: MemoryWorld) -> bool:
    waiting = any(world.queues.messages.values())
    return waiting or any(execution.status == "RUNNING" for execution in world.machines.all)
