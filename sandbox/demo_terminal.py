"""The demo in the terminal: scenes, a live timeline, what was read back, the closing table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from sandbox.demo_report import Check, IncidentReport, Report, StepReport
from sandbox.demo_watch import Kind, Moment

LOOKS: dict[Kind, tuple[str, str]] = {
    "arrives": ("arrives", "bold cyan"),
    "incident": ("incident", "bold"),
    "decides": ("decides", "blue"),
    "plans": ("plans", "blue"),
    "asks": ("asks", "bold yellow"),
    "answer": ("answer", "bold yellow"),
    "changes": ("changes", "magenta"),
    "verified": ("verified", "bold green"),
    "settled": ("settled", "yellow"),
    "possible": ("residual", "yellow"),
    "told": ("tells", "cyan"),
    "status": ("incident", "bold"),
    "ends": ("ends", "dim"),
}
MARK = {"verified": ("✓", "green"), "undone": ("↶", "green"), "failed": ("✗", "bold red")}
TIMES = 9
WORDS = 10


@dataclass
class Terminal:
    """Prints to one console.

    Attributes:
        begun: when the scene's event arrived, by the sandbox's clock; times are given from then on.
    """

    console: Console
    begun: datetime | None = None

    @contextmanager
    def busy(self, words: str) -> Iterator[None]:
        """Show that something takes a moment, and say afterwards how long it took."""
        start = monotonic()
        with self.console.status(f"{words} …"):
            yield
        self._ready(words, start)

    @contextmanager
    def standing(self, words: str) -> Iterator[Callable[[], None]]:
        """Show that something is being stood up until the function is called; what stands is used within."""
        start, status = monotonic(), self.console.status(f"{words} …")
        status.start()

        def ready() -> None:
            status.stop()
            self._ready(words, start)

        try:
            yield ready
        finally:
            status.stop()

    def _ready(self, words: str, start: float) -> None:
        self._line(Text(f"{monotonic() - start:.1f} s", "dim"), Text("ready", "dim"), Text(words, "dim"))

    def head(self, words: str, *lines: str) -> None:
        """Print the title."""
        self.console.print(Text(words, "bold"), highlight=False)
        for line in lines:
            self.console.print(Text(line, "dim"), highlight=False)

    def scene(self, number: int, title: str, words: str) -> None:
        """Begin a scene."""
        self.begun = None
        self.console.print()
        self.console.print(
            Rule(Text.assemble((f"{number}  ", "bold cyan"), (title, "bold")), align="left", style="dim")
        )
        if words:
            self.console.print(Padding(Text(words, "italic dim"), (0, 0, 0, 2)))

    def moment(self, moment: Moment) -> None:
        """Print one thing that happened."""
        word, style = LOOKS[moment.kind]
        since = "" if self.begun is None else f"+{max(0.0, (moment.at - self.begun).total_seconds()):.2f} s"
        look = "bold red" if moment.bad else style
        self._line(Text(since, "dim"), Text(word, look), Text(moment.words, "red" if moment.bad else ""))

    def check(self, check: Check) -> None:
        """Print what was read back."""
        sign = Text("✓" if check.ok else "✗", "bold green" if check.ok else "bold red")
        words = Text.assemble((check.what, "bold" if check.ok else "bold red"), (f"  {check.saw}", "dim"))
        self._line(sign, Text("read back", "bold green" if check.ok else "bold red"), words)

    def prompt(self, words: Text) -> None:
        """Ask the person at the terminal."""
        self.console.print(Padding(words, (0, 0, 0, 2)))

    def close(self, report: Report) -> None:
        """Print the closing table."""
        self.console.print()
        table = Table.grid(padding=(0, 2), expand=False)
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        for incident in report.incidents:
            for label, value in _rows(incident):
                table.add_row(label, value)
            table.add_row("", "")
        if report.incidents:
            self.console.print(Rule(Text("what it came to", "bold"), align="left", style="dim"))
            self.console.print(Padding(table, (0, 0, 0, 1)))
        first = report.seconds_to_first_containment
        failed = sum(not check.ok for check in report.checks)
        verdict = (
            Text(f"Every check holds, {len(report.checks)} of {len(report.checks)}.", "bold green")
            if report.ok
            else Text(
                f"{failed} of {len(report.checks)} checks failed. Logs of the functions: {report.log}", "bold red"
            )
        )
        self.console.print(verdict)
        if first is not None:
            kept = (
                "kept stacks"
                if report.synthesis_kept
                else "stacks synthesized first; from the next run on they are kept"
            )
            self.console.print(
                Text(f"First finding contained {first:.1f} s after the command began ({kept}).", "dim"), highlight=False
            )

    def _line(self, when: Text, word: Text, words: RenderableType) -> None:
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=TIMES, justify="right", no_wrap=True)
        grid.add_column(width=WORDS, no_wrap=True)
        grid.add_column(overflow="fold")
        grid.add_row(when, word, words)
        self.console.print(grid, highlight=False)


def _rows(incident: IncidentReport) -> Iterator[tuple[str, RenderableType]]:
    since = f", then {incident.status_at_end}" if incident.status_at_end != incident.status else ""
    yield (
        "incident",
        Text.assemble((incident.id, "bold"), f"  {incident.title}  ", (f"{incident.status}{since}", "bold green")),
    )
    if not incident.steps:
        yield "steps", Text("none")
    else:
        yield "steps", Group(*map(_step, incident.steps))
        asked = [step for step in incident.steps if step.asked]
        approved = sorted({name for step in asked for name in step.approved_by})
        yield "approved by", Text(", ".join(approved) or ("nobody" if asked else "nobody had to be asked"))
    if incident.seconds_to_contain is not None:
        waited = f", of which {incident.seconds_waited:.1f} s waiting for a person" if incident.seconds_waited else ""
        yield "contained in", Text(f"{incident.seconds_to_contain:.1f} s from event to verified{waited}", "bold")
    manifests = [f"manifest {where.rpartition('/')[2]}" for where in incident.manifests]
    if incident.snapshots or manifests:
        yield "evidence", Group(*map(Text, (*(f"snapshot {name}" for name in incident.snapshots), *manifests)))
    residual = list(dict.fromkeys(line for step in incident.steps for line in step.residual))
    if residual:
        yield "still possible", Group(*(Text(line, "yellow") for line in residual))


def _step(step: StepReport) -> Text:
    sign, style = MARK.get(step.status, ("·", "yellow"))
    took = f"  +{step.seconds:.1f}\N{NO-BREAK SPACE}s" if step.seconds is not None else ""
    since = f", then {step.status_at_end}" if step.status_at_end != step.status else ""
    return Text.assemble(
        (f"{sign} ", style), f"{step.action} on {step.target}: ", (step.status, style), (took, "dim"), (since, "green")
    )
