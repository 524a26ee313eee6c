"""`firebreak run`: one action on one target by a person's order, through the same pipeline as a playbook's step."""

from __future__ import annotations

from uuid import uuid4

import click

from firebreak.cli.aim import Aim, Typed, aimed
from firebreak.cli.console import Console, now, pause
from firebreak.cli.exit_codes import AMISS
from firebreak.cli.options import examples, json_option, on_deployment, yes_option
from firebreak.cli.show import confirmed, line, print_json, word
from firebreak.cli.show_step import show_step
from firebreak.core.display import clean
from firebreak.core.errors import Refused, Retriable
from firebreak.core.finding import Finding, Order
from firebreak.core.incident import StepRecord
from firebreak.core.source import Origin
from firebreak.sources.person import Person, Wanted, event

LOOK_EVERY = 2.0
"""Seconds between looks."""

LOOKS = 60
"""Looks for the incident of an order, after which something is wrong."""

DONE = ("verified", "unneeded")


@click.command(
    epilog=examples(
        'firebreak run ec2.isolate_instance i-0123456789abcdef0 --reason "reported by the SOC"',
        'firebreak run s3.block_public_access customers --reason "drill" --yes --wait --json',
    )
)
@aimed
@click.option("--reason", required=True, help="Why; it stays in the trail, and people are told.")
@click.option("--wait", is_flag=True, help="Stay until it is done or asked about; exit 6 if it was not done.")
@on_deployment
@yes_option
@json_option
@click.pass_context
def run(ctx: click.Context, console: Console, typed: Typed, reason: str, wait: bool, yes: bool, as_json: bool) -> None:
    """Do an action on a target, as if a playbook had wanted it.

    It becomes an incident, or a step of the one that is open about the target: looked up and planned by Firebreak, held
    against kill switch, mode, protection and budgets, asked about where the mode or the action demands it, written
    down, verified, and taken back by `firebreak undo`. TARGET is as for `firebreak plan`, which shows the changes
    beforehand.
    """
    aim = typed.aim(console)
    if not (reason := clean(reason, 500).strip()):
        raise click.BadParameter("say why", param_hint="--reason")
    what = f"{aim.action.name} on {aim.target.kind} {clean(aim.target.label)} in account {aim.target.account}"
    if not as_json:
        line(what, bold=True)
    if not confirmed("Order it?", yes):
        raise Refused("nothing was ordered: you said no")
    finding = _order(console, aim, reason)
    incident, revision = _incident(console, finding)
    if not wait:
        if as_json:
            print_json({"incident": incident, "order": finding.id})
        else:
            line(f"Ordered; `firebreak incidents show {incident}` tells how far it is.")
        return
    step = _followed(console, incident, revision, aim)
    if as_json:
        print_json({"incident": incident, "order": finding.id, "step": step.model_dump(mode="json")})
    else:
        show_step(step, None)
        line(f"{incident}: {word(step.status)}")
    ctx.exit(0 if step.status in DONE else AMISS)


def _order(console: Console, aim: Aim, reason: str) -> Finding:
    """Send the order; return the finding that the pipeline makes of it."""
    names = console.wiring.names
    wanted = Wanted(
        id=uuid4().hex,
        order=Order(
            action=aim.action.name,
            parameters=aim.parameters.model_dump(mode="json"),
            by=console.actor.name,
            reason=reason,
        ),
        target=aim.target,
    )
    sent = event(wanted, names.account, names.region, now())
    (finding,) = Person().normalise(sent, Origin())  # what triage could not read is not sent
    console.wiring.bus().put(sent)
    return finding


def _incident(console: Console, finding: Finding) -> tuple[str, int]:
    """Wait for the incident that comes of an order, and its revision."""
    findings = console.wiring.findings(console.wiring.table())
    for _ in range(LOOKS):
        if (found := findings.belongs_to(finding)) is not None:
            return found
        pause(LOOK_EVERY)
    raise Retriable(
        f"the order {finding.id} was sent, and no incident has come of it in {LOOKS * LOOK_EVERY:.0f} s; "
        "`firebreak dlq list` shows what could not be handled. It may still be done: do not send it again"
    )


def _followed(console: Console, incident: str, revision: int, aim: Aim) -> StepRecord:
    """Wait until the step that was ordered has ended, or waits for a person."""
    incidents = console.wiring.incidents(console.wiring.table())
    while True:
        story, _, steps, decided = incidents.file(incident)
        if story.merged_into is not None:
            incident, revision = story.merged_into, 0
            continue
        for step in steps:
            mine = step.action == aim.action.name and step.target.key == aim.target.key
            if mine and (step.settled or step.status == "asking") and max(decided, default=-1) >= revision:
                return step
        if story.over:
            raise Refused(f"{incident} is {story.status} without it: {story.reason}")
        pause(LOOK_EVERY)
