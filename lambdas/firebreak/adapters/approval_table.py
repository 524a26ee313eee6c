"""Approvals, votes and task tokens in the table. Every move is one transaction with its audit record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from firebreak.adapters.approval_rows import (
    approval_key,
    approval_row,
    listing,
    moving,
    read_approval,
    read_vote,
    stamp,
    token_key,
)
from firebreak.adapters.ballot_table import BallotTable
from firebreak.adapters.table import ABSENT, ConditionFailed, When, check, delete, put, update
from firebreak.core.approval import Approval, Post, Status, Vote
from firebreak.core.errors import Conflict
from firebreak.ports_approval import Stand

_ANY = When("attribute_exists(#pk) OR attribute_not_exists(#pk)")

_GUARDS: dict[Status, str] = {
    "approved": "#status = :pending AND #quorum <= :approvers",
    "denied": "#status = :pending",
    "expired": "#status = :pending AND #expires_at <= :now",
    "cancelled": "#status IN (:pending, :approved)",
    "superseded": "#status IN (:pending, :approved)",
    "redeemed": "#status = :approved AND #exec_deadline > :now",
}
"""What the item itself is asked, by the status it moves to; digest and version come on top."""


class ApprovalTable(BallotTable):
    """`firebreak.ports_approval.Approvals` on the table."""

    def open(self, approval: Approval, token: str) -> Approval:
        """Create a question with the token that waits for it; where it exists, let this token wait for it."""
        asked, record = _recorded(approval, approval.created_at, "asked", "ask", ())
        unfenced = _unfenced(approval)
        try:
            self._table.write_all(put(approval_row(asked)), put(record), _token(approval, token), unfenced)
        except ConditionFailed as failure:
            if failure.failed[-1]:
                raise _fenced(approval) from None
            return self._join(approval, token)
        return asked

    def mark_posting(self, approval: str, now: datetime) -> bool:
        """Note that it is about to be posted; False where that was noted before."""
        absent = When("attribute_exists(#pk) AND attribute_not_exists(#posting)")
        try:
            self._table.write(update(*approval_key(approval), absent, put={"posting": stamp(now)}))
        except ConditionFailed:
            return False
        return True

    def set_post(self, approval: str, post: Post) -> bool:
        """Bind it to its message, once; False where it is bound to another."""
        unbound = When(
            "attribute_exists(#pk) AND (attribute_not_exists(#ts) OR (#ts = :ts AND #channel = :channel))",
            {"ts": post.ts, "channel": post.channel},
        )
        try:
            self._table.write(update(*approval_key(approval), unbound, put={"channel": post.channel, "ts": post.ts}))
        except ConditionFailed:
            return False
        return True

    def votes(self, approval: str) -> Sequence[Vote]:
        """Return the votes on an approval, read consistently."""
        return [read_vote(row) for row in self._table.query(f"VOTE#{approval}")]

    def move(self, before: Approval, after: Approval, now: datetime) -> Approval:
        """Write a move where the approval still stands as before, and return it as it is stored then."""
        words = (f"{after.status} by {after.holder or after.decider}", *((after.reason,) if after.reason else ()))
        moved, record = _recorded(after, now, after.status, after.holder or after.decider, words)
        guard = When(
            f"#version = :version AND #digest = :digest AND {_GUARDS[after.status]}",
            {
                "version": before.version,
                "digest": after.digest,
                **_used(
                    _GUARDS[after.status],
                    {
                        "pending": "pending",
                        "approved": "approved",
                        "approvers": len(after.approvers),
                        "now": stamp(now),
                    },
                ),
            },
        )
        changes = moving(moved)
        if after.status != "redeemed":  # of a redemption nobody needs to be told
            changes |= {"listing": listing("decided"), "listed_at": stamp(now)}
        try:
            self._table.write_all(update(*approval_key(before.id), guard, put=changes), put(record))
        except ConditionFailed as failure:
            if failure.found[0] is None:
                raise Conflict(f"approval {before.id} moved while it was being {after.status}; read it again") from None
            return read_approval(failure.found[0])
        return moved

    def token(self, approval: str) -> str | None:
        """Return the task token that waits for an approval, or None."""
        row = self._table.get(*token_key(approval))
        return None if row is None else str(row["token"])

    def close(self, approval: Approval, token: str | None) -> bool:
        """Note that everybody knows of the decision, and forget the token; False where there is news since."""
        waits = (
            delete(*token_key(approval.id), When("#token = :token", {"token": token}))
            if token
            else check(*token_key(approval.id), ABSENT)
        )
        told = When("#status = :status", {"status": approval.status})
        try:
            self._table.write_all(update(*approval_key(approval.id), told, put={"listing": listing("closed")}), waits)
        except ConditionFailed:
            return False
        return True

    def listed(self, stand: Stand, before: datetime | None = None) -> Iterator[Approval]:
        """Yield the approvals that stand so; open ones by expiry up to `before`, the others by decision."""
        limit = None if before is None else stamp(before)
        for row in self._table.listing(listing(stand), before=limit):
            yield read_approval(row)

    def _join(self, approval: Approval, token: str) -> Approval:
        while True:
            found = self.get(approval.id)
            if found is None:
                raise Conflict(f"approval {approval.id} was there and is not; ask again")
            stand = "open" if found.status == "pending" else "decided"
            same = When("#status = :status", {"status": found.status})
            try:
                self._table.write_all(
                    update(*approval_key(approval.id), same, put={"listing": listing(stand)}),
                    _token(approval, token),
                    _unfenced(approval),
                )
            except ConditionFailed as failure:
                if failure.failed[-1]:
                    raise _fenced(approval) from None
                continue  # it moved; there are few moves, so this ends
            return found
