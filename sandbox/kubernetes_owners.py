"""Who owns which field: `managedFields` and server-side apply, by label, annotation and top-level field of the spec."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, TypeAlias

from sandbox.kubernetes_answer import Cause, Failure, Object

Path: TypeAlias = tuple[str, ...]
Manager: TypeAlias = tuple[str, str, str]
"""(operation, name, subresource): "Apply" sorts before "Update"."""
Owners: TypeAlias = dict[Manager, frozenset[Path]]

FIRST: Manager = ("Update", "before-first-apply", "")
"""Whom the server invents as owner of what is there when the first apply meets an object without owners."""


def leaves(item: Object) -> dict[Path, Any]:
    """Return the fields of an object that can be owned, with their values."""
    found: dict[Path, Any] = {}
    metadata = item.get("metadata", {})
    for table in ("labels", "annotations"):
        for key, value in (metadata.get(table) or {}).items():
            found["metadata", table, key] = value
    for name in ("finalizers", "ownerReferences"):
        if metadata.get(name):
            found["metadata", name] = metadata[name]
    for name, value in item.items():
        if name in ("spec", "status") and isinstance(value, dict):
            found.update({(name, field): inner for field, inner in value.items() if inner is not None})
        elif name not in ("apiVersion", "kind", "metadata"):
            found[(name,)] = value
    return found


def after_update(owners: Owners, before: Object, after: Object, manager: Manager) -> Owners:
    """Return the owners after an update: what changed belongs to its manager alone.

    An object without owners stays without: a real server does not begin to track it before the next apply.
    """
    if not owners:
        return {}
    old, new = leaves(before), leaves(after)
    changed = {path for path, value in new.items() if path not in old or old[path] != value}
    return _without(owners, changed | (old.keys() - new.keys()), {manager: owners.get(manager, frozenset()) | changed})


def _without(owners: Owners, taken: set[Path], own: Owners) -> Owners:
    rest = {manager: paths - taken for manager, paths in owners.items()} | own
    return {manager: paths for manager, paths in rest.items() if paths}


def apply(current: Object | None, owners: Owners, wanted: Object, name: str, force: bool) -> tuple[Object, Owners]:
    """Return object and owners after a server-side apply.

    Args:
        current: the object now, None to create it.
        owners: its owners now.
        wanted: the applied configuration.
        name: the field manager.
        force: take over fields of others that hold another value.

    Raises:
        Failure: 409 with a FieldManagerConflict for each field that another manager holds at another value.
    """
    fields = {path: value for path, value in leaves(wanted).items() if path[0] != "status"}
    me: Manager = ("Apply", name, "")
    if current is None:
        return deepcopy(wanted), {me: frozenset(fields)}
    had = leaves(current)
    owners = owners or {FIRST: frozenset(had)}
    clashes = [
        (manager, path)
        for manager, paths in sorted(owners.items())
        for path in sorted(paths & fields.keys())
        if manager != me and had.get(path) != fields[path]
    ]
    if clashes and not force:
        raise _conflict(clashes)
    held_by_others = frozenset[Path]().union(*(paths for manager, paths in owners.items() if manager != me))
    result = deepcopy(current)
    for path in owners.get(me, frozenset()) - fields.keys() - held_by_others:
        _unset(result, path)
    for path, value in fields.items():
        _set(result, path, deepcopy(value))
    return result, _without(owners, {path for _, path in clashes}, {me: frozenset(fields)})


def _conflict(clashes: list[tuple[Manager, Path]]) -> Failure:
    causes = [
        Cause("FieldManagerConflict", "." + ".".join(path), f'conflict with "{manager[1]}"').dump()
        for manager, path in clashes
    ]
    plural = "conflict" if len(causes) == 1 else "conflicts"
    said = "; ".join(f"{cause['message']}: {cause['field']}" for cause in causes)
    return Failure(409, "Conflict", f"Apply failed with {len(causes)} {plural}: {said}", {"causes": causes})


def _set(item: Object, path: Path, value: Any) -> None:
    for part in path[:-1]:
        item = item.setdefault(part, {})
    item[path[-1]] = value


def _unset(item: Object, path: Path) -> None:
    for part in path[:-1]:
        item = item.get(part, {})
    item.pop(path[-1], None)


def managed_fields(owners: Owners, api_version: str) -> list[Object]:
    """Return the owners as `metadata.managedFields` spells them."""
    entries: list[Object] = []
    for (operation, name, subresource), paths in sorted(owners.items()):
        tree: Object = {}
        for path in sorted(paths):
            _set(tree, tuple(f"f:{part}" for part in path), {})
        entry: Object = {"manager": name, "operation": operation, "apiVersion": api_version}
        entry |= {"fieldsType": "FieldsV1", "fieldsV1": tree}
        entries.append(entry | ({"subresource": subresource} if subresource else {}))
    return entries
