"""`firebreak halt`: the kill switch."""

from __future__ import annotations

import click

from firebreak.cli.console import Console, now
from firebreak.cli.options import examples, json_option, on_deployment, yes_option
from firebreak.cli.show import confirmed, line, print_json
from firebreak.core.errors import Refused


@click.command(epilog=examples("firebreak halt", "firebreak halt --off"))
@click.option("--off", is_flag=True, help="Take it back; asked about first.")
@on_deployment
@yes_option
@json_option
def halt(console: Console, off: bool, yes: bool, as_json: bool) -> None:
    """Throw the kill switch: from now on no step begins, whatever mode and playbooks say.

    It holds at once and without a question. What has begun is finished or sealed, and `firebreak undo` still works.
    Findings are still taken in, planned and told.
    """
    incidents = console.wiring.incidents(console.wiring.table())
    if off and not confirmed("Let Firebreak change things again?", yes):
        raise Refused("the kill switch stays as it is: you said no")
    incidents.set_halt(not off, console.actor, now())
    if as_json:
        print_json({"halted": not off, "by": console.actor.name})
    elif off:
        line("The kill switch is off; `firebreak mode` shows what Firebreak does by itself.")
    else:
        line("Halted: no step begins until `firebreak halt --off`.", bold=True)
