"""Execute: one step, once. Lease and ledger first, then the action, then what was read back.

Every run re-reads the step and decides by its status, so that it does not matter how often, how late or beside whom
it is called. The intent is recorded in the same transaction that takes the lease, writes the before-state, and holds
the incident's fence, the kill switch and the mode that the guard judged by against it; nothing is changed before that
transaction, and the outcome is recorded in the transaction that gives the lease back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
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
from firebreak.core.guard import judge
from firebreak.core.incident import BEGUN, Mode, StepRecord, StepStatus
from firebreak.core.plan import Again, Draft
from firebreak.pipeline.proposal import proposal
from firebreak.pipeline.step_run import SETTLED, Answer, Desk, StepRun
from firebreak.ports import Actor, Consent, IncidentStore, Ledger, Messenger, Remaining, Sessions

Operation: TypeAlias = Literal["run", "secure"]

PATIENCE = {"collect": timedelta(hours=48), "reversible": timedelta(minutes=15), "destructive": timedelta(minutes=30)}
"""How long a step may go on before it counts as failed; snapshots of terabytes take hours."""

GATE_PAUSE = 60
"""Seconds between two looks at evidence or an answer that is waited for. An execution may have 25,000 events, and a
look takes about ten of them (Step Functions, "Quotas related to state machine executions"): it can wait for a day so.
"""

UNCONSENTED: dict[str, StepStatus] = {"denied": "denied", "expired": "expired", "late": "expired"}


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
        desk = Desk(self.incidents, self.ledger, self.sessions, self.messenger, self.clock)
        run = _Run(desk, story, record, self.action(record.action), mode, guard, actor, remaining, use=self)
        if mode == "respond" and (record.settled or record.status == "undoing"):
            return SETTLED  # what is being taken back is the undo's, from its first intent on
        try:
            if operation == "secure":
                return run.secure()
            return run.undo() if mode == "undo" else run.respond()
        except Retriable:
            run.give_back()
            raise


@dataclass
class _Run(StepRun):
    """What a run does, by the step's status."""

    use: Execute = field(kw_only=True)

    def respond(self) -> Answer:
        begun = self.step.status in BEGUN
        if ended := self._as_recorded():
            return ended
        if stopped := self._stopped(begun):
            return stopped
        if wait := self.wait():
            return wait
        if self.step.effect == "destructive" and not self._preserved():
            return Answer(status="again", after=GATE_PAUSE)
        if not begun and (refused := self._guarded()):
            return refused
        return self._run(begun)

    def _run(self, begun: bool) -> Answer:
        try:
            if self.step.consent == "ask" and not begun:
                self.use.consent.redeem(self.step, f"{self.step.incident}/{self.step.id}", self.now)
            self.begin("applied" if self.step.status == "applied" else "running")
            return self._apply()
        except NoConsent as refusal:
            if refusal.because == "pending":
                return Answer(status="again", after=GATE_PAUSE)
            return self.settle(UNCONSENTED.get(refusal.because, "refused"), str(refusal))
        except Refused as refusal:
            return self._end("failed" if begun else "refused", refusal, begun)
        except PlanStale as stale:
            if begun or self.step.consent == "ask" or self.step.joined or self.step.replanned:
                return self._end("stale", stale, begun)
            return self._plan_again(stale)
        except (TargetMissing, Permanent) as error:
            return self._end("gone" if isinstance(error, TargetMissing) else "failed", error, begun)

    def _end(self, status: StepStatus, error: FirebreakError, begun: bool) -> Answer:
        """Settle on a final error. What was begun may be half open: closing it takes the lease and asks nobody."""
        if begun and not self.leased:
            self.take()
        return self.fail(status, error)

    def _as_recorded(self) -> Answer | None:
        """End a step as an earlier run found it has to, which could not close it then."""
        ending = self.step.ending
        return self._end(ending.status, Permanent(ending.error), begun=True) if ending is not None else None

    def _stopped(self, begun: bool) -> Answer | None:
        """An incident that was released changes nothing more; one that another took over finishes what it has begun."""
        fenced = self.step.revision <= self.incident.fenced
        if begun and fenced:
            self.take()
            return self.fail("failed", Refused("the incident was released while this ran"))
        if not begun and (fenced or self.incident.over):
            return self.settle("refused", f"the incident is {self.incident.status}; nothing more is changed for it")
        return None

    def _guarded(self) -> Answer | None:
        """Ask the guard again: it may have been tightened since the plan was made."""
        verdict = judge(proposal(self.step, self.plan, self.now), self.guard, self.use.deployment)
        if verdict.outcome == "run" or (verdict.outcome == "ask" and self.step.consent == "ask"):
            return None
        return self.settle("observed" if verdict.outcome == "observe" else "refused", *verdict.reasons)

    def _plan_again(self, stale: PlanStale) -> Answer:
        """Plan once more, at once, where nothing was written, nobody was asked, and the plan does not rest on another
        incident's before-state, which could not be read any more: an address that a network plugin attaches between
        plan and apply must not leave the target open."""
        clients = self.desk.sessions.action(self.plan, self.remaining)
        parameters = self.action.parameters.model_validate(self.plan.parameters)
        draft = self.action.plan(clients, self.step.target, parameters)
        plan = self.plan.model_copy(update={name: getattr(draft, name) for name in Draft.model_fields})
        alone = not self.desk.ledger.others(self.step, self.action.aspect)
        self.end("planned", (str(stale), "planned again"), unclaims=True, last=alone, plan=plan, replanned=True)
        return Answer(status="again", after=1)

    def _apply(self) -> Answer:
        clients = self.desk.sessions.action(self.plan, self.remaining)
        notes: tuple[str, ...] = ()
        if self.step.status != "applied":
            progress = self.action.apply(clients, self.plan)
            if isinstance(progress, Again):
                return self.pause("running", progress.after, progress.because)
            notes = progress.notes
        seen = self.action.verify(clients, self.plan)
        if seen.ok:
            residual = tuple(dict.fromkeys((*self.plan.residual, *seen.residual)))
            saw = (*seen.saw, *notes)
            self.end("verified", saw, outcome=saw, residual=residual, settled_at=self.now, error=None)
            return Answer(status="settled", outcome="verified")
        started = self.step.started_at or self.now
        if self.now - started > PATIENCE[self.step.effect]:
            still = "; ".join(seen.saw)
            return self.fail("failed", Permanent(f"{self.step.action} on {self.step.target.label}: still {still}"))
        return self.pause("applied", seen.after, *seen.saw)

    def undo(self) -> Answer:
        if not self.step.stands:
            return SETTLED
        if self.step.status == "undoing" and (ended := self._as_recorded()):
            return ended
        if self.step.status == "undoing" and (wait := self.wait()):
            return wait
        try:
            self.begin("undoing")
            others = self.desk.ledger.others(self.step, self.action.aspect)
            if others:
                left = (f"left as it is for {', '.join(others)}: the last one released restores it",)
                self.end("undone", left, unclaims=True, outcome=left, settled_at=self.now, error=None)
                return Answer(status="settled", outcome="undone")
            clients = self.desk.sessions.action(self.plan, self.remaining)
            progress = self.action.undo(clients, self.plan)
            if isinstance(progress, Again):
                return self.pause("undoing", progress.after, progress.because)
            parameters = self.action.parameters.model_validate(self.plan.parameters)
            found = self.action.plan(clients, self.step.target, parameters)
            if found.before != self.plan.before:  # reads lag; what stays so is settled once the tries are used up
                raise Retriable(f"{self.step.target.label} does not read back as it was before: found {found.before}")
            words = ("read back: as it was before", *progress.notes)
            self.end("undone", words, unclaims=True, last=True, outcome=words, settled_at=self.now, error=None)
            return Answer(status="settled", outcome="undone")
        except TargetMissing as missing:
            return self.fail("gone", missing)
        except (PlanStale, Refused, Permanent) as error:
            return self._end("undo_failed", error, begun=self.half_way)

    def secure(self) -> Answer:
        """Close what a half-done run may have left open, whatever the guard says, and settle the step."""
        error = Retriable(f"{self.step.action} on {self.step.target.label}: tried as often as is allowed, in vain")
        if self.mode == "undo":
            if not self.step.stands or self.step.status == "undo_failed":
                return SETTLED
            self.take()
            return self.fail("undo_failed", error)
        return self._as_recorded() or self._end("failed", error, begun=self.step.status in BEGUN)

    def _preserved(self) -> bool:
        """Destruction waits for the evidence: verified, or not to be had, or waived on record."""
        steps = self.desk.incidents.steps(self.step.incident)
        return all(self._ended(other) for other in steps if other.stage == "preserve")

    def _ended(self, other: StepRecord) -> bool:
        """Stages are planned one after the other: what has no plan by now could not be planned, and Close says so."""
        return other.settled or (other.status == "decided" and other.revision <= self.step.revision)
