"""An approval: one question about one plan, the votes on it, and which moves it may make.

                   ┌─▶ denied
    pending ───────┼─▶ expired
       │           └─▶ cancelled, superseded
       └─▶ approved ─┬─▶ redeemed
                     └─▶ cancelled, superseded

The approval's item is the only arbiter: every move is one write that is conditional on what is said here, and the
moves never go back. Votes are items of their own; they move nothing until they are counted. Imported by the function
that answers the public endpoint, so the standard library only.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, TypeAlias

from firebreak.core.errors import NoConsent

Status: TypeAlias = Literal["pending", "approved", "denied", "expired", "redeemed", "cancelled", "superseded"]
Choice: TypeAlias = Literal["approve", "deny"]
Route: TypeAlias = Literal["slack", "iam"]
Withdrawal: TypeAlias = Literal["cancelled", "superseded"]

MOVES: dict[Status, frozenset[Status]] = {
    "pending": frozenset({"approved", "denied", "expired", "cancelled", "superseded"}),
    "approved": frozenset({"redeemed", "cancelled", "superseded"}),
    "denied": frozenset(),
    "expired": frozenset(),
    "redeemed": frozenset(),
    "cancelled": frozenset(),
    "superseded": frozenset(),
}
"""Which status may follow which: the picture, as a table."""

NOBODY = "-"
"""Stands in the set of excluded persons, which DynamoDB does not let be empty. No person is called so."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a person is shown: text for display only, cleaned and cut to size.

    Attributes:
        action: name of the action, ours to choose.
        severity: the incident's band.
        reversible: whether it can be taken back.
        what: the target.
        where: account and region.
        why: the finding that opened the incident; then the playbook and its reasons.
        changes: what would change, before and after.
        effects: what follows from it.
        residual: what stays possible all the same.
    """

    action: str
    severity: str
    reversible: bool
    what: str
    where: str
    why: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()
    residual: tuple[str, ...] = ()


@dataclass(frozen=True)
class Post:
    """Where a question stands in Slack.

    Attributes:
        channel: the channel's id.
        ts: the message's timestamp, which is its id within the channel.
    """

    channel: str
    ts: str


@dataclass(frozen=True, kw_only=True)
class Vote:
    """What one person said about one approval. The first word of a person stands.

    Attributes:
        approval: the approval's id.
        person: the person, by the name that the settings give; one human is one person on every route.
        choice: approve or deny.
        digest: the plan the person was shown.
        route: the door it came through.
        principal: who the door says it was: "T…/U…" or an ARN.
        reason: why, as the person put it.
        at: when the door took it.
    """

    approval: str
    person: str
    choice: Choice
    digest: str
    route: Route
    principal: str
    reason: str = ""
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Approval:
    """One question: may this plan be carried out?

    Attributes:
        id: 32 hex digits; see `approval_id`. Readable by the whole channel, and no authority.
        incident, revision, step: what the plan belongs to.
        effect, environment: of the step; they say who may answer.
        question: what was asked.
        digest: the plan's digest; consent holds for it and nothing else.
        quorum: how many different persons have to approve.
        excluded: who may not vote on it; never empty, see NOBODY.
        status: where it stands.
        created_at: when it was asked.
        expires_at: no vote is taken from this moment on; no answer is a no.
        exec_deadline: consent that is not redeemed before this moment is void.
        posting: since when someone has tried to post it; None before.
        post: where it was posted; only buttons of that message count.
        approvers: who approved, once it is decided.
        decided_at: when it left `pending`.
        reason: why it was denied or withdrawn, in words of the person or function that did.
        decider: the person or function.
        holder: the execution that redeemed it.
        version: counts its moves; a move is conditional on it.
        head: hash of its newest audit record.
    """

    id: str
    incident: str
    revision: int
    step: str
    effect: str
    environment: str
    question: Question
    digest: str
    quorum: int = 1
    excluded: frozenset[str] = frozenset({NOBODY})
    status: Status = "pending"
    created_at: datetime
    expires_at: datetime
    exec_deadline: datetime
    posting: datetime | None = None
    post: Post | None = None
    approvers: tuple[str, ...] = ()
    decided_at: datetime | None = None
    decider: str = ""
    reason: str = ""
    holder: str | None = None
    version: int = 0
    head: str = ""

    def __post_init__(self) -> None:
        if self.quorum < 1:
            raise ValueError(f"approval {self.id}: a quorum of {self.quorum} would approve by itself")
        if not self.excluded:
            raise ValueError(f"approval {self.id}: the set of excluded persons is empty; it holds at least NOBODY")
        if not self.created_at < self.expires_at <= self.exec_deadline:
            raise ValueError(f"approval {self.id}: asked, expiry and deadline must follow each other")


def approval_id(execution: str, step: str, digest: str) -> str:
    """Return the id of the question that an execution asks about a step's plan.

    Derived, so that a repeated Ask finds what it made before; the execution's name counts attempts, so that a closed
    question can be asked again by a later one.

    Args:
        execution: the execution's name.
        step: the step's id.
        digest: the plan's digest.
    """
    return hashlib.sha256(json.dumps(["approval", execution, step, digest]).encode()).hexdigest()[:32]


def objection(approval: Approval, vote: Vote) -> str | None:
    """Return why a vote cannot be taken, or None. The conditional write asks the same of the item itself."""
    if approval.status != "pending":
        return f"it is {approval.status}"
    if approval.expires_at <= vote.at:
        return "it has expired"
    if approval.digest != vote.digest:
        return "the plan is another one"
    if vote.person in approval.excluded:
        return f"{vote.person} is excluded"
    return None


def withdraw(approval: Approval, to: Withdrawal, by: str, reason: str, now: datetime) -> Approval:
    """Return the approval withdrawn; unchanged where it was denied, expired, spent or withdrawn before."""
    if to not in MOVES[approval.status]:
        return approval
    return replace(approval, status=to, decided_at=now, decider=by, reason=reason)


def redeem(approval: Approval, digest: str, holder: str, now: datetime) -> Approval:
    """Return the approval spent by a holder; the same holder may come again, at any time.

    Args:
        approval: as it stands.
        digest: of the plan about to run, made anew from it.
        holder: the execution that is to run it.
        now: the time.

    Raises:
        NoConsent: there is none for this plan and holder, or none any more.
    """
    if approval.digest != digest:
        raise NoConsent("changed", f"approval {approval.id} is for plan {approval.digest[:8]}, not {digest[:8]}")
    if approval.status == "redeemed" and approval.holder == holder:
        return approval
    if approval.status != "approved":
        said = f" by {approval.holder}" if approval.holder else ""
        raise NoConsent(approval.status, f"approval {approval.id} is {approval.status}{said}; ask again")
    if approval.exec_deadline <= now:
        raise NoConsent(
            "late", f"approval {approval.id} had to be used before {approval.exec_deadline:%Y-%m-%d %H:%M}Z"
        )
    return replace(approval, status="redeemed", holder=holder)


def open_for(approval: Approval, digest: str, now: datetime) -> bool:
    """Whether a question is still good for a plan: it can be answered yet, or its yes can be used yet."""
    if approval.digest != digest:
        return False
    if approval.status == "pending":
        return approval.expires_at > now
    return approval.status == "approved" and approval.exec_deadline > now
