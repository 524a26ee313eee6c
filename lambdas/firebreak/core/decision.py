"""Which playbook decides about a finding, and why none of the others does. Pure: the same input, the same decision.

A condition is judged in three values: it holds, it fails, or it is open, because what it asks is not looked up yet.
Before look-ups (triage, `firebreak explain`) `possible` gives every playbook that could still decide; after them
nothing is open any more, and the first that holds decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

from firebreak.core.finding import Finding
from firebreak.core.glob import any_matches
from firebreak.core.model import Model, Scalar
from firebreak.core.playbook import Environment, Match, Playbook, Playbooks, PlaybookStep

Verdict: TypeAlias = Literal["holds", "fails", "open"]
Standing: TypeAlias = Literal["chosen", "no match", "outranked", "possible", "left out"]
"""chosen: it decides. no match: a condition fails. outranked: it holds, but another one comes first. possible: it
depends on what is looked up. left out: a step whose kind of target is not there."""


class Circumstances(Model):
    """What was looked up about the targets of a finding.

    Attributes:
        environment: what they serve, by the deployment's reading of their tags.
        tags: their tags.
        facts: by name.
        kinds: kinds of target that the finding's targets are or belong to, once resolved: a pod's node, its instance.
    """

    environment: Environment = "unknown"
    tags: dict[str, str] = {}
    facts: dict[str, Scalar | tuple[Scalar, ...]] = {}
    kinds: frozenset[str] = frozenset()


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


def decide(playbooks: Playbooks, finding: Finding, circumstances: Circumstances) -> Decision:
    """Return what is done about a finding."""
    if finding.drop_reason is not None:
        return Decision(notify=False, reasons=(_dropped(finding.drop_reason),))
    judged = _judge(playbooks, finding, circumstances)
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
    judged = _judge(playbooks, finding, None)
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
    if circumstances is None and any(could) and (len(could) > 1 or could[0].steps):
        decision = None
    else:
        decision = decide(playbooks, finding, circumstances or Circumstances())
    reasons = tuple(reason for _, reason in _judge(playbooks, finding, circumstances))
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
        conditions = tuple(_conditions(playbook.match, finding, circumstances))
        standing: Standing
        if failed := next((words for verdict, words in conditions if verdict == "fails"), None):
            standing, because = "no match", failed
        elif chosen is not None:
            standing, because = "outranked", f"{chosen.name} (priority {chosen.priority}) comes first"
        elif unknown := [words for verdict, words in conditions if verdict == "open"]:
            standing, because = "possible", "; ".join(unknown)
        else:
            chosen, standing = playbook, "chosen"
            because = "; ".join(words for _, words in conditions) or "it takes every finding"
        judged.append((playbook, Reason(playbook=playbook.name, standing=standing, because=because)))
    return tuple(judged)


def _conditions(match: Match, finding: Finding, circumstances: Circumstances | None) -> Iterator[tuple[Verdict, str]]:
    """Judge every condition that is written, those that need no look-up first."""
    if match.source is not None:
        yield _said(finding.source == match.source, f"source is {finding.source}", match.source)
    if match.type is not None:
        yield _said(any_matches(match.type, finding.type), f"type is {finding.type}", *match.type)
    if match.severity is not None:
        fits = match.severity.at_least <= finding.severity <= match.severity.at_most
        yield _said(fits, f"severity is {finding.severity.word}", str(match.severity))
    if match.posture is not None:
        yield _said(finding.posture in match.posture, f"posture is {finding.posture}", *match.posture)
    if match.account is not None:
        yield _said(finding.account in match.account, f"account is {finding.account}", *match.account)
    if match.region is not None:
        yield _said(any_matches(match.region, finding.region), f"region is {finding.region}", *match.region)
    if match.kind is not None:
        yield _kinds(match.kind, circumstances)
    if match.environment is not None:
        yield _environment(match.environment, circumstances)
    for key, globs in match.tags.items():
        yield _tag(key, globs, circumstances)
    for name, values in match.facts.items():
        yield _fact(name, values, circumstances)


def _kinds(wanted: tuple[str, ...], circumstances: Circumstances | None) -> tuple[Verdict, str]:
    if circumstances is None:
        return _open("a target", *wanted)
    found = sorted(circumstances.kinds)
    fits = not circumstances.kinds.isdisjoint(wanted)
    return _said(fits, f"the finding leads to {', '.join(found) or 'no target'}", *wanted)


def _environment(wanted: tuple[Environment, ...], circumstances: Circumstances | None) -> tuple[Verdict, str]:
    if circumstances is None:
        return _open("environment", *wanted)
    found = circumstances.environment
    fits = found in wanted or (found == "unknown" and "production" in wanted)
    return _said(fits, f"environment is {found}", *wanted)


def _tag(key: str, globs: tuple[str, ...], circumstances: Circumstances | None) -> tuple[Verdict, str]:
    if circumstances is None:
        return _open(f"tag {key}", *globs)
    value = circumstances.tags.get(key)
    return _said(
        value is not None and any_matches(globs, value),
        f"tag {key} is {'missing' if value is None else repr(value)}",
        *globs,
    )


def _fact(name: str, values: tuple[Scalar, ...], circumstances: Circumstances | None) -> tuple[Verdict, str]:
    if circumstances is None:
        return _open(name, *values)
    if name not in circumstances.facts:
        return _said(False, f"{name} was not found", *values)
    found = circumstances.facts[name]
    members = found if isinstance(found, tuple) else (found,)
    fits = any(_same(member, value) for member in members for value in values)
    return _said(fits, f"{name} is {', '.join(map(_word, members)) or 'empty'}", *values)


def _same(one: Scalar, other: Scalar) -> bool:
    """Equality in which true is not 1, as it is for Python."""
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _said(fits: bool, found: str, *wanted: Scalar) -> tuple[Verdict, str]:
    return ("holds", found) if fits else ("fails", f"{found}, not {' or '.join(map(_word, wanted))}")


def _open(what: str, *wanted: Scalar) -> tuple[Verdict, str]:
    return "open", f"if {what} is {' or '.join(map(_word, wanted))}"


def _word(value: Scalar) -> str:
    return (
        {None: "none", True: "true", False: "false"}[value] if value is None or isinstance(value, bool) else str(value)
    )


def _careful(step: PlaybookStep) -> PlaybookStep:
    return step.model_copy(update={"consent": "ask"}) if step.effect == "destructive" else step


def _left_out(playbook: Playbook, step: PlaybookStep) -> Reason:
    because = f"{step.action} works on a target of kind {step.target_kind}, and this finding leads to none"
    return Reason(playbook=playbook.name, standing="left out", because=because)


def _dropped(reason: str) -> Reason:
    return Reason(playbook="", standing="no match", because=f"the finding is never acted on: {reason}")
