"""Answers by the API's door under IAM: signed, bound to the plan that was shown, and each refusal understood."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from botocore.credentials import Credentials

from firebreak.adapters.approval_api import ApprovalApi
from firebreak.core.errors import AwsError, Denied, FirebreakError, InputError, Refused, Retriable

CREDENTIALS = Credentials("AKIAIOSFODNN7EXAMPLE", "secret", "a-session")
APPROVAL, DIGEST = "0" * 32, "d" * 64


@dataclass
class Door:
    """The API, as far as it matters here."""

    url: str = ""
    status: int = 200
    body: str = ""
    requests: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)


@pytest.fixture
def door() -> Iterator[Door]:
    state = Door()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.requests.append((self.path, dict(self.headers), json.loads(body)))
            self.send_response(state.status)
            self.send_header("Content-Length", str(len(state.body)))
            self.end_headers()
            self.wfile.write(state.body.encode())

        def log_message(self, format: str, *arguments: Any) -> None:
            """Keep the test's output clean."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


def vote(door: Door, credentials: Any = CREDENTIALS) -> None:
    ApprovalApi(credentials, "eu-west-1", f"{door.url}/").vote(APPROVAL, "deny", DIGEST, "a honeypot")


def test_an_answer_is_signed_for_the_api_and_bound_to_the_plan(door: Door) -> None:
    vote(door)
    ((path, headers, body),) = door.requests
    assert path == f"/approvals/{APPROVAL}"
    assert body == {"decision": "deny", "digest": DIGEST, "reason": "a honeypot"}
    scope = headers["Authorization"].partition("Credential=")[2].partition(",")[0].split("/")
    assert (scope[0], scope[2:]) == ("AKIAIOSFODNN7EXAMPLE", ["eu-west-1", "execute-api", "aws4_request"])
    assert headers["X-Amz-Security-Token"] == "a-session"


@pytest.mark.parametrize(
    ("status", "body", "error", "said"),
    [
        (403, '{"message":"Forbidden"}', Denied, "execute-api:Invoke"),
        (403, '{"message":"This cannot be answered by you."}', Refused, "by you"),
        (400, '{"message":"This request cannot be understood."}', InputError, "understood"),
        (404, '{"message":"Not Found"}', AwsError, "Not Found"),
        (429, '{"message":"Too Many Requests"}', Retriable, "try again"),
        (500, "<html>", Retriable, "nothing was decided"),
        (503, "[]", Retriable, "nothing was decided"),
        (503, "[" * 10_000, Retriable, "nothing was decided"),
    ],
)
def test_each_refusal_is_told_apart(door: Door, status: int, body: str, error: type[FirebreakError], said: str) -> None:
    door.status, door.body = status, body
    with pytest.raises(error, match=said) as raised:
        vote(door)
    assert type(raised.value) is error


def test_without_credentials_nothing_is_sent(door: Door) -> None:
    with pytest.raises(Denied, match="no AWS credentials"):
        vote(door, None)
    assert door.requests == []


def test_a_door_that_is_shut_is_told(door: Door) -> None:
    with pytest.raises(Retriable, match="POST /approvals"):
        ApprovalApi(CREDENTIALS, "eu-west-1", "http://127.0.0.1:9").vote(APPROVAL, "approve", DIGEST, "")
