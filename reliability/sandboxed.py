"""The sandbox world: real botocore against the synthesized application, and every call of a step shape broken.

One lab plays a shape again and again, on cold functions. Each run opens an incident of its own, is broken, and is then
taken back, so that the next one finds the estate as it was; where it does not, the lab is thrown away.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from types import SimpleNamespace
from typing import get_args
from unittest.mock import patch

import botocore.endpoint

from firebreak.adapters.incident_table import IncidentTable
from firebreak.adapters.table import Table
from firebreak.pipeline.posting import Posting
from firebreak.ports import Execution
from reliability import sight
from reliability.fault import HARD, Fault, Kind, Misfortune
from reliability.injector import MOST, Injector, Runaway
from reliability.run import Outcome, others
from reliability.seat import LOG
from reliability.shape import Shape, shapes, standing
from reliability.striking import Striking
from sandbox.lab import PERSON, Lab, lab

WORLD = "sandbox: "
"""What a story's name begins with that is a shape, played in this world."""

STRANGER = "U0STRANGER"
"""Somebody who may not answer."""

PATIENCE = 12
"""How often five minutes go by before what still runs counts as stuck."""


ESTATE = ("ec2", "elasticloadbalancing", "autoscaling", "sts", "eks", "kubernetes", "s3", "lambda", "iam")
"""What is called to see and change the estate; all else is called as the memory world has it, where every kind is
played."""

ELSEWHERE: tuple[Kind, ...] = (*HARD, "freeze")


def calm() -> dict[str, Outcome]:
    """Play every shape without a fault, by the name of its story."""
    outcomes = {}
    for name, shape in _shapes().items():
        with player(shape) as played:
            played.play(())  # the first incident of a lab meets nothing that an earlier one left
            outcomes[name] = played.play(())
    return outcomes


def single_faults(outcomes: Mapping[str, Outcome]) -> Iterator[Misfortune]:
    """Faults at every call of every shape: every kind where the estate is called, the hard ones and a freeze elsewhere.

    A read lags only where one can.

    Args:
        outcomes: of the shapes in calm.
    """
    for name, outcome in outcomes.items():
        for call, site in enumerate(outcome.sites, 1):
            for kind in get_args(Kind) if _service(site) in ESTATE else ELSEWHERE:
                if kind != "stale_read" or call in outcome.lags:
                    yield Misfortune(name, (Fault(call, kind),))


def play_all(misfortunes: Iterable[Misfortune]) -> Iterator[tuple[Misfortune, Outcome]]:
    """Play misfortunes, each shape in as few labs as its runs leave clean."""
    for story, of_story in groupby(misfortunes, lambda misfortune: misfortune.story):
        rest, dirty = iter(of_story), True
        while dirty:
            dirty = False
            with player(named(story)) as played:
                for misfortune in rest:
                    outcome = played.play(misfortune.faults)
                    yield misfortune, outcome
                    if outcome.violations:
                        dirty = True
                        break


def _service(site: str) -> str:
    return site.partition(" ")[2].partition(":")[0]


def named(story: str) -> Shape:
    """Return the shape that a story of this world plays.

    Raises:
        ValueError: no such shape.
    """
    if story not in _shapes():
        raise ValueError("no such shape")
    return _shapes()[story]


@cache
def _shapes() -> dict[str, Shape]:
    return {WORLD + shape.name: shape for shape in shapes()}


