"""What becomes of questions: votes are counted, time runs out, consent is spent or withdrawn.

`firebreak.ports.Consent` for the rest of the pipeline. Every move is decided by the pure rules of
`firebreak.core.approval` and written where the approval still stands as it was read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from firebreak.core import approval as rules
from firebreak.core.approval import Approval
from firebreak.core.errors import FirebreakError, NoConsent
from firebreak.core.incident import StepRecord
from firebreak.core.tally import count
from firebreak.ports_approval import Approvals

UNPOSTED = timedelta(minutes=1)
"""How long Ask is left alone with a question before someone else posts it."""


class Steps(Protocol):
    """What is needed of the incident store."""

    def steps(self, incident: str) -> Sequence[StepRecord]: ...


def untold(approval: Approval) -> None:
    """Leave the telling to a function that may do it: the approval stays listed as decided until then."""


@dataclass(frozen=True)
class Consents:
    """The use cases.

    Args:
        announce: tells the state machine and the channel where an approval stands.
    """

    approvals: Approvals
    incidents: Steps
    announce: Callable[[Approval], None] = untold

    def settle(self, approval: str, now: datetime) -> Approval | None:
        """Count the votes on an approval, let time run out on it, and return it as it stands then."""
        found = self.approvals.get(approval)
        if found is None:
            return None
        if found.status == "pending":
            counted = count(found, self.approvals.votes(approval), now)
            if counted is not found:
                found = self.approvals.move(found, counted, now)
        if found.status != "pending":
            self.announce(found)
        return found

    def redeem(self, step: StepRecord, holder: str, now: datetime) -> None:
        """Spend the consent to a step's plan, once per holder.

        Raises:
            NoConsent: there is none, or it is for another plan, spent, denied or expired; says which.
        """
        if step.approval is None or step.plan is None:
            raise NoConsent("missing", f"nobody was asked about step {step.id} of {step.incident}; ask")
        found = self.settle(step.approval, now)
        if found is None:
            raise NoConsent("missing", f"approval {step.approval} does not exist; ask again")
        digest = step.plan.digest
        spent = rules.redeem(found, digest, holder, now)
        if spent is not found:
            stored = self.approvals.move(found, spent, now)
            rules.redeem(stored, digest, holder, now)  # somebody else may have been first

    def cancel(self, incident: str, now: datetime) -> None:
        """Withdraw every question of an incident that is open, and every consent that is not spent.

        Fence the incident first: a question that is being asked meanwhile is refused by the fence.
        """
        for step in self.incidents.steps(incident):
            if step.approval:
                self.withdraw(step.approval, "cancelled", "the incident is released, merged or closed", now)

    def withdraw(self, approval: str, to: rules.Withdrawal, reason: str, now: datetime) -> None:
        """Withdraw one question, unless it was denied, has expired or was spent."""
        found = self.approvals.get(approval)
        while found is not None:
            withdrawn = rules.withdraw(found, to, "firebreak", reason, now)
            if withdrawn is found:
                return
            found = self.approvals.move(found, withdrawn, now)
            if found.status == to:
                self.announce(found)
                return

    def expire_due(self, now: datetime) -> int:
        """Deny what nobody answered in time, and tell what was left untold; return how many were decided.

        Raises:
            FirebreakError: the last one met, after everything else was done.
        """
        unposted = [
            approval.id
            for approval in self.approvals.listed("open")
            if approval.post is None and approval.created_at + UNPOSTED < now < approval.expires_at
        ]
        work = [
            *((approval.id, self.settle) for approval in self.approvals.listed("open", before=now)),
            *((approval, self._tell) for approval in unposted),
            *((approval.id, self._tell) for approval in self.approvals.listed("decided")),
        ]
        decided, failed = set(), None
        for approval, do in work:
            try:
                found = do(approval, now)
            except FirebreakError as error:
                failed = error
                continue
            if found is not None and found.decided_at == now:
                decided.add(approval)
        if failed is not None:
            raise failed
        return len(decided)

    def _tell(self, approval: str, now: datetime) -> Approval | None:
        found = self.approvals.get(approval)  # the listing is a moment old
        if found is not None:
            self.announce(found)
        return found
