"""`firebreak evidence`: what is kept of an incident, read again and held against what was written down of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import chain

import click

from firebreak.cli.console import Console, now
from firebreak.cli.exit_codes import AMISS
from firebreak.cli.options import examples, json_option, on_deployment
from firebreak.cli.show import line, print_json, table
from firebreak.cli.story import Story, tell
from firebreak.core.display import clean
from firebreak.core.errors import Denied
from firebreak.core.evidence import MANIFESTS
from firebreak.core.proof import Proved, proved


@click.group()
def evidence() -> None:
    """What is kept of an incident, and whether it still is what was kept."""


@evidence.command(
    epilog=examples("firebreak evidence verify inc-0123456789ab", "firebreak evidence verify inc-0123456789ab --json")
)
@click.argument("incident")
@on_deployment
@json_option
@click.pass_context
def verify(ctx: click.Context, console: Console, incident: str, as_json: bool) -> None:
    """Read everything that is kept of an incident again, and prove it.

    Every manifest has to be what its name says, every event what the manifest says, and every record of the trail that
    a manifest holds has to be in the table, unchanged. Snapshots and other copies at AWS have no hash; they are listed
    as what holds them.

    Reading manifests and events takes the deployment's managed policies for it, firebreak-evidence-reader and
    firebreak-raw-events-reader; what may not be read is not proven. The exit code is 6 where something is not proven.
    """
    story = tell(console, incident)
    found = [*_trail(story), *_vaults(console, story), *_copies(story)]
    amiss = [each for each in found if not each.proven]
    if as_json:
        print_json({"incident": incident, "proven": not amiss, "found": [each.model_dump() for each in found]})
    else:
        _show(found, amiss)
    ctx.exit(AMISS if amiss else 0)


def _trail(story: Story) -> list[Proved]:
    if story.breaks:
        return [Proved(what="trail", where=place, verdict="broken") for place in story.breaks]
    because = f"{len(story.trail)} records, each follows from the one before"
    return [Proved(what="trail", where=story.incident.id, verdict="holds", because=because)]


def _vaults(console: Console, story: Story) -> list[Proved]:
    names, reader = console.wiring.names, console.wiring.vault_reader()
    days = {names.evidence.bucket: names.evidence.days, names.raw_events.bucket: names.raw_events.days}

    def expired(where: str, at: datetime) -> bool:
        kept = next((kept for bucket, kept in days.items() if where.startswith(f"s3://{bucket}/")), None)
        return kept is not None and at + timedelta(days=kept) < now()

    incidents = console.wiring.incidents(console.wiring.table())
    trail = chain(story.trail, *(incidents.trail(absorbed) for absorbed in story.incident.absorbed))
    try:
        listed = list(reader.places(names.evidence.bucket, f"{MANIFESTS}{story.incident.id}/"))
    except Denied as error:
        return [Proved(what="manifests", where=f"s3://{names.evidence.bucket}", verdict="unread", because=str(error))]
    return list(proved(tuple(trail), listed, reader.fetch, expired))


def _copies(story: Story) -> list[Proved]:
    """What was taken and does not lie in a vault."""
    return [
        Proved(
            what=f"{step.action} on {step.target.label}",
            where="; ".join(step.outcome),
            verdict="no hash",
            because=f"AWS gives none; account {step.target.account} holds it, and no role of Firebreak may delete it",
        )
        for step in story.steps
        if step.effect == "collect" and step.status == "verified"
    ]


def _show(found: Sequence[Proved], amiss: Sequence[Proved]) -> None:
    rows = [(each.what, each.verdict, (each.where, each.because)) for each in found]
    table(("What", "Verdict", "Where and why"), rows)
    line()
    if not amiss:
        line(f"All of it is proven: {len(found)} things were looked at.")
        return
    line(f"Not proven, {len(amiss)} of {len(found)}:", fg="red", bold=True)
    for each in amiss:
        line(f"  {clean(each.what)} {clean(each.where)}: {each.verdict}; {clean(each.because, 500)}", fg="red")
