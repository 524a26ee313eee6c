"""Messages of a lane that could not be handled, and what can be done about them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from pydantic import AwareDatetime

from firebreak.core.incident import Lane
from firebreak.core.model import Model


class DeadLetter(Model):
    """A message that could not be handled.

    Attributes:
        id: its id, which it has had since it came into the lane.
        lane: which lane.
        error: why it could not be handled, as triage or EventBridge recorded it.
        sent_at: when it first came.
        body: as it came.
    """

    id: str
    lane: Lane
    error: str
    sent_at: AwareDatetime
    body: str


class DeadLetters(Protocol):
    """The dead letters of one lane."""

    def count(self) -> int:
        """Return about how many there are."""

    def look(self, limit: int) -> Sequence[DeadLetter]:
        """Return up to `limit` of them, the oldest first, and leave all where they are."""

    def redrive(self, only: frozenset[str] | None = None) -> Iterator[DeadLetter]:
        """Send them back into the lane, or only those of some ids, and yield each that was.

        One leaves the dead letters only after the lane has taken it: a crash in between delivers it twice.
        """
