"""`python -m benchmarks [--quick] [--json]`: measure, print the table, and write it into the page."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import asdict
from itertools import chain
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks import calls, package, page, start, storms
from benchmarks.figure import Figure
from firebreak.operator_files import load_playbooks
from sandbox.lab import DEPLOYMENT
from stacks.asset import assemble

ROOT = Path(__file__).parent.parent


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--quick", is_flag=True, help="Fewer runs and a storm of 2,000 alerts: to try the benchmarks; writes no page."
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON and nothing else.")
def main(quick: bool, as_json: bool) -> None:
    """Measure Firebreak and write docs/benchmarks.md. Every figure is a ratio of two things measured in this run."""
    logging.getLogger("firebreak").setLevel(logging.ERROR)
    console = Console(stderr=as_json)
    asset = assemble(DEPLOYMENT, load_playbooks(ROOT / "playbooks"), bundle=False)
    runs, rounds, alerts, findings = (3, 1, 2_000, 100) if quick else (15, 5, 100_000, 1_000)
    total = len(start.HANDLERS) * runs + 2 * rounds + (alerts + 2 * findings) // storms.BATCH
    with Progress(
        TextColumn("measuring"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console, transient=True
    ) as progress:
        task = progress.add_task("measuring", total=total)
        figures = list(_all(asset, runs, rounds, alerts, findings, lambda: progress.advance(task)))
    if as_json:
        click.echo(json.dumps([{**asdict(figure), "value": figure.value} for figure in figures], indent=2))
    else:
        page.show(figures, console)
    if not quick:
        page.write(figures)


def _all(asset: Path, runs: int, rounds: int, alerts: int, findings: int, tick: Callable[[], None]) -> Iterator[Figure]:
    config = asset / "config"
    return chain(
        start.figures(config, runs, tick),
        calls.figures(rounds, tick),
        storms.figures(config, alerts, findings, tick),
        package.figures(asset, runs),
    )


if __name__ == "__main__":
    main()
