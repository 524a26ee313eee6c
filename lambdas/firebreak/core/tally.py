"""Counting the votes on an approval, and letting time run out on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from firebreak.core.approval import Approval, Vote


def count(approval: Approval, votes: Iterable[Vote], now: datetime) -> Approval:
    """Return the approval as its votes leave it: unchanged where they do not decide yet.

    A denial beats any number of approvals. Votes were taken before the expiry or not at all, so a quorum met in time
    counts however late it is counted: what people decided is carried on after a crash.

    Args:
        approval: as it stands.
        votes: every vote on it.
        now: the time of counting.
    """
    if approval.status != "pending":
        return approval
    valid = sorted((vote for vote in votes if _counts(approval, vote)), key=lambda vote: (vote.at, vote.person))
    approvers = tuple(dict.fromkeys(vote.person for vote in valid if vote.choice == "approve"))
    for vote in valid:
        if vote.choice == "deny":
            return replace(
                approval,
                status="denied",
                approvers=approvers,
                decided_at=now,
                decider=vote.person,
                reason=vote.reason,
            )
    if len(approvers) >= approval.quorum:
        return replace(
            approval,
            status="approved",
            approvers=approvers,
            decided_at=now,
            decider=approvers[-1],
            reason="; ".join(vote.reason for vote in valid if vote.reason),
        )
    if approval.expires_at <= now:
        return replace(
            approval,
            status="expired",
            approvers=approvers,
            decided_at=now,
            decider="expiry",
            reason="nobody decided in time",
        )
    return approval


def _counts(approval: Approval, vote: Vote) -> bool:
    return (
        vote.approval == approval.id
        and vote.digest == approval.digest
        and vote.person not in approval.excluded
        and vote.at < approval.expires_at
    )
