"""`firebreak undo`: what an incident changed, shown and taken back."""

from __future__ import annotations

import click

from firebreak.cli.console import Console, now, pause
from firebreak.cli.exit_codes import AMISS
from firebreak.cli.options import examples, json_option, on_deployment, yes_option
from firebreak.cli.show import confirmed, heading, line, print_json
from firebreak.cli.story import Story, tell
from firebreak.core.display import clean
from firebreak.core.errors import Conflict, Refused
from firebreak.ports import Execution

LOOK_EVERY = 2.0
"""Seconds between looks at a running undo."""


@click.command(
    epilog=examples(
        "firebreak undo inc-0123456789ab",
        "firebreak undo inc-0123456789ab --yes --wait --json",
    )
)
@click.argument("incident")
@click.option("--wait", is_flag=True, help="Stay until it has ended; exit 6 if something was not taken back.")
@on_deployment
@yes_option
@json_option
@click.pass_context
def undo(ctx: click.Context, console: Console, incident: str, wait: bool, yes: bool, as_json: bool) -> None:
    """Take back what an incident changed, newest first, and close it.

    Every target gets back exactly what was written down before it was changed; what someone else has changed since is
    left alone and reported. Open questions are withdrawn, and what still runs is stopped first. Undo works whatever
    mode and kill switch say.
    """
    story = tell(console, incident)
    _require_something(story)
    if not as_json:
        _show(story)
    if not confirmed(f"Undo {incident}?", yes):
        raise Refused(f"{incident} stays as it is: you said no")
    execution = _start(console, story)
    if not wait:
        if as_json:
            print_json({"incident": incident, "execution": execution.name, "status": "RUNNING"})
        else:
            line(f"Undo has begun: execution {execution.name}.")
            line(f"`firebreak incidents show {incident}` tells how far it is.")
        return
    status = _wait(console, execution)
    after = tell(console, incident)
    left = [f"{step.action} on {step.target.label}: {step.status}" for step in after.standing]
    if as_json:
        print_json({"incident": incident, "execution": execution.name, "status": status, "left": left})
    elif left or status != "SUCCEEDED":
        line(f"Execution {execution.name}: {status}. Not taken back:", fg="red")
        for step in after.standing:
            line(f"  {step.action} on {clean(step.target.label)}: {step.status}; {clean(step.error or '', 500)}")
    else:
        line(f"Taken back; {incident} is {after.incident.status}.")
    ctx.exit(AMISS if left or status != "SUCCEEDED" else 0)


def _require_something(story: Story) -> None:
    found = story.incident
    if found.merged_into:
        raise Refused(f"{found.id} was merged into {found.merged_into}; undo that one")
    if found.over and not story.standing:
        raise Refused(f"{found.id} is {found.status}, and nothing it changed still stands")


def _show(story: Story) -> None:
    line(f"{story.incident.id}: {clean(story.incident.title)}, {story.incident.status}", bold=True)
    if not story.standing:
        line("Nothing was changed that could be taken back; open questions are withdrawn and the incident ends.")
    for step in story.standing:
        heading(f"{step.action} on {step.target.kind} {clean(step.target.label)} ({step.status})")
        for change in step.plan.changes if step.plan else ():
            line(f"  {clean(change.resource)}, {clean(change.what)}:")
            line(f"    {clean(change.after)} → {clean(change.before)}")
    kept = [step for step in story.steps if step.effect == "collect" and step.status == "verified"]
    if kept:
        heading("Kept as evidence")
        for step in kept:
            line(f"  {step.action} on {clean(step.target.label)}")
    line()


def _start(console: Console, story: Story) -> Execution:
    """Start the execution; under its next name where the last one has ended, since a name is used once in 90 days."""
    incidents, machine = console.wiring.incidents(console.wiring.table()), console.wiring.machine()
    wanted = Execution(incident=story.incident.id, revision=story.incident.revision, mode="undo", attempt=1)
    execution = incidents.want_execution(wanted, now())
    if machine.start(execution):
        return execution
    again = incidents.try_again(execution) or incidents.want_execution(wanted, now())
    if machine.start(again):
        return again
    raise Conflict(f"undo of {story.incident.id} was started by someone else and has ended meanwhile; look, then again")


def _wait(console: Console, execution: Execution) -> str:
    machine = console.wiring.machine()
    while (status := machine.status(execution)) == "RUNNING":
        pause(LOOK_EVERY)
    return status
