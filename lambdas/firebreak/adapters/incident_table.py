"""Incidents, steps, locks and the guard in the table."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from firebreak.adapters.incident_reader import EXEMPT_KEY, HALT_KEY, MODE_KEY, IncidentReader, exemptions
from firebreak.adapters.incident_rows import (
    attempt_write,
    audit_row,
    lock_write,
    move_incident,
    move_step,
    new_step,
    next_attempt,
)
from firebreak.adapters.table import ConditionFailed
from firebreak.adapters.writes import Item, When, Write, delete, put, update
from firebreak.core.audit import AuditRecord
from firebreak.core.errors import Conflict, Refused
from firebreak.core.guard import Exemption
from firebreak.core.incident import Incident, StepRecord
from firebreak.core.model import Json
from firebreak.ports import Actor, Execution

TOGETHER = 40
"""Steps that go into one transaction, each with the first record of its trail; a transaction takes 100 writes."""

GUARD = "guard"
"""Where the trail of mode and kill switch stands, in place of an incident's id."""

EXEMPTIONS = 100
"""How many are in force at once: they are read with every step, in one row."""

ATTEMPTS = 5


class IncidentTable(IncidentReader):
    """`firebreak.ports.IncidentStore` on the table."""

    def set_mode(self, mode: str, actor: Actor, now: datetime) -> None:
        """Set the mode; the deployment's ceiling still bounds it."""
        self._set(MODE_KEY, lambda _: {"mode": mode}, f"mode {mode}", actor, now)

    def set_halt(self, on: bool, actor: Actor, now: datetime) -> None:
        """Throw the kill switch, or take it back."""
        self._set(HALT_KEY, lambda _: {"on": on}, f"halt {'on' if on else 'off'}", actor, now)

    def exempt(self, exemption: Exemption, actor: Actor, now: datetime) -> None:
        """Leave something alone for a time; what was said of it before is replaced, what has ended is forgotten.

        Raises:
            Refused: there are too many exemptions.
        """

        def changed(row: Item) -> Item:
            others = [each for each in exemptions(row) if each.name != exemption.name and each.until > now]
            kept = [*others, *((exemption,) if exemption.until > now else ())]
            if len(kept) > EXEMPTIONS:
                raise Refused(f"{EXEMPTIONS} exemptions are in force, and no more are kept; end one of them")
            return {"exempt": [each.model_dump_json() for each in kept]}

        until = f"until {exemption.until:%Y-%m-%d %H:%M} UTC" if exemption.until > now else "no longer"
        self._set(EXEMPT_KEY, changed, f"{exemption.name} left alone {until}", actor, now, exemption.reason)

    def change_incident(
        self, before: Incident, after: Incident, event: str, actor: Actor, now: datetime, *words: str
    ) -> Incident:
        """Move an incident and append to its trail, where it is still as `before` says."""
        moved, writes = move_incident(before, after, event, str(actor), now, words)
        self._move(writes, moved.head, f"incident {before.id}")
        return moved

    def add_steps(self, incident: str, steps: Iterable[StepRecord], actor: Actor, now: datetime) -> None:
        """Write steps that are not there yet."""
        for step in steps:
            try:
                self._table.write_all(*new_step(step, str(actor), now))
            except ConditionFailed:
                continue  # an earlier revision, or an earlier try, brought it

    def decide(
        self,
        before: Incident,
        after: Incident,
        steps: Sequence[StepRecord],
        decision: Json,
        actor: Actor,
        now: datetime,
        *words: str,
    ) -> Incident:
        """Record what a revision's playbooks decided, its new steps included, and move the incident, all at once."""
        self.add_steps(before.id, steps[TOGETHER:], actor, now)
        moved, writes = move_incident(before, after, "decided", str(actor), now, words)
        row = {"pk": f"INCIDENT#{before.id}", "sk": f"DECISION#{after.revision:04d}", "body": json.dumps(decision)}
        brought = [write for step in steps[:TOGETHER] for write in new_step(step, str(actor), now)]
        self._move([*writes, put(row), *brought], moved.head, f"incident {before.id}")
        return moved

    def change_step(
        self, before: StepRecord, after: StepRecord, actor: Actor, now: datetime, *words: str
    ) -> StepRecord:
        """Move a step and append to its trail, where it is still as `before` says."""
        moved, writes = move_step(before, after, str(actor), now, words)
        self._move(writes, moved.head, f"step {before.id} of {before.incident}")
        return moved

    def claim_locks(self, incident: Incident, keys: Iterable[str], now: datetime) -> str | None:
        """Take locks, those held already included; return the incident that holds one of them, if any."""
        for key in keys:
            try:
                self._table.write(lock_write(key, incident.id, now))
            except ConditionFailed as failure:
                found = failure.found[0]
                if found is not None:
                    return str(found["incident"])
                raise Conflict(f"lock {key} was freed while it was claimed; run again") from None
        return None

    def hand_locks(self, keys: Iterable[str], owner: str, to: str | None) -> None:
        """Free the locks that an incident holds, or hand them to another one."""
        mine = When("#incident = :owner", {"owner": owner})
        for key in keys:
            pk = f"LOCK#{key}"
            write = delete(pk, "LOCK", mine) if to is None else put({"pk": pk, "sk": "LOCK", "incident": to}, mine)
            try:
                self._table.write(write)
            except ConditionFailed:
                continue  # not held (any more): nothing to free

    def spend(self, action: str, account: str, holder: str, limit: int, now: datetime) -> bool:
        """Take one of so many runs of an action in an account and hour, once per holder; False where none is left."""
        pk, hour = f"BUDGET#{action}#{account}", now.strftime("%Y-%m-%dT%H")
        room = When(
            "attribute_not_exists(#holders) OR contains(#holders, :holder) OR size(#holders) < :limit",
            {"holder": holder, "limit": limit},
        )
        try:
            self._table.write(update(pk, hour, room, add={"holders": {holder}}))
        except ConditionFailed:
            return False
        return limit > 0

    def copy_findings(self, source: str, to: str) -> None:
        """Copy the findings of an incident to another one."""
        newer = "attribute_not_exists(#pk) OR #updated_at < :updated_at"
        for row in self._table.query(f"INCIDENT#{source}", "FINDING#"):
            copy = {**row, "pk": f"INCIDENT#{to}"}
            try:
                self._table.write(put(copy, When(newer, {"updated_at": row["updated_at"]})))
            except ConditionFailed:
                continue  # it has this one, as new or newer

    def want_execution(self, execution: Execution, now: datetime) -> Execution:
        """Note that an execution is wanted, once, and return it with its newest attempt."""
        write = attempt_write(execution.incident, execution.revision, execution.mode, execution.lane, now)
        try:
            self._table.write(write)
        except ConditionFailed as failure:
            found = failure.found[0]
            if found is not None:
                return execution.model_copy(update={"attempt": found["attempt"]})
        return execution.model_copy(update={"attempt": 1})

    def try_again(self, execution: Execution) -> Execution | None:
        """Move an execution that failed on to its next attempt; None where that was done already."""
        write = next_attempt(execution.incident, execution.revision, execution.mode, execution.attempt)
        try:
            self._table.write(write)
        except ConditionFailed:
            return None
        return execution.model_copy(update={"attempt": execution.attempt + 1})

    def _move(self, writes: list[Write], head: str, what: str) -> None:
        try:
            self._table.write_all(*writes)
        except ConditionFailed as failure:
            found = failure.found[1]  # the trail's record at our place: ours, if our answer was lost
            if found is None or found["hash"] != head:
                raise Conflict(f"{what} moved meanwhile; read it again") from None

    def _set(
        self,
        key: tuple[str, str],
        change: Callable[[Item], Item],
        event: str,
        actor: Actor,
        now: datetime,
        *words: str,
    ) -> None:
        """Set a row of the guard and append to the guard's trail, whoever else sets it meanwhile."""
        for _ in range(ATTEMPTS):
            before = self._table.get(*key) or {}
            version = int(before.get("version", 0))
            record = AuditRecord(
                incident=GUARD,
                chain=key[1].lower(),
                sequence=version + 1,
                at=now,
                event=event,
                actor=str(actor),
                words=words,
                previous=str(before.get("head", "")),
            )
            row = {"pk": key[0], "sk": key[1], **change(before), "by": str(actor), "at": now.isoformat()}
            same = (
                When("#version = :version", {"version": version}) if version else When("attribute_not_exists(#version)")
            )
            moved = put({**row, "version": record.sequence, "head": record.hash}, same)
            try:
                self._move([moved, put(audit_row(record))], record.hash, event)
            except Conflict as error:
                conflict = error
                continue
            return
        raise conflict
