"""The pattern language, case by case, by property, and against moto's matcher where that one is right."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.events.models import EventPattern

from sandbox.patterns import PatternError, check, matches

CASES: list[tuple[str, Any, Any, bool]] = [
    ("a value", {"a": ["x"]}, {"a": "x"}, True),
    ("another value", {"a": ["x"]}, {"a": "y"}, False),
    ("one of several", {"a": ["x", "y"]}, {"a": "y"}, True),
    ("all fields have to match", {"a": ["x"], "b": ["y"]}, {"a": "x", "b": "z"}, False),
    ("case matters", {"a": ["x"]}, {"a": "X"}, False),
    ("a field that is not there", {"a": ["x"]}, {}, False),
    ("null is a value", {"a": [None]}, {"a": None}, True),
    ("null is not absence", {"a": [None]}, {}, False),
    ("null is not an empty text", {"a": [None]}, {"a": ""}, False),
    ("the empty text", {"a": [""]}, {"a": ""}, True),
    ("1 is not true", {"a": [1]}, {"a": True}, False),
    ("true is not 1", {"a": [True]}, {"a": 1}, False),
    ('1 is not "1"', {"a": [1]}, {"a": "1"}, False),
    ('"1" is not 1', {"a": ["1"]}, {"a": 1}, False),
    ("300 is 300.0", {"a": [300]}, {"a": 300.0}, True),
    ("numeric = is not true", {"a": [{"numeric": ["=", 1]}]}, {"a": True}, False),
    ("prefix", {"a": [{"prefix": "us-"}]}, {"a": "us-east-1"}, True),
    ("prefix of a number", {"a": [{"prefix": "1"}]}, {"a": 12}, False),
    ("the empty prefix takes every text", {"a": [{"prefix": ""}]}, {"a": ""}, True),
    ("prefix without case", {"a": [{"prefix": {"equals-ignore-case": "US-"}}]}, {"a": "us-x"}, True),
    ("suffix", {"a": [{"suffix": ".png"}]}, {"a": "x.png"}, True),
    ("suffix without case", {"a": [{"suffix": {"equals-ignore-case": ".PNG"}}]}, {"a": "x.png"}, True),
    ("equals-ignore-case", {"a": [{"equals-ignore-case": "Alice"}]}, {"a": "aLICE"}, True),
    ("anything-but a value", {"a": [{"anything-but": "x"}]}, {"a": "y"}, True),
    ("anything-but that value", {"a": [{"anything-but": "x"}]}, {"a": "x"}, False),
    ("anything-but needs the field", {"a": [{"anything-but": "x"}]}, {}, False),
    ("anything-but takes null", {"a": [{"anything-but": "x"}]}, {"a": None}, True),
    ("anything-but a list", {"a": [{"anything-but": ["x", "y"]}]}, {"a": "y"}, False),
    ("anything-but numbers", {"a": [{"anything-but": [1, 2]}]}, {"a": 3}, True),
    ("anything-but a prefix", {"a": [{"anything-but": {"prefix": "x"}}]}, {"a": "yx"}, True),
    ("anything-but prefixes", {"a": [{"anything-but": {"prefix": ["x", "y"]}}]}, {"a": "yx"}, False),
    ("anything-but a suffix", {"a": [{"anything-but": {"suffix": ".png"}}]}, {"a": "x.png"}, False),
    ("anything-but without case", {"a": [{"anything-but": {"equals-ignore-case": "X"}}]}, {"a": "x"}, False),
    ("anything-but a wildcard", {"a": [{"anything-but": {"wildcard": "*/lib/*"}}]}, {"a": "a/lib/b"}, False),
    ("anything-but a wildcard, other", {"a": [{"anything-but": {"wildcard": "*/lib/*"}}]}, {"a": "a/b"}, True),
    ("numeric range", {"a": [{"numeric": [">", 0, "<=", 5]}]}, {"a": 5}, True),
    ("numeric range, beyond", {"a": [{"numeric": [">", 0, "<=", 5]}]}, {"a": 0}, False),
    ("numeric of a text", {"a": [{"numeric": [">", 0]}]}, {"a": "5"}, False),
    ("cidr", {"a": [{"cidr": "10.0.0.0/24"}]}, {"a": "10.0.0.255"}, True),
    ("cidr, outside", {"a": [{"cidr": "10.0.0.0/24"}]}, {"a": "10.0.1.1"}, False),
    ("cidr with host bits", {"a": [{"cidr": "10.0.0.1/24"}]}, {"a": "10.0.0.7"}, True),
    ("cidr of v6", {"a": [{"cidr": "2001:db8::/32"}]}, {"a": "2001:db8::1"}, True),
    ("cidr of what is no address", {"a": [{"cidr": "10.0.0.0/24"}]}, {"a": "nowhere"}, False),
    ("cidr of the other family", {"a": [{"cidr": "10.0.0.0/8"}]}, {"a": "2001:db8::1"}, False),
    ("exists", {"a": [{"exists": True}]}, {"a": None}, True),
    ("exists, absent", {"a": [{"exists": True}]}, {"b": 1}, False),
    ("exists false", {"a": [{"exists": False}]}, {"b": 1}, True),
    ("exists false, present", {"a": [{"exists": False}]}, {"a": 1}, False),
    ("exists false of an object, which is no leaf", {"a": [{"exists": False}]}, {"a": {"b": 1}}, True),
    ("exists of an object, which is no leaf", {"a": [{"exists": True}]}, {"a": {"b": 1}}, False),
    ("exists false of an array of objects", {"a": [{"exists": False}]}, {"a": [{"b": 1}]}, True),
    ("exists false of nothing in an array", {"a": [{"exists": False}]}, {"a": [[]]}, True),
    ("exists false, or a value", {"a": [{"exists": False}, "x"]}, {"a": "x"}, True),
    ("exists false below nothing", {"a": {"b": [{"exists": False}]}}, {}, True),
    ("wildcard", {"a": [{"wildcard": "x*z"}]}, {"a": "xyyz"}, True),
    ("wildcard overlap", {"a": [{"wildcard": "ab*ba"}]}, {"a": "aba"}, False),
    ("wildcard escaped", {"a": [{"wildcard": "a\\*b"}]}, {"a": "a*b"}, True),
    ("wildcard escaped, other", {"a": [{"wildcard": "a\\*b"}]}, {"a": "axb"}, False),
    ("wildcard in the middle twice", {"a": [{"wildcard": "*one*two*"}]}, {"a": "x two one two"}, True),
    ("an event's array", {"a": ["x"]}, {"a": ["y", "x"]}, True),
    ("an event's empty array", {"a": ["x"]}, {"a": []}, False),
    ("objects in arrays", {"a": {"b": ["x"]}}, {"a": [{"b": "y"}, {"b": "x"}]}, True),
    ("one object has to have all", {"a": {"b": ["x"], "c": ["z"]}}, {"a": [{"b": "x"}, {"c": "z"}]}, False),
    ("one object has all", {"a": {"b": ["x"], "c": ["z"]}}, {"a": [{"b": "q"}, {"b": "x", "c": "z"}]}, True),
    ("a dotted name is a name", {"a.b": ["x"]}, {"a": {"b": "x"}}, False),
    ("a dotted name", {"a.b": ["x"]}, {"a.b": "x"}, True),
    ("$or", {"$or": [{"a": ["x"]}, {"b": ["y"]}]}, {"b": "y"}, True),
    ("$or, neither", {"$or": [{"a": ["x"]}, {"b": ["y"]}]}, {"b": "x"}, False),
    ("$or below, with neighbours", {"d": {"n": [1], "$or": [{"a": ["x"]}, {"b": [1]}]}}, {"d": {"n": 1, "b": 1}}, True),
    ("$or in an $or", {"$or": [{"a": ["x"]}, {"$or": [{"b": ["y"]}, {"c": ["z"]}]}]}, {"c": "z"}, True),
    ("an object where a value is wanted", {"a": ["x"]}, {"a": {"b": "x"}}, False),
    ("a value where an object is wanted", {"a": {"b": ["x"]}}, {"a": "x"}, False),
]

MOTO_IS_WRONG = {
    "1 is not true",
    "true is not 1",
    "numeric = is not true",
    "cidr with host bits",
    "objects in arrays",
    "one object has all",
    "a dotted name is a name",
    "exists false of an array of objects",
    "exists false of nothing in an array",
}
"""Where moto's matcher is known to differ from the documentation."""


