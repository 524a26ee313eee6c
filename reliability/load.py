"""`python -m reliability.load`: play the load cases and print what they counted.

Exit codes: 0 every count is right, 1 one of them is not.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any, ClassVar, Protocol

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from reliability.contention import contention
from reliability.lanes import deaths, poison, redriven, replayed
from reliability.run import blueprint, config
from reliability.storm import storm

ALERTS, KEYS = 100_000, 1_000


class Counts(Protocol):
    """What a case has counted."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def right(self) -> bool:
        """Whether the counts are what they have to be."""


Cases = dict[str, Callable[[], Counts]]


def cases(folder: str, alerts: int, keys: int) -> Cases:
    """Return every case by what it is about.

    Args:
        folder: of the settings, see `reliability.run.config`.
        alerts: how many a storm has.
        keys: how many the threads contend for.
    """
    return {
        "threads that want the same": lambda: contention(keys),
        "a storm of alerts": lambda: storm(folder, alerts),
        "a poison message": lambda: poison(folder),
        "a consumer that dies": lambda: deaths(folder),
        "dead letters redriven": lambda: redriven(folder),
        "the archive replayed": lambda: replayed(folder),
    }


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
@click.option("--alerts", default=ALERTS, show_default=True, type=click.IntRange(1), help="Alerts in the storm.")
@click.option("--keys", default=KEYS, show_default=True, type=click.IntRange(1), help="Keys to contend for.")
def main(as_json: bool, alerts: int, keys: int) -> None:
    """Put load on the pipeline and count what becomes of it."""
    console, begun = Console(), time.monotonic()
    blueprint()  # synthesized before anything is counted
    with config() as folder:
        counted = dict(_counted(cases(folder, alerts, keys), Console(stderr=True)))
    if as_json:
        said = {name: {"right": each.right, "counts": asdict(each)} for name, each in counted.items()}
        click.echo(json.dumps(said, indent=2))
    else:
        show(counted, console)
        console.print(f"{time.monotonic() - begun:.0f} s")
    sys.exit(0 if all(each.right for each in counted.values()) else 1)


def _counted(cases: Cases, console: Console) -> Iterator[tuple[str, Counts]]:
    for name, play in cases.items():
        with console.status(name):
            yield name, play()


def show(counted: dict[str, Counts], console: Console) -> None:
    """Print the counts, a case a row."""
    table = Table("case", "counted", "", box=None, pad_edge=False)
    for name, counts in counted.items():
        said = ", ".join(f"{what.replace('_', ' ')} {_said(value)}" for what, value in asdict(counts).items())
        table.add_row(
            name, escape(said), "right" if counts.right else "wrong", style="green" if counts.right else "red"
        )
    console.print(table)


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else f"{value:g}" if isinstance(value, float) else repr(value)


if __name__ == "__main__":
    main()
