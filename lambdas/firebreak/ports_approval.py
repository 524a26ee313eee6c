"""What approvals need of the world, as Protocols. Free of pydantic: the public endpoint imports them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol, TypeAlias

from firebreak.core.approval import Approval, Post, Vote

Stand: TypeAlias = Literal["open", "decided", "closed"]
"""open: pending. decided: the state machine or the message does not show it yet. closed: all is told."""

Cast: TypeAlias = Literal["taken", "replayed", "repeated", "refused"]
"""taken: the vote stands. replayed: this very request was handled before. repeated: the person has voted before.
refused: the approval does not take it."""


class Ballot(Protocol):
    """All that the public function can do: read approvals, put votes, replay marks and audit rows."""

    def get(self, approval: str) -> Approval | None:
        """Return an approval, read consistently, or None."""

    def cast(self, approval: Approval, vote: Vote, mark: str) -> Cast:
        """Take a vote, its replay mark and its audit row in one transaction, or none of them.

        Args:
            approval: what is voted on, as it was read; the write asks the item again.
            vote: the vote.
            mark: what makes the request this request.
        """

    def refuse(self, approval: Approval, principal: str, cause: str, mark: str, now: datetime) -> None:
        """Note a refused attempt once, with its true cause."""


class Approvals(Protocol):
    """Approvals, their votes and the task tokens that wait for them."""

    def get(self, approval: str) -> Approval | None:
        """Return an approval, read consistently, or None."""

    def open(self, approval: Approval, token: str) -> Approval:
        """Create a question with the token that waits for it; where it is pending already, let this token wait.

        Returns:
            The approval as it is stored. Where it is decided, no token waits for it.

        Raises:
            Refused: the incident was fenced or is over; nothing may be asked for it any more.
        """

    def mark_posting(self, approval: str, now: datetime) -> bool:
        """Note that it is about to be posted; False where that was noted before."""

    def set_post(self, approval: str, post: Post) -> bool:
        """Bind it to its message, once; False where it is bound to another."""

    def votes(self, approval: str) -> Sequence[Vote]:
        """Return the votes on an approval, read consistently."""

    def move(self, before: Approval, after: Approval, now: datetime) -> Approval:
        """Write a move where the approval still stands as before.

        Returns:
            The approval as it is stored: another move may have been first.
        """

    def token(self, approval: str) -> str | None:
        """Return the task token that waits for an approval, or None."""

    def close(self, approval: Approval) -> None:
        """Note that everybody knows of the decision, and forget the token."""

    def listed(self, stand: Stand, before: datetime | None = None) -> Iterator[Approval]:
        """Yield the approvals that stand so, as they were a moment ago; open ones by expiry up to `before`."""


class Tasks(Protocol):
    """The state machine's tasks that wait for a token."""

    def succeed(self, token: str, output: dict[str, Any]) -> bool:
        """Let a task go on; False where nobody waits with this token any more.

        Raises:
            Retriable: try again.
        """


class Board(Protocol):
    """The channel in which questions are asked. Messages are what `firebreak.core.slack_message` makes."""

    def post(self, message: dict[str, Any]) -> Post:
        """Post a message.

        Raises:
            Retriable: it may have been posted or not.
            Permanent: it was not posted, and never will be as it is.
        """

    def find(self, approval: str, since: datetime) -> Post | None:
        """Return the message that asks for an approval, posted since then, or None.

        Raises:
            Retriable: try again.
            Permanent: it cannot be looked for.
        """

    def update(self, post: Post, message: dict[str, Any]) -> None:
        """Replace a message.

        Raises:
            Retriable: try again.
            Permanent: it cannot be replaced (any more).
        """
