"""Who answers Firebreak's questions in the demo: a person at the terminal or the page, or the demo itself."""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from firebreak.core.display import clean
from firebreak.core.errors import Refused
from sandbox.lab import PERSON
from sandbox.slack import Slack
from sandbox.slack_channel import Message

WORDS = {"approve": ("", "a", "approve", "y", "yes"), "deny": ("d", "deny", "n", "no")}
LOOK = 0.05
"""Seconds between two looks at what happens."""


class Answers(Protocol):
    """Answers one question."""

    def __call__(self, message: Message, open_: Callable[[], bool]) -> str:
        """Answer a question, or wait until it is answered elsewhere.

        Args:
            message: the question.
            open_: tells what happened meanwhile, and whether the question is still open.

        Returns:
            What was done, for the timeline; "" where somebody answered elsewhere.
        """


def question(slack: Slack) -> Message | None:
    """Return the oldest message that has buttons, or None."""
    return next((message for message in list(slack.messages) if _button(message, "") is not None), None)


def press(slack: Slack, message: Message, choice: str) -> None:
    """Press a button of a message: the signed request goes where Slack would send it.

    Raises:
        Refused: the request was refused.
    """
    button = _button(message, choice)
    if button is None:
        return  # answered meanwhile
    status, text = slack.press(message.ts, button, PERSON)
    if status != 200:
        raise Refused(f"the answer was refused with {status}: {clean(text)}")


def _button(message: Message, choice: str) -> str | None:
    for block in message.blocks:
        if block["type"] == "actions":
            return next((each["action_id"] for each in block["elements"] if choice in each["action_id"]), None)
    return None


@dataclass(frozen=True)
class Itself:
    """The demo presses the button by itself, where nobody sits at a terminal."""

    slack: Slack

    def __call__(self, message: Message, open_: Callable[[], bool]) -> str:
        press(self.slack, message, "approve")
        return "the demo pressed Approve: a signed request, as Slack sends it"


@dataclass(frozen=True)
class Person:
    """Waits for the page, or for the keyboard.

    Args:
        slack: where the question stands.
        ask: shows the prompt, after what has to be said first.
        wait: seconds after which no answer is a no.
        nobody: called then.
    """

    slack: Slack
    ask: Callable[[str], None]
    wait: float
    nobody: Callable[[], None]

    def __call__(self, message: Message, open_: Callable[[], bool]) -> str:
        _forget_what_was_typed()
        self.ask("")
        until, listening = time.monotonic() + self.wait, True
        while open_():
            if time.monotonic() >= until:
                self.nobody()
                return f"nobody answered within {self.wait:g} s: the clock goes on to the question's expiry"
            line = _typed(LOOK) if listening else None
            if line is None:
                if not listening:
                    time.sleep(LOOK)
                continue
            listening = line != ""
            if listening:
                try:
                    return self._answered(message, line.strip().casefold())
                except Refused as refusal:
                    self.ask(str(refusal))
        return ""

    def _answered(self, message: Message, word: str) -> str:
        choice = next((choice for choice, words in WORDS.items() if word in words), None)
        if choice is None:
            raise Refused(f"{clean(word, 40)} is no answer")
        press(self.slack, message, choice)
        return f"{choice}, said at the terminal, by the same signed request as the page's button"


def read_on(seconds: float) -> None:
    """Leave a person time to read; Enter ends it."""
    _forget_what_was_typed()
    _typed(seconds)


def _typed(seconds: float) -> str | None:
    """Return a line that was typed, "" at the end of input, None where nothing came.

    Read past the buffer of `sys.stdin`, in which a second line would be hidden from `select`.
    """
    ready, _, _ = select.select([sys.stdin], [], [], seconds)
    return os.read(sys.stdin.fileno(), 4096).decode(errors="replace") if ready else None


def _forget_what_was_typed() -> None:
    """An Enter from before the question was asked answers nothing."""
    if os.name == "posix" and sys.stdin.isatty():
        import termios  # noqa: PLC0415  not on every system

        termios.tcflush(sys.stdin, termios.TCIFLUSH)
