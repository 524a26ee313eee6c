"""Brings the message in the channel up to what the table says of an approval.

What is guaranteed: only one message of a question has buttons that work, because channel and timestamp are bound to
the approval once, by a conditional write, and the door compares them. The intent to post is written first. Whoever
finds the intent without a message (a crash, an answer that was lost) searches the channel for it before posting, so
that a second copy can only appear while the first is still on its way; then the one that was not bound is retired.
Where the channel cannot be searched (the app lacks the scope), the question is posted again: a copy that does nothing
is better than a question that nobody sees.

Slack never holds up a decision: what cannot be shown now is shown by a later call.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from firebreak.clock import Clock
from firebreak.core.approval import Approval, Post
from firebreak.core.errors import Permanent, Retriable
from firebreak.core.slack_message import message, retired
from firebreak.ports_approval import Approvals, Board

PAUSES = (1.0, 3.0)
"""Seconds between the tries of one call; a longer outage is for the next call."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Posting:
    """The use case.

    Args:
        board: the channel; None where the deployment has none and people answer on the command line.
        pause: sleeps for so many seconds.
    """

    approvals: Approvals
    board: Board | None
    clock: Clock
    pause: Callable[[float], None] = time.sleep

    def show(self, approval: Approval, tries: int = 1 + len(PAUSES)) -> bool:
        """Make the channel show an approval as it stands.

        Args:
            approval: as it was read last.
            tries: how often at most; the pauses between them hold up the caller.

        Returns:
            Whether it does now, or never will.
        """
        if self.board is None:
            return True
        for pause in (*PAUSES[: tries - 1], None):
            try:
                self._show(self.board, approval)
                return True
            except Retriable as error:
                log.warning("approval %s not shown yet: %s", approval.id, error)
                if pause is not None:
                    self.pause(pause)
            except Permanent as error:
                log.error("approval %s cannot be shown: %s", approval.id, error)
                return True
        return False

    def _show(self, board: Board, approval: Approval) -> None:
        post = approval.post
        if post is None:
            post = self._place(board, approval)
            # it may have been decided while it was being posted
            approval = self.approvals.get(approval.id) or approval
        if post is not None and approval.status != "pending":
            board.update(post, message(approval))

    def _place(self, board: Board, approval: Approval) -> Post | None:
        """Find the approval's message or post it; None where it was decided before anyone tried."""
        current = self.approvals.get(approval.id) or approval
        if current.post is not None:
            return current.post
        if current.status != "pending":
            post = self._search(board, current) if current.posting else None
        elif self.approvals.mark_posting(current.id, self.clock()):
            post = board.post(message(current))
        else:
            post = self._search(board, current) or board.post(message(current))
        if post is not None and not self.approvals.set_post(current.id, post):
            board.update(post, retired())
            bound = self.approvals.get(current.id)
            return bound.post if bound else None
        return post

    def _search(self, board: Board, approval: Approval) -> Post | None:
        try:
            return board.find(approval.id, approval.posting or approval.created_at)
        except Permanent as error:
            log.error("approval %s cannot be looked for in the channel: %s", approval.id, error)
            return None
