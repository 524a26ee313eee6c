"""The object in a request's body, checked against the path and the fields of its kind."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from sandbox.kubernetes_answer import Object, bad_request
from sandbox.kubernetes_kinds import Kind, unknown_fields
from sandbox.kubernetes_request import Request


def decoded(kind: Kind, request: Request) -> tuple[Object, dict[str, str]]:
    """Return the object in a body, without the fields its kind does not have, and the headers that warn of them.

    Raises:
        Failure: 400, another kind, or an unknown field under strict validation.
    """
    item = deepcopy(table(request.body))
    item.setdefault("metadata", {})
    if item.get("kind", kind.kind) != kind.kind:
        raise bad_request(f"{item['kind']} in version {item.get('apiVersion')!r} cannot be handled as a {kind.kind}")
    strange = unknown_fields(item, kind.schema)
    if strange and request.validation == "Strict":
        said = f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}'
        raise bad_request(f"{said}: strict decoding error: {unknown(strange)}")
    return item, warning(strange, request.validation)


def table(body: Any) -> Object:
    """Return a body that has to be an object.

    Raises:
        Failure: 400.
    """
    if not isinstance(body, dict):
        raise bad_request(f"json: cannot unmarshal {type(body).__name__} into an object")
    return body


def unknown(fields: list[str]) -> str:
    """Return what is said about unknown fields."""
    return ", ".join(f'unknown field "{field}"' for field in fields)


def warning(fields: list[str], validation: str) -> dict[str, str]:
    """Return the header that warns of unknown fields, where one is due."""
    quoted = unknown(fields).replace('"', '\\"')
    return {"Warning": f'299 - "{quoted}"'} if fields and validation == "Warn" else {}


def check_namespace(kind: Kind, namespace: str, item: Object) -> None:
    """Refuse an object whose namespace is not the path's.

    Raises:
        Failure: 400.
    """
    if kind.namespaced and item["metadata"].get("namespace") not in (None, "", namespace):
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")


def check_name(name: str, item: Object) -> None:
    """Refuse an object whose name is not the path's.

    Raises:
        Failure: 400.
    """
    if (given := item["metadata"].get("name")) not in (None, "", name):
        raise bad_request(f"the name of the object ({given}) does not match the name on the URL ({name})")
