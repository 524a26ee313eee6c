"""Answers made to break whoever reads them: each is an object or one of our errors, short and fit to be shown."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firebreak.core.errors import FirebreakError, KubernetesError, Retriable
from firebreak.core.kubernetes import items
from tests.adapters.test_kubernetes import NODE, Scripted, client, http
from tests.hostile import HIDDEN, require_fit
from tests.wire.anything import ANYTHING

LONGEST = 600
"""Characters of an error: what was asked, code, reason, what the server says, and where the audit log has it."""

OBJECTS = st.dictionaries(
    st.sampled_from(["kind", "reason", "message", "details", "status", "metadata", "items"]), ANYTHING, max_size=5
)


def outcome(status: int, body: Any, media: str = "application/json") -> Any:
    """Return what a call gives, or the error it raises, whose text has to be fit for a log, a table and a person."""
    try:
        answer = client(Scripted(*(http(status, body, media) for _ in range(2)))).call("GET", NODE)
    except FirebreakError as error:
        require_fit(str(error), LONGEST)
        return error
    assert isinstance(answer, dict)
    return answer


@pytest.mark.parametrize("status", [200, 400, 404, 409, 422, 500])
@pytest.mark.parametrize(
    "body",
    [
        "[" * 10_000,
        "[" * 10_000 + "]" * 10_000,
        '{"a":' * 10_000 + "1" + "}" * 10_000,
        '{"kind":"Status","message":' + "[" * 10_000 + "]" * 10_000 + "}",
        '{"a":' + "9" * 5_000 + "}",
        '{"a":"\x00"}',
        "",
        b"\xff\xfe",
        b"\xed\xa0\x80",
    ],
)
def test_what_cannot_be_parsed_has_an_unknown_outcome(status: int, body: Any) -> None:
    assert type(outcome(status, body)) is Retriable


def test_no_depth_around_what_the_parser_takes_breaks_the_error() -> None:
    limit = sys.getrecursionlimit()
    for depth in range(limit - 60, limit + 5):
        nested = "[" * depth + "]" * depth
        outcome(200, nested)
        outcome(400, '{"kind":"Status","message":' + nested + "}")
        outcome(409, '{"kind":"Status","reason":' + nested + "}")
        outcome(422, '{"kind":"Status","details":{"causes":[{"field":' + nested + "}]}}")


@pytest.mark.parametrize("body", ["[]", "null", "true", "5", '"text"', "NaN", "-Infinity", "[{}]"])
def test_a_success_that_is_no_object_may_have_been_carried_out(body: str) -> None:
    assert type(outcome(200, body)) is Retriable


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 422, 429, 500, 503])
@pytest.mark.parametrize("member", ["message", "reason"])
@pytest.mark.parametrize("text", [HIDDEN, HIDDEN * 100_000, "x" * 1_000_000, "\ud800", "\u0301" * 10_000])
def test_what_others_wrote_into_a_refusal_is_shown_short_and_plain(status: int, member: str, text: str) -> None:
    assert isinstance(outcome(status, {"kind": "Status", member: text}), FirebreakError)


def test_a_page_of_something_on_the_way_is_shown_short_and_plain() -> None:
    for text in (HIDDEN.encode("utf-8", "replace").decode(), "\x1b[31m" * 10_000, "\u202e" * 10_000):
        assert isinstance(outcome(502, text, "text/html"), FirebreakError)


def test_causes_are_few_and_each_is_short() -> None:
    causes = [{"reason": "x" * 1_000 + HIDDEN, "field": HIDDEN + "y" * 1_000}] * 1_000
    refused = outcome(409, {"kind": "Status", "details": {"causes": causes}})
    assert isinstance(refused, KubernetesError)
    assert len(refused.causes) <= 100
    assert all(len(text) <= 300 and text.isprintable() for cause in refused.causes for text in cause)


def test_of_a_key_that_is_there_twice_the_last_one_counts() -> None:
    assert outcome(200, '{"kind": "Node", "kind": "Pod"}') == {"kind": "Pod"}


@settings(max_examples=60)
@given(st.sampled_from([200, 201, 400, 403, 404, 409, 410, 422, 429, 500, 503]), OBJECTS)
def test_any_object_is_an_answer_or_one_of_our_errors(status: int, body: Any) -> None:
    outcome(status, _text(body))


@settings(max_examples=50)
@given(OBJECTS)
def test_any_object_read_as_a_list_gives_its_objects_or_one_of_our_errors(body: Any) -> None:
    answers = [http(200, _text(body)), http(200, {})]
    try:
        found = list(items(client(Scripted(*answers)), "/api/v1/pods"))
    except FirebreakError as error:
        require_fit(str(error), LONGEST)
    else:
        assert found == (json.loads(_text(body)).get("items") or [])


def _text(body: Any) -> str:
    """A body as a server could send it: integers of hundreds of digits, NaN and halves of surrogate pairs included."""
    return json.dumps(body)
