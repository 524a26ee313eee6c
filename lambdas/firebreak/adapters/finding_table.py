"""Findings in the table, and the incidents they open or join."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from firebreak.adapters.incident_rows import (
    artefact_write,
    attempt_write,
    incident_key,
    lock_write,
    move_incident,
    new_incident,
    read_incident,
)
from firebreak.adapters.table import ConditionFailed, Table
from firebreak.adapters.writes import ALWAYS, Item, When, Write, delete, put, update
from firebreak.core.errors import Conflict
from firebreak.core.evidence import Artefact
from firebreak.core.finding import Finding
from firebreak.core.incident import Incident, Lane
from firebreak.ports import SeenFinding

NEVER = "9999-12-31T23:59:59+00:00"


class FindingTable:
    """`firebreak.ports.FindingStore` on the table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def repeat(self, finding: Finding, now: datetime, deliveries: int) -> SeenFinding | bool | None:
        """Count a repeat, mostly in one conditional write.

        A later update that brings nothing new moves the finding's time on, or the same event would be news once the
        quiet time is over; an older one never moves it back.
        """
        at, said = _time(finding.updated_at), {"last_seen": _time(now)}
        later = When(
            "#handled = :yes AND #updated_at <= :at AND #fingerprint = :fingerprint AND #quiet_until > :now",
            {"yes": True, "at": at, "fingerprint": finding.fingerprint, "now": _time(now)},
        )
        older = When(  # of the same time and with something else to say it is no repeat: a graver one must not be lost
            "#handled = :yes AND (#updated_at > :at OR (#updated_at = :at AND #fingerprint = :fingerprint))",
            {"yes": True, "at": at, "fingerprint": finding.fingerprint},
        )
        found: Item | None = None
        for when, put_too in ((later, {**said, "updated_at": at}), (older, said)):
            try:
                self._table.write(update(*_key(finding), when, put=put_too, add={"deliveries": deliveries}))
                return True
            except ConditionFailed as failure:
                found = failure.found[0]
            if found is None or not found.get("handled") or found["updated_at"] < at:
                break  # news: no need to ask whether it is an older update
        return _seen(found)

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

    def told(self, finding: Finding, now: datetime, quiet_until: datetime, deliveries: int = 1) -> None:
        """Record a finding of which people were told and nothing else is done."""
        self._table.write(
            put(
                {
                    **_row(finding, None, 0, 0, quiet_until, deliveries),
                    "handled": True,
                    "told": _time(now),
                    "dropped": "no playbook acts on it: told",
                },
                When("attribute_not_exists(#incident)"),
            )
        )

    def open(self, finding: Finding, incident: Incident, seen: SeenFinding | None, deliveries: int = 1) -> str | None:
        """Open an incident with its first revision in one transaction."""
        now = incident.created_at
        _, writes = new_incident(incident, "opened", "triage", (incident.title,))
        locks = [lock_write(key, incident.id, now) for key in incident.locks]
        try:
            self._table.write_all(
                *writes,
                self._finding_write(finding, incident, seen, deliveries),
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
        self,
        finding: Finding,
        incident: Incident,
        after: Incident,
        seen: SeenFinding | None,
        now: datetime,
        deliveries: int = 1,
    ) -> Incident:
        """Add a finding to an incident, in one transaction; a revision where `after` has one more."""
        revises = after.revision > incident.revision
        event = "revised" if revises else "joined"
        moved, writes = move_incident(incident, after, event, "triage", now, (f"{finding.source}: {finding.type}",))
        wanted = [attempt_write(incident.id, after.revision, "respond", after.lane, now)] if revises else []
        try:
            self._table.write_all(
                *writes,
                self._finding_write(finding, after, seen, deliveries, handled=not revises),
                _copy_write(finding, incident.id),
                *wanted,
            )
        except ConditionFailed as failure:
            found = failure.found[0]
            if found is not None and read_incident(found).head == moved.head:
                return moved  # our own answer was lost
            raise Conflict(f"incident {incident.id} moved while {finding.key} joined it; deliver again") from None
        return moved

    def handled(self, finding: Finding, incident: str, event: Artefact) -> None:
        """Mark the newest revision of a finding handled, and note where its event is kept."""
        mine = When("#incident = :incident", {"incident": incident})
        self._table.write_all(update(*_key(finding), mine, put={"handled": True}), artefact_write(incident, event))

    def belongs_to(self, finding: Finding) -> tuple[str, int] | None:
        """Return the incident that a finding belongs to, with the revision it made; None where it has none (yet)."""
        row = self._table.get(*_key(finding))
        return None if row is None or "incident" not in row else (str(row["incident"]), int(row["revision"]))

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
                ALWAYS,
                put={"error": error[:2_000], "last_seen": _time(now)},
                add={"deliveries": 1},
            )
        )

    def _finding_write(
        self, finding: Finding, incident: Incident, seen: SeenFinding | None, deliveries: int, *, handled: bool = False
    ) -> Write:
        quiet = incident.quiet_until or incident.updated_at
        version, before = (seen.version + 1, seen.deliveries) if seen else (0, 0)
        row = _row(finding, incident.id, incident.revision, version, quiet, before + deliveries)
        # a repeat that is counted meanwhile moves no version, and must not be counted away
        same = (
            When("#version = :version AND #deliveries = :before", {"version": seen.version, "before": before})
            if seen
            else When("attribute_not_exists(#version)")
        )
        return put({**row, "handled": handled}, same)


def _key(finding: Finding) -> tuple[str, str]:
    return f"FINDING#{finding.key}", "FINDING"


def _row(
    finding: Finding, incident: str | None, revision: int, version: int, quiet_until: datetime, deliveries: int
) -> Item:
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
        "deliveries": deliveries,
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
        deliveries=row["deliveries"],
    )


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
