"""The demo: the application and an estate on this machine, and a story that a person can follow."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from firebreak.core.people import ApprovalTimes
from firebreak.entry import logger as functions_logger
from sandbox.demo_person import Answers, Itself, Person, read_on
from sandbox.demo_report import Report
from sandbox.demo_sight import OPERATOR, Sight
from sandbox.demo_stage import Stage
from sandbox.demo_stay import stay
from sandbox.demo_terminal import Terminal
from sandbox.lab import DEPLOYMENT, Lab, lab
from sandbox.synthesis_cache import ROOT, application

BUILD = ROOT / ".build"
LOG = BUILD / "demo.log"
PLAYBOOKS = ROOT / "playbooks"
SETTINGS = DEPLOYMENT.model_copy(update={"approval": ApprovalTimes(expire_after_minutes=5)})
"""The lab's, with the shortest time to answer that there is."""
PATIENCE = 0.25
"""Real seconds that waits of the pipeline take at most; the clock then goes on to their end."""


@dataclass(frozen=True)
class Options:
    """How to play.

    Attributes:
        itself: whether the demo answers questions by itself.
        wait: seconds that a person has to answer.
        pace: seconds that a person has to read each scene.
        stay: the folder in which other commands find the sandbox, which stays; None where it ends with the story.
        as_json: whether the report goes to standard output.
    """

    itself: bool
    wait: float
    pace: float
    stay: Path | None = None
    as_json: bool = False


def play(options: Options, console: Console, begun: float, scenes: Callable[[Stage], None]) -> Report:
    """Stand everything up, play scenes, and return what came of it.

    Args:
        options: how.
        console: where it is shown.
        begun: when the command began, by `time.monotonic`.
        scenes: plays on the stage.
    """
    terminal = Terminal(console)
    terminal.head(
        "Firebreak answers threats in an AWS estate by itself. This is all of it, on this machine.",
        "The stacks are the ones that are deployed; AWS, Kubernetes and Slack are stand-ins on loopback.",
    )
    with functions_log(LOG):
        with terminal.busy("the application's stacks"):
            made, kept = application(SETTINGS, PLAYBOOKS)
        with (
            terminal.standing("an estate to defend, and Firebreak in it") as standing,
            lab(made, deployment=SETTINGS, wall=True, patience=PATIENCE) as running,
        ):
            standing()
            return _play(options, terminal, begun, kept, running, scenes)


def _play(
    options: Options, terminal: Terminal, begun: float, kept: bool, running: Lab, scenes: Callable[[Stage], None]
) -> Report:
    page = f"{running.sandbox.url}/slack/"
    terminal.console.print(
        Text.assemble("Slack's stand-in:  ", (page, "bold underline")), highlight=False, soft_wrap=True
    )
    sight = Sight(running)
    stage = Stage(sight, terminal, _answers(options, terminal, running, page), lambda: _pause(options, terminal))
    scenes(stage)
    report = Report(
        ok=bool(stage.checks) and all(check.ok for check in stage.checks),
        checks=tuple(stage.checks),
        incidents=stage.ended(),
        seconds_to_first_containment=None if stage.contained is None else round(stage.contained - begun, 2),
        seconds=round(time.monotonic() - begun, 2),
        synthesis_kept=kept,
        log=str(LOG),
    )
    terminal.close(report)
    if options.as_json:
        click.echo(report.model_dump_json(indent=1))
    if options.stay is not None:
        stay(sight, terminal, options.stay)
    return report


def _pause(options: Options, terminal: Terminal) -> None:
    if not options.itself and options.pace:
        terminal.prompt(Text(f"Enter goes on, or {options.pace:g} s.", "dim"))
        read_on(options.pace)


def _answers(options: Options, terminal: Terminal, running: Lab, page: str) -> Answers:
    if options.itself:
        return Itself(running.slack)

    def ask(first: str) -> None:
        terminal.prompt(
            Text.assemble(
                (f"{first}. " if first else "", "red"),
                ("Your answer?  ", "bold yellow"),
                ("Enter", "bold"),
                f" approves as {OPERATOR}, ",
                ("d Enter", "bold"),
                " denies, or press the button on ",
                (page, "underline"),
                f". No answer within {options.wait:g} s is a no.",
            )
        )

    def nobody() -> None:
        running.sandbox.clock.drift(SETTINGS.approval.expire_after_minutes * 60 + 60)

    return Person(running.slack, ask, options.wait, nobody)


@contextmanager
def functions_log(path: Path) -> Iterator[None]:
    """Have what the functions and the sandbox log in a file, and not on the terminal."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        ours = logging.StreamHandler(file)
        defects = logging.getLogger("sandbox")
        defects.addHandler(ours)
        writers = [
            handler
            for handler in logging.getLogger(functions_logger.name).handlers
            if isinstance(handler, logging.StreamHandler)
        ]
        before = [(handler, handler.setStream(file)) for handler in writers]
        try:
            yield
        finally:
            defects.removeHandler(ours)
            for handler, stream in before:
                handler.setStream(stream)
