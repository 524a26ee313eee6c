"""What the guard is asked: a step with its plan, in the guard's terms."""

from __future__ import annotations

from datetime import datetime

from firebreak.core.guard import Proposal
from firebreak.core.incident import StepRecord
from firebreak.core.plan import Plan


def proposal(step: StepRecord, plan: Plan, now: datetime) -> Proposal:
    """Return what the guard judges now. The budget is not in it: it is spent where the plan is made, in one write."""
    return Proposal(
        action=step.action,
        effect=step.effect,
        consent=step.consent,
        account=step.target.account,
        posture=step.setting.posture,
        environment=step.setting.environment,
        tags=step.setting.tags,
        names=tuple(dict.fromkeys((*step.setting.names, *plan.resources))),
        targets=step.setting.named,
        at=now,
    )
