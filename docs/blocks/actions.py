"""What Firebreak can do, one row an action."""

from __future__ import annotations

import inspect

from firebreak.core import registry


def render() -> str:
    """Return the table of actions: name, effect, target, title."""
    rows = ["| Action | Effect | Target | What it does |", "|---|---|---|---|"]
    for name, action in sorted(registry.actions().items()):
        title = inspect.getdoc(action).splitlines()[0]  # type: ignore[union-attr]  # every action has a docstring
        rows.append(f"| `{name}` | {action.effect} | {action.target_kind} | {title} |")
    return "\n".join(rows)
