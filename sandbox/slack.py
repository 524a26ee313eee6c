"""A stand-in for Slack: the Web API methods that Firebreak uses, a page that shows the channel, and signed presses.

Strict where Slack is: what it would refuse is refused here. A press on the page posts the real signed request to
wherever the application's settings say, over whatever `deliver` is, so that the door is tested and not gone around.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlencode

import urllib3
import werkzeug.wrappers

from sandbox.clock import Clock
from sandbox.slack_channel import Channel, Message

PAGE = Path(__file__).parent / "slack_page"
FILES = {
    "/": ("index.html", "text/html"),
    "/page.js": ("page.js", "text/javascript"),
    "/page.css": ("page.css", "text/css"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
POLICY = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
PATIENCE = 10.0  # Slack waits three seconds; a busy laptop gets more
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")

Deliver = Callable[[bytes, Mapping[str, str]], tuple[int, str]]
"""Posts a body with headers to the interactions URL and returns status and text of the answer."""

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def over_http(url: str) -> Deliver:
    """Return what delivers to a URL, as Slack does: no redirects and no second try."""
    pool = urllib3.PoolManager(timeout=PATIENCE, retries=False)

    def deliver(body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
        answer = pool.request("POST", url, body=body, headers=dict(headers), redirect=False)
        return answer.status, answer.data.decode("utf-8", "replace")

    return deliver


@dataclass(frozen=True)
class Workspace:
    """Who and what there is.

    Attributes:
        people: display name by user id, for the page.
    """

    team: str
    app: str
    channel: str
    bot_token: str
    signing_secret: str
    people: Mapping[str, str]


@dataclass(frozen=True)
class Fault:
    """What one call meets.

    Attributes:
        method: "chat.postMessage".
        status: the HTTP status instead of 200.
        error: the error of an answer that is not ok.
        lost: whether the call takes effect and its answer never comes.
    """

    method: str
    status: int = 200
    error: str = ""
    lost: bool = False


@dataclass
class Slack:
    """The WSGI application, to be mounted on a path of its own.

    Attributes:
        calls: the Web API methods called, in order.
        faults: what the next calls meet, each once.
        pressed: requests sent by presses: (body, headers).
    """

    workspace: Workspace
    clock: Clock
    deliver: Deliver
    calls: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    pressed: list[tuple[bytes, dict[str, str]]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._channel = Channel(self.workspace.channel, self.clock)

    @property
    def messages(self) -> list[Message]:
        """What was posted, oldest first."""
        return self._channel.messages

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        request = werkzeug.wrappers.Request(environ)
        if not environ.get("PATH_INFO"):  # the page's own links are relative to the folder
            return werkzeug.wrappers.Response("", 308, {"Location": f"{request.root_path}/"})(environ, start)
        answer = self._api(request) if request.path.startswith("/api/") else self._site(request)
        return answer(environ, start)

    def press(self, ts: str, action_id: str, user: str) -> tuple[int, str]:
        """Press a button of a message as a user, and return how the application answered.

        Raises:
            LookupError: there is no such message or button.
        """
        with self._lock:
            message = self._channel.message(ts)
            button = next((each for each in _buttons(message) if each["action_id"] == action_id), None)
        if message is None or button is None:
            raise LookupError(f"no button {action_id} in message {ts}")
        body, headers = self.signed(self.payload(message, button, user))
        self.pressed.append((body, headers))
        return self.deliver(body, headers)

    def payload(self, message: Message, button: Mapping[str, Any], user: str) -> dict[str, Any]:
        """Return the payload of a press ("block_actions payloads", Slack developer documentation)."""
        return {
            "type": "block_actions",
            "api_app_id": self.workspace.app,
            "team": {"id": self.workspace.team, "domain": "sandbox"},
            "enterprise": None,
            "user": {"id": user, "username": user.lower(), "team_id": self.workspace.team},
            "channel": {"id": message.channel, "name": "firebreak"},
            "container": {"type": "message", "message_ts": message.ts, "channel_id": message.channel},
            "message": {"type": "message", "ts": message.ts, "text": message.text},
            "trigger_id": "1.1.sandbox",
            "actions": [
                {
                    "type": "button",
                    "action_id": button["action_id"],
                    "value": button["value"],
                    "action_ts": f"{self.clock.now().timestamp():.6f}",
                }
            ],
        }

    def signed(self, payload: Mapping[str, Any]) -> tuple[bytes, dict[str, str]]:
        """Return body and headers of the request that Slack would send now."""
        body = urlencode({"payload": json.dumps(payload)}, quote_via=quote).encode()
        timestamp = str(int(self.clock.now().timestamp()))
        signed = b"v0:" + timestamp.encode() + b":" + body
        digest = hmac.new(self.workspace.signing_secret.encode(), signed, hashlib.sha256).hexdigest()
        return body, {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": f"v0={digest}",
        }

    def _api(self, request: werkzeug.wrappers.Request) -> werkzeug.wrappers.Response:
        method = request.path.removeprefix("/api/")
        with self._lock:
            self.calls.append(method)
            fault = next((fault for fault in self.faults if fault.method == method), Fault(method))
            if fault in self.faults:
                self.faults.remove(fault)
            if fault.status != 200:
                return werkzeug.wrappers.Response("", fault.status, {"Retry-After": "30"})
            if fault.error:
                return _json({"ok": False, "error": fault.error})
            if request.headers.get("Authorization") != f"Bearer {self.workspace.bot_token}":
                return _json({"ok": False, "error": "invalid_auth"})
            answer = self._channel.call(method, _arguments(request))
        if fault.lost:
            raise ConnectionError(f"the answer of {method} was lost")
        return _json(answer)

    def _site(self, request: werkzeug.wrappers.Request) -> werkzeug.wrappers.Response:
        # a name that resolves to this machine, or another site in the same browser, must not get at it
        if request.host.rpartition(":")[0] not in LOOPBACK and request.host not in LOOPBACK:
            return werkzeug.wrappers.Response("not this host", 403)
        path = request.path or "/"
        if request.method == "GET" and path in FILES:
            name, kind = FILES[path]
            return _safe(
                werkzeug.wrappers.Response((PAGE / name).read_bytes(), 200, content_type=f"{kind}; charset=utf-8")
            )
        if request.method == "GET" and path == "/state":
            return self._state()
        if request.method == "POST" and path == "/press" and request.headers.get("X-Firebreak-Page") == "press":
            return self._press(request)
        return _safe(werkzeug.wrappers.Response("no such page", 404))

    def _state(self) -> werkzeug.wrappers.Response:
        with self._lock:
            shown = [
                {"ts": each.ts, "blocks": each.blocks, "edited": each.edited, "text": each.text}
                for each in self.messages
            ]
        return _safe(_json({"people": dict(self.workspace.people), "messages": shown}))

    def _press(self, request: werkzeug.wrappers.Request) -> werkzeug.wrappers.Response:
        asked = request.get_json(silent=True)
        wanted = asked if isinstance(asked, dict) else {}
        ts, action_id, user = (str(wanted.get(name, "")) for name in ("ts", "action_id", "user"))
        try:
            status, text = self.press(ts, action_id, user)
        except LookupError:
            return _safe(werkzeug.wrappers.Response("no such button", 404))
        return _safe(_json({"status": status, "text": text}))


def _arguments(request: werkzeug.wrappers.Request) -> dict[str, Any]:
    body = request.get_data()
    if request.mimetype == "application/json":
        return dict(json.loads(body))
    return {name: values[0] for name, values in parse_qs(body.decode()).items()}


def _buttons(message: Message | None) -> list[dict[str, Any]]:
    blocks = message.blocks if message else []
    return [element for block in blocks if block["type"] == "actions" for element in block["elements"]]


def _json(content: Mapping[str, Any]) -> werkzeug.wrappers.Response:
    return werkzeug.wrappers.Response(json.dumps(content), 200, content_type="application/json; charset=utf-8")


def _safe(response: werkzeug.wrappers.Response) -> werkzeug.wrappers.Response:
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response
