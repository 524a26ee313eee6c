"""The guard: may this step run, by itself, now? Asked again before each step, and pure.

Each rule says an outcome of its own, and the strictest outcome stands: run < ask < observe < refuse. So a rule can only
tighten, no order among them matters, and every rule that has something to say is in the reasons.

The kill switch refuses collecting steps too. It is pulled when Firebreak itself is in doubt (its credentials, its
playbooks, a storm of its own making), and whoever pulls it has to be able to rely on nothing being called any more;
evidence that is wanted then is taken by hand. Mode "observe" takes no snapshots either: it promises that an account is
as it was before. Undo, and securing what a failed step left open, never come here: what makes things safe again or
gives them back must not hang on a switch.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

from pydantic import AwareDatetime, Field

from firebreak.core.action import Effect
from firebreak.core.deployment import Deployment
from firebreak.core.finding import Posture
from firebreak.core.glob import any_matches
from firebreak.core.guard_rails import GuardRails, effective_mode
from firebreak.core.incident import Consent
from firebreak.core.model import Model
from firebreak.core.playbook import Environment

Outcome: TypeAlias = Literal["run", "ask", "observe", "refuse"]
OUTCOMES: tuple[Outcome, ...] = ("run", "ask", "observe", "refuse")
"""Loosest first."""


class Exemption(Model):
    """Something that is left alone for a time, because a person knows better.

    Attributes:
        name: key or ARN of a target.
        until: when it ends.
        by: who said so.
        reason: why.
    """

    name: str = Field(min_length=1, max_length=1_024)
    until: AwareDatetime
    by: str
    reason: str = Field(min_length=1, max_length=500)


class GuardState(Model):
    """What the table says, which changes without a deployment.

    Attributes:
        mode: the mode it asks for; None where it says nothing.
        halted: whether the kill switch is on.
        exempt: what is left alone, those that have ended included.
    """

    mode: str | None = None
    halted: bool = False
    exempt: tuple[Exemption, ...] = ()


class Proposal(Model):
    """A step that is about to run.

    Attributes:
        action, effect, consent: as the playbook's step has them.
        account: the account it would run in.
        posture: whether the target acts, of the finding that asks for it.
        dropped: why the finding is never acted on, as `Finding.drop_reason` says; None where it may be.
        environment: what the target serves.
        tags: the target's tags.
        names: ARNs and keys of the target and of what contains it or is changed with it.
        targets: how many targets the finding names.
        spent: how often the action ran in this account and hour.
        at: now; None where no exemption is to have ended yet.
    """

    action: str
    effect: Effect
    consent: Consent
    account: str
    posture: Posture = "unknown"
    dropped: str | None = None
    environment: Environment = "unknown"
    tags: dict[str, str] = {}
    names: tuple[str, ...] = ()
    targets: int = 1
    spent: int = 0
    at: AwareDatetime | None = None


class Verdict(Model):
    """What the guard says.

    Attributes:
        outcome: run it, ask a person first, only tell what would be done, or refuse it.
        reasons: every rule that did not simply let it run, strictest first.
    """

    outcome: Outcome
    reasons: tuple[str, ...] = ()


def judge(proposal: Proposal, state: GuardState, deployment: Deployment) -> Verdict:
    """Return the strictest outcome of all rules, with the reasons of each."""
    said = sorted(_rules(proposal, state, deployment), key=lambda rule: -OUTCOMES.index(rule[0]))
    return Verdict(outcome=said[0][0] if said else "run", reasons=tuple(reason for _, reason in said))


def _rules(proposal: Proposal, state: GuardState, deployment: Deployment) -> Iterator[tuple[Outcome, str]]:
    yield from _bans(proposal, state, deployment.guard)
    yield from _mode(proposal, state, deployment)
    yield from _doubts(proposal)
    yield from _bounds(proposal, deployment.guard)


def _bans(proposal: Proposal, state: GuardState, rails: GuardRails) -> Iterator[tuple[Outcome, str]]:
    if state.halted:
        yield "refuse", "the kill switch is on"
    if proposal.dropped is not None:
        yield "refuse", f"the finding is never acted on: {proposal.dropped}"
    for key, value in sorted(proposal.tags.items()):
        if any_matches(rails.protected_tags.get(key, ()), value):
            yield "refuse", f"the target is protected by its tag {key}"
    for name in proposal.names:
        if any_matches(rails.protected_arns, name):
            yield "refuse", f"{name} is protected by the settings"
    for exempt in state.exempt if proposal.effect != "collect" else ():
        if exempt.name in proposal.names and (proposal.at is None or proposal.at < exempt.until):
            yield "refuse", f"{exempt.name} is left alone until {exempt.until:%Y-%m-%d %H:%M} UTC: {exempt.reason}"


def _mode(proposal: Proposal, state: GuardState, deployment: Deployment) -> Iterator[tuple[Outcome, str]]:
    mode, where = effective_mode(deployment.mode, state.mode), ""
    if proposal.environment != "other":
        tighter = effective_mode(deployment.guard.production_mode, mode)
        if tighter != mode:
            mode, where = tighter, f" where the environment is {proposal.environment}"
    if mode == "observe":
        yield "observe", f"the mode is observe{where}: nothing is changed"
    if mode == "approve" and proposal.effect != "collect":
        yield "ask", f"the mode is approve{where}: a person agrees to every change"


def _doubts(proposal: Proposal) -> Iterator[tuple[Outcome, str]]:
    if proposal.effect == "destructive":
        yield "ask", "what it does cannot be taken back"
    if proposal.consent == "ask":
        yield "ask", "the playbook asks a person"
    if proposal.effect != "collect" and proposal.posture == "victim":
        yield "ask", "the target is the victim, so that anyone outside could bring this about"
    if proposal.effect != "collect" and proposal.posture == "unknown":
        yield "ask", "the finding does not tell whether the target acts or is a victim"


def _bounds(proposal: Proposal, rails: GuardRails) -> Iterator[tuple[Outcome, str]]:
    if proposal.targets > rails.targets_per_finding:
        yield "ask", f"the finding names {proposal.targets} targets, and up to {rails.targets_per_finding} run unasked"
    if proposal.spent >= rails.budget(proposal.action):
        yield "ask", f"{proposal.action} ran {proposal.spent} times in account {proposal.account} within the hour"
