"""The audit trail: one hash-chained list of records per step, and one per incident.

Every transition of a step is one transaction that moves the step and appends its record, conditional on the step's
version: the trail cannot miss a transition, and no two writers can append at the same place.
"""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import AwareDatetime

from firebreak.core.model import Model, digest


class AuditRecord(Model):
    """One thing that happened.

    Attributes:
        incident: the incident.
        chain: a step's id, or "incident".
        sequence: place in the chain, from 1.
        at: when, by the clock of the function that wrote it.
        event: "decided", "planned", "intent", "verified", …; the status it led to, where it led to one.
        actor: who did it: a function and its request, or a person.
        words: what a person should read about it.
        previous: hash of the record before, "" for the first.
    """

    incident: str
    chain: str
    sequence: int
    at: AwareDatetime
    event: str
    actor: str
    words: tuple[str, ...] = ()
    previous: str = ""

    @property
    def hash(self) -> str:
        """SHA-256 over the record, its predecessor's hash included."""
        return digest(self.model_dump(mode="json"))


def broken_link(records: Iterable[AuditRecord]) -> int | None:
    """Return the sequence number at which a chain does not follow from what is before it, or None where all do."""
    previous, expected = "", 1
    for record in records:
        if record.sequence != expected or record.previous != previous:
            return expected
        previous, expected = record.hash, expected + 1
    return None
