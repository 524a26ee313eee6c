"""Approvals, votes and task tokens in the table. Every move is one transaction with its audit record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from firebreak.adapters.approval_rows import (
    approval_key,
    approval_row,
    audit_row,
    listing,
    moving,
    read_approval,
    read_vote,
    stamp,
    token_key,
)
from firebreak.adapters.ballot_table import BallotTable
from firebreak.adapters.table import ConditionFailed
from firebreak.adapters.writes import ALWAYS, Item, When, Write, check, delete, put, update
from firebreak.core.approval import Approval, Post, Status, Vote
from firebreak.core.errors import Conflict, Refused
from firebreak.ports_approval import Stand

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
        """Create a question with the token that waits for it; where it is pending already, let this token wait."""
        asked, record = _recorded(approval, approval.created_at, "asked", "ask", ())
        waits = put({**_keyed(token_key(approval.id)), "token": token}, ALWAYS)
        try:
            self._table.write_all(put(approval_row(asked)), put(record), waits, _unfenced(approval))
        except ConditionFailed as failure:
            found = failure.found[0]
            if failure.failed[3]:
                raise _fenced(approval) from None
            if found is None:
                raise Conflict(f"approval {approval.id}: its audit record is there and it is not; ask again") from None
            return self._join(read_approval(found), waits)
        return asked

    def mark_posting(self, approval: str, now: datetime) -> bool:
        """Note that it is about to be posted; False where that was noted before."""
        unmarked = When("attribute_exists(#pk) AND attribute_not_exists(#posting)")
        try:
            self._table.write(update(*approval_key(approval), unmarked, put={"posting": stamp(now)}))
        except ConditionFailed:
            return False
        return True

    def set_post(self, approval: str, post: Post) -> bool:
        """Bind it to its message, once; False where it is bound to another."""
        place = {"channel": post.channel, "ts": post.ts}
        unbound = When(
            "attribute_exists(#pk) AND (attribute_not_exists(#ts) OR (#ts = :ts AND #channel = :channel))", place
        )
        try:
            self._table.write(update(*approval_key(approval), unbound, put=place))
        except ConditionFailed:
            return False
        return True

    def votes(self, approval: str) -> Sequence[Vote]:
        """Return the votes on an approval, read consistently."""
        return [read_vote(row) for row in self._table.query(f"VOTE#{approval}")]

    def move(self, before: Approval, after: Approval, now: datetime) -> Approval:
        """Write a move where the approval still stands as before, and return it as it is stored then."""
        who = after.holder or after.decider
        words = (f"{after.status} by {who}", *((after.reason,) if after.reason else ()))
        moved, record = _recorded(after, now, after.status, who, words)
        changes = moving(moved)
        if after.status != "redeemed":  # the machine that redeems it knows
            changes |= {"listing": listing("decided"), "listed_at": stamp(now)}
        try:
            self._table.write_all(
                update(*approval_key(before.id), _guard(before, after, now), put=changes), put(record)
            )
        except ConditionFailed as failure:
            if failure.found[0] is None:
                raise Conflict(f"approval {before.id} could not be {after.status}; read it again") from None
            return read_approval(failure.found[0])
        return moved

    def token(self, approval: str) -> str | None:
        """Return the task token that waits for an approval, or None."""
        row = self._table.get(*token_key(approval))
        return None if row is None else str(row["token"])

    def close(self, approval: Approval) -> None:
        """Note that everybody knows of the decision, and forget the token. No token comes after a decision."""
        told = When("#status IN (:status, :redeemed)", {"status": approval.status, "redeemed": "redeemed"})
        try:
            self._table.write_all(
                update(*approval_key(approval.id), told, put={"listing": listing("closed")}),
                delete(*token_key(approval.id), ALWAYS),
            )
        except ConditionFailed:
            return  # another decision came on top of this one and is told on its own

    def listed(self, stand: Stand, before: datetime | None = None) -> Iterator[Approval]:
        """Yield the approvals that stand so, as they were a moment ago; open ones by expiry up to `before`."""
        limit = None if before is None else stamp(before)
        for row in self._table.listing(listing(stand), before=limit):
            yield read_approval(row)

    def _join(self, found: Approval, waits: Write) -> Approval:
        pending = check(*approval_key(found.id), When("#status = :pending", {"pending": "pending"}))
        try:
            self._table.write_all(pending, waits, _unfenced(found))
        except ConditionFailed as failure:
            if failure.failed[2]:
                raise _fenced(found) from None
            return found if failure.found[0] is None else read_approval(failure.found[0])
        return found


def _recorded(
    approval: Approval, at: datetime, event: str, actor: str, words: tuple[str, ...]
) -> tuple[Approval, Item]:
    version = approval.version + 1
    said = (f"plan {approval.digest}", *words)
    record = audit_row(
        approval.incident, f"approval-{approval.id}", version, at, event, actor, said, previous=approval.head
    )
    return replace(approval, version=version, head=record["hash"]), record


def _guard(before: Approval, after: Approval, now: datetime) -> When:
    expression = f"#version = :version AND #digest = :digest AND {_GUARDS[after.status]}"
    values = {
        "version": before.version,
        "digest": after.digest,
        "pending": "pending",
        "approved": "approved",
        "approvers": len(after.approvers),
        "now": stamp(now),
    }
    return When(expression, {name: value for name, value in values.items() if f":{name}" in expression})


def _unfenced(approval: Approval) -> Write:
    return check(
        f"INCIDENT#{approval.incident}",
        "INCIDENT",
        When(
            "#fenced < :revision AND NOT #status IN (:closed, :merged)",
            {"revision": approval.revision, "closed": "closed", "merged": "merged"},
        ),
    )


def _fenced(approval: Approval) -> Refused:
    return Refused(f"incident {approval.incident} was released, merged or closed; nothing more is asked for it")


def _keyed(key: tuple[str, str]) -> Item:
    return dict(zip(("pk", "sk"), key, strict=True))
