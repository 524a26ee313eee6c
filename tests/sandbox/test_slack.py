"""The stand-in for Slack: strict where Slack is, and a page that interprets nothing."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qs

import pytest
import urllib3

from firebreak.core.slack_message import message
from firebreak.core.slack_request import click, verified_body
from sandbox.clock import Clock
from sandbox.server import Server
from sandbox.slack import PAGE, Slack, Workspace, over_http
from tests.approvals import ANA, APP, BOT_TOKEN, CHANNEL, SECRET, TEAM, question
from tests.world import START


@pytest.fixture
def delivered() -> list[tuple[bytes, Any]]:
    return []


@pytest.fixture
def slack(delivered: list[tuple[bytes, Any]]) -> Slack:
    def deliver(body: bytes, headers: Any) -> tuple[int, str]:
        delivered.append((body, headers))
        return 403, json.dumps({"message": "not you"})

    return Slack(Workspace(TEAM, APP, CHANNEL, BOT_TOKEN, SECRET, {ANA: "Ana"}), Clock(START), deliver)


@pytest.fixture
def server(slack: Slack) -> Any:
    server = Server(slack)
    yield server
    server.stop()


def call(server: Any, method: str, path: str, **arguments: Any) -> urllib3.BaseHTTPResponse:
    return urllib3.request(method, server.url + path, retries=False, **arguments)


def post(server: Any, content: Any, token: str = BOT_TOKEN) -> Any:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    body = json.dumps({"channel": CHANNEL, **content}).encode()
    return call(server, "POST", "/api/chat.postMessage", headers=headers, body=body).json()


def test_a_press_is_the_request_that_slack_would_sign(slack: Slack, delivered: list[Any], server: Any) -> None:
    ts = post(server, message(question()))["ts"]
    assert slack.press(ts, "firebreak_approve", ANA)[0] == 403
    ((body, headers),) = delivered
    event = {"headers": headers, "body": body.decode(), "isBase64Encoded": False}
    assert verified_body(event, lambda: (SECRET,), START.timestamp())[0] == body
    pressed = click(body)
    assert (pressed.user, pressed.ts, pressed.choice, pressed.approval) == (ANA, ts, "approve", question().id)
    assert list(parse_qs(body.decode())) == ["payload"]


def test_what_slack_refuses_is_refused(server: Any, slack: Slack) -> None:
    broken = message(question())
    broken["blocks"] *= 13
    assert post(server, broken)["error"] == "invalid_blocks"
    assert post(server, message(question()), token="xoxb-other")["error"] == "invalid_auth"
    assert post(server, {**message(question()), "channel": "C0OTHER"})["error"] == "channel_not_found"
    assert call(server, "POST", "/api/chat.delete", headers={"Authorization": f"Bearer {BOT_TOKEN}"}).json() == {
        "ok": False,
        "error": "unknown_method",
    }
    assert slack.messages == []
    assert post(server, message(question()))["ok"] is True


@pytest.mark.parametrize("path", ["/", "/page.js", "/page.css", "/icon.svg", "/state", "/nothing"])
def test_everything_of_the_page_is_confined_to_itself(server: Any, path: str) -> None:
    told = call(server, "GET", path)
    assert told.status == (404 if path == "/nothing" else 200)
    assert told.headers["Content-Security-Policy"].startswith("default-src 'self';")
    assert told.headers["X-Content-Type-Options"] == "nosniff"


def test_the_page_writes_text_and_never_markup() -> None:
    script = (PAGE / "page.js").read_text()
    assert "textContent" in script
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|\bon[a-z]+\s*=", script)
    page = (PAGE / "index.html").read_text()
    assert not re.search(r"<script>|<style|style=|\son[a-z]+=|https?://", page)


def test_the_page_presses_and_shows_the_answer_to_the_person_alone(server: Any, slack: Slack) -> None:
    ts = post(server, message(question()))["ts"]
    shown = call(server, "GET", "/state").json()
    assert (shown["people"], [each["ts"] for each in shown["messages"]]) == ({ANA: "Ana"}, [ts])
    asked = {"ts": ts, "action_id": "firebreak_deny", "user": ANA}
    headers = {"X-Firebreak-Page": "press", "Content-Type": "application/json"}
    told = call(server, "POST", "/press", headers=headers, body=json.dumps(asked).encode())
    assert told.json() == {"status": 403, "text": '{"message": "not you"}'}
    assert len(slack.pressed) == 1


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Content-Type": "application/json"}, {"action_id": "firebreak_deny", "user": ANA}, 404),
        ({"X-Firebreak-Page": "press", "Host": "evil.example"}, {"action_id": "firebreak_deny", "user": ANA}, 403),
        ({"X-Firebreak-Page": "press"}, {"action_id": "firebreak_deny", "user": ANA}, 404),
        ({"X-Firebreak-Page": "press", "Content-Type": "application/json"}, {"action_id": "other", "user": ANA}, 404),
        ({"X-Firebreak-Page": "press", "Content-Type": "application/json"}, [], 404),
    ],
    ids=["another site", "another name of this machine", "no JSON", "no such button", "no object"],
)
def test_nothing_but_the_page_itself_can_press(
    server: Any, slack: Slack, headers: dict[str, str], body: Any, status: int
) -> None:
    ts = post(server, message(question()))["ts"]
    content = {"ts": ts, **body} if isinstance(body, dict) else body
    assert call(server, "POST", "/press", headers=headers, body=json.dumps(content).encode()).status == status
    assert slack.pressed == []


def test_a_message_that_is_gone_cannot_be_pressed(slack: Slack) -> None:
    with pytest.raises(LookupError):
        slack.press("1.1", "firebreak_approve", ANA)


def test_a_press_goes_over_http_once_and_follows_no_redirect() -> None:
    seen: list[str] = []

    def elsewhere(environ: dict[str, Any], start: Any) -> list[bytes]:
        seen.append(environ["PATH_INFO"])
        environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        start("302 Found", [("Location", "/other"), ("Content-Length", "0")])
        return [b""]

    server = Server(elsewhere)
    try:
        assert over_http(f"{server.url}/slack/interactions")(b"payload=x", {}) == (302, "")
    finally:
        server.stop()
    assert seen == ["/slack/interactions"]


def test_the_folder_redirects_to_its_page() -> None:
    slack = Slack(Workspace(TEAM, APP, CHANNEL, BOT_TOKEN, SECRET, {}), Clock(START), over_http("http://127.0.0.1:9"))
    started: list[Any] = []
    environ = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "/slack", "PATH_INFO": "", "HTTP_HOST": "127.0.0.1"}
    b"".join(slack({**environ, "wsgi.url_scheme": "http"}, lambda *given: started.extend(given)))
    assert started[0].startswith("308")
    assert dict(started[1])["Location"].endswith("/slack/")
