"""Incidents, their steps, trail and guard, as the table has them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import islice

from firebreak.adapters.incident_rows import incident_key, read_incident, read_step, step_key
from firebreak.adapters.table import Table
from firebreak.adapters.writes import Item
from firebreak.core.audit import AuditRecord
from firebreak.core.errors import TargetMissing
from firebreak.core.evidence import Artefact
from firebreak.core.finding import Finding
from firebreak.core.guard import Exemption, GuardState
from firebreak.core.incident import Incident, StepRecord
from firebreak.core.model import Json
from firebreak.ports import File

MODE_KEY, HALT_KEY, EXEMPT_KEY = ("GUARD", "MODE"), ("GUARD", "HALT"), ("GUARD", "EXEMPT")


class IncidentReader:
    """What is read of incidents; `IncidentTable` also moves them."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def incident(self, incident: str) -> Incident:
        """Return an incident.

        Raises:
            TargetMissing: there is none of that id.
        """
        row = self._table.get(*incident_key(incident))
        if row is None:
            raise _unknown(incident)
        return read_incident(row)

    def incidents(self, *, over: bool = False, limit: int = 100, newest_first: bool = True) -> Sequence[Incident]:
        """Return so many incidents, those that are over or the others, by when they were opened."""
        rows = self._table.listing("incident#over" if over else "incident", newest_first=newest_first)
        return [read_incident(row) for row in islice(rows, limit)]

    def file(self, incident: str) -> File:
        """Return an incident with its findings and steps, read at once."""
        rows = {row["sk"]: row for row in self._table.query(f"INCIDENT#{incident}")}
        if "INCIDENT" not in rows:
            raise _unknown(incident)
        return File(
            read_incident(rows["INCIDENT"]),
            [Finding.model_validate_json(row["body"]) for sk, row in rows.items() if sk.startswith("FINDING#")],
            _in_order(read_step(row) for sk, row in rows.items() if sk.startswith("STEP#")),
            frozenset(int(sk.partition("#")[2]) for sk in rows if sk.startswith("DECISION#")),
        )

    def findings(self, incident: str) -> Sequence[Finding]:
        """Return the newest delivery of each finding of an incident."""
        rows = self._table.query(f"INCIDENT#{incident}", "FINDING#")
        return [Finding.model_validate_json(row["body"]) for row in rows]

    def steps(self, incident: str) -> Sequence[StepRecord]:
        """Return the steps of an incident in the order they were decided."""
        return _in_order(map(read_step, self._table.query(f"INCIDENT#{incident}", "STEP#")))

    def artefacts(self, incident: str) -> Sequence[Artefact]:
        """Return what is kept of an incident."""
        rows = self._table.query(f"INCIDENT#{incident}", "EVIDENCE#")
        return [Artefact.model_validate_json(row["body"]) for row in rows]

    def trail(self, incident: str) -> Sequence[AuditRecord]:
        """Return the audit records of an incident, chain by chain."""
        rows = self._table.query(f"AUDIT#{incident}")
        return [AuditRecord.model_validate_json(row["body"]) for row in rows if "body" in row]

    def briefing(self, incident: str, step: str) -> tuple[Incident, StepRecord, GuardState]:
        """Read at once what a step's run depends on."""
        keys = incident_key(incident), step_key(incident, step)
        rows = self._table.get_all(*keys, MODE_KEY, HALT_KEY, EXEMPT_KEY)
        for key in keys:
            if key not in rows:
                raise TargetMissing(f"there is no {key[1]} in incident {incident}")
        return read_incident(rows[keys[0]]), read_step(rows[keys[1]]), _guard(rows)

    def guard(self) -> GuardState:
        """Return mode, kill switch and exemptions as the table has them."""
        return _guard(self._table.get_all(MODE_KEY, HALT_KEY, EXEMPT_KEY))

    def decisions(self, incident: str) -> Sequence[Json]:
        """Return what was decided, revision by revision."""
        return [json.loads(row["body"]) for row in self._table.query(f"INCIDENT#{incident}", "DECISION#")]


def _guard(rows: dict[tuple[str, str], Item]) -> GuardState:
    return GuardState(
        mode=rows.get(MODE_KEY, {}).get("mode"),
        halted=bool(rows.get(HALT_KEY, {}).get("on", False)),
        exempt=exemptions(rows.get(EXEMPT_KEY, {})),
    )


def exemptions(row: Item) -> tuple[Exemption, ...]:
    """Return the exemptions in their row."""
    return tuple(map(Exemption.model_validate_json, row.get("exempt", ())))


def _unknown(incident: str) -> TargetMissing:
    return TargetMissing(f"there is no incident {incident}; `firebreak incidents list` names them")


def _in_order(steps: Iterable[StepRecord]) -> list[StepRecord]:
    return sorted(steps, key=lambda step: (step.revision, step.order))
