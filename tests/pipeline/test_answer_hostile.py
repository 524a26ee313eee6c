"""Requests made to break the public door: each is answered, shortly, and leaves behind nothing that cannot be shown."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firebreak.core.approval import Approval, Vote
from firebreak.core.approvers import Approvers
from firebreak.pipeline.answer import MAX_REQUEST, Answer
from firebreak.ports_approval import Cast
from tests.approvals import ANA, DEPLOYMENT, POST, SECRET, action, form, iam_request, payload, question, request
from tests.hostile import HIDDEN, require_fit
from tests.wire.anything import ANYTHING
from tests.world import ACCOUNT, START

ANA_ARN = f"arn:aws:iam::{ACCOUNT}:user/ana"
STORABLE = HIDDEN.encode("utf-8", "replace").decode()


@dataclass
class Box:
    """A ballot that takes every vote and remembers every text that it was to keep."""

    approval: Approval = field(default_factory=lambda: question(post=POST))
    kept: list[str] = field(default_factory=list)

    def get(self, approval: str) -> Approval | None:
        return self.approval if approval == self.approval.id else None

    def cast(self, approval: Approval, vote: Vote, mark: str) -> Cast:
        self.kept += [vote.person, vote.principal, vote.reason, mark]
        return "taken"

    def refuse(self, approval: Approval, principal: str, cause: str, mark: str, now: datetime) -> None:
        self.kept += [principal, cause, mark]


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level("INFO")
    return caplog


def settled(event: Mapping[str, Any], said: pytest.LogCaptureFixture) -> int:
    """Return the status of the answer to a request, having looked at all that it leaves: answer, log, rows."""
    said.clear()
    box = Box()
    approvers = Approvers.read(DEPLOYMENT.model_dump(mode="json"))
    answer = Answer(box, approvers, lambda: (SECRET,), lambda: START).handle(event)
    assert answer["statusCode"] in (200, 400, 401, 403)
    require_fit(answer["body"], 300)
    for record in said.records:
        require_fit(record.getMessage(), 900)
    for text in box.kept:
        require_fit(text, 700)
    return int(answer["statusCode"])


def pressed(text: str) -> dict[str, Any]:
    return request(form(text))


def called(body: str) -> dict[str, Any]:
    return iam_request(ANA_ARN, body)


def test_the_control_is_a_vote(said: pytest.LogCaptureFixture) -> None:
    assert settled(request(form(payload())), said) == 200
    assert settled(iam_request(ANA_ARN, {"decision": "deny", "reason": "no", "digest": "d" * 64}), said) == 200


BROKEN = [
    "[" * 8_000,
    "[" * 8_000 + "]" * 8_000,
    '{"a":' * 3_000 + "1" + "}" * 3_000,
    '{"type":' + "9" * 5_000 + "}",
    '{"type":1e999}',
    "NaN",
    "\x00",
    "\ufeff{}",
    HIDDEN.encode("utf-8", "replace").decode(),
    "",
    "{",
    '"',
]


@pytest.mark.parametrize("text", BROKEN)
def test_what_cannot_be_parsed_is_400_on_both_routes_and_in_either_encoding(
    text: str, said: pytest.LogCaptureFixture
) -> None:
    for event in (pressed(text), called(text)):
        assert settled(event, said) == 400
        encoded = {"body": base64.b64encode(event["body"].encode()).decode(), "isBase64Encoded": True}
        assert settled({**event, **encoded}, said) == 400


def test_no_depth_around_what_the_parser_takes_breaks_the_door(said: pytest.LogCaptureFixture) -> None:
    limit = sys.getrecursionlimit()
    for depth in range(limit - 60, limit + 5):
        nested = "[" * depth + "]" * depth
        for member in ("type", "user"):
            text = json.dumps(payload(**{member: "HERE"})).replace('"HERE"', nested)
            assert settled(pressed(text), said) == 400
        assert settled(pressed(json.dumps(payload(actions=[action(value="HERE")])).replace('"HERE"', nested)), said)
        assert settled(called('{"decision":"approve","digest":' + nested + "}"), said) == 400


@pytest.mark.parametrize("body", ["x" * (MAX_REQUEST + 1), "x" * 10_000_000, "\ud800", None, 5, ["x"], b"{}"])
def test_a_body_too_long_or_none_is_refused_unparsed_on_both_routes(
    body: Any, said: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    if body != "\ud800":

        def never(text: Any) -> None:
            raise AssertionError("parsed")

        monkeypatch.setattr("firebreak.pipeline.answer.json.loads", never)
    assert settled({**request(form(payload())), "body": body}, said) == 401
    assert settled({**called("{}"), "body": body}, said) == 400


@pytest.mark.parametrize("member", ["decision", "digest", "reason"])
@pytest.mark.parametrize("text", [HIDDEN, HIDDEN * 200, "x" * 10_000, "\u0301" * 2_000, "d" * 8 + "\u202e", "d" * 65])
def test_what_a_caller_writes_reaches_log_and_trail_short_and_plain(
    member: str, text: str, said: pytest.LogCaptureFixture
) -> None:
    body = {"decision": "approve", "digest": "d" * 8, "reason": "why", member: text}
    # a reason is a person's own words, and cleaned; the others are words of ours or nothing
    assert settled(iam_request(ANA_ARN, body), said) == (200 if member == "reason" else 400)


@pytest.mark.parametrize("reason", [HIDDEN.replace("[2J", ""), "\u2028".join("\u202e" * 9), "\x00", " \u3164\u200b\t"])
def test_a_denial_without_a_visible_reason_is_none(reason: str, said: pytest.LogCaptureFixture) -> None:
    visible = "\u2028" in reason  # a line end is shown as a mark
    body = {"decision": "deny", "reason": reason}
    assert settled(iam_request(ANA_ARN, body), said) == (200 if visible else 400)


@pytest.mark.parametrize(
    "text", ['{"decision":"deny","decision":"approve"}', '{"decision":"approve","decision":["approve"]}']
)
def test_of_a_key_that_is_there_twice_the_last_one_counts(text: str, said: pytest.LogCaptureFixture) -> None:
    assert settled(called(text), said) == (200 if text.endswith('"approve"}') else 400)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(["decision", "digest", "reason", "x"]), ANYTHING | st.just("approve")))
def test_any_object_of_a_caller_is_answered(said: pytest.LogCaptureFixture, body: Any) -> None:
    settled(called(json.dumps(body)), said)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(payload(), ANYTHING)))
def test_any_signed_payload_is_answered(said: pytest.LogCaptureFixture, odd: Any) -> None:
    settled(request(form(payload(**odd))), said)


PARTS = ["routeKey", "headers", "body", "isBase64Encoded", "pathParameters", "requestContext"]


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from([request(form(payload())), iam_request(ANA_ARN, {"decision": "approve"})]),
    st.dictionaries(st.sampled_from(PARTS), ANYTHING, min_size=1, max_size=3),
)
def test_any_event_is_answered(said: pytest.LogCaptureFixture, good: dict[str, Any], odd: dict[str, Any]) -> None:
    settled({**good, **odd}, said)


@pytest.mark.parametrize("arn", [STORABLE, HIDDEN, "x" * 10_000, ANA_ARN + "\u202e", f"{ANA_ARN}\n{ANA}"])
def test_who_calls_is_logged_short_and_plain_and_is_nobody_of_ours(arn: str, said: pytest.LogCaptureFixture) -> None:
    assert settled(iam_request(arn, {"decision": "approve"}), said) == 403
    assert settled(iam_request(arn, {"decision": "approve"}, approval="f" * 32), said) == 403
