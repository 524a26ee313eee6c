"""Every event a source wants is in exactly one lane, odd shapes included."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.events.models import EventPattern

from firebreak.core.finding import Finding
from firebreak.core.lanes import Pattern, bulk_pattern, urgent_pattern
from firebreak.core.model import Json
from firebreak.core.registry import sources
from firebreak.core.source import Origin, Source
from firebreak.sources.falco import Falco
from firebreak.sources.guardduty import GuardDuty
from tests.sources.findings import CASES, changed, fixture

# --- EventBridge's matching by its documentation: leaves of the event, any of them, against any matcher


def leaves(value: Json, path: tuple[str, ...]) -> Iterator[Json]:
    """Return the values at a path; lists on the way are looked into, objects at its end are no leaves."""
    if isinstance(value, list):
        for item in value:
            yield from leaves(item, path)
    elif path:
        if isinstance(value, dict) and path[0] in value:
            yield from leaves(value[path[0]], path[1:])
    elif not isinstance(value, dict):
        yield value


def is_number(value: Json) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def same(value: Json, literal: Json) -> bool:
    return value == literal and isinstance(value, bool) == isinstance(literal, bool)


def matches_leaf(value: Json, matcher: Json) -> bool:
    match matcher:
        case {"prefix": str(prefix)}:
            return isinstance(value, str) and value.startswith(prefix)
        case {"anything-but": {"prefix": str(prefix)}}:
            return not (isinstance(value, str) and value.startswith(prefix))
        case {"anything-but": list(literals)}:
            return not any(same(value, literal) for literal in literals)
        case {"numeric": terms}:
            return is_number(value) and abs(value) <= 5e9 and all(map(compare, [value] * 2, terms[::2], terms[1::2]))
        case dict():
            raise AssertionError(f"this matcher does not know {matcher}")
    return same(value, matcher)


def compare(value: float, operator: str, bound: float) -> bool:
    return {"<": value < bound, "<=": value <= bound, ">": value > bound, ">=": value >= bound}[operator]


def matches(pattern: Pattern, event: Json, path: tuple[str, ...] = ()) -> bool:
    for name, wanted in pattern.items():
        if name == "$or":
            if not any(matches(alternative, event, path) for alternative in wanted):
                return False
        elif isinstance(wanted, dict):
            if not matches(wanted, event, (*path, name)):
                return False
        elif not matches_field(list(leaves(event, (*path, name))), wanted):
            return False
    return True


def matches_field(values: list[Json], wanted: list[Json]) -> bool:
    if {"exists": False} in wanted and not values:
        return True
    others = [matcher for matcher in wanted if matcher != {"exists": False}]
    return any(matches_leaf(value, matcher) for value in values for matcher in others)


def lanes(source: Source, event: Json) -> list[str]:
    """Return the lane of each pattern that an event matches."""
    patterns = [("urgent", each) for each in urgent_pattern(source)] + [("bulk", each) for each in bulk_pattern(source)]
    return [lane for lane, pattern in patterns if matches(pattern, event)]


# --- GuardDuty and Falco

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-5 * 10**9, 5 * 10**9)
    | st.floats(-5e9, 5e9)
    | st.sampled_from(
        [6.999999, 7, 7.0, 7.000001, "7", "9", "8.5", "", "high", "AttackSequence:", "AttackSequence:S3/X"]
    )
    | st.text(max_size=20)
)
ODD = (
    SCALARS
    | st.just([])
    | SCALARS.map(lambda value: [value])
    | st.dictionaries(st.text(max_size=3), SCALARS, max_size=2)
)
TYPES = ODD | st.sampled_from(["Backdoor:EC2/Spambot", "AttackSequence:EKS/CompromisedCluster", "attacksequence:x/y"])


@given(st.fixed_dictionaries({}, optional={"severity": ODD, "type": TYPES, "id": SCALARS}))
def test_every_guardduty_finding_is_in_exactly_one_lane(detail: dict[str, Any]) -> None:
    event = {"source": "aws.guardduty", "detail-type": "GuardDuty Finding", "detail": detail}
    assert len(lanes(GuardDuty(), event)) == 1


@pytest.mark.parametrize(
    ("severity", "kind", "lane"),
    [
        (8, "Backdoor:EC2/C&CActivity.B", "urgent"),
        (7, "Backdoor:EC2/C&CActivity.B", "urgent"),
        (7.0, "x", "urgent"),
        (9.5, ..., "urgent"),
        (6.9, "Backdoor:EC2/C&CActivity.B", "bulk"),
        (2, "AttackSequence:S3/CompromisedData", "urgent"),
        ("9", "AttackSequence:S3/CompromisedData", "urgent"),
        (..., "AttackSequence:S3/CompromisedData", "urgent"),
        ("9", "Backdoor:EC2/C&CActivity.B", "bulk"),
        (None, "x", "bulk"),
        (..., "x", "bulk"),
        (..., ..., "bulk"),
        (True, None, "bulk"),
        ([], [], "bulk"),
        ([8], "x", "urgent"),
        ([3], ["x"], "bulk"),
        ({"value": 9}, "x", "bulk"),
        (3, {"name": "AttackSequence:"}, "bulk"),
        (3, 7, "bulk"),
    ],
)
def test_what_is_urgent(severity: Any, kind: Any, lane: str) -> None:
    event = changed(changed(fixture("guardduty", "instance-dns"), "detail.severity", severity), "detail.type", kind)
    assert lanes(GuardDuty(), event) == [lane]


@given(ODD)
def test_the_bulk_lane_does_not_need_anything_but_to_see_what_is_no_text(kind: Any) -> None:
    # documented for texts and numbers only; what it does with true, null and the like is not
    (pattern,) = bulk_pattern(GuardDuty())
    said = [matcher for matcher in pattern["detail"]["type"] if "anything-but" not in str(matcher)]
    without = changed(pattern, "detail.type", said)
    event = {"source": "aws.guardduty", "detail-type": "GuardDuty Finding", "detail": {"severity": 1, "type": kind}}
    texts = [each for each in leaves(kind, ()) if isinstance(each, str)]
    assert matches(without, event) == (not texts)


def test_a_list_with_both_kinds_is_in_both_lanes_rather_than_in_none() -> None:
    event = changed(fixture("guardduty", "instance-dns"), "detail.severity", [3, 8])
    assert lanes(GuardDuty(), event) == ["urgent", "bulk"]


@given(TYPES)
def test_every_alert_is_urgent_whatever_its_priority(priority: Any) -> None:
    event = changed(fixture("falco", "reverse-shell"), "detail.alert.priority", priority)
    assert lanes(Falco(), event) == ["urgent"]


@pytest.mark.parametrize("source", sources().values(), ids=sources())
def test_no_other_event_is_in_any_lane(source: Source) -> None:
    for event in (
        {},
        {"source": "aws.guardduty", "detail-type": "GuardDuty Runtime Protection Unhealthy", "detail": {"severity": 9}},
        {"source": "someone", "detail-type": "GuardDuty Finding", "detail": {"severity": 9}},
        {"source": "someone", "detail-type": "Falco Alert", "detail": {}},
    ):
        assert lanes(source, event) == []


@pytest.mark.parametrize("source", sources().values(), ids=sources())
def test_patterns_are_as_small_as_a_rule_allows(source: Source) -> None:
    for pattern in urgent_pattern(source) + bulk_pattern(source):
        text = json.dumps(pattern)
        assert len(text) <= 2_048  # the quota of a rule
        EventPattern.load(text)  # also: it is well-formed


def test_moto_sees_the_fixtures_in_the_same_lanes() -> None:
    events = [json.loads(path.read_text()) for path in CASES]
    seen = set()
    for source in sources().values():
        for event in events:
            patterns = urgent_pattern(source) + bulk_pattern(source)
            theirs = [EventPattern.load(json.dumps(each)).matches_event(event) for each in patterns]
            assert theirs == [matches(each, event) for each in patterns]
            seen |= set(lanes(source, event))
    assert seen == {"urgent", "bulk"}


# --- turning patterns round in general


class Made(Source):
    """A source with any pattern."""

    name: ClassVar[str] = "made"
    pattern: ClassVar[dict[str, Json]] = {"source": ["made"]}
    urgent: ClassVar[dict[str, Json] | None] = None

    def claims(self, event: dict[str, Json]) -> bool:
        return False

    def normalise(self, event: dict[str, Json], origin: Origin) -> tuple[Finding, ...]:
        return ()


def made(wanted: dict[str, Json] | None) -> Source:
    class Given(Made):
        urgent = wanted

    return Given()


FIELD = st.sampled_from(["a", "b", "c"])
MATCHERS = (
    st.lists(st.sampled_from(["x", "y", "xy"]), min_size=1, max_size=2)
    | st.sampled_from(["x", ""]).map(lambda prefix: [{"prefix": prefix}])
    | st.tuples(st.sampled_from(["<", "<=", ">", ">="]), st.integers(-2, 2)).map(lambda term: [{"numeric": list(term)}])
)
SIMPLE = st.dictionaries(FIELD, MATCHERS, max_size=2)
WANTED = (
    SIMPLE
    | SIMPLE.map(lambda inner: {"deep": inner})
    | st.lists(SIMPLE, min_size=2, max_size=3).map(lambda alternatives: {"$or": alternatives})
    | st.tuples(SIMPLE, SIMPLE).map(lambda both: {**both[0], "deep": both[1]})
)
PLACED: st.SearchStrategy[Json] = (
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["x", "y", "xy", "z", ""]) | st.just([])
)
OBJECTS = st.dictionaries(FIELD, PLACED, max_size=3)


@given(WANTED, OBJECTS, OBJECTS | PLACED)
def test_the_rest_is_exactly_the_rest(wanted: dict[str, Json], flat: dict[str, Json], deep: Json) -> None:
    source = made(wanted)
    try:
        bulk_pattern(source)
    except ValueError:
        return  # refused, see below; most are not
    assert len(lanes(source, {"source": "made", "deep": deep} | flat)) == 1


def test_all_or_nothing_urgent_leaves_one_lane_empty() -> None:
    assert (urgent_pattern(made({})), bulk_pattern(made({}))) == ((Made.pattern,), ())
    assert (urgent_pattern(made(None)), bulk_pattern(made(None))) == ((), (Made.pattern,))


@pytest.mark.parametrize(
    "wanted",
    [
        {"a": [{"suffix": "x"}]},
        {"a": [{"numeric": [">", 1, "<", 5]}]},
        {"a": [{"prefix": "x"}, {"prefix": "y"}]},
        {"a": [True]},
        {"$or": [{"a": ["x"]}, {"a": [{"prefix": "y"}]}]},
    ],
)
def test_what_cannot_be_turned_round_exactly_is_refused_at_synth(wanted: dict[str, Json]) -> None:
    with pytest.raises(ValueError, match=r"exact opposite|asked about twice"):
        bulk_pattern(made(wanted))
