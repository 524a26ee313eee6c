"""Ask: puts a step's plan before people.

Called with the token of a task that waits. The order makes every repetition end the same: the step names the question,
then the question and its token are created in one transaction that the incident's fence can stop, then it is posted.
A question that is still good for the plan is joined, not asked again, whichever execution comes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from firebreak.clock import Clock
from firebreak.core.approval import Approval, Question, approval_id, open_for
from firebreak.core.approvers import Approvers
from firebreak.core.display import untrusted
from firebreak.core.errors import Refused
from firebreak.core.guard import GuardState
from firebreak.core.incident import Incident, StepRecord
from firebreak.core.plan import Plan
from firebreak.pipeline.consent import Consents
from firebreak.pipeline.posting import Posting
from firebreak.ports import Actor
from firebreak.ports_approval import Approvals

LINES = 50
"""Lines kept of each part of a question; the rest is counted, and the digest covers all of them."""


class Briefings(Protocol):
    """What is needed of the incident store."""

    def briefing(self, incident: str, step: str) -> tuple[Incident, StepRecord, GuardState]: ...

    def change_step(
        self, before: StepRecord, after: StepRecord, actor: Actor, now: datetime, *words: str
    ) -> StepRecord: ...


@dataclass(frozen=True)
class Ask:
    """The use case.

    Args:
        expires_after: how long a question may be answered.
        used_within: how long after that a yes may be used.
    """

    incidents: Briefings
    approvals: Approvals
    consents: Consents
    posting: Posting
    approvers: Approvers
    clock: Clock
    expires_after: timedelta
    used_within: timedelta

    def handle(self, incident: str, step: str, execution: str, token: str, actor: Actor) -> Approval:
        """Ask about one step, or join the question about it, and let the token wait for the answer.

        Raises:
            Refused: there is nothing to wait for: the step is past asking, the question is decided already, nobody
                may answer it, or the incident was fenced. Execute then reads from the table what holds.
            Retriable: try again.
        """
        story, record, _ = self.incidents.briefing(incident, step)
        plan, now = record.plan, self.clock()
        if plan is None or record.status not in ("planned", "asking"):
            raise Refused(f"step {step} of {incident} is {record.status}; there is nothing to ask")
        earlier = self.approvals.get(record.approval) if record.approval else None
        if earlier is None or not open_for(earlier, plan.digest, now):
            question = self._question(story, record, plan, execution, now)
            if earlier is not None and earlier.id != question.id:
                reason = "the plan was made anew, or nobody answered in time"
                self.consents.withdraw(earlier.id, "superseded", reason, now)
        else:
            question = earlier
        if (record.status, record.approval) != ("asking", question.id):
            asking = record.model_copy(update={"status": "asking", "approval": question.id})
            self.incidents.change_step(record, asking, actor, now, f"asking, approval {question.id}")
        stored = self.approvals.open(question, token)
        if stored.status != "pending":
            raise Refused(f"approval {stored.id} is {stored.status} already; there is nothing to wait for")
        self.posting.show(stored)
        return stored

    def _question(self, incident: Incident, step: StepRecord, plan: Plan, execution: str, now: datetime) -> Approval:
        environment = step.setting.environment
        if not self.approvers.may(step.effect, environment):
            raise Refused(
                f"nobody may approve {step.effect} steps in environment {environment}; "
                "name people under approvers in firebreak.yaml"
            )
        expires_at = now + self.expires_after
        return Approval(
            id=approval_id(execution, step.id, plan.digest),
            incident=incident.id,
            revision=step.revision,
            step=step.id,
            effect=step.effect,
            environment=environment,
            question=asked(incident, step, plan),
            digest=plan.digest,
            quorum=self.approvers.quorum(step.effect, environment),
            created_at=now,
            expires_at=expires_at,
            exec_deadline=expires_at + self.used_within,
        )


def asked(incident: Incident, step: StepRecord, plan: Plan) -> Question:
    """Return what people are shown of a plan: every text cleaned and cut, whoever wrote it."""
    target = plan.target
    return Question(
        action=step.action,
        severity=incident.severity.word,
        reversible=step.effect == "reversible",
        what=untrusted(f"{target.kind.replace('_', ' ')} {target.label}"),
        where=untrusted(f"account {target.account}, {target.region}, environment {step.setting.environment}"),
        why=_lines(dict.fromkeys((incident.title, f"playbook {step.playbook}", *step.reasons))),
        changes=_lines(
            f"{untrusted(change.resource, 60)} {untrusted(change.what, 30)}: "
            f"{untrusted(change.before, 50)} → {untrusted(change.after, 50)}"
            for change in plan.changes
        ),
        effects=_lines(plan.effects),
        residual=_lines(plan.residual),
    )


def _lines(texts: Iterable[str]) -> tuple[str, ...]:
    lines = tuple(untrusted(text) for text in texts)
    return lines if len(lines) <= LINES else (*lines[: LINES - 1], f"and {len(lines) - LINES + 1} more")