@pytest.mark.parametrize(("pattern", "event", "expected"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_a_pattern_matches_as_documented(pattern: Any, event: Any, expected: bool) -> None:
    assert matches(pattern, event) is expected


_MOTO_UNDERSTANDS = [
    case
    for case in CASES
    if case[0] not in MOTO_IS_WRONG and "ignore-case" not in json.dumps(case[1]) and "v6" not in case[0]
]


def test_moto_agrees_on_all_but_its_known_defects() -> None:
    differing = set()
    for name, pattern, event, expected in _MOTO_UNDERSTANDS:
        try:
            theirs = EventPattern.load(json.dumps(pattern)).matches_event(event)
        except (TypeError, ValueError, AttributeError, KeyError):
            theirs = None
        if theirs is not expected:
            differing.add(name)
    assert differing == set()


@pytest.mark.parametrize("case", [case for case in CASES if case[0] in MOTO_IS_WRONG], ids=lambda case: case[0])
def test_moto_still_has_its_known_defects(case: tuple[str, Any, Any, bool]) -> None:
    _, pattern, event, expected = case
    assert EventPattern.load(json.dumps(pattern)).matches_event(event) is not expected


@pytest.mark.parametrize(
    "pattern",
    [
        {},
        {"a": []},
        {"a": "x"},
        {"a": [["x"]]},
        {"a": [{"no-such": "x"}]},
        {"a": [{"prefix": "x", "suffix": "y"}]},
        {"a": [{"numeric": [">"]}]},
        {"a": [{"numeric": ["~", 1]}]},
        {"a": [{"numeric": [">", True]}]},
        {"a": [{"wildcard": "a**b"}]},
        {"a": [{"exists": "yes"}]},
        {"a": [{"cidr": "10.0.0.0/33"}]},
        {"a": [{"anything-but": []}]},
        {"a": [{"anything-but": ["x", 1]}]},
        {"a": [{"anything-but": {"numeric": [">", 1]}}]},
        {"a": [{"prefix": 1}]},
        {"$or": [{"a": ["x"]}]},
        {"a": {}},
    ],
)
def test_what_eventbridge_refuses_is_refused(pattern: Any) -> None:
    with pytest.raises(PatternError):
        check(pattern)


LEAVES = st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "x", "X", "xy", "1"])
EVENTS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from("abc"), EVENTS, max_size=3), LEAVES)
def test_exists_splits_every_event_in_two(event: Any, wanted: Any) -> None:
    there = matches({"a": [{"exists": True}]}, event)
    assert there is not matches({"a": [{"exists": False}]}, event)
    if matches({"a": [wanted]}, event):
        assert there


@given(st.dictionaries(st.sampled_from("ab"), LEAVES, max_size=2), st.sampled_from(["x", "X", "", "1"]))
def test_a_text_and_anything_but_it_split_what_exists(event: Any, word: str) -> None:
    same, other = matches({"a": [word]}, event), matches({"a": [{"anything-but": word}]}, event)
    assert (same or other) is ("a" in event)
    assert not (same and other)


@given(st.dictionaries(st.sampled_from("ab"), EVENTS, max_size=2), LEAVES, LEAVES)
def test_or_is_or(event: Any, first: Any, second: Any) -> None:
    one, two = {"a": [first]}, {"b": [second]}
    assert matches({"$or": [one, two]}, event) is (matches(one, event) or matches(two, event))
    assert matches({**one, **two}, event) is (matches(one, event) and matches(two, event))


@given(st.lists(st.text("ab", max_size=3), min_size=1, max_size=4), st.text("ab", max_size=4))
def test_a_wildcard_takes_what_it_was_made_of(parts: list[str], filling: str) -> None:
    pattern = "*".join(part or "a" for part in parts)
    assert matches({"a": [{"wildcard": pattern}]}, {"a": pattern.replace("*", filling)})
