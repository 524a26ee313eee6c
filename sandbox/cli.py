"""`firebreak demo`. Nothing heavy is imported before the options are known to be good."""

from __future__ import annotations

import sys
import time

import click

from firebreak.cli.exit_codes import AMISS, INTERRUPTED
from firebreak.cli.options import examples, json_option, yes_option

BEGUN = time.monotonic()


@click.command(
    epilog=examples(
        "firebreak demo",
        "firebreak demo --yes",
        "firebreak demo --event finding.json --as-estate",
        "firebreak demo --yes --stay",
    )
)
@yes_option
@click.option("--wait", type=click.FloatRange(1, 300), default=300, show_default=True, help="Seconds to answer in.")
@json_option
def demo(yes: bool, wait: float, as_json: bool) -> None:
    """Play a whole story on this machine: no AWS account, no credentials, nothing but loopback."""
    from rich.console import Console  # noqa: PLC0415

    from sandbox.hermetic import hermetic  # noqa: PLC0415

    itself = yes or as_json or not (sys.stdin.isatty() and sys.stdout.isatty())
    console = Console(quiet=as_json, width=None if sys.stdout.isatty() else 100, highlight=False)
    try:
        with hermetic():
            from sandbox.demo import Options, play  # noqa: PLC0415  moto takes a second
            from sandbox.demo_story import Story  # noqa: PLC0415

            report = play(Options(itself, wait), console, BEGUN, lambda stage: Story(stage).play())
    except KeyboardInterrupt:
        click.echo("stopped; nothing is left running", err=True)
        raise SystemExit(INTERRUPTED) from None
    if as_json:
        click.echo(report.model_dump_json(indent=1))
    if not report.ok:
        raise SystemExit(AMISS)


if __name__ == "__main__":
    demo()
