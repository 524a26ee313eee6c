"""`firebreak except`: what is left alone for a time, so that a false positive is not acted on again tomorrow."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from firebreak.cli.console import Console, now
from firebreak.cli.options import examples, json_option, on_deployment, yes_option
from firebreak.cli.show import confirmed, line, moment, print_json, table
from firebreak.core.display import clean
from firebreak.core.errors import Refused
from firebreak.core.guard import Exemption

INCIDENT = "inc-"


@click.command(
    name="except",
    epilog=examples(
        "firebreak except",
        'firebreak except inc-0123456789ab --until 2026-12-24 --reason "the backup job, ticket 4711"',
        "firebreak except arn:aws:ec2:eu-central-1:111122223333:instance/i-0123456789abcdef0 --end",
    ),
)
@click.argument("target", required=False)
@click.option("--until", type=click.DateTime(("%Y-%m-%d", "%Y-%m-%dT%H:%M")), help="When it ends, in UTC.")
@click.option("--reason", help="Why; it stays in the trail, and people are told with each refusal.")
@click.option("--end", is_flag=True, help="End it now; asked about first.")
@on_deployment
@yes_option
@json_option
def except_(
    console: Console,
    target: str | None,
    until: datetime | None,
    reason: str | None,
    end: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Leave a target alone for a time, whatever findings say.

    Without TARGET it lists what is left alone. TARGET is an incident, of which the targets of its own are meant, or the
    key or ARN of a target. From the next step on nothing about it is changed unasked or asked; evidence is still taken,
    and what was changed stays until `firebreak undo`.
    """
    if target is None:
        if until or reason or end:
            raise click.UsageError("name the TARGET")
        _list(console, as_json)
        return
    if end == (until is not None):
        raise click.UsageError("give --until, or --end")
    if not end and not (reason := clean(reason or "", 500).strip()):
        raise click.BadParameter("say why", param_hint="--reason")
    at = now() if until is None else until.replace(tzinfo=UTC)
    if not end and at <= now():
        raise click.BadParameter(f"{moment(at)} UTC has passed", param_hint="--until")
    names = _names(console, target)
    if end and not confirmed(f"Let Firebreak act on {', '.join(map(clean, names))} again?", yes):
        raise Refused("it is left alone still: you said no")
    for name in names:
        exemption = Exemption(name=name, until=at, by=console.actor.name, reason=reason or "ended by hand")
        console.wiring.incidents(console.wiring.table()).exempt(exemption, console.actor, now())
    if as_json:
        print_json({"names": list(names), "until": None if end else at.isoformat()})
        return
    for name in names:
        line(f"{clean(name)} is {'acted on again' if end else f'left alone until {moment(at)} UTC'}.")


def _list(console: Console, as_json: bool) -> None:
    state = console.wiring.incidents(console.wiring.table()).guard()
    held = sorted((each for each in state.exempt if each.until > now()), key=lambda each: each.until)
    if as_json:
        print_json([each.model_dump(mode="json") for each in held])
    elif held:
        table(("Until (UTC)", "By", "Why", "Target"), [(moment(e.until), e.by, e.reason, e.name) for e in held])
    else:
        line("Nothing is left alone.")


def _names(console: Console, target: str) -> tuple[str, ...]:
    if not target.startswith(INCIDENT):
        return (target,)
    found = console.wiring.incidents(console.wiring.table()).incident(target)
    names = tuple(each.key for each in found.targets if not each.shared)
    if not names:
        raise Refused(f"{target} has no target of its own; name one by its key or ARN")
    return names
