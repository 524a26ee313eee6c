"""Proof: one byte of one artefact, or one record of a trail, and it no longer holds."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firebreak.core.audit import AuditRecord
from firebreak.core.errors import Denied
from firebreak.core.evidence import Artefact, Kept, Manifest
from firebreak.core.finding import Severity
from firebreak.core.incident import Incident
from firebreak.core.model import canonical
from firebreak.core.proof import Proved, proved
from tests.world import ACCOUNT, REGION, START

INCIDENT = "inc-0123456789ab"
EVENTS = (b'{"id":"first"}', b'{"id":"second"}')


@dataclass
class Records:
    """Trails that follow from themselves."""

    all: list[AuditRecord] = field(default_factory=list)

    def add(self, chain: str, event: str, *words: str) -> None:
        before = [record for record in self.all if record.chain == chain]
        self.all.append(
            AuditRecord(
                incident=INCIDENT,
                chain=chain,
                sequence=len(before) + 1,
                at=START,
                event=event,
                actor="close/request",
                words=words,
                previous=before[-1].hash if before else "",
            )
        )


@dataclass
class Vault:
    """What is kept, by where it is."""

    kept: dict[str, bytes] = field(default_factory=dict)
    denied: bool = False

    def keep(self, prefix: str, content: bytes) -> Kept:
        sha256 = hashlib.sha256(content).hexdigest()
        where = f"s3://vault/{prefix}{sha256}.json"
        self.kept[where] = content
        return Kept(where=where, sha256=sha256, size=len(content))

    def fetch(self, where: str) -> bytes | None:
        if self.denied:
            raise Denied("get_object: AccessDenied")
        return self.kept.get(where)


@dataclass
class Story:
    """An incident that was concluded twice, with two events."""

    records: Records = field(default_factory=Records)
    vault: Vault = field(default_factory=Vault)

    def __post_init__(self) -> None:
        self.records.add("incident", "opened")
        self.records.add("ec2-isolate_instance-0", "decided")
        self.events = [
            Artefact(
                kept=self.vault.keep(f"events/{INCIDENT}/", event),
                origin=f"guardduty/{number}",
                call="delivery",
                actor="triage",
                at=START,
            )
            for number, event in enumerate(EVENTS)
        ]
        for number in (1, 2):
            self.conclude(f"{INCIDENT}-r{number}-respond-a1")

    def conclude(self, execution: str) -> None:
        manifest = Manifest(
            incident=Incident(
                id=INCIDENT, revision=1, lane="urgent", severity=Severity.HIGH, title="t", account=ACCOUNT,
                region=REGION, created_at=START, updated_at=START,
            ),
            steps=(),
            findings=(),
            artefacts=tuple(self.events),
            trail=tuple(self.records.all),
        )  # fmt: skip
        content = canonical(manifest.model_dump(mode="json")).encode()
        kept = self.vault.keep(f"manifests/{INCIDENT}/{execution}-", content)
        self.records.add("incident", "contained", "why", f"manifest {kept.where}")

    def proved(self, trail: Sequence[AuditRecord] | None = None, days: int = 30) -> list[Proved]:
        listed = [where for where in self.vault.kept if "/manifests/" in where]

        def expired(where: str, at: datetime) -> bool:
            return at + timedelta(days=days) < START

        return list(proved(self.records.all if trail is None else trail, listed, self.vault.fetch, expired))


def amiss(found: Sequence[Proved]) -> dict[str, str]:
    return {each.where: each.verdict for each in found if not each.proven}


def test_what_is_as_it_was_kept_is_proven_piece_by_piece() -> None:
    story = Story()
    found = story.proved()
    assert {each.where for each in found} == set(story.vault.kept)
    assert {each.verdict for each in found} == {"holds"}


@given(st.data())
def test_one_flipped_bit_anywhere_is_named(data: st.DataObject) -> None:
    story = Story()
    where = data.draw(st.sampled_from(sorted(story.vault.kept)))
    content = bytearray(story.vault.kept[where])
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    story.vault.kept[where] = bytes(content)
    assert amiss(story.proved()) == {where: "broken"}


@given(st.data())
def test_whatever_is_taken_out_of_the_vault_is_named(data: st.DataObject) -> None:
    story = Story()
    where = data.draw(st.sampled_from(sorted(story.vault.kept)))
    del story.vault.kept[where]
    assert amiss(story.proved()) == {where: "missing"}


@given(st.data())
def test_a_record_that_the_table_lacks_is_named_though_the_rest_was_chained_anew(data: st.DataObject) -> None:
    story = Story()
    held = [record for record in story.records.all if record.sequence < 3 or record.chain != "incident"]
    gone = data.draw(st.sampled_from(held))
    rewritten = Records()
    for record in story.records.all:
        if record != gone:
            rewritten.add(record.chain, record.event, *record.words)
    named = amiss(story.proved(rewritten.all))
    last = max(record.sequence for record in held if record.chain == gone.chain)
    assert f"record {last} of {gone.chain} in {INCIDENT}" in named


@given(st.data())
def test_a_record_that_was_rewritten_is_named_though_the_rest_was_chained_anew(data: st.DataObject) -> None:
    story = Story()
    changed = data.draw(st.sampled_from(story.records.all[:-1]))
    rewritten = Records()
    for record in story.records.all:
        rewritten.add(record.chain, "denied" if record == changed else record.event, *record.words)
    named = amiss(story.proved(rewritten.all))
    assert named[f"record {changed.sequence} of {changed.chain} in {INCIDENT}"] == "broken"


def test_a_manifest_that_no_record_names_is_told_and_holds_the_trail_to_it_as_well() -> None:
    story = Story()
    story.conclude(f"{INCIDENT}-r3-respond-a1")
    whole, cut = story.records.all, story.records.all[:-1]
    (unnamed,) = [each for each in story.proved(cut) if each.because.startswith("no record names it")]
    assert unnamed.proven
    assert amiss(story.proved(cut)) == {}
    assert amiss(story.proved(cut[:-1])) == {f"record {whole[-2].sequence} of incident in {INCIDENT}": "missing"}


@pytest.mark.parametrize(("days", "verdict"), [(-2, "expired"), (30, "missing")])
def test_what_was_to_be_kept_no_longer_may_be_gone(days: int, verdict: str) -> None:
    story = Story()
    where = story.events[0].kept.where
    del story.vault.kept[where]
    (found,) = [each for each in story.proved(days=days) if each.where == where]
    assert (found.verdict, found.proven) == (verdict, verdict == "expired")


def test_what_may_not_be_read_is_not_proven() -> None:
    story = Story()
    story.vault.denied = True
    found = story.proved()
    assert {each.verdict for each in found} == {"unread"}
    assert not any(each.proven for each in found)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"trail":[],"artefacts":"x"}', b"\xff\xfe", b"[" * 100_000])
def test_what_lies_among_the_manifests_and_is_none_is_named(content: bytes) -> None:
    story = Story()
    kept = story.vault.keep(f"manifests/{INCIDENT}/x-", content)
    assert amiss(story.proved()) == {kept.where: "broken"}
