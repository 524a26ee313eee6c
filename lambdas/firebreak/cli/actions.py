"""`firebreak actions`: what Firebreak can do, as its actions declare it."""

from __future__ import annotations

import inspect
from typing import Any

import click

from firebreak.cli.docstrings import meanings
from firebreak.cli.options import examples, json_option
from firebreak.cli.show import heading, line, print_json, prose, table
from firebreak.core import registry
from firebreak.core.action import AnyAction
from firebreak.core.errors import TargetMissing
from firebreak.core.grant import Grant, Permission


@click.group()
def actions() -> None:
    """What Firebreak can do, and what each action needs."""


@actions.command(
    name="list", epilog=examples("firebreak actions list", "firebreak actions list --json | jq '.[].name'")
)
@json_option
def list_(as_json: bool) -> None:
    """List the actions with their effect.

    collect takes evidence, reversible can be taken back by `firebreak undo`, destructive always asks a person.
    """
    found = registry.actions()
    if as_json:
        print_json([_summary(action) for action in found.values()])
        return
    rows = [(name, action.effect, action.target_kind, _title(action)) for name, action in sorted(found.items())]
    table(("Action", "Effect", "Target", "What it does"), rows)


@actions.command(epilog=examples("firebreak actions show ec2.isolate_instance"))
@click.argument("name")
@json_option
def show(name: str, as_json: bool) -> None:
    """Show one action: what it does, what it does not stop, its parameters and its permissions."""
    action = registry.actions().get(name)
    if action is None:
        raise TargetMissing(f"there is no action {name!r}; `firebreak actions list` names them")
    if as_json:
        print_json(_whole(action))
        return
    line(action.name, bold=True)
    line(f"{action.effect}, on {action.target_kind}, changes its {action.aspect}, stage {action.stage}")
    line()
    prose(inspect.getdoc(action) or "")
    if fields := action.parameters.model_fields:
        heading("Parameters")
        said = meanings(action.parameters)
        rows = [(name, _spelt(field.default), said.get(name, "")) for name, field in fields.items()]
        table(("Name", "Default", "Meaning"), rows)
    for title, grants in (("Reads", action.reads), ("Collects", action.collects), ("Writes", action.writes)):
        if grants:
            heading(title)
            table(("Permission", "On"), [_row(grant) for grant in grants])


def _title(action: AnyAction) -> str:
    return (inspect.getdoc(action) or "").partition("\n")[0]


def _summary(action: AnyAction) -> dict[str, Any]:
    return {"name": action.name, "effect": action.effect, "target": action.target_kind, "title": _title(action)}


def _whole(action: AnyAction) -> dict[str, Any]:
    return {
        **_summary(action),
        "aspect": action.aspect,
        "stage": action.stage,
        "documentation": inspect.getdoc(action),
        "parameters": action.parameters.model_json_schema(),
        **{
            kind: [grant.model_dump(mode="json") for grant in getattr(action, kind)]
            for kind in ("reads", "collects", "writes")
        },
    }


def _row(permission: Permission) -> tuple[str, str | tuple[str, ...]]:
    if isinstance(permission, Grant):
        return permission.action, permission.resources
    group = f"{permission.group}/" if permission.group else ""
    return f"Kubernetes {', '.join(permission.verbs)}", f"{group}{permission.resource}"


def _spelt(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
