"""Who answers in the demo: Enter, a letter, the page, or nobody in time."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from firebreak.core.errors import Refused
from sandbox.clock import Clock
from sandbox.demo_person import Itself, Person, press, question
from sandbox.lab import PERSON
from sandbox.slack import Slack, Workspace
from sandbox.slack_channel import Message
from tests.world import START

BUTTONS: list[dict[str, Any]] = [
    {
        "type": "actions",
        "elements": [
            {"action_id": "firebreak_approve", "value": "approval"},
            {"action_id": "firebreak_deny", "value": "approval"},
        ],
    }
]


class Desk:
    """A question, whoever is asked, and what they pressed."""

    def __init__(self, keyboard: Callable[[str], None], status: int = 200) -> None:
        self.status = status
        self.pressed: list[str] = []
        self.to_type: list[str] = []
        self.told: list[str] = []
        self.asked = 0
        self.passed = 0
        self.type = keyboard
        self.looks = 0
        self.elsewhere_after = sys.maxsize

        def deliver(body: bytes, headers: Any) -> tuple[int, str]:
            self.pressed.append("approve" if b"firebreak_approve" in body else "deny")
            if self.status == 200:
                self.message.blocks = []
            return self.status, "no"

        workspace = Workspace("T0", "A0", "C0", "token", "secret", {PERSON: "ana"})
        self.slack = Slack(workspace, Clock(START), deliver)
        self.message = Message("C0", "1.0", "Firebreak asks", list(BUTTONS), {})
        self.slack.messages.append(self.message)

    def answer(self, wait: float = 5.0) -> str:
        def ask(first: str) -> None:
            self.asked += 1
            self.told.append(first)
            self.type(self.to_type.pop(0) if self.to_type else "")

        def nobody() -> None:
            self.passed += 1

        return Person(self.slack, ask, wait, nobody)(self.message, self.open)

    def open(self) -> bool:
        self.looks += 1
        if self.looks > self.elsewhere_after:
            self.message.blocks = []
        return question(self.slack) is not None


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    read, write = os.pipe()
    with os.fdopen(read) as keyboard, os.fdopen(write, "w") as hand:
        monkeypatch.setattr(sys, "stdin", keyboard)

        def type_(text: str) -> None:
            hand.write(text)
            hand.flush()

        yield Desk(type_)


@pytest.mark.parametrize("typed", ["\n", "a\n", "Y\n", "approve\n"])
def test_enter_approves_by_the_signed_request(desk: Desk, typed: str) -> None:
    desk.type(typed)
    assert "approve" in desk.answer()
    assert desk.pressed == ["approve"]
    assert len(desk.slack.pressed) == 1


@pytest.mark.parametrize("typed", ["d\n", "N\n", " deny \n"])
def test_a_no_is_a_no(desk: Desk, typed: str) -> None:
    desk.type(typed)
    assert "deny" in desk.answer()
    assert desk.pressed == ["deny"]


def test_anything_else_is_asked_again(desk: Desk) -> None:
    desk.to_type = ["what?\n", "d\n"]
    assert "deny" in desk.answer()
    assert (desk.asked, desk.pressed) == (2, ["deny"])
    assert desk.told == ["", "what? is no answer"]


def test_a_person_whose_answer_is_refused_is_told_and_may_answer_again(desk: Desk) -> None:
    desk.status = 409
    desk.to_type = ["\n"]
    assert "nobody answered" in desk.answer(wait=0.3)
    assert desk.pressed == ["approve"]
    assert desk.told == ["", "the answer was refused with 409: no"]


def test_the_page_answers_too(desk: Desk) -> None:
    desk.elsewhere_after = 3
    assert desk.answer() == ""
    assert (desk.pressed, desk.passed) == ([], 0)


def test_nobody_in_time_is_no_answer_and_presses_nothing(desk: Desk) -> None:
    assert "nobody answered" in desk.answer(wait=0.1)
    assert (desk.pressed, desk.passed) == ([], 1)


def test_the_end_of_input_answers_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with open(os.devnull) as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        desk = Desk(lambda text: None)
        assert "nobody answered" in desk.answer(wait=0.2)
    assert (desk.pressed, desk.passed) == ([], 1)


def test_the_demo_itself_presses_the_button(desk: Desk) -> None:
    assert "signed request" in Itself(desk.slack)(desk.message, desk.open)
    assert desk.pressed == ["approve"]


def test_an_answer_that_is_refused_is_told() -> None:
    desk = Desk(lambda text: None, status=403)
    with pytest.raises(Refused, match="refused with 403"):
        press(desk.slack, desk.message, "approve")


def test_a_question_that_is_answered_meanwhile_is_left_alone(desk: Desk) -> None:
    desk.message.blocks = []
    press(desk.slack, desk.message, "approve")
    assert desk.pressed == []
    assert question(desk.slack) is None
