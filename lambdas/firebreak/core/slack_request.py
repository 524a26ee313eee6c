"""Whether a request to the public endpoint comes from our Slack app, and what it asks.

The order is the defence: nothing of a request is decoded before its size is known, and nothing is parsed before its
signature holds over the raw bytes. Whatever is wrong is an answer, never an exception. Standard library only.

Source: "Verifying requests from Slack" and "block_actions payloads", Slack developer documentation.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from firebreak.core.approval import Choice
from firebreak.core.errors import InputError

MAX_AGE = 300
"""Seconds a signature lives, as Slack advises."""

MAX_AHEAD = 60
"""Seconds Slack's clock may be ahead of ours. A plain difference would let a captured request live twice as long."""

MAX_BODY = 256 * 1024
"""Characters of a body as it arrives. A click on a message of 50 full blocks stays well below."""

_TIMESTAMP = re.compile(r"[0-9]{10}\Z", re.ASCII)
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}\Z", re.ASCII)
_APPROVAL = re.compile(r"[0-9a-f]{32}\Z", re.ASCII)
_ID = re.compile(r"[A-Z0-9]{1,32}\Z", re.ASCII)
_TS = re.compile(r"[0-9]{1,20}\.[0-9]{1,10}\Z", re.ASCII)
ACTION_IDS: dict[str, Choice] = {"firebreak_approve": "approve", "firebreak_deny": "deny"}


class Unverified(InputError):
    """The request is not from Slack, or not any more. The text is for our log only."""


class Unusable(InputError):
    """The request is from Slack and is none that we know. The text is for our log only."""


@dataclass(frozen=True)
class Click:
    """A press of one of our buttons, as a verified request tells it.

    Attributes:
        app: the app's id.
        team: the workspace's id; None where an organisation installed the app.
        enterprise: the organisation's id, where there is one.
        user: who pressed.
        channel, ts: of the message the button stands in.
        choice: "approve" or "deny", by the button's action id.
        approval: the button's value: well-formed, and nothing more is known of it.
    """

    app: str
    team: str | None
    enterprise: str | None
    user: str
    channel: str
    ts: str
    choice: Choice
    approval: str


def verified_body(event: Mapping[str, Any], secrets: Callable[[], Sequence[str]], now: float) -> tuple[bytes, str]:
    """Return the raw body of a request that Slack signed, and the mark that tells its replays.

    Args:
        event: an HTTP API event, payload format 2.0.
        secrets: returns the signing secrets that hold now: the current one and, during a rotation, the previous. Not
            asked for a request that is malformed.
        now: seconds since 1970.

    Raises:
        Unverified: anything is missing, odd, too old or wrongly signed.
    """
    timestamp, signature = _signature(_headers(event))
    if not -MAX_AHEAD <= (age := int(now) - int(timestamp)) <= MAX_AGE:
        raise Unverified(f"signed {age} s ago")
    body = _body(event)
    signed = b"v0:" + timestamp.encode("ascii") + b":" + body
    # every secret is tried, so that the time taken does not tell which one held
    held = [
        hmac.compare_digest(signature, "v0=" + hmac.new(secret.encode("utf-8"), signed, hashlib.sha256).hexdigest())
        for secret in secrets()
        if secret
    ]
    if not any(held):
        raise Unverified("no secret of ours signed it")
    return body, hashlib.sha256(f"{timestamp}:{signature}".encode("ascii")).hexdigest()


def click(body: bytes) -> Click:
    """Return what was pressed.

    Args:
        body: verified.

    Raises:
        Unusable: it is not exactly one press of a button of ours in a message.
    """
    payload = _payload(body)
    if payload.get("type") != "block_actions":
        raise Unusable(f"type {_shown(payload.get('type'))}")
    actions = payload.get("actions")
    if not isinstance(actions, list) or len(actions) != 1:
        raise Unusable("not exactly one action")
    choice = ACTION_IDS.get(str(_member(actions[0], "action_id")))
    if choice is None:
        raise Unusable("unknown action_id")
    container = payload.get("container")
    if _member(container, "type") != "message":
        raise Unusable("not in a message")
    return Click(
        app=_matching(_ID, payload, "api_app_id"),
        team=_id_or_none(payload.get("team")),
        enterprise=_id_or_none(payload.get("enterprise")),
        user=_matching(_ID, payload.get("user"), "id"),
        channel=_matching(_ID, payload.get("channel"), "id"),
        ts=_matching(_TS, container, "message_ts"),
        choice=choice,
        approval=_matching(_APPROVAL, actions[0], "value"),
    )


def is_approval_id(value: object) -> bool:
    """Whether a value can be an approval's id at all."""
    return isinstance(value, str) and _APPROVAL.match(value) is not None


def _headers(event: Mapping[str, Any]) -> dict[str, str]:
    headers: dict[str, str] = {}
    given = event.get("headers")
    for name, value in given.items() if isinstance(given, Mapping) else ():
        lower = str(name).lower()
        if lower in headers:
            raise Unverified(f"header {_shown(lower)} came twice")
        headers[lower] = value
    return headers


def _signature(headers: Mapping[str, Any]) -> tuple[str, str]:
    timestamp, signature = headers.get("x-slack-request-timestamp"), headers.get("x-slack-signature")
    # HTTP API joins a header that came twice with a comma, which neither pattern lets through
    if not isinstance(timestamp, str) or not _TIMESTAMP.match(timestamp):
        raise Unverified("timestamp missing or odd")
    if not isinstance(signature, str) or not _SIGNATURE.match(signature):
        raise Unverified("signature missing or odd")
    return timestamp, signature


def _body(event: Mapping[str, Any]) -> bytes:
    body = event.get("body")
    if not isinstance(body, str) or len(body) > MAX_BODY:
        raise Unverified("body missing or too long")
    try:
        return base64.b64decode(body, validate=True) if event.get("isBase64Encoded") is True else body.encode("utf-8")
    except (binascii.Error, ValueError) as error:
        raise Unverified("body cannot be decoded") from error


def _payload(body: bytes) -> Mapping[str, Any]:
    try:
        fields = parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=10
        )
        values = [value for name, value in fields if name == "payload"]
        if len(fields) != 1 or len(values) != 1:
            raise Unusable("not exactly one payload")
        payload = json.loads(values[0])
    except (ValueError, RecursionError) as error:
        raise Unusable("no JSON in a form") from error
    if not isinstance(payload, dict):
        raise Unusable("the payload is no object")
    return payload


def _member(holder: object, name: str) -> object:
    return holder.get(name) if isinstance(holder, Mapping) else None


def _matching(pattern: re.Pattern[str], holder: object, name: str) -> str:
    value = _member(holder, name)
    if not isinstance(value, str) or not pattern.match(value):
        raise Unusable(f"{name} missing or odd: {_shown(value)}")
    return value


def _id_or_none(holder: object) -> str | None:
    return None if _member(holder, "id") is None else _matching(_ID, holder, "id")


def _shown(value: object) -> str:
    return ascii(value)[:60]
