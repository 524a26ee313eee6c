"""A finding: what a source says happened, in one form for all sources."""

from __future__ import annotations

from enum import IntEnum
from typing import Literal, TypeAlias

from pydantic import AwareDatetime, Field

from firebreak.core.model import Json, Model, digest
from firebreak.core.target import Target


class Severity(IntEnum):
    """Bands, ordered. GuardDuty's numbers: low from 1, medium from 4, high from 7, critical from 9."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def word(self) -> str:
        """The band in lower case, as playbooks and messages spell it."""
        return self.name.lower()


Posture: TypeAlias = Literal["acting", "victim", "unknown"]
"""acting: the target itself does harm. victim: someone outside does something to it; never contained automatically."""

Signal: TypeAlias = Literal["threat", "heartbeat", "sensor_blind"]
"""threat: a finding proper. heartbeat: the sensor lives. sensor_blind: the sensor lost events."""


class Actor(Model):
    """Who acted, as the source names them."""

    principal_id: str | None = None
    access_key_id: str | None = None
    name: str | None = None


class Remote(Model):
    """The other end of a connection or call."""

    ip: str | None = None
    domain: str | None = None
    port: int | None = None
    account: str | None = None


class Order(Model):
    """One action that a person wants on the target, whatever playbooks say.

    Attributes:
        action: its name.
        parameters: complete, as the action's model dumps them.
        by: who wants it, as AWS knows them.
        reason: why; untrusted text.
    """

    action: str = Field(pattern=r"^[a-z0-9]+\.[a-z0-9_]+$", max_length=100)
    parameters: Json = {}
    by: str = Field(min_length=1, max_length=2_048)
    reason: str = Field(min_length=1, max_length=500)


class Finding(Model):
    """What a source says happened.

    Attributes:
        source: name of the source, "guardduty" or "falco".
        id: what repeats of the same finding share: GuardDuty's finding id, Falco's fingerprint.
        delivery: what redeliveries of the same event share, where the wire has it.
        account, region, partition: whose finding it is, not whose bus carried it.
        type: the source's type or rule name. Chosen by the source, safe to match on.
        severity: the band.
        score: the source's own number or word for it, for display.
        posture: whether the target acts or suffers; decides whether it may be contained automatically.
        posture_reason: why, in our own words.
        signal: whether this is a threat or news of the sensor itself.
        targets: what it points at, the primary first; may be empty.
        actors, remotes: who acted, and the other ends.
        created_at, updated_at: when the source made it and last changed it. An older update is never news.
        count: occurrences so far, as the source counts them.
        sample, archived: never acted on.
        sequence: ARN of the attack sequence it belongs to.
        order: what a person wants done, where the finding is nothing else.
        untrusted: text an attacker may have written (titles, command lines, domains, user agents). For display only,
            escaped; nothing in it may steer a decision.
    """

    source: str
    id: str = Field(min_length=1)
    delivery: str | None = None
    account: str = Field(pattern=r"^\d{12}$")
    region: str
    partition: str = "aws"
    type: str = Field(min_length=1, max_length=512)
    severity: Severity
    score: str = ""
    posture: Posture = "unknown"
    posture_reason: str = ""
    signal: Signal = "threat"
    targets: tuple[Target, ...] = ()
    actors: tuple[Actor, ...] = ()
    remotes: tuple[Remote, ...] = ()
    created_at: AwareDatetime
    updated_at: AwareDatetime
    count: int = 1
    sample: bool = False
    archived: bool = False
    sequence: str | None = None
    order: Order | None = None
    tags: dict[str, str] = {}
    untrusted: dict[str, str] = {}

    @property
    def key(self) -> str:
        """What makes two deliveries the same finding, whoever's bus carried them."""
        return f"{self.source}/{self.partition}/{self.account}/{self.region}/{self.id}"

    @property
    def drop_reason(self) -> str | None:
        """Why this finding is recorded and not acted on, or None."""
        if self.sample:
            return "sample"
        if self.archived:
            return "archived"
        return None if self.signal == "threat" else self.signal.replace("_", " ")

    @property
    def fingerprint(self) -> str:
        """Digest of what can make an update news: band, targets, actors and remote ends, in any order."""
        parts: Json = [
            self.severity,
            *(
                sorted(digest(item.model_dump(mode="json")) for item in group)
                for group in (self.targets, self.actors, self.remotes)
            ),
        ]
        return digest(parts)

    def later(self, other: Finding) -> Finding:
        """Return whichever of the two was updated last; a tie goes to the one counted higher."""
        ours, theirs = (self.updated_at, self.count), (other.updated_at, other.count)
        return other if theirs > ours else self
