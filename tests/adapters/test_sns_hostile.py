"""Notices made of text that somebody else wrote: within SNS's bounds, line by line, and plain."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firebreak.adapters.sns import MESSAGE_LIMIT, SUBJECT_LIMIT, Topic
from tests.hostile import HIDDEN, require_fit

TEXT = st.lists(st.text(st.characters(codec=None), max_size=20) | st.sampled_from([HIDDEN, "\n", "\r\n", "x" * 3_000]))


class Client:
    """SNS, as far as a notice needs it."""

    def __init__(self) -> None:
        self.published: list[dict[str, Any]] = []

    def publish(self, **arguments: Any) -> None:
        self.published.append(arguments)


def told(subject: str, lines: list[str]) -> None:
    """Tell a notice, and assert that SNS takes it and a person can read it."""
    client = Client()
    Topic(lambda: client, "arn:aws:sns:eu-west-1:111122223333:notices").tell(subject, lines)
    (notice,) = client.published
    # Amazon SNS API Reference, Publish: printable ASCII that begins with a letter, below 100 characters
    assert 0 < len(notice["Subject"]) < SUBJECT_LIMIT
    assert notice["Subject"].isascii()
    assert notice["Subject"].isprintable()
    assert notice["Subject"].startswith("Firebreak: ")
    assert len(notice["Message"].encode()) <= MESSAGE_LIMIT
    require_fit(notice["Message"], MESSAGE_LIMIT, len(lines) + 1)
    assert max(map(len, notice["Message"].split("\n"))) <= 2_000


@settings(max_examples=80)
@given(TEXT.map("".join), st.lists(TEXT.map("".join), max_size=5))
def test_a_notice_of_any_text_is_taken_and_reads_as_it_is_written(subject: str, lines: list[str]) -> None:
    told(subject, lines)


@pytest.mark.parametrize(
    "lines",
    [
        ["x" * 10_000_000],
        ["\u4e16" * 3_000] * 200,
        ["x"] * 200_000,
        [HIDDEN * 10_000],
        ["a\nApproved by ana\r\n\u2028Approved by ben"],
        ["\u0301" * 100_000],
        [""],
        [],
    ],
    ids=[
        "a huge line",
        "wide characters",
        "many lines",
        "hidden ones",
        "posing as lines",
        "marks",
        "an empty one",
        "none",
    ],
)
def test_a_huge_notice_is_cut_and_none_poses_as_several_lines(lines: list[str]) -> None:
    told("x" * 10_000 + HIDDEN, lines)
