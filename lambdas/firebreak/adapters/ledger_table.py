"""The ledger in the table: lease, before-state and claims of a target's aspect, moved together with the step."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from firebreak.adapters.incident_reader import HALT_KEY, MODE_KEY
from firebreak.adapters.incident_rows import ledger_pk, move_step
from firebreak.adapters.table import ConditionFailed, Table
from firebreak.adapters.writes import ABSENT, ALWAYS, When, Write, check, delete, put
from firebreak.core.errors import Conflict, Held, Refused
from firebreak.core.guard import GuardState
from firebreak.core.incident import BEGUN, Mode, StepRecord
from firebreak.core.plan import Draft, Plan
from firebreak.core.target import Place
from firebreak.ports import Actor


class LedgerTable:
    """`firebreak.ports.Ledger` on the table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def baseline(self, target: Place, aspect: str) -> Draft | None:
        """Return the draft whose before-state stands for this aspect, where some incident still claims it."""
        rows = list(self._table.query(ledger_pk(target, aspect)))
        drafts = [Draft.model_validate_json(row["body"]) for row in rows if row["sk"] == "BASELINE"]
        return drafts[0] if drafts and any(row["sk"].startswith("CLAIM#") for row in rows) else None

    def others(self, step: StepRecord, aspect: str) -> Sequence[str]:
        """Return the other incidents that claim this aspect."""
        rows = self._table.query(ledger_pk(step.target, aspect), "CLAIM#")
        return [row["incident"] for row in rows if row["incident"] != step.incident]

    def begin(
        self,
        before: StepRecord,
        after: StepRecord,
        *,
        aspect: str,
        mode: Mode,
        keep: bool,
        actor: Actor,
        now: datetime,
        lease: float,
        judged: GuardState,
        words: tuple[str, ...] = (),
    ) -> StepRecord:
        """Take the lease, write the before-state once, claim it, and record the intent, in one transaction."""
        plan = before.plan
        if plan is None:
            raise Refused(f"step {before.id} of {before.incident} has no plan; nothing may be changed without one")
        moved, writes = move_step(before, after, str(actor), now, words)
        pk = ledger_pk(before.target, aspect)
        writes.append(self._lease(pk, actor, now, lease))
        if mode == "respond":
            fence = When("#fenced < :revision", {"revision": before.revision})
            if before.status not in BEGUN:  # what has begun goes on, whichever incident takes the story over
                over = " AND NOT #status IN (:closed, :merged)"
                fence = When(fence.expression + over, {**fence.values, "closed": "closed", "merged": "merged"})
            writes.append(check(f"INCIDENT#{before.incident}", "INCIDENT", fence))
            writes.append(check(*HALT_KEY, When("attribute_not_exists(#pk) OR #on = :off", {"off": False})))
            if before.status not in BEGUN:
                writes.append(check(*MODE_KEY, _still(judged)))
            if keep:
                writes.append(put({"pk": pk, "sk": f"CLAIM#{before.incident}", "incident": before.incident}, ALWAYS))
                writes.append(self._baseline(pk, plan))
        try:
            self._table.write_all(*writes)
        except ConditionFailed as failure:
            found = failure.found[1]
            if failure.failed[1] and found is not None and found["hash"] == moved.head:
                return moved  # our own answer was lost
            self._explain(before, failure)
        return moved

    def take(self, step: StepRecord, aspect: str, actor: Actor, now: datetime, lease: float) -> None:
        """Take the lease alone, to close what may be open."""
        try:
            self._table.write(self._lease(ledger_pk(step.target, aspect), actor, now, lease))
        except ConditionFailed:
            raise Held(f"{step.target.key} {aspect}: another run has the lease; try again after it") from None

    def end(
        self,
        before: StepRecord,
        after: StepRecord,
        *,
        aspect: str,
        actor: Actor,
        now: datetime,
        words: tuple[str, ...] = (),
        unclaims: bool = False,
        last: bool = False,
    ) -> StepRecord:
        """Record what came of it and give the lease back.

        Args:
            unclaims: whether the incident's claim on the before-state ends with it.
            last: whether the before-state has been restored by the last claim on it; it is forgotten then.
        """
        moved, writes = move_step(before, after, str(actor), now, words)
        pk = ledger_pk(before.target, aspect)
        writes.append(delete(pk, "LEASE", When("attribute_not_exists(#pk) OR #holder = :me", {"me": actor.request})))
        if unclaims:
            writes.append(delete(pk, f"CLAIM#{before.incident}", ALWAYS))
            if last:
                writes.append(delete(pk, "BASELINE", ALWAYS))
        try:
            self._table.write_all(*writes)
        except ConditionFailed as failure:
            found = failure.found[1]
            if failure.failed[1] and found is not None and found["hash"] == moved.head:
                return moved
            raise Conflict(f"step {before.id} of {before.incident} moved while it ran; read it again") from None
        return moved

    def give_back(self, step: StepRecord, aspect: str, actor: Actor) -> None:
        """Give the lease back without moving the step."""
        mine = When("#holder = :me", {"me": actor.request})
        try:
            self._table.write(delete(ledger_pk(step.target, aspect), "LEASE", mine))
        except ConditionFailed:
            return  # it ran out and someone else took it

    def _lease(self, pk: str, actor: Actor, now: datetime, lease: float) -> Write:
        # held per invocation, not per step: a second run of the same step must not change anything beside a first one
        # that is frozen and may wake up
        until = (now + timedelta(seconds=lease)).isoformat()
        return put(
            {"pk": pk, "sk": "LEASE", "holder": actor.request, "until": until},
            When(
                "attribute_not_exists(#pk) OR #until < :now OR #holder = :me",
                {"now": now.isoformat(), "me": actor.request},
            ),
        )

    def _baseline(self, pk: str, plan: Plan) -> Write:
        """Write the before-state once; a plan that joined another incident's before-state carries the very same row."""
        body = plan.draft.model_dump_json()
        return put(
            {"pk": pk, "sk": "BASELINE", "body": body},
            When("attribute_not_exists(#pk) OR #body = :body", {"body": body}),
        )

    def _explain(self, step: StepRecord, failure: ConditionFailed) -> None:
        what = f"step {step.id} of {step.incident}"
        if failure.failed[0] or failure.failed[1]:
            raise Conflict(f"{what} moved meanwhile; read it again")
        if failure.failed[2]:
            raise Held(f"{what}: another run has the lease on {step.target.key}; try again after it")
        if failure.failed[3]:
            raise Refused(f"{what}: the incident was released, merged or closed; nothing more is changed for it")
        if failure.failed[4]:
            raise Refused(f"{what}: the kill switch is on (`firebreak halt --off` takes it back)")
        if step.status not in BEGUN and failure.failed[5]:
            raise Conflict(f"{what}: somebody set another mode meanwhile; the guard judges again")
        raise Conflict(f"{what}: the before-state of {step.target.key} is another incident's; plan again")


def _still(judged: GuardState) -> When:
    """The mode's row says what it said when the guard judged by it."""
    if judged.mode is None:
        return ABSENT
    return When("#mode = :mode", {"mode": judged.mode})