@dataclass
class Player:
    """Plays one shape in a lab.

    Attributes:
        lab: the lab.
        shape: what is played.
        runs: how many were played.
    """

    lab: Lab
    shape: Shape
    runs: int = 0

    def __post_init__(self) -> None:
        self.shape.scene.before(self.lab)
        self._before = sight.estate(self.lab)

    def play(self, faults: tuple[Fault, ...]) -> Outcome:
        """Play it once, and take it back."""
        sandbox = self.lab.sandbox
        self.shape.scene.before(self.lab)
        self.runs += 1
        self._asked, self._ends = len(self.lab.slack.messages), dict[str, str]()
        self._answered = False
        sandbox.journal.clear()
        sandbox.functions.forget()
        injector = Injector(sandbox.clock)
        injector.plan(faults)
        injector.meanwhile = lambda: others(sandbox.clock)
        sandbox.functions.interruptions.strike = Striking(injector, sandbox.front).strike
        try:
            violations = list(self._story(injector))
        except Runaway:
            violations = [f"I7 {MOST} calls, and no end"]
        finally:
            sandbox.functions.interruptions.strike = None
        if len(injector.struck) < len(faults):
            violations.append(f"I7 call {faults[-1].call} was never reached")
        return Outcome.of(injector, violations, converged=self._ends)

    def _story(self, injector: Injector) -> Iterator[str]:
        self.shape.lead.send(self.lab, self.runs)
        self._quieten()
        incidents = self._incidents()
        if len(incidents) != 1:
            yield f"I1 one event, {len(incidents)} incidents"
        store = IncidentTable(Table(self.lab.sandbox.client("dynamodb"), self.lab.table))
        denied = any(fault.kind == "deny" for fault in injector.struck)
        if "verified" not in self.shape.scene.ends and (changed := sight.apart(sight.estate(self.lab), self._before)):
            yield f"I12 what no step is about was changed: {changed}"
        for incident in incidents:
            yield from sight.judged(self.lab, store, incident, denied=denied, shape=self.shape)
        for _ in range(2):  # a command that failed is typed again
            for incident in incidents:
                self._undo(store, incident)
            self._quieten()
        injector.plan(())
        for incident in incidents:
            for step in store.steps(incident):
                self._ends[step.action] = step.status
                if step.stands:
                    yield f"I5 {step.action} of {incident} ends {step.status}: {step.error}"
        if difference := sight.apart(sight.estate(self.lab), self._before):
            yield f"I5 the estate is not as it was: {difference}"

    def _quieten(self) -> None:
        """Let everything happen. A person approves what is asked, and presses again after a while where that failed."""
        sandbox, pressed = self.lab.sandbox, False
        for _ in range(PATIENCE):
            sandbox.run_until_idle(3600)
            pressed = not pressed and self._answer()
            if pressed:
                continue
            if not sandbox.executions("RUNNING"):
                return
            sandbox.advance(300)

    def _answer(self) -> bool:
        pressed, scene = False, self.shape.scene
        for message in self.lab.slack.messages[self._asked :]:
            for block in message.blocks:
                for element in block.get("elements", ()):
                    if "approve" in element.get("action_id", ""):
                        if not self._answered:
                            scene.meanwhile(self.lab)
                            self._answered = True
                        if scene.meddles:
                            self.lab.slack.press(message.ts, element["action_id"], STRANGER)
                        self.lab.slack.press(message.ts, element["action_id"], PERSON)
                        pressed = True
        return pressed

    def _undo(self, store: IncidentTable, incident: str) -> None:
        """Start an undo, as the command does."""
        story, clock = store.incident(incident), self.lab.sandbox.clock
        if story.over:
            return
        wanted = Execution(incident=incident, revision=story.revision, mode="undo", attempt=1)
        execution = store.want_execution(wanted, clock.now())
        machines = self.lab.sandbox.machines
        if any(each.name == execution.name and each.status != "RUNNING" for each in machines.all):
            execution = store.try_again(execution) or store.want_execution(wanted, clock.now())
        function = self.lab.sandbox.functions.find("firebreak-triage")
        machines.start(function.environment["FIREBREAK_STATE_MACHINE_ARN"], execution.input, execution.name)

    def _incidents(self) -> list[str]:
        """The incidents that executions were started for in this run."""
        started = self.lab.sandbox.journal.calls("states:StartExecution")
        return sorted({str(call.parameters["name"]).partition("-r")[0] for call in started})


@contextmanager
def player(shape: Shape) -> Iterator[Player]:
    """Yield a player of a shape in a lab of its own, in which nobody sleeps in real time."""
    with ExitStack() as stack:
        application, deployment = stack.enter_context(standing(shape))
        stack.callback(LOG.setLevel, LOG.level)
        LOG.setLevel(logging.CRITICAL)  # a log of every run would cost more than the runs
        made = stack.enter_context(lab(application, deployment=deployment))
        pause = made.sandbox.clock.drift
        stack.enter_context(patch.object(botocore.endpoint, "time", SimpleNamespace(sleep=pause)))
        for sleeper in (Table, Posting):
            stack.enter_context(patch.object(sleeper.__init__, "__defaults__", (pause,)))
        yield Player(made, shape)
