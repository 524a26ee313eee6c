"""`firebreak incidents`: what happened, what was done about it, and an end by hand."""

from __future__ import annotations

import click

from firebreak.cli.console import Console, now
from firebreak.cli.exit_codes import AMISS
from firebreak.cli.options import examples, json_option, on_deployment, yes_option
from firebreak.cli.show import confirmed, heading, line, moment, print_json, span, table, word
from firebreak.cli.show_step import show_step
from firebreak.cli.story import Story, tell
from firebreak.core.audit import AuditRecord
from firebreak.core.display import clean
from firebreak.core.errors import Refused


@click.group()
def incidents() -> None:
    """What happened and what was done about it."""


@incidents.command(name="list", epilog=examples("firebreak incidents list", "firebreak incidents list --over --json"))
@click.option("--over", is_flag=True, help="Those that are closed or merged, instead of those that are not.")
@click.option("--limit", type=click.IntRange(1, 1_000), default=50, show_default=True, help="At most so many.")
@on_deployment
@json_option
def list_(console: Console, over: bool, limit: int, as_json: bool) -> None:
    """List incidents, the newest first."""
    found = console.wiring.incidents(console.wiring.table()).incidents(over=over, limit=limit + 1)
    shown = found[:limit]
    if as_json:
        print_json([incident.model_dump(mode="json") for incident in shown])
        return
    if not shown:
        line("No incident is over." if over else "No incident is open.")
        return
    rows = [(i.id, i.status, i.severity.word, span(now() - i.created_at), i.account, i.title) for i in shown]
    table(("Incident", "Status", "Severity", "Age", "Account", "What"), rows)
    if len(found) > limit:
        line("… and more; --limit shows them")


@incidents.command(epilog=examples("firebreak incidents show inc-0123456789ab"))
@click.argument("incident")
@on_deployment
@json_option
@click.pass_context
def show(ctx: click.Context, console: Console, incident: str, as_json: bool) -> None:
    """Show one incident: findings, steps with their changes and outcomes, who approved, and the trail.

    The exit code is 6 where the trail does not hold: a record was changed, taken out or put in afterwards.
    """
    story = tell(console, incident)
    if as_json:
        print_json(story.as_json())
    else:
        _show(story)
    ctx.exit(AMISS if story.breaks else 0)


@incidents.command(
    epilog=examples(
        'firebreak incidents close inc-0123456789ab --reason "a test by the red team"',
        'firebreak incidents close inc-0123456789ab --reason "forensics keeps the host" --leave-contained',
    )
)
@click.argument("incident")
@click.option("--reason", required=True, help="Why; it stays in the trail.")
@click.option("--leave-contained", is_flag=True, help="Close it although something stays changed.")
@on_deployment
@yes_option
@json_option
def close(console: Console, incident: str, reason: str, leave_contained: bool, yes: bool, as_json: bool) -> None:
    """Close an incident by hand: nothing more is done about it, and its target is free for the next one.

    Refused while something that Firebreak changed still stands: undo it first. With --leave-contained it stays as it
    is, for good; `firebreak undo` can still take it back later.
    """
    if not (reason := clean(reason, 500).strip()):
        raise click.BadParameter("say why", param_hint="--reason")
    story = tell(console, incident)
    _require_closable(story, leave_contained)
    if not as_json:
        for step in story.standing:
            line(f"stays as it is: {step.action} on {clean(step.target.label)} ({step.status})")
    if not confirmed(f"Close {incident}?", yes):
        raise Refused(f"{incident} was not closed: you said no")
    wiring, found = console.wiring, story.incident
    rows = wiring.table()
    stays = tuple(f"stays: {step.action} on {step.target.label} ({step.status})" for step in story.standing)
    over = found.model_copy(update={"status": "closed", "reason": reason, "fenced": found.revision})
    incidents = wiring.incidents(rows)
    incidents.change_incident(found, over, "closed", console.actor, now(), reason, *stays)
    # what is asked yet needs no withdrawal, which is not for a command to write: the fence lets no yes be used, and it
    # expires; a lock that we die before freeing is freed by the next finding that meets it
    incidents.hand_locks(found.locks, incident, None)
    if as_json:
        print_json({"incident": incident, "status": "closed", "reason": reason, "left": list(stays)})
    else:
        line(f"{incident} is closed.")


def _require_closable(story: Story, leave_contained: bool) -> None:
    found = story.incident
    if found.over:
        into = f" into {found.merged_into}" if found.merged_into else ""
        raise Refused(f"{found.id} is {found.status}{into} already")
    if found.status == "acting":
        raise Refused(
            f"an execution works on {found.id}; wait for it, or `firebreak undo {found.id}` stops it and takes it back"
        )
    if story.standing and not leave_contained:
        what = ", ".join(f"{step.action} on {step.target.label}" for step in story.standing)
        raise Refused(f"{what} still stands; take it back with `firebreak undo {found.id}`, or give --leave-contained")


def _show(story: Story) -> None:
    found = story.incident
    line(f"{found.id}: {clean(found.title)}", bold=True)
    line(f"  {word(found.status)}" + (f", {clean(found.reason, 500)}" if found.reason else ""))
    line(f"  {word(found.severity.word)} severity, account {found.account}, {clean(found.region)}, {found.lane} lane")
    line(f"  opened {moment(found.created_at)}, last moved {moment(found.updated_at)} (UTC), revision {found.revision}")
    if found.merged_into:
        line(f"  merged into {found.merged_into}")
    if found.absorbed:
        line(f"  took over {', '.join(found.absorbed)}")
    heading("Findings")
    rows = [(f.source, f.severity.word, f.count, moment(f.updated_at), f.type) for f in story.findings]
    table(("Source", "Severity", "Count", "Updated", "Type"), rows)
    for step in story.steps:
        show_step(step, story.asked.get(step.id))
    heading("Trail")
    records = sorted(story.trail, key=lambda record: record.at)
    names = {step.id: step.action for step in story.steps}
    told = [(f"{r.at:%m-%d %H:%M:%S}", names.get(r.chain, r.chain[:17]), r.event, _who_and_why(r)) for r in records]
    table(("At", "About", "Event", "By and why"), told)
    if story.breaks:
        line("The trail does not hold; someone changed it afterwards:", fg="red", bold=True)
        for place in story.breaks:
            line(f"  {clean(place)}", fg="red")
    else:
        line(f"The trail holds: {len(records)} records, each follows from the one before.")


def _who_and_why(record: AuditRecord) -> str:
    """A function by its word, a person by the whole name; then the first of the words."""
    who = record.actor if record.actor.startswith("arn:") else record.actor.partition("/")[0]
    return "; ".join((who, *record.words[:1]))
