"""Globs: `*`, `?`, and nothing else that means anything."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firebreak.core.glob import any_matches, covers, matches

TEXTS = st.text(alphabet="ab*?[].!&\n", max_size=8)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("Backdoor:EC2/*", "Backdoor:EC2/C&CActivity.B!DNS", True),
        ("Backdoor:EC2/*", "Backdoor:Runtime/C&CActivity.B", False),
        ("*:Runtime/*", "Trojan:Runtime/DropPoint", True),
        ("backdoor:*", "Backdoor:EC2/Spambot", False),
        ("Trojan:EC2/DropPoint", "Trojan:EC2/DropPoint!DNS", False),
        ("Trojan:EC2/DropPoint?DNS", "Trojan:EC2/DropPoint!DNS", True),
        ("a?c", "ac", False),
        ("*", "", True),
        ("?", "", False),
        ("", "", True),
        ("", "a", False),
        ("[ab]", "a", False),
        ("[ab]", "[ab]", True),
        ("[!a]", "b", False),
        ("a.c", "abc", False),
        ("a*c", "a\nc", True),
        ("*a", "aba", True),
        ("*ab", "aab", True),
    ],
)
def test_a_glob_matches_the_whole_text_and_case_counts(pattern: str, text: str, expected: bool) -> None:
    assert matches(pattern, text) is expected


@given(pattern=TEXTS, text=TEXTS)
def test_a_glob_matches_what_the_same_regular_expression_does(pattern: str, text: str) -> None:
    words = {"*": ".*", "?": "."}
    expression = "".join(words.get(letter, re.escape(letter)) for letter in pattern)
    assert matches(pattern, text) is bool(re.fullmatch(expression, text, re.DOTALL))


@given(wide=TEXTS, narrow=TEXTS, text=TEXTS)
def test_a_glob_that_covers_another_matches_all_that_it_does(wide: str, narrow: str, text: str) -> None:
    if covers(wide, narrow) and matches(narrow, text):
        assert matches(wide, text)


@pytest.mark.parametrize(
    ("wide", "narrow", "expected"),
    [
        ("*", "Backdoor:*", True),
        ("Backdoor:*", "Backdoor:EC2/*", True),
        ("Backdoor:EC2/*", "Backdoor:*", False),
        ("?", "*", False),
        ("a*b", "a*c*b", True),
        ("a", "a", True),
        ("a?", "a*", False),
        ("*?", "?", True),
    ],
)
def test_one_glob_covers_another_or_not(wide: str, narrow: str, expected: bool) -> None:
    assert covers(wide, narrow) is expected


def test_a_hostile_glob_takes_bounded_time() -> None:
    # as a regular expression this would try more ways than there are atoms
    assert not matches("*a" * 200 + "b", "a" * 512)


def test_one_fitting_glob_is_enough() -> None:
    assert any_matches(("x*", "*y"), "ay")
    assert not any_matches((), "ay")
