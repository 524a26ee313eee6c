"""Proof: whether the evidence of an incident is what was kept, and its trail what was written."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Literal, TypeAlias

from pydantic import ValidationError

from firebreak.core.audit import AuditRecord
from firebreak.core.errors import Denied
from firebreak.core.evidence import Artefact
from firebreak.core.model import Model

Verdict: TypeAlias = Literal["holds", "broken", "missing", "expired", "unread", "no hash"]
"""holds: read again, and it is what was kept. broken: it is something else. missing: it is not there. expired: it was
kept for as long as the settings say, and is gone. unread: the caller may not read it. no hash: there is nothing to
compare it with."""

PROVEN: frozenset[Verdict] = frozenset({"holds", "expired", "no hash"})
"""Verdicts on things that are as they should be."""

Fetch: TypeAlias = Callable[[str], bytes | None]
"""Returns what is at a place of the vault, None where nothing is. Raises Denied where it may not be read."""

Expired: TypeAlias = Callable[[str, datetime], bool]
"""Whether what was kept at a place then is past the time for which that place keeps."""


_Place: TypeAlias = tuple[str, str, int]
"""Incident, chain and sequence of a record."""


class _Told(Model, extra="ignore"):
    """What a proof needs of a manifest."""

    artefacts: tuple[Artefact, ...]
    trail: tuple[AuditRecord, ...]


class Proved(Model):
    """What was found of one thing.

    Attributes:
        what: "manifest", "event", "record".
        where: where it is, or which record of which chain.
        verdict: see `Verdict`.
        because: why, in words.
    """

    what: str
    where: str
    verdict: Verdict
    because: str = ""

    @property
    def proven(self) -> bool:
        """Whether it is as it should be."""
        return self.verdict in PROVEN


def proved(trail: Sequence[AuditRecord], listed: Iterable[str], fetch: Fetch, expired: Expired) -> Iterator[Proved]:
    """Look at every manifest of an incident, at what it names, and at the trail that it holds.

    Args:
        trail: the records that the table has, those of absorbed incidents too.
        listed: where the vault has manifests of the incident.
        fetch: reads the vault.
        expired: tells what is gone because it was to be.
    """
    named = dict(_named(trail))
    table = {_place(record): record.hash for record in trail}
    artefacts: dict[str, Artefact] = {}
    for where in sorted({*listed, *named}):
        found, content = _read("manifest", where, _hash_in(where), named.get(where), fetch, expired)
        if content is None:
            yield found
            continue
        told = _parsed(content)
        if told is None:
            yield found.model_copy(update={"verdict": "broken", "because": "it is no manifest"})
            continue
        if where not in named:
            found = found.model_copy(update={"because": "no record names it: whoever wrote it did not get further"})
        yield found
        yield from _records(told, table, where)
        artefacts |= {artefact.kept.where: artefact for artefact in told.artefacts}
    for where, artefact in sorted(artefacts.items()):
        yield _read(artefact.origin, where, artefact.kept.sha256, artefact.at, fetch, expired)[0]


def _named(trail: Iterable[AuditRecord]) -> Iterator[tuple[str, datetime]]:
    """The manifests that the trail names, and when it did."""
    for record in trail:
        for word in record.words:
            if record.chain == "incident" and word.startswith("manifest s3://"):
                yield word.removeprefix("manifest "), record.at


def _hash_in(where: str) -> str:
    return where.rpartition("/")[2].removesuffix(".json")[-64:]


def _read(
    what: str, where: str, sha256: str, at: datetime | None, fetch: Fetch, expired: Expired
) -> tuple[Proved, bytes | None]:
    """Read something again; return its content too where it is what was kept."""
    try:
        content = fetch(where)
    except Denied as error:
        return Proved(what=what, where=where, verdict="unread", because=str(error)), None
    if content is None:
        if at is not None and expired(where, at):
            return Proved(what=what, where=where, verdict="expired", because=f"kept since {at:%Y-%m-%d}"), None
        return Proved(what=what, where=where, verdict="missing", because="nothing is there"), None
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        return Proved(what=what, where=where, verdict="broken", because=f"its SHA-256 is {found}"), None
    return Proved(what=what, where=where, verdict="holds", because=f"SHA-256 {sha256}"), content


def _parsed(content: bytes) -> _Told | None:
    try:
        return _Told.model_validate_json(content)
    except ValidationError:
        return None


def _records(told: _Told, table: Mapping[_Place, str], where: str) -> Iterator[Proved]:
    """The records that a manifest has and the table has not, or has otherwise."""
    for record in told.trail:
        place = _place(record)
        name = f"record {record.sequence} of {record.chain} in {record.incident}"
        if place not in table:
            yield Proved(what="record", where=name, verdict="missing", because=f"{where} has it")
        elif table[place] != record.hash:
            yield Proved(what="record", where=name, verdict="broken", because=f"{where} has another one")


def _place(record: AuditRecord) -> _Place:
    return record.incident, record.chain, record.sequence
