"""The patch types that act on the object alone: merge, strategic merge and JSON patch. Apply is in `owners`."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from sandbox.kubernetes_answer import Object, bad_request, unprocessable

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"

LIST_KEYS = {"containers": "name", "initContainers": "name", "conditions": "type", "ownerReferences": "uid"}
"""Lists that a strategic merge patch merges by a key. A node's taints are not among them: they are replaced."""


def merge(current: Any, patch: Any, keys: dict[str, str] | None = None) -> Any:
    """Return `current` with a merge patch applied (RFC 7386); with `keys`, lists named in it are merged by their key.

    Args:
        current: the value now.
        patch: what to change; null removes.
        keys: list fields and the member that identifies their items (strategic merge patch).
    """
    if not isinstance(patch, dict):
        return deepcopy(patch)
    result = dict(current) if isinstance(current, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        elif keys and name in keys and isinstance(value, list):
            result[name] = _merge_list(result.get(name) or [], value, keys[name], keys)
        else:
            result[name] = merge(result.get(name), value, keys)
    return result


def _merge_list(current: list[Any], patch: list[Any], key: str, keys: dict[str, str]) -> list[Any]:
    result = list(current)
    for item in patch:
        place = next((at for at, had in enumerate(result) if had.get(key) == item.get(key)), None)
        if place is None:
            result.append(deepcopy(item))
        else:
            result[place] = merge(result[place], item, keys)
    return result


def json_patch(current: Object, operations: Any) -> Object:
    """Return `current` with a JSON patch applied (RFC 6902: add, remove, replace, test, move, copy).

    Raises:
        Failure: 400 where it is no list of operations; 422 with empty details where one does not apply.
    """
    if not isinstance(operations, list) or not all(isinstance(operation, dict) for operation in operations):
        raise bad_request("error decoding patch: json: cannot unmarshal object into Go value of type jsonPatchOp")
    result = deepcopy(current)
    for operation in operations:
        try:
            _operate(result, operation)
        except (KeyError, IndexError, TypeError, ValueError):
            raise unprocessable() from None
    return result


def _operate(document: Any, operation: Object) -> None:
    path = _pointer(operation["path"])
    match operation["op"]:
        case "test":
            # A test against null passes on an absent path.
            if _lookup(document, path, absent=None) != operation.get("value"):
                raise ValueError("test failed")
        case "add":
            _put(document, path, deepcopy(operation["value"]), insert=True)
        case "replace":
            _lookup(document, path)
            _put(document, path, deepcopy(operation["value"]), insert=False)
        case "remove":
            _take(document, path)
        case "move":
            _put(document, path, _take(document, _pointer(operation["from"])), insert=True)
        case "copy":
            _put(document, path, deepcopy(_lookup(document, _pointer(operation["from"]))), insert=True)
        case unknown:
            raise ValueError(f"unknown operation {unknown}")


def _pointer(path: str) -> list[str]:
    if not path.startswith("/"):
        raise ValueError("a path starts with /")
    return [part.replace("~1", "/").replace("~0", "~") for part in path[1:].split("/")]


_REQUIRED = object()


def _lookup(document: Any, path: list[str], absent: Any = _REQUIRED) -> Any:
    try:
        for part in path:
            document = document[int(part)] if isinstance(document, list) else document[part]
    except (KeyError, IndexError, TypeError):
        if absent is _REQUIRED:
            raise
        return absent
    return document


def _put(document: Any, path: list[str], value: Any, *, insert: bool) -> None:
    *parents, last = path
    holder = _lookup(document, parents)
    if not isinstance(holder, list):
        holder[last] = value
    elif last == "-":
        holder.append(value)
    elif insert:
        place = int(last)
        if not 0 <= place <= len(holder):
            raise IndexError(last)
        holder.insert(place, value)
    else:
        holder[int(last)] = value


def _take(document: Any, path: list[str]) -> Any:
    *parents, last = path
    holder = _lookup(document, parents)
    return holder.pop(int(last) if isinstance(holder, list) else last)
