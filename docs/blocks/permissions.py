"""What Firebreak's roles in a member account may do, as the units declare it."""

from __future__ import annotations

from collections.abc import Iterable

from firebreak.core import registry
from firebreak.core.grant import Grant, Permission
from firebreak.core.model import Json
from stacks.prepare import PREPARE


def render() -> str:
    """Return a section for the observer role, one for the role of each action, and one for the prepare role."""
    actions, enrichers = registry.actions(), registry.enrichers()
    reads = [grant for action in actions.values() for grant in action.reads]
    reads += [grant for enricher in enrichers.values() for grant in enricher.reads]
    sections = [f"### Observer\n\nReads, for planning. Changes nothing.\n\n{_table(reads)}"]
    for name, action in sorted(actions.items()):
        held = (*action.reads, *action.collects, *action.writes)
        sections.append(f"### `{name}`\n\n{action.effect.capitalize()}.\n\n{_table(held)}")
    sections.append(f"### Prepare\n\nMakes the quarantine groups of every VPC, beforehand.\n\n{_table(PREPARE)}")
    return "\n\n".join(sections)


def _table(permissions: Iterable[Permission]) -> str:
    rows = {_row(permission) for permission in permissions}
    return "\n".join(["| Permission | On | Because |", "|---|---|---|", *sorted(rows)])


def _row(permission: Permission) -> str:
    if isinstance(permission, Grant):
        resources = " ".join(f"`{resource}`" for resource in permission.resources)
        conditions = "".join(
            f", {operator} `{key}` = {_values(value)}"
            for operator, test in permission.conditions.items()
            for key, value in test.items()
        )
        reasons = (permission.reason, permission.implied_by and f"implied by {permission.implied_by}")
        return f"| {permission.action} | {resources}{conditions} | {'; '.join(filter(None, reasons))} |"
    group = f"{permission.group}/" if permission.group else ""
    return f"| Kubernetes: {', '.join(permission.verbs)} | `{group}{permission.resource}` |  |"


def _values(value: Json) -> str:
    return ", ".join(f"`{each}`" for each in (value if isinstance(value, list) else [value]))
