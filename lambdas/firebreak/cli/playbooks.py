"""`firebreak playbooks`: what `cdk synth` would say of them, without a synth."""

from __future__ import annotations

from pathlib import Path

import click

from firebreak.cli.options import examples, json_option
from firebreak.cli.show import line, print_json
from firebreak.core.display import clean


@click.group()
def playbooks() -> None:
    """Check playbooks before they are deployed."""


@playbooks.command(epilog=examples("firebreak playbooks check", "firebreak playbooks check ../our/playbooks --json"))
@click.argument("folder", type=click.Path(path_type=Path), default=Path("playbooks"))
@json_option
def check(folder: Path, as_json: bool) -> None:
    """Check the playbooks of a folder ("playbooks" unless named).

    A mistake is shown with its file and line, and the exit code is 2. What is allowed but looks wrong is a warning: a
    type that fits none that GuardDuty documents.
    """
    from firebreak.cli.guardduty_types import doubts  # noqa: PLC0415 - reads a table
    from firebreak.operator_files import load_playbooks  # noqa: PLC0415 - imports every action, and YAML

    found = load_playbooks(folder)
    warnings = doubts(found)
    if as_json:
        names = [{"name": playbook.name, "priority": playbook.priority} for playbook in found.playbooks]
        print_json({"version": found.version, "playbooks": names, "warnings": warnings})
        return
    for warning in warnings:
        click.echo(f"{click.style('warning:', fg='yellow')} {clean(warning, 1_000)}", err=True)
    steps = sum(len(playbook.steps) for playbook in found.playbooks)
    line(f"{folder}: {len(found.playbooks)} playbooks with {steps} steps, no errors, {len(warnings)} warnings")
