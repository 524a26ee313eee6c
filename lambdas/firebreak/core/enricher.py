"""What an enricher declares and does: it turns a name in a finding into facts, under the observer role."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from firebreak.core.clients import Clients
from firebreak.core.grant import Permission
from firebreak.core.model import Model, Scalar
from firebreak.core.target import Target


class Fact(Model):
    """Something looked up about a target.

    Attributes:
        name: "environment", "instance.spot", "node.provider_id"; what playbooks match on.
        value: a scalar, or a list of them.
        about: the key of the target.
    """

    name: str
    value: Scalar | tuple[Scalar, ...]
    about: str


class Enrichment(Model):
    """What one look-up found.

    Attributes:
        facts: about the target.
        also: other targets that are, or contain, the same thing, outermost last (a pod's node, a node's instance).
        tags: the target's tags, for the guard and for playbooks.
    """

    facts: tuple[Fact, ...] = ()
    also: tuple[Target, ...] = ()
    tags: dict[str, str] = {}


class Enricher(ABC):
    """One look-up.

    Attributes:
        name: "ec2_context".
        kinds: the kinds of target it knows something about.
        reads: what it may call; part of the observer role.
    """

    name: ClassVar[str]
    kinds: ClassVar[tuple[str, ...]]
    reads: ClassVar[tuple[Permission, ...]]

    @abstractmethod
    def enrich(self, clients: Clients, target: Target) -> Enrichment:
        """Look the target up.

        Raises:
            TargetMissing: it does not exist.
            Retriable: ask again later.
        """
