"""One run of one step, as the table records it: lease and intent, pauses, outcomes, and what is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from firebreak.clock import Clock
from firebreak.core.action import AnyAction
from firebreak.core.errors import FirebreakError, Permanent, PlanStale, Refused, Retriable, TargetMissing
from firebreak.core.guard import GuardState
from firebreak.core.incident import BEGUN, Ending, Incident, Mode, StepRecord, StepStatus
from firebreak.core.model import Model
from firebreak.core.plan import Plan
from firebreak.ports import Actor, IncidentStore, Ledger, Messenger, Remaining, Sessions

LEASE_MARGIN = 15.0
"""Seconds that a lease outlives its invocation: a request that was sent just before the end may still take effect."""


class Answer(Model):
    """What the state machine is told: look again after so many seconds, or this step is settled.

    Attributes:
        outcome: the status that this very run settled the step in, for the log and its alarms.
    """

    status: Literal["again", "settled"]
    after: int = 0
    outcome: str = ""


SETTLED = Answer(status="settled")


@dataclass(frozen=True)
class Desk:
    """What every run needs."""

    incidents: IncidentStore
    ledger: Ledger
    sessions: Sessions
    messenger: Messenger
    clock: Clock


@dataclass
class StepRun:
    """One run of one step.

    Attributes:
        desk: what it needs.
        incident, step: as they were read; `step` follows what is written.
        action: the step's action.
        guard: mode and kill switch, as they were read.
        mode, actor, remaining: of this run.
        leased: whether this run holds the lease on the target's aspect.
    """

    desk: Desk
    incident: Incident
    step: StepRecord
    action: AnyAction
    mode: Mode
    guard: GuardState
    actor: Actor
    remaining: Remaining
    leased: bool = False

    @property
    def now(self) -> datetime:
        """The time."""
        return self.desk.clock()

    @property
    def plan(self) -> Plan:
        """The step's plan.

        Raises:
            Refused: it has none.
        """
        if self.step.plan is None:
            raise Refused(
                f"step {self.step.id} of {self.step.incident} has no plan; nothing may be changed without one"
            )
        return self.step.plan

    @property
    def _lease(self) -> float:
        return self.remaining() + LEASE_MARGIN

    @property
    def half_way(self) -> bool:
        """Whether apply may have left something open that an undo has not closed or given back."""
        return self.step.status in BEGUN or self.step.half_way

    def wait(self) -> Answer | None:
        """An early call waits: a delivery that comes twice must not shorten a deliberate wait."""
        if self.step.not_before is None or self.step.not_before <= self.now:
            return None
        return Answer(status="again", after=max(1, round((self.step.not_before - self.now).total_seconds())))

    def begin(self, status: StepStatus) -> None:
        """Take the lease, write the before-state once, and record the intent."""
        self.step = self.desk.ledger.begin(
            self.step,
            self.step.model_copy(
                update={
                    "status": status,
                    "not_before": None,
                    "ending": None,
                    "half_way": self.mode == "undo" and self.half_way,
                    "started_at": self.step.started_at or self.now,
                }
            ),
            aspect=self.action.aspect,
            mode=self.mode,
            keep=self.step.effect != "collect",
            actor=self.actor,
            now=self.now,
            lease=self._lease,
            judged=self.guard,
            words=("intent", *(f"{change.resource} {change.what}" for change in self.plan.changes)),
        )
        self.leased = True

    def take(self) -> None:
        """Take the lease alone, to close what may be open."""
        self.desk.ledger.take(self.step, self.action.aspect, self.actor, self.now, self._lease)
        self.leased = True

    def pause(self, status: StepStatus, after: int, *because: str) -> Answer:
        """Give the lease back and look again later."""
        self.end(status, because, not_before=self.now + timedelta(seconds=after))
        return Answer(status="again", after=after)

    def end(
        self,
        status: StepStatus,
        words: tuple[str, ...],
        *,
        unclaims: bool = False,
        last: bool = False,
        **update: object,
    ) -> None:
        """Record what came of the run and give the lease back.

        Args:
            unclaims, last: as `Ledger.end` takes them.
            update: further members of the step.
        """
        self.step = self.desk.ledger.end(
            self.step,
            self.step.model_copy(update={"status": status, **update}),
            aspect=self.action.aspect,
            actor=self.actor,
            now=self.now,
            words=words,
            unclaims=unclaims,
            last=last,
        )
        self.leased = False

    def fail(self, status: StepStatus, error: FirebreakError) -> Answer:
        """Settle on a final error; first close what may be open. Told, and left to the others to go on.

        Raises:
            Retriable: it could not be closed now. How the step ends is on record from then on, so that the next run
                closes it and applies nothing more.
        """
        words = [str(error)]
        if self.leased and self.action.can_secure and (self.mode == "respond" or self.half_way):
            try:
                self.action.secure(self.desk.sessions.action(self.plan, self.remaining), self.plan)
                words.append("secured")
            except (TargetMissing, Permanent, PlanStale) as insecure:
                words.append(f"EXPOSED, could not be secured: {insecure}")
            except Retriable as later:
                ending = Ending(status=status, error=str(error))
                self.end(self.step.status, (*words, f"to be secured before it ends: {later}"), ending=ending)
                raise
        if self.leased:
            self.end(status, tuple(words), error="; ".join(words), ending=None, settled_at=self.now)
            self.tell(status, words)
            return Answer(status="settled", outcome=status)
        return self.settle(status, *words)

    def settle(self, status: StepStatus, *words: str) -> Answer:
        """Settle a step that holds no lease."""
        after = self.step.model_copy(update={"status": status, "error": "; ".join(words), "settled_at": self.now})
        self.step = self.desk.incidents.change_step(self.step, after, self.actor, self.now, *words)
        self.tell(status, list(words))
        return Answer(status="settled", outcome=status)

    def tell(self, status: StepStatus, words: list[str]) -> None:
        """Tell people what became of the step."""
        subject = f"{self.step.action} on {self.step.target.label}: {status}"
        self.desk.messenger.tell(subject, words, incident=self.step.incident)

    def give_back(self) -> None:
        """Give the lease back without moving the step."""
        if self.leased:
            self.desk.ledger.give_back(self.step, self.action.aspect, self.actor)
            self.leased = False
