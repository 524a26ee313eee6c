"""What the suites came to: in the terminal and in docs/reliability.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from reliability.coverage import Reached
from reliability.found import Found
from reliability.mutants import MUTANTS
from reliability.suites import Caught

PAGE = Path(__file__).parent.parent / "docs" / "reliability.md"
ALLOWED = 10 * 60 / 240
"""Seconds of CPU that may be spent for each call."""

BEGIN, END = "<!-- played -->", "<!-- end of played -->"


@dataclass(frozen=True)
class Result:
    """Everything that was played.

    Attributes:
        suites: what each found.
        caught: how each mutant was caught; None where none of the suites saw it.
        reached: which calls of the pipeline's code they came to.
        calls: that all stories and shapes make in calm.
        cpu, wall: seconds.
    """

    suites: tuple[Found, ...]
    caught: Mapping[str, Caught | None]
    reached: Reached
    calls: int
    cpu: float
    wall: float

    @property
    def clean(self) -> bool:
        """Whether every invariant held, every mutant was caught, and every call of the code was made."""
        held = not any(suite.violations for suite in self.suites)
        return held and all(self.caught.values()) and not self.reached.missed

    @property
    def frugal(self) -> bool:
        """Whether it took no more CPU than may be spent."""
        return self.cpu <= self.calls * ALLOWED


def show(result: Result, console: Console) -> None:
    """Print it."""
    table = Table("suite", "runs", "faults", "call sites", "CPU min", "violations", box=None, pad_edge=False)
    for suite in result.suites:
        style = "red" if suite.violations else "green"
        count = len(suite.violations) + suite.more
        table.add_row(
            *(suite.suite, f"{suite.runs:,}", f"{suite.struck:,}", str(len(suite.sites))),
            *(f"{suite.cpu / 60:.1f}", str(count)),
            style=style,
        )
    console.print(table)
    for suite in result.suites:
        for violation, plan in suite.violations:
            console.print(f"{violation}\n  make replay PLAN='{plan}'", style="red", markup=False, soft_wrap=True)
    for name, caught in result.caught.items():
        if caught is None:
            console.print(f"mutant {name}: {MUTANTS[name].what}, and no suite noticed", style="red", markup=False)
    for site in result.reached.missed:
        console.print(f"no run has come to {site}", style="red", markup=False)
    console.print(_reached(result))
    alive = sum(caught is None for caught in result.caught.values())
    console.print(f"mutants caught: {len(result.caught) - alive} of {len(result.caught)}")
    console.print(f"{_spent(result)} {result.wall:.0f} s by the clock.", style="" if result.frugal else "red")


def rows(result: Result) -> Iterator[str]:
    """Yield the lines of the page between its marks."""
    yield "| Suite | Runs | Faults that struck | Call sites | CPU minutes | Violations |"
    yield "|---|---|---|---|---|---|"
    for suite in result.suites:
        count = len(suite.violations) + suite.more
        took = f"{suite.cpu / 60:.1f}"
        yield f"| {suite.suite} | {suite.runs:,} | {suite.struck:,} | {len(suite.sites)} | {took} | {count} |"
    yield ""
    yield "| Mutant: what it does wrong | Caught by | After runs |"
    yield "|---|---|---|"
    for name, caught in result.caught.items():
        shown = f"{caught.violation.split()[0]} | {caught.runs:,}" if caught else "nothing | "
        yield f"| {name}: {MUTANTS[name].what} | {shown} |"
    yield ""
    yield _reached(result)
    yield ""
    yield _spent(result)


def _reached(result: Result) -> str:
    every, missed = len(result.reached.sites), len(result.reached.missed)
    return f"{every - missed} of {every} places in the code that call out were played."


def _spent(result: Result) -> str:
    told = f"{result.calls:,} calls in stories and shapes"
    spent, allowed = result.cpu / 60, result.calls * ALLOWED / 60
    return f"{told}; {spent:.1f} minutes of CPU, of {allowed:.0f} that may be spent."


def write(result: Result, page: Path = PAGE) -> None:
    """Put it into the page, between its two marks.

    Raises:
        ValueError: the page has no marks.
    """
    text = page.read_text(encoding="utf-8")
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page.name}: the marks {BEGIN} and {END} are missing")
    body = "\n".join(rows(result))
    page.write_text(f"{head}{BEGIN}\n\n{body}\n\n{END}{tail}", encoding="utf-8")
