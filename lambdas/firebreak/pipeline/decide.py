"""Decide: counts votes and tells what came of it.

Woken by the table's stream when a vote was put. The decision is written first; telling the state machine and the
channel comes after and can be done again, by a redelivery or by sweep, until both know.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from firebreak.clock import Clock
from firebreak.core.approval import Approval
from firebreak.core.errors import FirebreakError
from firebreak.pipeline.consent import Consents
from firebreak.pipeline.posting import Posting
from firebreak.ports_approval import Approvals, Tasks

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Announce:
    """Tells the state machine, then the channel, where an approval stands."""

    approvals: Approvals
    tasks: Tasks
    posting: Posting

    def __call__(self, approval: Approval) -> None:
        """Tell. The state machine is told which approval and nothing else: Execute reads the table.

        Raises:
            Retriable: the state machine could not be told; call again.
        """
        if approval.status == "pending":
            self.posting.show(approval, tries=1)
            return
        token = self.approvals.token(approval.id)
        if token is not None and not self.tasks.succeed(token, {"approval": approval.id}):
            log.warning("approval %s: nobody waits for it any more", approval.id)
        if self.posting.show(approval, tries=1):
            self.approvals.close(approval)


@dataclass(frozen=True)
class Decide:
    """The use case."""

    consents: Consents
    clock: Clock

    def handle(self, votes: Iterable[tuple[str, str]]) -> Mapping[str, FirebreakError]:
        """Settle the approvals that were voted on.

        Args:
            votes: (id of the delivery, id of the approval) of each vote, in order.

        Returns:
            The deliveries that have to come again, each with the reason.
        """
        failed: dict[str, FirebreakError] = {}
        outcome: dict[str, FirebreakError | None] = {}
        for delivery, approval in votes:
            if approval not in outcome:
                outcome[approval] = self._settle(approval)
            if (error := outcome[approval]) is not None:
                failed[delivery] = error
        return failed

    def _settle(self, approval: str) -> FirebreakError | None:
        try:
            found = self.consents.settle(approval, self.clock())
        except FirebreakError as error:
            return error
        log.info("approval %s: %s", approval, found.status if found else "does not exist")
        return None
