"""How commands print: JSON for machines; for people lines and tables, in colour on a terminal only.

What others wrote (titles, rule names, messages) is shown as one line of plain text, never interpreted.
"""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import click

from firebreak.core.display import clean

WIDTH = 100
"""Columns where the output is no terminal; on a terminal no table is wider than this either."""

COLOURS = {
    "red": ("critical", "failed", "undo_failed", "denied", "halted", "refuse", "broken", "missing", "unread"),
    "yellow": ("high", "acting", "asking", "running", "applied", "undoing", "open", "pending", "stale", "expired"),
    "green": ("contained", "eradicated", "verified", "approved", "redeemed", "chosen", "undone", "holds"),
    "bright_black": ("closed", "merged", "released", "gone", "unneeded", "observed", "no match", "outranked"),
}
"""Colours of words that say how things stand."""

_COLOUR = {word: colour for colour, words in COLOURS.items() for word in words}


def print_json(value: Any) -> None:
    """Print one line of JSON, in ASCII, so that no terminal and no encoding changes it."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=True)
    click.echo(text.replace("\x7f", "\\u007f"))  # the one control character that JSON leaves as it is


def line(text: str = "", **style: Any) -> None:
    """Print a line; on a terminal that is too narrow for it, at its words and under its own indent."""
    for part in _fitted(text):
        click.echo(click.style(part, **style) if style else part)


def _fitted(text: str) -> list[str]:
    columns = shutil.get_terminal_size().columns
    if not sys.stdout.isatty() or len(click.unstyle(text)) <= columns:
        return [text]
    indent = " " * (len(text) - len(text.lstrip()) + 2)
    return textwrap.wrap(text, columns, subsequent_indent=indent, drop_whitespace=True)


def heading(text: str) -> None:
    """Print the title of a section."""
    click.echo()
    click.echo(click.style(text, bold=True))


def word(text: str) -> str:
    """Return a word that says how things stand, in its colour."""
    return click.style(text, fg=_COLOUR.get(text))


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, wide: str | None = None) -> None:
    """Print a table.

    Args:
        columns: their titles.
        rows: the cells, each one line, or a tuple of lines.
        wide: the title of the column that takes the room that is left, and wraps; the last one unless given.
    """
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415 - half of what starting this command would take
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    terminal = Console(file=sys.stdout)
    width = min(WIDTH, terminal.width) if terminal.is_terminal else WIDTH
    console = Console(file=sys.stdout, width=width, highlight=False)
    shown = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    for column in columns:
        shown.add_column(column, overflow="fold", no_wrap=column != (wide or columns[-1]))
    for row in rows:
        lines = [cell if isinstance(cell, tuple) else (cell,) for cell in row]
        cells = ["\n".join(clean(part, 1_000) for part in parts) for parts in lines]
        shown.add_row(*(Text(cell, style=_COLOUR.get(cell, "")) for cell in cells))
    console.print(shown)


def prose(text: str) -> None:
    """Print paragraphs of our own words, wrapped; lists of terms keep their lines."""
    click.echo(click.wrap_text(text, width=WIDTH, preserve_paragraphs=True))


def moment(at: datetime | None) -> str:
    """Return a moment as people read it, in UTC."""
    return "" if at is None else f"{at:%Y-%m-%d %H:%M}"


def span(length: timedelta) -> str:
    """Return how long something is, in its largest unit."""
    seconds = int(length.total_seconds())
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{max(seconds, 0)} s"


def confirmed(question: str, yes: bool) -> bool:
    """Ask a person; True where `yes` was given. Without a terminal nobody can be asked, which is a no."""
    if yes:
        return True
    if not sys.stdin.isatty():
        raise click.UsageError("nobody can be asked here; give --yes")
    return click.confirm(question)
