"""The results as a table: in the terminal and in docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.figure import Figure

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
BEGIN, END = "<!-- measured -->", "<!-- end of measured -->"


def show(figures: Sequence[Figure], console: Console) -> None:
    """Print the figures."""
    table = Table("figure", "over", "ratio", "spread", "aim", "in units", box=None, pad_edge=False)
    for figure in figures:
        aim = "" if figure.aim is None else f"{figure.aim:g}"
        style = "red" if figure.missed else ""
        table.add_row(figure.name, figure.over, f"{figure.value:.2f}", figure.spread, aim, figure.detail, style=style)
    console.print(table)


def rows(figures: Sequence[Figure]) -> str:
    """Return the figures as a Markdown table."""
    lines = ["| Figure | Over | Ratio | Spread | Aim | In units |", "|---|---|---|---|---|---|"]
    for figure in figures:
        aim = "" if figure.aim is None else f"≤ {figure.aim:g}" + (" (missed)" if figure.missed else "")
        lines.append(
            f"| {figure.name} | {figure.over} | {figure.value:.2f} | {figure.spread} | {aim} | {figure.detail} |"
        )
    return "\n".join(lines)


def write(figures: Sequence[Figure], page: Path = PAGE) -> None:
    """Put the figures into the page, between its two marks.

    Raises:
        ValueError: the page has no marks.
    """
    text = page.read_text(encoding="utf-8")
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page.name}: the marks {BEGIN} and {END} are missing")
    page.write_text(f"{head}{BEGIN}\n\n{rows(figures)}\n\n{END}{tail}", encoding="utf-8")
