"""What the public function can do with the table: read approvals, put votes, replay marks and audit rows.

Its role allows no more (`dynamodb:LeadingKeys`), and this is all the code it has: approvals are edited elsewhere.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from firebreak.adapters.approval_rows import approval_key, audit_row, read_approval, replay_row, stamp, vote_row
from firebreak.adapters.table import ConditionFailed, Table
from firebreak.adapters.writes import When, check, put
from firebreak.core.approval import Approval, Vote
from firebreak.ports_approval import Cast

_TAKES_VOTES = (
    "#status = :pending AND #expires_at > :now AND #digest = :digest"
    # a comparison with an attribute that is missing may hold, so it is asked for by name
    " AND attribute_exists(#excluded) AND NOT contains(#excluded, :person)"
)


class BallotTable:
    """`firebreak.ports_approval.Ballot` on the table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, approval: str) -> Approval | None:
        """Return an approval, read consistently, or None."""
        row = self._table.get(*approval_key(approval))
        return None if row is None else read_approval(row)

    def cast(self, approval: Approval, vote: Vote, mark: str) -> Cast:
        """Take a vote, its replay mark and its audit row in one transaction, or none of them."""
        guard = {"pending": "pending", "now": stamp(vote.at), "digest": vote.digest, "person": vote.person}
        words = (f"{vote.choice} by {vote.person}", *((vote.reason,) if vote.reason else ()))
        try:
            self._table.write_all(
                put(replay_row(mark, vote.at)),
                put(vote_row(vote)),
                check(*approval_key(approval.id), When(_TAKES_VOTES, guard)),
                put(_record(approval, f"vote_{vote.choice}", vote.principal, words, mark, vote.at)),
            )
        except ConditionFailed as failure:
            handled_before, voted_before, *_ = failure.failed
            if handled_before:
                return "replayed"
            earlier = failure.found[1] or {}
            return "repeated" if voted_before and earlier.get("choice") == vote.choice else "refused"
        return "taken"

    def refuse(self, approval: Approval, principal: str, cause: str, mark: str, now: datetime) -> None:
        """Note a refused attempt once, with its true cause."""
        with suppress(ConditionFailed):  # noted before
            self._table.write_all(
                put(replay_row(mark, now)), put(_record(approval, "vote_refused", principal, (cause,), mark, now))
            )


def _record(
    approval: Approval, event: str, actor: str, words: tuple[str, ...], mark: str, at: datetime
) -> dict[str, object]:
    # a chain of its own: reading the trail is not for the public function, and marks do not repeat
    chain = f"ballot-{mark[:32]}"
    return audit_row(approval.incident, chain, 1, at, event, actor, (f"approval {approval.id}", *words))
