"""What a source of findings declares and does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from pydantic import Field

from firebreak.core.finding import Finding
from firebreak.core.model import Json, Model


class Origin(Model):
    """What the surroundings of an event say where the event itself is silent: the operator's options for a bare
    finding, the queue's identity for an alert. Never taken from the event."""

    account: str | None = Field(default=None, pattern=r"^\d{12}$")
    region: str | None = None
    cluster: str | None = None
    partition: str = "aws"


class Source(ABC):
    """One source of findings: `guardduty`, `falco`, …

    Attributes:
        name: how findings and playbooks spell it.
        pattern: the EventBridge pattern of everything that this source wants (`source` and `detail-type` only).
        urgent: further pattern members, merged into `pattern`, of what takes the urgent lane; {} means everything,
            None means nothing. The bulk lane takes the exact complement.
    """

    name: ClassVar[str]
    pattern: ClassVar[dict[str, Json]]
    urgent: ClassVar[dict[str, Json] | None]

    @abstractmethod
    def claims(self, event: dict[str, Json]) -> bool:
        """Tell whether a bus event, or a bare finding without its envelope, is this source's to parse."""

    @abstractmethod
    def normalise(self, event: dict[str, Json], origin: Origin) -> tuple[Finding, ...]:
        """Turn one event into findings, one at least.

        Args:
            event: the bus event, or the bare finding without its envelope.
            origin: account, region and cluster for forms that lack them.

        Raises:
            FindingError: the event is ours but unusable; names the field.
            NotForFirebreak: another kind of message from the same sender, or a form that is refused as such.
        """
