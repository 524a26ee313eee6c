"""What the scripted actions act on: doors with locks, a thing that can be copied and deleted. An API as AWS's are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

COPYING = timedelta(seconds=20)
"""How long a copy is not complete."""


@dataclass(frozen=True)
class Effect:
    """One change that took effect.

    Attributes:
        call: number of the call that made it.
        at: when.
        role: whose rights were used; "" for somebody else.
        operation: what was done.
        resource: to what.
        value: what became of it.
    """

    call: int
    at: datetime
    role: str
    operation: str
    resource: str
    value: str


@dataclass
class Estate:
    """The state.

    Attributes:
        doors: locks of each door, by "<instance>/<door>".
        things: what can be deleted, by instance.
        copies: by client token: of what, and since when.
        effects: every change so far.
        touched: doors that somebody else changed, as they left them.
        names: other names of instances.
    """

    clock: Callable[[], datetime]
    doors: dict[str, tuple[str, ...]] = field(default_factory=dict)
    things: set[str] = field(default_factory=set)
    copies: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    effects: list[Effect] = field(default_factory=list)
    touched: dict[str, tuple[str, ...]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    _before: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def serve(self, operation: str, request: Mapping[str, Any], role: str, call: int) -> dict[str, Any]:
        """Answer one call."""
        answer: dict[str, Any] = getattr(self, f"_{operation}")(request, role, call)
        return answer

    def stale(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any] | None:
        """Answer a read with what was so before the last change; None where reads of that kind do not lag."""
        if operation != "describe_doors":
            return None
        return self._described({**self.doors, **self._before}, request["Instance"])

    def touch(self, door: str, *locks: str) -> None:
        """Let somebody else change the locks of a door."""
        self._before = {door: self.doors[door]}
        self.doors[door] = self.touched[door] = locks

    def _describe_doors(self, request: Mapping[str, Any], role: str, call: int) -> dict[str, Any]:
        return self._described(self.doors, request["Instance"])

    def _described(self, doors: Mapping[str, tuple[str, ...]], instance: str) -> dict[str, Any]:
        mine = {door: locks for door, locks in doors.items() if door.startswith(f"{instance}/")}
        if not mine:
            raise _error("InvalidInstanceID.NotFound", f"{instance} does not exist")
        return {"Doors": [{"Door": door, "Locks": list(locks)} for door, locks in sorted(mine.items())]}

    def _describe_name(self, request: Mapping[str, Any], role: str, call: int) -> dict[str, Any]:
        return {"Name": self.names.get(request["Instance"])}

    def _modify_door(self, request: Mapping[str, Any], role: str, call: int) -> dict[str, Any]:
        door, locks = request["Door"], tuple(request["Locks"])
        if door not in self.doors:
            raise _error("InvalidDoor.NotFound", f"{door} does not exist")
        self._before = {door: self.doors[door]}
        self.doors[door] = locks
        self._note(call, role, "modify_door", door, ",".join(locks))
        return {}

    def _describe_copies(self, request: Mapping[str, Any], role: str, call: int) -> dict[str, Any]:
        found = [
            {"Token": token, "Complete": self.clock() - since >= COPYING}
            for token, (of, since) in self.copies.items()
            if of == request["Instance"]
        ]
        return {"Copies": found}

    def _create_copy(self, request: Mapping[str, Any], role: str, call: int) -> dict[str, Any]:
        token = request["ClientToken"]
        if token not in self.copies:
            self.copies[token] = (request["Instance"], self.clock())
            self._note(call, role, "create_copy", request["Instance"], token)
        return {"Token": token}

    def _describe_thing(self, request: Mapping[str, Any], role: str, call: int) -> dict[str, Any]:
        if request["Instance"] not in self.things:
            raise _error("InvalidThing.NotFound", f"{request['Instance']} has no thing")
        return {"Thing": request["Instance"]}

    def _delete_thing(self, request: Mapping[str, Any], role: str, call: int) -> dict[str, Any]:
        if request["Instance"] not in self.things:
            raise _error("InvalidThing.NotFound", f"{request['Instance']} has no thing")
        self.things.discard(request["Instance"])
        self._note(call, role, "delete_thing", request["Instance"], "")
        return {}

    def _note(self, call: int, role: str, operation: str, resource: str, value: str) -> None:
        self.effects.append(Effect(call, self.clock(), role, operation, resource, value))


def _error(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "scripted")
