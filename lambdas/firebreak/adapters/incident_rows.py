"""How incidents, steps and audit records lie in the table, and the writes that move them."""

from __future__ import annotations

from datetime import datetime

from firebreak.adapters.writes import ABSENT, ALWAYS, Item, When, Write, put, update
from firebreak.core.audit import AuditRecord
from firebreak.core.evidence import Artefact
from firebreak.core.incident import Incident, StepRecord
from firebreak.core.target import Place

SAME_VERSION = "#version = :version"


def incident_key(incident: str) -> tuple[str, str]:
    """Key of an incident's row."""
    return f"INCIDENT#{incident}", "INCIDENT"


def step_key(incident: str, step: str) -> tuple[str, str]:
    """Key of a step's row."""
    return f"INCIDENT#{incident}", f"STEP#{step}"


def ledger_pk(target: Place, aspect: str) -> str:
    """Partition of a target's aspect: its lease, before-state and claims."""
    return f"LEDGER#{target.key}#{aspect}"


def incident_row(incident: Incident) -> Item:
    """An incident as its row. What conditions look at stands beside the body."""
    pk, sk = incident_key(incident.id)
    return {
        "pk": pk,
        "sk": sk,
        "status": incident.status,
        "version": incident.version,
        "fenced": incident.fenced,
        "listing": "incident#over" if incident.over else "incident",
        "listed_at": incident.created_at.isoformat(),
        "body": incident.model_dump_json(),
    }


def step_row(step: StepRecord) -> Item:
    """A step as its row."""
    pk, sk = step_key(step.incident, step.id)
    return {"pk": pk, "sk": sk, "status": step.status, "version": step.version, "body": step.model_dump_json()}


def read_incident(row: Item) -> Incident:
    """The incident in a row."""
    return Incident.model_validate_json(row["body"])


def read_step(row: Item) -> StepRecord:
    """The step in a row."""
    return StepRecord.model_validate_json(row["body"])


def artefact_write(incident: str, artefact: Artefact) -> Write:
    """Note what is kept of an incident, once or again."""
    row = {"pk": f"INCIDENT#{incident}", "sk": f"EVIDENCE#{artefact.kept.sha256}", "body": artefact.model_dump_json()}
    return put(row, ALWAYS)


def audit_row(record: AuditRecord) -> Item:
    """An audit record as its row."""
    return {
        "pk": f"AUDIT#{record.incident}",
        "sk": f"{record.chain}#{record.sequence:04d}",
        "hash": record.hash,
        "body": record.model_dump_json(),
    }


def new_incident(incident: Incident, event: str, actor: str, words: tuple[str, ...]) -> tuple[Incident, list[Write]]:
    """The writes that create an incident with the first record of its trail, and the incident as written."""
    record = AuditRecord(
        incident=incident.id,
        chain="incident",
        sequence=1,
        at=incident.created_at,
        event=event,
        actor=actor,
        words=words,
    )
    after = incident.model_copy(update={"version": 1, "head": record.hash})
    return after, [put(incident_row(after)), put(audit_row(record))]


def move_incident(
    before: Incident, after: Incident, event: str, actor: str, now: datetime, words: tuple[str, ...]
) -> tuple[Incident, list[Write]]:
    """The writes that move an incident and append to its trail, and the incident as written."""
    record = AuditRecord(
        incident=before.id,
        chain="incident",
        sequence=before.version + 1,
        at=now,
        event=event,
        actor=actor,
        words=words,
        previous=before.head,
    )
    after = after.model_copy(update={"version": record.sequence, "head": record.hash, "updated_at": now})
    same = When(SAME_VERSION, {"version": before.version})
    return after, [put(incident_row(after), same), put(audit_row(record))]


def new_step(step: StepRecord, actor: str, now: datetime) -> list[Write]:
    """The writes that create a step with the first record of its trail."""
    record = _step_record(step, step, actor, now, step.reasons)
    after = step.model_copy(update={"version": 1, "head": record.hash})
    return [put(step_row(after)), put(audit_row(record))]


def move_step(
    before: StepRecord, after: StepRecord, actor: str, now: datetime, words: tuple[str, ...]
) -> tuple[StepRecord, list[Write]]:
    """The writes that move a step and append to its trail, and the step as written."""
    record = _step_record(before, after, actor, now, words)
    after = after.model_copy(update={"version": record.sequence, "head": record.hash})
    same = When(SAME_VERSION, {"version": before.version})
    return after, [put(step_row(after), same), put(audit_row(record))]


def _step_record(
    before: StepRecord, after: StepRecord, actor: str, now: datetime, words: tuple[str, ...]
) -> AuditRecord:
    return AuditRecord(
        incident=before.incident,
        chain=before.id,
        sequence=before.version + 1,
        at=now,
        event=after.status,
        actor=actor,
        words=words,
        previous=before.head,
    )


def lock_write(key: str, incident: str, now: datetime) -> Write:
    """Take the lock on a name, or keep it."""
    return put(
        {"pk": f"LOCK#{key}", "sk": "LOCK", "incident": incident, "since": now.isoformat()},
        When("attribute_not_exists(#pk) OR #incident = :incident", {"incident": incident}),
    )


def attempt_write(incident: str, revision: int, mode: str, lane: str, now: datetime) -> Write:
    """Note that a revision wants an execution: its first attempt."""
    return put(
        {
            "pk": f"INCIDENT#{incident}",
            "sk": f"EXECUTION#r{revision}-{mode}",
            "incident": incident,
            "revision": revision,
            "mode": mode,
            "lane": lane,
            "attempt": 1,
            "at": now.isoformat(),
        },
        ABSENT,
    )


def next_attempt(incident: str, revision: int, mode: str, attempt: int) -> Write:
    """Move on to the next attempt, once, however often a failure is reported."""
    return update(
        f"INCIDENT#{incident}",
        f"EXECUTION#r{revision}-{mode}",
        When("#attempt = :attempt", {"attempt": attempt}),
        put={"attempt": attempt + 1},
    )
