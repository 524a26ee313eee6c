"""Findings in the table, and the incidents they open or join."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from firebreak.adapters.incident_rows import (
    attempt_write,
    incident_key,
    lock_write,
    move_incident,
    new_incident,
    read_incident,
)
from firebreak.adapters.table import ConditionFailed, Table
from firebreak.adapters.writes import Item, When, Write, delete, put, update
from firebreak.core.errors import Conflict
from firebreak.core.finding import Finding
from firebreak.core.incident import Incident, Lane
from firebreak.ports import SeenFinding

NEVER = "9999-12-31T23:59:59+00:00"


class FindingTable:
    """`firebreak.ports.FindingStore` on the table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def repeat(self, finding: Finding, now: datetime, deliveries: int) -> SeenFinding | bool | None:
        """Count a repeat in one conditional write."""
        when = When(
            "#handled = :yes AND (#updated_at >= :updated_at OR (#fingerprint = :fingerprint AND #quiet_until > :now))",
            {
                "yes": True,
                "updated_at": _time(finding.updated_at),
                "fingerprint": finding.fingerprint,
                "now": _time(now),
            },
        )
        try:
            self._table.write(
                update(*_key(finding), when, put={"last_seen": _time(now)}, add={"deliveries": deliveries})
            )
        except ConditionFailed as failure:
            return _seen(failure.found[0])
        return True

    def drop(self, finding: Finding, reason: str, now: datetime, deliveries: int) -> None:
        """Record a finding that ends here, with the reason, unless an incident has it already."""
        try:
            self._table.write(
                update(
                    *_key(finding),
                    When("attribute_not_exists(#incident)"),
                    put={"dropped": reason, "type": finding.type, "last_seen": _time(now)},
                    add={"deliveries": deliveries},
                )
            )
        except ConditionFailed:
            return  # its incident says what became of it

    def told(self, finding: Finding, now: datetime, quiet_until: datetime) -> None:
        """Record a finding of which people were told and nothing else is done."""
        self._table.write(
            put(
                {
                    **_row(finding, None, 0, 0, quiet_until),
                    "handled": True,
                    "told": _time(now),
                    "dropped": "no playbook acts on it: told",
                },
                When("attribute_not_exists(#incident)"),
            )
        )

    def open(self, finding: Finding, incident: Incident, seen: SeenFinding | None) -> str | None:
        """Open an incident with its first revision in one transaction."""
        now = incident.created_at
        _, writes = new_incident(incident, "opened", "triage", (incident.title,))
        locks = [lock_write(key, incident.id, now) for key in incident.locks]
        try:
            self._table.write_all(
                *writes,
                self._finding_write(finding, incident, seen),
                _copy_write(finding, incident.id),
                attempt_write(incident.id, incident.revision, "respond", incident.lane, now),
                *locks,
            )
        except ConditionFailed as failure:
            if failure.failed[0]:
                return None  # this very incident exists: our own answer was lost, or the same finding came twice
            held = [item["incident"] for item in failure.found[-len(locks) :] if item is not None]
            if held:
                return str(held[0])
            raise Conflict(f"finding {finding.key} moved while an incident was opened for it; deliver again") from None
        return None

    def join(
        self, finding: Finding, incident: Incident, after: Incident, seen: SeenFinding | None, now: datetime
    ) -> Incident:
        """Add a finding to an incident, in one transaction; a revision where `after` has one more."""
        revises = after.revision > incident.revision
        event = "revised" if revises else "joined"
        moved, writes = move_incident(incident, after, event, "triage", now, (f"{finding.source}: {finding.type}",))
        wanted = [attempt_write(incident.id, after.revision, "respond", after.lane, now)] if revises else []
        try:
            self._table.write_all(
                *writes,
                self._finding_write(finding, after, seen, handled=not revises),
                _copy_write(finding, incident.id),
                *wanted,
            )
        except ConditionFailed as failure:
            found = failure.found[0]
            if found is not None and read_incident(found).head == moved.head:
                return moved  # our own answer was lost
            raise Conflict(f"incident {incident.id} moved while {finding.key} joined it; deliver again") from None
        return moved

    def handled(self, finding: Finding, incident: str) -> None:
        """Mark the newest revision of a finding handled."""
        self._table.write(
            update(*_key(finding), When("#incident = :incident", {"incident": incident}), put={"handled": True})
        )

    def incident(self, incident: str) -> Incident | None:
        """Return an incident, or None."""
        row = self._table.get(*incident_key(incident))
        return None if row is None else read_incident(row)

    def free(self, keys: Iterable[str], owner: str) -> None:
        """Free the locks that an incident which is over still holds."""
        for key in keys:
            try:
                self._table.write(delete(f"LOCK#{key}", "LOCK", When("#incident = :owner", {"owner": owner})))
            except ConditionFailed:
                continue

    def hush(self, finding: Finding) -> None:
        """Let repeats that bring nothing new stay repeats for good: a person released what the finding was about."""
        self._table.write(update(*_key(finding), When("attribute_exists(#pk)"), put={"quiet_until": NEVER}))

    def reject(self, lane: Lane, message: str, error: str, now: datetime) -> None:
        """Record why a message cannot be used."""
        self._table.write(
            update(
                f"REJECTED#{lane}",
                message,
                When("attribute_not_exists(#pk) OR attribute_exists(#pk)"),
                put={"error": error[:2_000], "last_seen": _time(now)},
                add={"deliveries": 1},
            )
        )

    def _finding_write(
        self, finding: Finding, incident: Incident, seen: SeenFinding | None, *, handled: bool = False
    ) -> Write:
        quiet = incident.quiet_until or incident.updated_at
        row = _row(finding, incident.id, incident.revision, 0 if seen is None else seen.version + 1, quiet)
        same = (
            When("#version = :version", {"version": seen.version}) if seen else When("attribute_not_exists(#version)")
        )
        return put({**row, "handled": handled}, same)


def _key(finding: Finding) -> tuple[str, str]:
    return f"FINDING#{finding.key}", "FINDING"


def _row(finding: Finding, incident: str | None, revision: int, version: int, quiet_until: datetime) -> Item:
    pk, sk = _key(finding)
    return {
        "pk": pk,
        "sk": sk,
        **({"incident": incident} if incident else {}),
        "revision": revision,
        "type": finding.type,
        "fingerprint": finding.fingerprint,
        "severity": int(finding.severity),
        "updated_at": _time(finding.updated_at),
        "quiet_until": _time(quiet_until),
        "version": version,
        "deliveries": 1,
    }


def _copy_write(finding: Finding, incident: str) -> Write:
    return put(
        {
            "pk": f"INCIDENT#{incident}",
            "sk": f"FINDING#{finding.key}",
            "updated_at": _time(finding.updated_at),
            "body": finding.model_dump_json(),
        },
        When("attribute_not_exists(#pk) OR #updated_at <= :updated_at", {"updated_at": _time(finding.updated_at)}),
    )


def _seen(row: Item | None) -> SeenFinding | None:
    if row is None or "fingerprint" not in row:
        return None
    return SeenFinding(
        incident=row.get("incident"),
        revision=row["revision"],
        handled=row["handled"],
        fingerprint=row["fingerprint"],
        severity=row["severity"],
        updated_at=datetime.fromisoformat(row["updated_at"]),
        version=row["version"],
    )


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
