"""All of docs/command-line.md but its introduction."""

from __future__ import annotations

from firebreak.cli import reference


def render() -> str:
    return reference.render()
