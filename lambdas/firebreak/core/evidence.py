"""Evidence: what is kept of an incident, and what proves it.

What the vault keeps is named by the SHA-256 of its content, so that a name cannot come to mean something else. A
manifest, written each time an incident is concluded, names every artefact and holds the whole trail; the trail's next
record names the manifest. Whoever rewrites the trail in the table contradicts the manifests, which are locked; whoever
changes a manifest contradicts its name, and the trail.
"""

from __future__ import annotations

from pydantic import AwareDatetime

from firebreak.core.audit import AuditRecord
from firebreak.core.finding import Finding
from firebreak.core.incident import Incident, StepRecord
from firebreak.core.model import Model

EVENTS = "events/"
"""What the names of events start with, in the vault of raw events; the incident follows."""

MANIFESTS = "manifests/"
"""What the names of manifests start with, in the vault of evidence; the incident follows, then the execution."""


class Kept(Model):
    """Something that the vault took.

    Attributes:
        where: "s3://…"; the name ends with the hash.
        sha256: of its bytes, as 64 hex digits.
        size: in bytes.
    """

    where: str
    sha256: str
    size: int


class Artefact(Model):
    """A piece of evidence.

    Attributes:
        kept: where it is, and its hash.
        origin: what it is of: "guardduty/aws/111122223333/…", the key of a finding.
        call: what brought it: the delivery of the event.
        actor: the function that kept it.
        at: when.
    """

    kept: Kept
    origin: str
    call: str
    actor: str
    at: AwareDatetime


class Manifest(Model):
    """What an incident had come to.

    Attributes:
        incident: as it was concluded.
        steps: with plans, before-states and what was read back; those of absorbed incidents too.
        findings: the newest delivery of each.
        artefacts: what was kept.
        trail: every audit record, chain by chain; those of absorbed incidents too.
    """

    incident: Incident
    steps: tuple[StepRecord, ...]
    findings: tuple[Finding, ...]
    artefacts: tuple[Artefact, ...]
    trail: tuple[AuditRecord, ...]
