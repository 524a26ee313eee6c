"""`firebreak demo`. Nothing heavy is imported before the options are known to be good."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click

from firebreak.cli.exit_codes import AMISS, INTERRUPTED
from firebreak.cli.options import examples, json_option, yes_option

BEGUN = time.monotonic()
PIPED_WIDTH = 100


@click.command(
    epilog=examples(
        "firebreak demo",
        "firebreak demo --yes",
        "firebreak demo --event finding.json --as-estate",
        "firebreak demo --yes --stay",
        "firebreak demo --json | jq .ok",
    )
)
@click.option("--event", metavar="FILE", help="Play the events of a file (JSON or JSON Lines) instead of the story.")
@click.option("--as-estate", is_flag=True, help="With --event: put the estate's account, region and machines in.")
@yes_option
@click.option(
    "--wait", type=click.IntRange(1, 300), default=300, show_default=True, help="Seconds to answer; then it is a no."
)
@click.option(
    "--pace", type=click.IntRange(0, 300), default=15, show_default=True, help="Seconds to read a scene; Enter goes on."
)
@click.option("--stay", is_flag=True, help="Keep the sandbox for other commands (--sandbox) until Ctrl-C.")
@json_option
@click.pass_context
def demo(
    ctx: click.Context, event: str | None, as_estate: bool, yes: bool, wait: int, pace: int, stay: bool, as_json: bool
) -> None:
    """Play a whole story on this machine: findings, evidence, isolation, a question to a person, undo.

    It needs no AWS account and no credentials, and reaches nothing but this machine. On a terminal you are asked, there
    or on the page that stands in for Slack. With --yes, with --json, or without a terminal it answers by itself.

    Exit codes: 0 all was as it should be, 2 the file cannot be used and nothing was started, 6 a check failed,
    130 interrupted.
    """
    if as_estate and event is None:
        raise click.UsageError("--as-estate is about the events of a file; name it by --event.", ctx)
    with _interruptible():
        ctx.exit(_demo(event, as_estate, yes or as_json, wait, pace, stay, as_json))


def _demo(event: str | None, as_estate: bool, yes: bool, wait: int, pace: int, stay: bool, as_json: bool) -> int:
    from rich.console import Console  # noqa: PLC0415  what follows takes a second or two to import

    from sandbox.hermetic import hermetic  # noqa: PLC0415

    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    console = Console(quiet=as_json, width=None if sys.stdout.isatty() else PIPED_WIDTH, highlight=False)
    with hermetic():
        scenes = None
        if event is not None:
            from sandbox.demo_file import FileScenes  # noqa: PLC0415

            scenes = FileScenes.read(event, as_estate)
        from sandbox.demo import LOG, Options, play  # noqa: PLC0415  moto takes a second
        from sandbox.demo_stage import Stuck  # noqa: PLC0415
        from sandbox.demo_story import tell  # noqa: PLC0415

        folder = Path.cwd() if stay else None
        try:
            report = play(Options(yes or not terminal, wait, pace, folder, as_json), console, BEGUN, scenes or tell)
        except Stuck as stuck:
            click.echo(f"firebreak demo: {stuck}: {LOG}", err=True)
            return AMISS
    return 0 if report.ok else AMISS


@contextmanager
def _interruptible() -> Iterator[None]:
    """Have Ctrl-C, and being asked to end, take everything down and say so."""

    def end(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    except KeyboardInterrupt:
        click.echo("\nstopped; nothing is left running", err=True)
        raise SystemExit(INTERRUPTED) from None
    finally:
        signal.signal(signal.SIGTERM, before)


if __name__ == "__main__":
    from firebreak.cli.main import main

    main(["demo", *sys.argv[1:]])
