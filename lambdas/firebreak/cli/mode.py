"""`firebreak mode`: how much Firebreak does by itself."""

from __future__ import annotations

import click

from firebreak.cli.console import Console, now
from firebreak.cli.options import examples, json_option, on_deployment, yes_option
from firebreak.cli.show import confirmed, line, print_json
from firebreak.core.errors import Refused
from firebreak.core.guard_rails import MODES, GuardMode, effective_mode

MEANINGS: dict[GuardMode, str] = {
    "observe": "plans and tells, changes nothing",
    "approve": "asks a person before every change",
    "auto": "follows the playbooks",
}


@click.command(epilog=examples("firebreak mode", "firebreak mode observe", "firebreak mode auto --yes"))
@click.argument("wanted", metavar="[observe|approve|auto]", required=False, type=click.Choice(MODES))
@on_deployment
@yes_option
@json_option
def mode(console: Console, wanted: GuardMode | None, yes: bool, as_json: bool) -> None:
    """Show or set how much Firebreak does by itself.

    observe plans and tells, and changes nothing; approve asks a person before every change; auto follows the
    playbooks. firebreak.yaml sets the most that is allowed, at deployment; here it can only be made tighter. A looser
    mode than the one that holds is asked about first, a tighter one holds at once.
    """
    incidents, ceiling = console.wiring.incidents(console.wiring.table()), console.wiring.names.mode
    state = incidents.guard()
    holds = effective_mode(ceiling, state.mode)
    if wanted is not None:
        if MODES.index(wanted) > MODES.index(ceiling):
            raise Refused(f"the settings allow {ceiling} at most; set `mode` in firebreak.yaml and deploy")
        looser = MODES.index(wanted) > MODES.index(holds)
        if looser and not confirmed(f"From {holds} to {wanted}, which {MEANINGS[wanted]}?", yes):
            raise Refused(f"the mode stays {holds}: you said no")
        incidents.set_mode(wanted, console.actor, now())
        state = state.model_copy(update={"mode": wanted})
        holds = effective_mode(ceiling, wanted)
    production = effective_mode(console.wiring.names.production_mode, holds)
    if as_json:
        told = {"mode": holds, "production_mode": production, "ceiling": ceiling, "set": state.mode}
        print_json(told | {"halted": state.halted})
        return
    line(f"{holds}: {MEANINGS[holds]}", bold=True)
    if production != holds:
        line(f"  in production {production}: {MEANINGS[production]}")
    line(
        f"  the settings allow {ceiling} at most; {f'set here: {state.mode}' if state.mode else 'nothing is set here'}"
    )
    if state.halted:
        line("  the kill switch is on: nothing is changed; `firebreak halt --off` takes it back", fg="red")
