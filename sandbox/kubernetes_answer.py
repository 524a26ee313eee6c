"""What the fake API server answers: objects, and errors in the shape of `metav1.Status`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Object: TypeAlias = dict[str, Any]
"""A Kubernetes object, or any other JSON object of its API."""

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Answer:
    """One HTTP answer."""

    status: int
    body: Object | str
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def media_type(self) -> str:
        """JSON for objects, plain text for the two answers that a real server gives as text."""
        return TEXT if isinstance(self.body, str) else JSON

    @property
    def encoded(self) -> bytes:
        """The body as it goes over the wire."""
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


THROTTLED = Answer(429, "Too many requests, please try again later.\n", {"Retry-After": "1"})
UNKNOWN_GROUP = Answer(404, "404 page not found\n")


@dataclass(frozen=True)
class Cause:
    """One entry of `details.causes`."""

    reason: str
    field: str
    message: str = ""

    def dump(self) -> Object:
        """Return it as the wire has it: an empty field is left out."""
        named = {"field": self.field} if self.field else {}
        return {"reason": self.reason, "message": self.message or self.reason, **named}


class Failure(Exception):
    """An error answer. The fake raises it and the front turns it into a Status.

    Args:
        code: HTTP status.
        reason: machine-readable reason; "" leaves it out, as a real server does for errors it has no word for.
        message: for people.
        details: what `details` holds; None leaves it out, {} keeps it as an empty object.
        retry_after: seconds for the Retry-After header.
    """

    def __init__(
        self, code: int, reason: str, message: str, details: Object | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.details = details
        self.retry_after = retry_after

    @property
    def answer(self) -> Answer:
        """The Status object and its headers."""
        body: Object = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": str(self),
            **({"reason": self.reason} if self.reason else {}),
            **({"details": self.details} if self.details is not None else {}),
            "code": self.code,
        }
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        return Answer(self.code, body, headers)


def named(name: str, kind: str, group: str = "") -> Object:
    """Return the `details` that name an object: `kind` is the plural for 404 and stale writes, the Kind elsewhere."""
    return {**({"name": name} if name else {}), **({"group": group} if group else {}), "kind": kind}


def dotted(kind: str, group: str) -> str:
    """Return "networkpolicies.networking.k8s.io", or the bare word in the core group."""
    return f"{kind}.{group}" if group else kind


def bad_request(message: str) -> Failure:
    """400: selector, cursor, decoding, name mismatch."""
    return Failure(400, "BadRequest", message)


def not_found(name: str, resource: str, group: str = "") -> Failure:
    """404 that names an object."""
    return Failure(404, "NotFound", f'{dotted(resource, group)} "{name}" not found', named(name, resource, group))


def unknown_resource() -> Failure:
    """404 of a path that no resource answers."""
    return Failure(404, "NotFound", "the server could not find the requested resource", {})


def already_exists(name: str, resource: str, group: str = "") -> Failure:
    """409 of a create under a name that is taken."""
    message = f'{dotted(resource, group)} "{name}" already exists'
    return Failure(409, "AlreadyExists", message, named(name, resource, group))


def conflict(name: str, kind: str, group: str, why: str) -> Failure:
    """409 of a stale version or a refused precondition."""
    message = f'Operation cannot be fulfilled on {dotted(kind, group)} "{name}": {why}'
    return Failure(409, "Conflict", message, named(name, kind, group))


def invalid(name: str, kind: str, group: str, causes: Sequence[Cause]) -> Failure:
    """422 of a value that validation refuses."""
    said = ", ".join(f"{cause.field}: {cause.message}" for cause in causes)
    message = f'{dotted(kind, group)} "{name}" is invalid: {said}'
    details = {**named(name, kind, group), "causes": [cause.dump() for cause in causes]}
    return Failure(422, "Invalid", message, details)


def unprocessable() -> Failure:
    """422 with empty details: a JSON patch that does not apply."""
    return Failure(422, "Invalid", "the server rejected our request due to an error in our request", {})
