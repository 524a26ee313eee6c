"""What lets a Lambda function run: its reserved concurrency, and the event source mappings that poll for it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

from firebreak.core.clients import Aws
from firebreak.core.display import clean
from firebreak.core.errors import AwsError, Conflict, Refused
from firebreak.core.model import Json, Model
from firebreak.core.target import LambdaFunction, Place

Side: TypeAlias = Literal["on", "off", "gone", "unsettled"]

_NAME = re.compile(r"[A-Za-z0-9_-]{1,140}")
_SIDES: dict[str, Side] = {"Enabled": "on", "Enabling": "on", "Disabled": "off", "Disabling": "off", "Deleting": "gone"}
_BUSY = ("ResourceConflictException", "ResourceInUseException")


class Mapping(Model):
    """An event source mapping.

    Attributes:
        uuid: its id.
        source: ARN of what it polls, or what it is called where there is none (self-managed Kafka).
        state: as Lambda names it: Creating, Enabling, Enabled, Disabling, Disabled, Updating or Deleting.
    """

    uuid: str
    source: str
    state: str

    @property
    def side(self) -> Side:
        """Whether it polls, or is about to."""
        return _SIDES.get(self.state, "unsettled")

    @property
    def settled(self) -> bool:
        """Whether Lambda has done what was asked of it. That takes up to a minute, and it takes no change meanwhile."""
        return self.state in ("Enabled", "Disabled")

    @property
    def label(self) -> str:
        """The mapping, for people."""
        return f"event source mapping {self.uuid} ({clean(self.source)})"


class Intake(Model):
    """All that lets a function run.

    Attributes:
        reserved: executions reserved for it, which is also the most it may have; None where nothing is reserved, which
            is not 0: it then runs out of what the account has left.
        mappings: its mappings, whatever version or alias they are for, by id.
    """

    reserved: int | None
    mappings: dict[str, Mapping]

    def side(self, uuid: str) -> Side:
        """Return on which side a mapping is."""
        return self.mappings[uuid].side if uuid in self.mappings else "gone"


def function_name(target: Place) -> str:
    """Return a function's name.

    Raises:
        Refused: it is no name of a function (which an ARN would not survive).
    """
    if not isinstance(target, LambdaFunction) or not _NAME.fullmatch(target.name):
        raise Refused(f"{clean(target.label)} is no name of a Lambda function")
    return target.name


def intake(aws: Aws, target: Place) -> Intake:
    """Read what lets a function run.

    All mappings of the region are looked through: asked for one function, Lambda leaves out those of its aliases.

    Raises:
        TargetMissing: there is no such function.
    """
    name = function_name(target)
    reserved = aws.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions")
    listed = aws.pages("list_event_source_mappings", "EventSourceMappings")
    found = [_mapping(entry) for entry in listed if _is_of(str(entry.get("FunctionArn", "")), name)]
    return Intake(
        reserved=reserved, mappings={mapping.uuid: mapping for mapping in sorted(found, key=lambda m: m.uuid)}
    )


def unless_busy(call: Callable[[], Any]) -> Any:
    """Make a change; where Lambda is busy with another one on the same thing, that is no reason to give up.

    Raises:
        Conflict: a change is under way. Read again, decide again.
    """
    try:
        return call()
    except AwsError as error:
        if error.code in _BUSY:
            raise Conflict(f"another change is under way: {error}") from error
        raise


def _mapping(entry: Json) -> Mapping:
    source = entry.get("EventSourceArn") or ", ".join(entry.get("Topics", ())) or "a source without an ARN"
    return Mapping(uuid=entry["UUID"], source=source, state=entry["State"])


def _is_of(arn: str, name: str) -> bool:
    return arn.split(":")[6:7] == [name]  # arn:aws:lambda:region:account:function:name[:alias]
