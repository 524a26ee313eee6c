"""One step of an incident, for people."""

from __future__ import annotations

from firebreak.cli.show import heading, line, moment, word
from firebreak.cli.story import Asked
from firebreak.core.display import clean
from firebreak.core.incident import StepRecord

LONG = 500
"""Characters of one line of what was read back."""


def show_step(step: StepRecord, asked: Asked | None) -> None:
    """Print a step: what it was to do, what it did, what stays possible, and who agreed."""
    heading(f"{step.action} on {step.target.kind} {clean(step.target.label)}")
    when = f", settled {moment(step.settled_at)}" if step.settled_at else ""
    line(f"  {word(step.status)}{when}; {step.effect}, stage {step.stage}, playbook {step.playbook}")
    if step.error:
        line(f"  {clean(step.error, LONG)}", fg="red")
    if step.plan is not None:
        line(f"  plan {step.plan.digest[:12]}")
        for change in step.plan.changes:
            line(f"    {clean(change.resource)}, {clean(change.what)}:")
            line(f"      {clean(change.before)} → {clean(change.after)}")
        for effect in step.plan.effects:
            line(f"    follows: {clean(effect, LONG)}")
    for saw in step.outcome:
        line(f"  read back: {clean(saw, LONG)}")
    for difference in step.difference if step.status == "verified" else ():
        line(f"  differs now: {clean(difference, LONG)}", fg="red")
    for residual in step.residual:
        line(f"  still possible: {clean(residual, LONG)}", fg="yellow")
    if asked is not None:
        _show_asked(asked)


def _show_asked(asked: Asked) -> None:
    approval = asked.approval
    by = f" by {', '.join(approval.approvers)}" if approval.approvers else ""
    line(f"  question {approval.id[:8]}: {word(approval.status)}{by}")
    for vote in asked.votes:
        why = f": {clean(vote.reason, LONG)}" if vote.reason else ""
        line(f"    {vote.person}, {moment(vote.at)}, by {vote.route}: {vote.choice}{why}")
    if approval.reason and not any(vote.reason == approval.reason for vote in asked.votes):
        line(f"    {clean(approval.reason, LONG)}")
