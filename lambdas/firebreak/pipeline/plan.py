"""Plan: what is decided about an incident, a stage's plans, and the order of an undo.

`decide` looks everything up, claims the locks of what was found, merges incidents that meet, and writes down the steps
that playbooks want. `stage` makes the plans of one stage when it begins and lets the guard judge each. `undo` fences
the incident and lists what has to be taken back, newest first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from firebreak import ports
from firebreak.clock import Clock
from firebreak.core.action import AnyAction
from firebreak.core.decision import Decision, decide
from firebreak.core.deployment import Deployment
from firebreak.core.enricher import Enricher
from firebreak.core.errors import FirebreakError, Permanent, Refused, Retriable, TargetMissing, Unprepared
from firebreak.core.guard import GuardState, Verdict, judge
from firebreak.core.incident import DONE_WITH, Consent, Incident, StepRecord, StepStatus
from firebreak.core.model import Model
from firebreak.core.plan import STAGES, Plan, Stage
from firebreak.core.playbook import Playbooks
from firebreak.pipeline.merge import Merge
from firebreak.pipeline.outline import wanted_steps
from firebreak.pipeline.proposal import proposal
from firebreak.pipeline.resolve import Resolve
from firebreak.ports import Actor, IncidentStore, Ledger, Messenger, Preparation, Remaining, Sessions

AGAIN: frozenset[StepStatus] = frozenset({"observed", "refused", "expired", "failed", "gone"})
"""Steps that a later revision takes up again: nothing was done, or not for good. What a person denied, changed or
released stays so, and what was done is not repeated."""


class PlannedStep(Model):
    """What the state machine needs to know of a step."""

    incident: str
    step: str
    ask: bool
    destructive: bool


@dataclass(frozen=True)
class Planner:
    """The use case."""

    incidents: IncidentStore
    ledger: Ledger
    sessions: Sessions
    consent: ports.Consent
    messenger: Messenger
    clock: Clock
    playbooks: Playbooks
    deployment: Deployment
    enrichers: Mapping[str, Enricher]
    action: Callable[[str], AnyAction]
    merge: Merge
    preparation: Preparation

    def decide(self, incident: str, revision: int, actor: Actor, remaining: Remaining) -> bool:
        """Look up, lock, merge, decide; True where this execution goes on.

        Raises:
            Retriable: try again.
        """
        story, findings, steps, decided = self.incidents.file(incident)
        if story.over or revision <= story.fenced:
            return False  # an undo or another incident has taken over
        if revision < story.revision:  # a later one decides; what this one brought, it also sees through
            return any(step.revision == revision and not step.settled for step in steps)
        if revision in decided:
            return True  # an earlier try recorded it, the steps included
        resolve = Resolve(
            self.enrichers,
            lambda account, region: self.sessions.observer(account, region, incident, remaining),
            self.deployment.environment.of,
        )
        resolved = {finding.key: resolve(finding.targets) for finding in findings}
        targets = {target.key: target for each in resolved.values() for target in each.targets}
        survivor = self.merge.meet(story, tuple(key for key, target in targets.items() if not target.shared), actor)
        if survivor.id != incident:
            return False
        if survivor.absorbed != story.absorbed:
            findings = self.incidents.findings(incident)
        resolved = {finding.key: resolved.get(finding.key) or resolve(finding.targets) for finding in findings}
        decisions = {
            finding.key: decide(self.playbooks, finding, resolved[finding.key].circumstances) for finding in findings
        }
        notes = [note for each in resolved.values() for note in each.notes]
        acting = survivor.model_copy(
            update={
                "status": "acting" if survivor.status == "open" else survivor.status,
                "targets": tuple({target.key: target for target in (*survivor.targets, *targets.values())}.values()),
            }
        )
        if any(decision.notify for decision in decisions.values()):
            self._tell(survivor, decisions, notes)  # before it is recorded: told twice is better than not at all
        self.incidents.decide(
            survivor,
            acting,
            self._new(steps, wanted_steps(survivor, revision, findings, resolved, decisions), survivor, actor),
            {
                "decisions": {key: decision.model_dump(mode="json") for key, decision in decisions.items()},
                "circumstances": {key: each.circumstances.model_dump(mode="json") for key, each in resolved.items()},
                "notes": notes,
            },
            actor,
            self.clock(),
            *notes,
        )
        return True

    def stage(
        self, incident: str, revision: int, stage: Stage, actor: Actor, remaining: Remaining
    ) -> list[PlannedStep]:
        """Make the plans of a stage, and return the steps that go on, those included that an earlier one left behind.

        Raises:
            Retriable: some step could not be planned yet; those that could are.
        """
        story, _, steps, _ = self.incidents.file(incident)
        if story.over or revision <= story.fenced:
            return []
        guard = self.incidents.guard()
        later: Retriable | None = None
        planned: list[StepRecord] = []
        for step in (step for step in steps if step.stage == stage):
            try:
                planned.append(self._plan(story, step, guard, actor, remaining) if step.status == "decided" else step)
            except Retriable as error:
                if isinstance(error, Unprepared):
                    self._prepare(step, error)
                later = error
        if later is not None:
            raise later
        left = [step for step in steps if step.stage in STAGES[: STAGES.index(stage)] and _left(step)]
        return [
            PlannedStep(
                incident=incident,
                step=step.id,
                ask=step.consent == "ask",
                destructive=step.effect == "destructive",
            )
            for step in (*left, *planned)
            if (step.revision == revision and not step.settled) or (step.revision < revision and _left(step))
        ]

    def undo(self, incident: str, actor: Actor) -> list[PlannedStep]:
        """Fence an incident, withdraw its questions, and list what has to be taken back, newest first."""
        steps: list[StepRecord] = []
        for each in (incident, *self.incidents.incident(incident).absorbed):
            story = self.incidents.incident(each)
            if story.fenced < story.revision:
                fenced = story.model_copy(update={"fenced": story.revision})
                self.incidents.change_incident(story, fenced, "fenced", actor, self.clock())
            self.consent.cancel(each, self.clock())
            steps += self.incidents.steps(each)
        done = [step for step in steps if step.stands]
        done.sort(key=lambda step: (step.started_at, step.order), reverse=True)
        return [PlannedStep(incident=step.incident, step=step.id, ask=False, destructive=False) for step in done]

    def _new(
        self, there: Sequence[StepRecord], wanted: Sequence[StepRecord], incident: Incident, actor: Actor
    ) -> list[StepRecord]:
        """Return the steps that are new, and take up again what an earlier revision left undone."""
        taken_over = [step for absorbed in incident.absorbed for step in self.incidents.steps(absorbed)]
        stands = {step.id for step in taken_over if step.status in DONE_WITH}
        known = {step.id: step for step in there}
        for step in wanted:
            before = known.get(step.id)
            if before is not None and before.status in AGAIN and before.revision < step.revision:
                fresh = step.model_copy(update={"version": before.version, "head": before.head})
                self.incidents.change_step(before, fresh, actor, self.clock(), "taken up again by a later revision")
        return [step for step in wanted if step.id not in stands and step.id not in known]

    def _plan(
        self, incident: Incident, step: StepRecord, guard: GuardState, actor: Actor, remaining: Remaining
    ) -> StepRecord:
        action, now = self.action(step.action), self.clock()
        try:
            clients = self.sessions.observer(step.target.account, step.target.region, incident.id, remaining)
            parameters = action.parameters.model_validate(step.parameters)
            # a state that Firebreak itself made is no before-state: what another incident wrote down first stands
            joined = self.ledger.baseline(step.target, action.aspect) if step.effect != "collect" else None
            draft = joined or action.plan(clients, step.target, parameters)
        except (TargetMissing, Refused, Permanent) as error:
            return self._settle(step, _status(error), error, actor)
        plan = Plan(
            **draft.model_dump(),
            action=step.action,
            incident=incident.id,
            revision=step.revision,
            step=step.id,
            target=step.target,
            parameters=parameters.model_dump(mode="json"),
            policy=self.playbooks.version,
        )
        if not plan.changes:
            return self._move(step, "unneeded", actor, plan=plan, settled_at=now)
        verdict = judge(proposal(step, plan, now), guard, self.deployment)
        if verdict.outcome == "run" and not self._within_budget(step, now):
            budget = self.deployment.guard.budget(step.action)
            verdict = Verdict(outcome="ask", reasons=(f"{step.action} ran {budget} times in this account and hour",))
        if verdict.outcome in ("run", "ask"):
            reasons = (*step.reasons, *verdict.reasons)
            consent: Consent = "ask" if verdict.outcome == "ask" else "auto"
            found = {"plan": plan, "joined": joined is not None, "consent": consent, "reasons": reasons}
            return self._move(step, "planned", actor, *verdict.reasons, **found)
        status: StepStatus = "observed" if verdict.outcome == "observe" else "refused"
        words = (*verdict.reasons, *(f"{change.resource}: {change.what}" for change in plan.changes))
        self.messenger.tell(f"{step.action} on {step.target.label}: {status}", words, incident=incident.id)
        return self._move(step, status, actor, *words, plan=plan, settled_at=now, error="; ".join(verdict.reasons))

    def _within_budget(self, step: StepRecord, now: datetime) -> bool:
        limit = self.deployment.guard.budget(step.action)
        return self.incidents.spend(step.action, step.target.account, f"{step.incident}/{step.id}", limit, now)

    def _prepare(self, step: StepRecord, error: Unprepared) -> None:
        self.messenger.tell(f"{step.action} on {step.target.label} has to wait", [str(error)], incident=step.incident)
        self.preparation.request(step.target.account, step.target.region)

    def _settle(self, step: StepRecord, status: StepStatus, error: FirebreakError, actor: Actor) -> StepRecord:
        self.messenger.tell(f"{step.action} on {step.target.label}: {status}", [str(error)], incident=step.incident)
        return self._move(step, status, actor, str(error), error=str(error), settled_at=self.clock())

    def _move(self, step: StepRecord, status: StepStatus, actor: Actor, *words: str, **update: Any) -> StepRecord:
        after = step.model_copy(update={"status": status, **update})
        return self.incidents.change_step(step, after, actor, self.clock(), *words)

    def _tell(self, incident: Incident, decisions: Mapping[str, Decision], notes: Sequence[str]) -> None:
        lines = [incident.title, f"account {incident.account}, {incident.region}"]
        for decision in decisions.values():
            steps = ", ".join(step.action for step in decision.steps) or "no steps"
            lines.append(f"playbook {decision.playbook or 'none'}: {steps}")
        subject = f"Incident {incident.id}: {incident.severity.word} severity"
        self.messenger.tell(subject, [*lines, *notes], incident=incident.id)


def _left(step: StepRecord) -> bool:
    """Whether it was planned in passing and nobody may follow it; begun beside its own follower it is done once."""
    return step.status == "planned" and step.consent == "auto"


def _status(error: FirebreakError) -> StepStatus:
    return "refused" if isinstance(error, Refused) else "gone" if isinstance(error, TargetMissing) else "failed"
