"""All of docs/playbook-reference.md but its title."""

from __future__ import annotations

from pathlib import Path

from firebreak.cli import playbook_reference
from firebreak.operator_files import load_playbooks

ROOT = Path(__file__).resolve().parents[2]


def render() -> str:
    return playbook_reference.render(load_playbooks(ROOT / "playbooks"))
