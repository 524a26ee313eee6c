"""Execute: one step, once. Lease and ledger first, then the action, then what was read back.

Every run re-reads the step and decides by its status, so that it does not matter how often, how late or beside whom
it is called. The intent is recorded in the same transaction that takes the lease, writes the before-state, and holds
the incident's fence and the kill switch against it; nothing is changed before that transaction, and the outcome is
recorded in the transaction that gives the lease back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from firebreak.clock import Clock
from firebreak.core.action import AnyAction
from firebreak.core.deployment import Deployment
from firebreak.core.errors import (
    FirebreakError,
    NoConsent,
    Permanent,
    PlanStale,
    Refused,
    Retriable,
    TargetMissing,
)
from firebreak.core.guard import GuardState, judge
from firebreak.core.incident import BEGUN, EFFECTIVE, Incident, Mode, StepRecord, StepStatus
from firebreak.core.model import Model
from firebreak.core.plan import Again, Plan
from firebreak.pipeline.proposal import proposal
from firebreak.ports import Actor, Consent, IncidentStore, Ledger, Messenger, Remaining, Sessions

Operation: TypeAlias = Literal["run", "secure"]

LEASE_MARGIN = 15.0
"""Seconds that a lease outlives its invocation: a request that was sent just before the end may still take effect."""

PATIENCE = {"collect": timedelta(hours=48), "reversible": timedelta(minutes=15), "destructive": timedelta(minutes=30)}
"""How long a step may go on before it counts as failed; snapshots of terabytes take hours."""

GATE_PAUSE = 10

UNCONSENTED: dict[str, StepStatus] = {"denied": "denied", "expired": "expired", "late": "expired", "missing": "expired"}


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
class Execute:
    """The use case.

    Args:
        action: finds an action by name.
    """

    incidents: IncidentStore
    ledger: Ledger
    sessions: Sessions
    consent: Consent
    messenger: Messenger
    clock: Clock
    deployment: Deployment
    action: Callable[[str], AnyAction]

    def handle(
        self, incident: str, step: str, mode: Mode, operation: Operation, actor: Actor, remaining: Remaining
    ) -> Answer:
        """Bring one step as far as it goes now.

        Raises:
            Retriable: try again; the state machine does so, with bounds.
        """
        story, record, guard = self.incidents.briefing(incident, step)
        run = _Run(self, story, record, self.action(record.action), mode, actor, remaining)
        if operation == "secure":
            return run.secure()
        if mode == "undo":
            return run.undo()
        if record.settled:
            return SETTLED
        return run.respond(guard)


class _Run:
    """One run of one step."""

    def __init__(
        self,
        use: Execute,
        incident: Incident,
        step: StepRecord,
        action: AnyAction,
        mode: Mode,
        actor: Actor,
        remaining: Remaining,
    ) -> None:
        self.use, self.incident, self.step, self.action = use, incident, step, action
        self.mode, self.actor, self.remaining = mode, actor, remaining
        self.leased = False

    @property
    def now(self) -> datetime:
        return self.use.clock()

    @property
    def plan(self) -> Plan:
        if self.step.plan is None:
            raise Refused(
                f"step {self.step.id} of {self.step.incident} has no plan; nothing may be changed without one"
            )
        return self.step.plan

    def respond(self, guard: GuardState) -> Answer:
        begun = self.step.status in BEGUN
        if stopped := self._stopped(begun):
            return stopped
        if wait := self._wait():
            return wait
        if self.step.effect == "destructive" and not self._preserved():
            return Answer(status="again", after=GATE_PAUSE)
        if not begun and (refused := self._guarded(guard)):
            return refused
        try:
            if self.step.consent == "ask" and not begun:
                self.use.consent.redeem(self.step, f"{self.step.incident}/{self.step.id}", self.now)
            self._begin("applied" if self.step.status == "applied" else "running")
            return self._apply()
        except NoConsent as refusal:
            if refusal.because == "pending":
                return Answer(status="again", after=GATE_PAUSE)
            return self.settle(UNCONSENTED.get(refusal.because, "refused"), str(refusal))
        except Refused as refusal:
            if not begun:
                return self._fail("refused", refusal)
            if not self.leased:
                self._take()  # what was begun may be half open: closing it asks nobody
            return self._fail("failed", refusal)
        except (PlanStale, TargetMissing, Permanent) as error:
            return self._fail(_status(error), error)
        except Retriable:
            self._give_back()
            raise

    def _stopped(self, begun: bool) -> Answer | None:
        """An incident that was released changes nothing more; one that another took over finishes what it has begun."""
        fenced = self.step.revision <= self.incident.fenced
        if begun and fenced:
            self._take()
            return self._fail("failed", Refused("the incident was released while this ran"))
        if not begun and (fenced or self.incident.over):
            return self.settle("refused", f"the incident is {self.incident.status}; nothing more is changed for it")
        return None

    def _guarded(self, state: GuardState) -> Answer | None:
        """Ask the guard again: it may have been tightened since the plan was made."""
        verdict = judge(proposal(self.step, self.plan), state, self.use.deployment)
        if verdict.outcome == "run" or (verdict.outcome == "ask" and self.step.consent == "ask"):
            return None
        return self.settle("observed" if verdict.outcome == "observe" else "refused", *verdict.reasons)

    def _apply(self) -> Answer:
        clients = self.use.sessions.action(self.plan, self.remaining)
        if self.step.status != "applied":
            progress = self.action.apply(clients, self.plan)
            if isinstance(progress, Again):
                return self._pause("running", progress.after, progress.because)
        seen = self.action.verify(clients, self.plan)
        if seen.ok:
            residual = tuple(dict.fromkeys((*self.plan.residual, *seen.residual)))
            self._end("verified", seen.saw, outcome=seen.saw, residual=residual, settled_at=self.now, error=None)
            return Answer(status="settled", outcome="verified")
        started = self.step.started_at or self.now
        if self.now - started > PATIENCE[self.step.effect]:
            saw = "; ".join(seen.saw)
            return self._fail("failed", Permanent(f"{self.step.action} on {self.step.target.label}: still {saw}"))
        return self._pause("applied", seen.after, *seen.saw)

    def undo(self) -> Answer:
        if self.step.status not in EFFECTIVE or self.step.effect != "reversible":
            return SETTLED
        if wait := self._wait():
            return wait
        try:
            self._begin("undoing")
            others = self.use.ledger.others(self.step, self.action.aspect)
            if others:
                words = (f"left as it is for {', '.join(others)}: the last one released restores it",)
                self._end("undone", words, outcome=words, settled_at=self.now, error=None)
                return Answer(status="settled", outcome="undone")
            clients = self.use.sessions.action(self.plan, self.remaining)
            progress = self.action.undo(clients, self.plan)
            if isinstance(progress, Again):
                return self._pause("undoing", progress.after, progress.because)
            parameters = self.action.parameters.model_validate(self.plan.parameters)
            found = self.action.plan(clients, self.step.target, parameters)
            if found.before != self.plan.before:
                raise PlanStale(f"{self.step.target.label} is not as it was before: found {found.before}")
            words = ("read back: as it was before",)
            self._end("undone", words, last=True, outcome=words, settled_at=self.now, error=None)
            return Answer(status="settled", outcome="undone")
        except TargetMissing as missing:
            return self._fail("gone", missing)
        except (PlanStale, Refused, Permanent) as error:
            return self._fail("undo_failed", error)
        except Retriable:
            self._give_back()
            raise

    def secure(self) -> Answer:
        """Close what a half-done run may have left open, whatever the guard says, and settle the step."""
        error = Retriable(f"{self.step.action} on {self.step.target.label}: tried as often as is allowed, in vain")
        if self.step.settled:
            return SETTLED
        if self.step.status in ("running", "applied", "undoing"):
            self._take()
            return self._fail("undo_failed" if self.mode == "undo" else "failed", error)
        return self.settle("failed", str(error))

    @property
    def _lease(self) -> float:
        return self.remaining() + LEASE_MARGIN

    def _wait(self) -> Answer | None:
        """An early call waits: a delivery that comes twice must not shorten a deliberate wait."""
        if self.step.not_before is None or self.step.not_before <= self.now:
            return None
        return Answer(status="again", after=max(1, round((self.step.not_before - self.now).total_seconds())))

    def _preserved(self) -> bool:
        """Destruction waits for the evidence: verified, or not to be had, or waived on record."""
        steps = self.use.incidents.steps(self.step.incident)
        return all(other.settled for other in steps if other.stage == "preserve")

    def _begin(self, status: StepStatus) -> None:
        self.step = self.use.ledger.begin(
            self.step,
            self.step.model_copy(
                update={"status": status, "not_before": None, "started_at": self.step.started_at or self.now}
            ),
            aspect=self.action.aspect,
            mode=self.mode,
            keep=self.step.effect != "collect",
            actor=self.actor,
            now=self.now,
            lease=self._lease,
            words=("intent", *(f"{change.resource} {change.what}" for change in self.plan.changes)),
        )
        self.leased = True

    def _take(self) -> None:
        self.use.ledger.take(self.step, self.action.aspect, self.actor, self.now, self._lease)
        self.leased = True

    def _pause(self, status: StepStatus, after: int, *because: str) -> Answer:
        self._end(status, because, not_before=self.now + timedelta(seconds=after))
        return Answer(status="again", after=after)

    def _end(self, status: StepStatus, words: tuple[str, ...], *, last: bool = False, **update: object) -> None:
        self.step = self.use.ledger.end(
            self.step,
            self.step.model_copy(update={"status": status, **update}),
            aspect=self.action.aspect,
            actor=self.actor,
            now=self.now,
            words=words,
            last=last,
        )
        self.leased = False

    def _fail(self, status: StepStatus, error: FirebreakError) -> Answer:
        """Settle on a final error; first close what may be open. Told, and left to the others to go on."""
        words = [str(error)]
        if self.leased and self.action.can_secure and self.mode == "respond":
            try:
                self.action.secure(self.use.sessions.action(self.plan, self.remaining), self.plan)
                words.append("secured")
            except (TargetMissing, Permanent, PlanStale) as insecure:
                words.append(f"EXPOSED, could not be secured: {insecure}")
        if self.leased:
            self._end(status, tuple(words), error="; ".join(words), settled_at=self.now)
            self._tell(status, words)
            return Answer(status="settled", outcome=status)
        return self.settle(status, *words)

    def settle(self, status: StepStatus, *words: str) -> Answer:
        """Settle a step that holds no lease."""
        after = self.step.model_copy(update={"status": status, "error": "; ".join(words), "settled_at": self.now})
        self.step = self.use.incidents.change_step(self.step, after, self.actor, self.now, *words)
        self._tell(status, list(words))
        return Answer(status="settled", outcome=status)

    def _tell(self, status: StepStatus, words: list[str]) -> None:
        subject = f"{self.step.action} on {self.step.target.label}: {status}"
        self.use.messenger.tell(subject, words, incident=self.step.incident)

    def _give_back(self) -> None:
        if self.leased:
            self.use.ledger.give_back(self.step, self.action.aspect, self.actor)
            self.leased = False


def _status(error: FirebreakError) -> StepStatus:
    if isinstance(error, PlanStale):
        return "stale"
    return "gone" if isinstance(error, TargetMissing) else "failed"
