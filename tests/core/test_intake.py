"""The way in: any value at all gives findings or one clear error, and never anything else."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from firebreak.core.errors import FindingError, InputError, NotForFirebreak
from firebreak.core.finding import Finding
from firebreak.core.intake import MAX_CHARACTERS, MAX_DEPTH, normalise, require_sound
from firebreak.core.model import canonical
from firebreak.core.registry import sources
from firebreak.core.source import Origin
from firebreak.core.target import KEY_LIMIT
from tests.sources.findings import CASES, HERE, fixture
from tests.wire.anything import ANYTHING, TEXT

EVENTS = [json.loads(path.read_text()) for path in CASES]


def nested(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("event", "says"),
    [
        (None, "null"),
        (True, "true or false"),
        (5, "a number"),
        ("text", "a text"),
        ([], "a list of 0"),
        ([{}], "a list of 1"),
        ({}, "empty"),
        ({"a": nested(10_000)}, "deeper"),
        ({"a": float("nan")}, "number"),
        ({"a": [float("-inf")]}, "number"),
        ({"a": 10**5_000}, "number"),
        ({"a": "\ud800"}, "surrogate"),
        ({"\udfff": 1}, "surrogate"),
        ({"a": "x" * MAX_CHARACTERS}, "characters"),
    ],
)
def test_what_is_no_event_is_refused_clearly(event: Any, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        normalise(event, HERE, sources())
    assert type(caught.value) is InputError


def test_what_is_just_sound_passes() -> None:
    require_sound({"a": nested(MAX_DEPTH - 1)}, "it")
    require_sound({"a": "x" * (MAX_CHARACTERS - 9)}, "it")
    require_sound({"a": "\N{GRINNING FACE}\x00", "b": 10**4_000, "c": -0.0, "": None}, "it")
    with pytest.raises(InputError):
        require_sound({"a": nested(MAX_DEPTH)}, "it")
    with pytest.raises(InputError):
        require_sound({"a": "x" * (MAX_CHARACTERS - 8)}, "it")


@pytest.mark.parametrize(
    ("event", "says"),
    [
        ({"source": "aws.inspector2", "detail-type": "Inspector2 Finding"}, "'aws.inspector2' 'Inspector2 Finding'"),
        ({"source": "aws.s3", "detail-type": "AWS API Call via CloudTrail"}, "'aws.s3' 'AWS API Call via CloudTrail'"),
        ({"AwsAccountId": "111122223333", "ProductArn": "arn"}, "Security Hub finding"),
        ({"class_uid": 2004}, "OCSF"),
        ({"awsAccountId": "111122223333", "findingArn": "arn"}, "Inspector finding"),
        ({"accountId": "1", "resourcesAffected": {}, "type": "Policy:IAMUser/S3BucketPublic"}, "Macie finding"),
        ({"eventSource": "s3.amazonaws.com", "eventName": "GetObject"}, "CloudTrail record"),
        ({"Records": []}, "batch of records"),
        ({"hello": 1, "world": 2}, "members 'hello', 'world'"),
        ({"source": 5, "detail-type": []}, "members 'detail-type', 'source'"),
    ],
)
def test_what_nobody_wants_is_told_by_what_it_looks_like(event: dict[str, Any], says: str) -> None:
    with pytest.raises(NotForFirebreak, match=f"not for Firebreak: .*{re.escape(says)}"):
        normalise(event, HERE, sources())


def test_without_a_source_nothing_is_wanted() -> None:
    with pytest.raises(NotForFirebreak):
        normalise(fixture("guardduty", "instance-dns"), HERE, {})


def attempt(event: Any, origin: Origin = HERE) -> tuple[Finding, ...] | InputError:
    try:
        return normalise(event, origin, sources())
    except InputError as error:
        return error


def settled(outcome: tuple[Finding, ...] | InputError) -> None:
    """Assert that an outcome can be stored and told."""
    if isinstance(outcome, InputError):
        assert 0 < len(str(outcome)) < 2_000
        assert str(outcome).encode()
        return
    assert outcome
    for finding in outcome:
        text = canonical(finding.model_dump(mode="json"))
        assert Finding.model_validate_json(text) == finding
        assert finding.key.encode()
        assert len(f"FINDING#{finding.key}".encode()) <= 1_024  # a sort key of the table
        assert all(len(target.key.encode()) <= KEY_LIMIT for target in finding.targets)
        assert finding.fingerprint
        assert len(text.encode()) < 400_000  # what an item of the table holds


@given(ANYTHING)
@example({"source": "aws.guardduty"})
@example({"detail-type": "GuardDuty Finding"})
def test_any_value_gives_findings_or_an_input_error(value: Any) -> None:
    settled(attempt(value))


WORDS = st.sampled_from(
    [
        "source",
        "detail-type",
        "detail",
        "id",
        "type",
        "severity",
        "accountId",
        "region",
        "resource",
        "service",
        "alert",
        "account",
        "cluster",
        "rule",
        "priority",
        "output_fields",
        "tags",
        "Findings",
        "Type",
        "arn",
    ]
)


@given(st.dictionaries(WORDS, ANYTHING | st.dictionaries(WORDS, ANYTHING), min_size=1))
def test_any_object_of_the_words_we_know_gives_findings_or_an_input_error(value: dict[str, Any]) -> None:
    settled(attempt(value))


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """Return a valid event in which up to three parts anywhere were replaced, taken out, renamed or doubled."""
    event = deepcopy(draw(st.sampled_from(EVENTS)))
    for _ in range(draw(st.integers(1, 3))):
        part: Any = event
        while True:
            places: list[Any] = list(part) if isinstance(part, dict) else list(range(len(part)))
            if not places:
                break
            place = draw(st.sampled_from(places))
            if isinstance(part[place], (dict, list)) and part[place] and draw(st.integers(0, 4)):
                part = part[place]
                continue
            change = draw(st.sampled_from(["replace", "drop", "rename", "wrap", "text"]))
            if change == "replace":
                part[place] = draw(ANYTHING)
            elif change == "drop":
                del part[place]
            elif change == "rename" and isinstance(part, dict):
                part[draw(TEXT)] = part.pop(place)
            elif change == "wrap":
                part[place] = [part[place]]
            else:
                part[place] = repr(part[place])
            break
    return event


@settings(max_examples=400)
@given(mutated(), st.sampled_from([HERE, Origin()]))
def test_an_event_damaged_anywhere_gives_findings_or_an_input_error(event: Any, origin: Origin) -> None:
    settled(attempt(event, origin))


@settings(max_examples=300)
@given(mutated() | ANYTHING)
def test_a_source_asked_directly_raises_nothing_else_either(event: Any) -> None:
    if not isinstance(event, dict):
        return
    for source in sources().values():
        assert source.claims(event) in (True, False)
        with suppress(FindingError, NotForFirebreak):
            assert source.normalise(event, HERE)


def test_no_event_is_claimed_by_two_sources() -> None:
    for event in EVENTS:
        assert sum(source.claims(event) for source in sources().values()) == 1
