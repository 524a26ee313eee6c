"""What a resource of a template is, and how its type is made known to the sandbox."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.cloud import Cloud
from sandbox.intrinsics import TemplateError


@dataclass(frozen=True)
class Resource:
    """A resource about to be made.

    Attributes:
        stack: name of its stack.
        id: logical id.
        type: "AWS::SQS::Queue".
        properties: with every intrinsic function worked out.
    """

    stack: str
    id: str
    type: str
    properties: Mapping[str, Any]
    account: str
    region: str

    def name(self, member: str, limit: int = 64) -> str:
        """Return the name that the template gives, or one made of stack and logical id, the same on every run."""
        return str(self.properties.get(member) or f"{self.stack}-{self.id}"[:limit])

    def arn(self, service: str, rest: str) -> str:
        """Return an ARN in this resource's account and region."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{rest}"


@dataclass(frozen=True)
class Made:
    """What Ref and GetAtt give for a resource."""

    ref: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


Creator = Callable[[Cloud, Resource], Made]


@dataclass(frozen=True)
class _Kind:
    create: Creator
    uses: frozenset[str]
    ignores: frozenset[str] | None


_KINDS: dict[str, _Kind] = {}


def creates(kind: str, uses: str = "", ignores: str | None = "") -> Callable[[Creator], Creator]:
    """Have a function make the resources of a type.

    Args:
        kind: the type.
        uses: the properties it acts on.
        ignores: properties that make no difference here; None for all. Any other is refused when a template has it.
    """

    def register(create: Creator) -> Creator:
        _KINDS[kind] = _Kind(create, frozenset(uses.split()), None if ignores is None else frozenset(ignores.split()))
        return create

    return register


def make(cloud: Cloud, resource: Resource) -> Made:
    """Make a resource.

    Raises:
        TemplateError: its type, or one of its properties, is unknown.
    """
    place = f"{resource.stack}/{resource.id} ({resource.type})"
    kind = _KINDS.get(resource.type)
    if kind is None:
        raise TemplateError(f"{place}: the sandbox does not know this type")
    if kind.ignores is not None and (unknown := set(resource.properties) - kind.uses - kind.ignores - {"Tags"}):
        raise TemplateError(f"{place}: the sandbox does not know {', '.join(sorted(unknown))}")
    return kind.create(cloud, resource)
