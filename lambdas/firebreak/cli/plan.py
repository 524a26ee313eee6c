"""`firebreak plan`: what an action would change, looked up with the caller's own rights. Nothing is changed."""

from __future__ import annotations

import click

from firebreak.cli.aim import Aim, Typed, aimed
from firebreak.cli.console import Console
from firebreak.cli.options import examples, json_option, on_deployment
from firebreak.cli.show import line, print_json
from firebreak.core.display import clean
from firebreak.core.plan import Draft

LONG = 500
"""Characters of one line of what was found."""


@click.command(
    epilog=examples(
        "firebreak plan ec2.isolate_instance i-0123456789abcdef0",
        "firebreak plan eks.cordon_node shop/ip-10-0-1-7.ec2.internal --param evict=false",
        "firebreak plan iam.disable_access_key AKIAIOSFODNN7EXAMPLE --about user_name=ana",
    )
)
@aimed
@on_deployment
@json_option
def plan(console: Console, typed: Typed, as_json: bool) -> None:
    """Show what an action would change about a target; change nothing.

    TARGET is an instance's id, a bucket's name, an access key's id, CLUSTER/NODE and the like: `firebreak actions list`
    says what kind an action works on. It is looked up with your own credentials, so you need the action's reads
    (`firebreak actions show`), in the account that you are in.
    """
    aim = typed.aim(console)
    draft = drafted(console, aim)
    if as_json:
        print_json(
            {"action": aim.action.name, "target": aim.target.model_dump(mode="json"), **draft.model_dump(mode="json")}
        )
    else:
        show_draft(aim, draft)


def drafted(console: Console, aim: Aim) -> Draft:
    """Look a target up and return what the action proposes.

    Raises:
        TargetMissing: there is none.
        Refused: it may not be treated so.
        Denied: the caller may not look.
    """
    return aim.action.plan(console.wiring.own(aim.target.region), aim.target, aim.parameters)


def show_draft(aim: Aim, draft: Draft) -> None:
    """Print what an action proposes, for the person who judges."""
    line(f"{aim.action.name} on {aim.target.kind} {clean(aim.target.label)}", bold=True)
    line(f"  {aim.action.effect}, stage {aim.action.stage}, account {aim.target.account}, {aim.target.region}")
    if not draft.changes:
        line("  There is nothing to change: it is as the action would leave it.")
    for change in draft.changes:
        line(f"  {clean(change.resource)}, {clean(change.what)}:")
        line(f"    {clean(change.before)} → {clean(change.after)}")
    for effect in draft.effects:
        line(f"  follows: {clean(effect, LONG)}")
    for residual in draft.residual:
        line(f"  still possible: {clean(residual, LONG)}", fg="yellow")
