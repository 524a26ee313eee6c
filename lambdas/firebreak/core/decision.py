"""Which playbook decides about a finding, and why none of the others does. Pure: the same input, the same decision.

Before look-ups (triage, `firebreak explain`) `possible` gives every playbook that could still decide; after them
nothing is open any more, and the first that holds decides.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from firebreak.core import registry
from firebreak.core.condition import Circumstances, conditions
from firebreak.core.finding import Finding
from firebreak.core.model import Model
from firebreak.core.playbook import Match, Playbook, Playbooks, PlaybookStep

__all__ = ["Circumstances", "Decision", "Explanation", "Reason", "Standing", "decide", "explain", "may_act", "possible"]

Standing: TypeAlias = Literal["chosen", "no match", "outranked", "possible", "left out"]
"""chosen: it decides. no match: a condition fails. outranked: it holds, but another one comes first. possible: it
depends on what is looked up. left out: a step whose kind of target is not there."""


ORDERED = "ordered"
"""What stands in place of a playbook's name where a person ordered a step."""


class Reason(Model):
    """One line of why.

    Attributes:
        playbook: whom it is about; "" is the finding itself.
        standing: what became of it.
        because: why, in words.
    """

    playbook: str
    standing: Standing
    because: str

    def __str__(self) -> str:
        return f"{self.playbook} {self.standing}: {self.because}".lstrip()


class Decision(Model):
    """What is done about a finding.

    Attributes:
        playbook: the one that decides; None where none matches or the finding is never acted on.
        steps: what to do. Destructive ones ask, whatever the playbook says.
        notify: whether people are told. Told they are, too, where no playbook matches.
        reasons: why this one, what it leaves out, and for each other playbook the first condition that fails.
    """

    playbook: str | None = None
    steps: tuple[PlaybookStep, ...] = ()
    notify: bool = True
    reasons: tuple[Reason, ...] = ()


class Explanation(Model):
    """A decision, or what can be said of it before anything is looked up.

    Attributes:
        possible: the playbooks that could decide, the likeliest by priority first; one where it is certain.
        may_act: whether any outcome has steps.
        decision: the outcome; None where it depends on look-ups.
        reasons: what stands with every playbook, by priority.
    """

    possible: tuple[str, ...]
    may_act: bool
    decision: Decision | None
    reasons: tuple[Reason, ...]


def _deciding(playbooks: Playbooks, finding: Finding) -> Playbooks:
    """What decides about a finding: the playbooks, or the order that it is."""
    if (order := finding.order) is None:
        return playbooks
    ordered = registry.action(order.action)
    step = PlaybookStep(
        action=ordered.name,
        parameters=order.parameters,
        consent="auto",
        stage=ordered.stage,
        effect=ordered.effect,
        target_kind=ordered.target_kind,
    )
    because = f"{order.by} orders it: {order.reason}"[:1000]
    return Playbooks(playbooks=(Playbook(name=ORDERED, description=because, priority=1, match=Match(), steps=(step,)),))


def decide(playbooks: Playbooks, finding: Finding, circumstances: Circumstances) -> Decision:
    """Return what is done about a finding."""
    if finding.drop_reason is not None:
        return Decision(notify=False, reasons=(_dropped(finding.drop_reason),))
    judged = _judge(_deciding(playbooks, finding), finding, circumstances)
    chosen = next((playbook for playbook, reason in judged if reason.standing == "chosen"), None)
    reasons = tuple(reason for _, reason in judged)
    if chosen is None:
        nobody = Reason(playbook="", standing="no match", because="no playbook takes this finding; people are told")
        return Decision(reasons=(*reasons, nobody))
    left_out = tuple(_left_out(chosen, step) for step in chosen.steps if step.target_kind not in circumstances.kinds)
    steps = tuple(_careful(step) for step in chosen.steps if step.target_kind in circumstances.kinds)
    return Decision(playbook=chosen.name, steps=steps, notify=chosen.notify, reasons=(*reasons, *left_out))


def possible(playbooks: Playbooks, finding: Finding) -> tuple[Playbook, ...]:
    """Return the playbooks that could decide about a finding, whatever is looked up, by priority.

    They end with the first that decides for certain. Empty: none takes it, or it is never acted on.
    """
    if finding.drop_reason is not None:
        return ()
    judged = _judge(_deciding(playbooks, finding), finding, None)
    return tuple(playbook for playbook, reason in judged if reason.standing in ("chosen", "possible"))


def may_act(playbooks: Playbooks, finding: Finding) -> bool:
    """Whether any outcome of look-ups could give a finding steps. Where not, no execution is needed."""
    return any(playbook.steps for playbook in possible(playbooks, finding))


def explain(playbooks: Playbooks, finding: Finding, circumstances: Circumstances | None = None) -> Explanation:
    """Say what stands with every playbook.

    Args:
        playbooks: all of them.
        finding: the finding.
        circumstances: what was looked up; None where nothing was.
    """
    could = possible(playbooks, finding)
    certain = circumstances is not None or not could or (len(could) == 1 and not could[0].steps)
    decision = decide(playbooks, finding, circumstances or Circumstances()) if certain else None
    reasons = tuple(reason for _, reason in _judge(_deciding(playbooks, finding), finding, circumstances))
    if finding.drop_reason is not None:
        reasons = (_dropped(finding.drop_reason), *reasons)
    return Explanation(
        possible=tuple(playbook.name for playbook in could),
        may_act=any(playbook.steps for playbook in could),
        decision=decision,
        reasons=reasons,
    )


def _judge(
    playbooks: Playbooks, finding: Finding, circumstances: Circumstances | None
) -> tuple[tuple[Playbook, Reason], ...]:
    """Say what stands with each playbook, by priority."""
    judged: list[tuple[Playbook, Reason]] = []
    chosen: Playbook | None = None
    for playbook in playbooks.playbooks:
        judgements = tuple(conditions(playbook.match, finding, circumstances))
        standing: Standing
        if failed := next((words for verdict, words in judgements if verdict == "fails"), None):
            standing, because = "no match", failed
        elif chosen is not None:
            standing, because = "outranked", f"{chosen.name} (priority {chosen.priority}) comes first"
        elif unknown := [words for verdict, words in judgements if verdict == "open"]:
            standing, because = "possible", "; ".join(unknown)
        else:
            chosen, standing = playbook, "chosen"
            because = "; ".join(words for _, words in judgements) or "it takes every finding"
        judged.append((playbook, Reason(playbook=playbook.name, standing=standing, because=because)))
    return tuple(judged)


def _careful(step: PlaybookStep) -> PlaybookStep:
    return step.model_copy(update={"consent": "ask"}) if step.effect == "destructive" else step


def _left_out(playbook: Playbook, step: PlaybookStep) -> Reason:
    because = f"{step.action} works on a target of kind {step.target_kind}, and this finding leads to none"
    return Reason(playbook=playbook.name, standing="left out", because=because)


def _dropped(reason: str) -> Reason:
    return Reason(playbook="", standing="no match", because=f"the finding is never acted on: {reason}")
