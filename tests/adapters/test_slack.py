"""Slack's Web API as questions need it, against the stand-in and against raw answers."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any

import pytest
import urllib3
from urllib3.response import HTTPResponse

from firebreak.adapters import slack
from firebreak.core.approval import Post
from firebreak.core.errors import Denied, FirebreakError, Permanent, Retriable, Throttled
from firebreak.core.slack_message import message, retired
from sandbox.clock import Clock
from sandbox.kubernetes_wire import Wire
from sandbox.slack import Fault, Slack, Workspace
from tests.approvals import APP, BOT_TOKEN, CHANNEL, SECRET, TEAM, question
from tests.world import START


def nowhere(body: bytes, headers: Any) -> tuple[int, str]:
    raise AssertionError("nothing is pressed here")


@pytest.fixture
def fake() -> Slack:
    return Slack(Workspace(TEAM, APP, CHANNEL, BOT_TOKEN, SECRET, {}), Clock(START), nowhere)


def board(fake: Slack, token: str = BOT_TOKEN, channel: str = CHANNEL) -> slack.Slack:
    pool: Any = Wire(fake, "/slack")
    return slack.Slack(lambda: token, channel, "http://127.0.0.1/slack/api", pool)


def test_a_message_is_posted_and_replaced(fake: Slack) -> None:
    post = board(fake).post(message(question()))
    assert (post.channel, fake.messages[0].ts) == (CHANNEL, post.ts)
    board(fake).update(post, message(question(status="denied", decider="ana")))
    assert len(fake.messages) == 1
    assert fake.messages[0].edited
    assert "actions" not in [block["type"] for block in fake.messages[0].blocks]


def test_a_posted_message_is_found_by_its_approval_and_no_other_is(fake: Slack) -> None:
    other = board(fake).post(message(question(2)))
    post = board(fake).post(message(question(1)))
    assert board(fake).find(question(1).id, START) == post
    assert board(fake).find(question(2).id, START) == other
    assert board(fake).find(question(3).id, START) is None
    assert board(fake).find(question(1).id, START + timedelta(hours=1)) is None


def test_a_message_is_found_behind_many_others_and_a_retired_one_is_still_there(fake: Slack) -> None:
    post = board(fake).post(message(question(1)))
    for number in range(2, 450):
        board(fake).post(message(question(number)))
    assert board(fake).find(question(1).id, START) == post
    board(fake).update(post, retired())
    assert fake.messages[0].text.startswith("Asked twice")


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault("chat.postMessage", status=429), Throttled),
        (Fault("chat.postMessage", status=500), Retriable),
        (Fault("chat.postMessage", status=302), Retriable),
        (Fault("chat.postMessage", lost=True), Retriable),
        (Fault("chat.postMessage", error="ratelimited"), Throttled),
        (Fault("chat.postMessage", error="internal_error"), Retriable),
        (Fault("chat.postMessage", error="token_revoked"), Denied),
        (Fault("chat.postMessage", error="missing_scope"), Denied),
        (Fault("chat.postMessage", error="is_archived"), Permanent),
    ],
)
def test_every_refusal_and_outage_is_an_error_of_ours(fake: Slack, fault: Fault, kind: type[FirebreakError]) -> None:
    fake.faults.append(fault)
    with pytest.raises(kind) as refusal:
        board(fake).post(message(question()))
    assert type(refusal.value) is kind
    assert BOT_TOKEN not in str(refusal.value)
    assert fake.calls == ["chat.postMessage"]  # nothing is tried again behind the caller's back
    board(fake).post(message(question()))  # the control


def test_a_wrong_token_or_channel_is_told(fake: Slack) -> None:
    with pytest.raises(Denied, match="invalid_auth"):
        board(fake, token="xoxb-other").post(message(question()))
    with pytest.raises(Permanent, match="channel_not_found"):
        board(fake, channel="C0OTHER").post(message(question()))
    with pytest.raises(Permanent, match="message_not_found"):
        board(fake).update(Post(CHANNEL, "1.1"), message(question()))


def test_a_message_that_slack_would_refuse_is_not_sent(fake: Slack) -> None:
    broken = message(question())
    broken["blocks"][0]["text"]["text"] = "x" * 151
    with pytest.raises(Permanent, match=r"blocks\[0\]"):
        board(fake).post(broken)
    assert fake.calls == []


class Answers:
    """A pool that answers everything alike, or fails."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.made: list[dict[str, Any]] = []

    def request(self, method: str, url: str, **arguments: Any) -> HTTPResponse:
        self.made.append({"method": method, "url": url, **arguments})
        if isinstance(self.answer, Exception):
            raise self.answer
        return HTTPResponse(io.BytesIO(self.answer), status=200)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>",
        b"[]",
        b"null",
        b"\xff",
        b"[" * 10_000,
        urllib3.exceptions.TimeoutError(),
        urllib3.exceptions.ProtocolError(),
    ],
)
def test_an_answer_that_is_none_may_have_been_carried_out(answer: Any) -> None:
    pool: Any = Answers(answer)
    with pytest.raises(Retriable, match="may have been carried out"):
        slack.Slack(lambda: BOT_TOKEN, CHANNEL, "https://slack.com/api", pool).post(message(question()))


def test_the_token_follows_no_redirect_and_stays_in_its_header() -> None:
    pool: Any = Answers(json.dumps({"ok": True, "channel": CHANNEL, "ts": "1.1"}).encode())
    slack.Slack(lambda: BOT_TOKEN, CHANNEL, "https://slack.com/api", pool).post(message(question()))
    (made,) = pool.made
    assert (made["method"], made["url"], made["redirect"]) == ("POST", "https://slack.com/api/chat.postMessage", False)
    assert made["headers"]["Authorization"] == f"Bearer {BOT_TOKEN}"
    assert BOT_TOKEN not in made["body"].decode()
