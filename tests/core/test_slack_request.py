"""Whether a request is Slack's, and what was pressed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firebreak.core.slack_request import MAX_BODY, Click, Unusable, Unverified, click, verified_body
from tests.approvals import ANA, APP, CHANNEL, POST, PREVIOUS, SECRET, TEAM, action, form, payload, request
from tests.world import START

NOW = START.timestamp()
BODY = form(payload())


def verify(event: Any, now: float = NOW) -> bytes:
    return verified_body(event, lambda: (SECRET, PREVIOUS), now)[0]


def changed(**headers: str) -> dict[str, Any]:
    event = request(BODY)
    return {
        **event,
        "headers": {**event["headers"], **{name.replace("_", "-"): text for name, text in headers.items()}},
    }


def without(*names: str) -> dict[str, Any]:
    event = request(BODY)
    return {**event, "headers": {name: text for name, text in event["headers"].items() if name not in names}}


def in_base64(event: dict[str, Any]) -> dict[str, Any]:
    return {**event, "body": base64.b64encode(event["body"].encode()).decode(), "isBase64Encoded": True}


def missing(event: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in event.items() if key != name}


SIGNATURE = request(BODY)["headers"]["x-slack-signature"]
TIMESTAMP = request(BODY)["headers"]["x-slack-request-timestamp"]


@pytest.mark.parametrize(
    "event",
    [
        request(BODY),
        in_base64(request(BODY)),
        missing(request(BODY), "isBase64Encoded"),
        request(BODY, secret=PREVIOUS),
        {**request(BODY), "headers": {name.title(): text for name, text in request(BODY)["headers"].items()}},
        changed(x_slack_retry_num="1", x_slack_bolt_lazy_only="1"),
    ],
    ids=["plain", "base64", "no flag", "previous secret", "headers in another case", "further headers"],
)
def test_what_slack_signed_is_verified(event: Any) -> None:
    assert verify(event) == BODY


@pytest.mark.parametrize(
    "event",
    [
        *(without(name) for name in ("x-slack-signature", "x-slack-request-timestamp")),
        without("x-slack-signature", "x-slack-request-timestamp"),
        missing(request(BODY), "headers"),
        {**request(BODY), "headers": None},
        {**request(BODY), "headers": ["x-slack-signature"]},
        missing(request(BODY), "body"),
        {},
        request(BODY, secret="another secret"),
        request(BODY, secret=""),
        {**request(BODY), "body": request(BODY)["body"].replace("payload", "payloae")},
        {**request(BODY), "body": request(BODY)["body"].replace("%22", '"')},
        {**request(BODY), "body": request(BODY)["body"] + "\n"},
        {**request(BODY), "body": "\ud800"},
        {**request(BODY), "body": 7},
        {**in_base64(request(BODY)), "body": in_base64(request(BODY))["body"][:-1]},
        {**in_base64(request(BODY)), "body": in_base64(request(BODY))["body"] + "*"},
        {**in_base64(request(BODY)), "body": "é" + in_base64(request(BODY))["body"]},
        {**in_base64(request(BODY)), "isBase64Encoded": False},
        {**request(BODY), "isBase64Encoded": True},
        *(
            changed(x_slack_request_timestamp=odd)
            for odd in (
                *("abc", "", "1.5", TIMESTAMP + ".0", f" {TIMESTAMP}", f"0{TIMESTAMP}", f"{TIMESTAMP}\n", "9" * 5000),
                "".join(chr(0x0660 + int(digit)) for digit in TIMESTAMP),
                f"-{TIMESTAMP[1:]}",
                f"{TIMESTAMP},{TIMESTAMP}",
            )
        ),
        *(
            changed(x_slack_signature=odd)
            for odd in (
                *("", "v0=", SIGNATURE.replace("v0=", "v1="), SIGNATURE.upper(), "v0=" + SIGNATURE[3:].upper()),
                *(f"{SIGNATURE},{SIGNATURE}", f"v0={'0' * 64},{SIGNATURE}", f"{SIGNATURE}\n", f" {SIGNATURE}"),
                *(SIGNATURE[:-1], SIGNATURE[:-1] + "é", SIGNATURE + "0"),
            )
        ),
        {**request(BODY), "headers": {"X-Slack-Signature": f"v0={'0' * 64}", **request(BODY)["headers"]}},
        {**request(BODY), "headers": {**request(BODY)["headers"], "X-Slack-Signature": f"v0={'0' * 64}"}},
        {**request(BODY), "headers": {**request(BODY)["headers"], "X-Slack-Signature": SIGNATURE}},
        {**request(BODY), "headers": {**request(BODY)["headers"], "x-slack-signature": [SIGNATURE]}},
    ],
)
def test_what_slack_did_not_sign_is_refused_and_never_raises_anything_else(event: Any) -> None:
    with pytest.raises(Unverified):
        verify(event)


@pytest.mark.parametrize("odd", [f"{TIMESTAMP}\n", f" {TIMESTAMP}", f"0{TIMESTAMP}", f"+{TIMESTAMP}", f"{TIMESTAMP}.0"])
def test_an_odd_timestamp_is_refused_even_if_our_secret_signed_it(odd: str) -> None:
    def signed(timestamp: str) -> dict[str, Any]:
        digest = hmac.new(SECRET.encode(), b"v0:" + timestamp.encode() + b":" + BODY, hashlib.sha256).hexdigest()
        return changed(x_slack_request_timestamp=timestamp, x_slack_signature=f"v0={digest}")

    assert verify(signed(TIMESTAMP)) == BODY
    with pytest.raises(Unverified, match="timestamp"):
        verify(signed(odd))


@pytest.mark.parametrize(
    ("seconds", "holds"), [(0, True), (299, True), (300, True), (301, False), (-59, True), (-60, True), (-61, False)]
)
def test_a_signature_lives_five_minutes_and_its_clock_may_be_a_minute_ahead(seconds: int, holds: bool) -> None:
    event = request(BODY)
    if holds:
        assert verify(event, NOW + seconds) == BODY
    else:
        with pytest.raises(Unverified):
            verify(event, NOW + seconds)


@pytest.mark.parametrize("position", range(0, len(BODY), 97))
def test_one_flipped_bit_anywhere_in_the_body_is_noticed(position: int) -> None:
    flipped = bytearray(BODY)
    flipped[position] ^= 1
    event = in_base64(request(BODY))
    with pytest.raises(Unverified):
        verify({**event, "body": base64.b64encode(bytes(flipped)).decode()})


def test_without_a_secret_nothing_is_verified() -> None:
    none: list[str] = []
    for _ in range(2):
        with pytest.raises(Unverified):
            verified_body(request(BODY, secret=""), lambda: none, NOW)
        none.append("")


def test_secrets_are_not_asked_for_a_request_that_is_malformed() -> None:
    def secrets() -> tuple[str, ...]:
        raise AssertionError("asked")

    with pytest.raises(AssertionError, match="asked"):
        verified_body(request(BODY), secrets, NOW)
    for event in ({}, changed(x_slack_signature="v0=zz"), request(BODY, START - timedelta(hours=1))):
        with pytest.raises(Unverified):
            verified_body(event, secrets, NOW)


@pytest.mark.parametrize(
    "body", ["[" * 100_000, "payload=" + "%5B" * 80_000, "&".join(f"k{n}=v" for n in range(40_000)), "x" * 10_000_000]
)
def test_an_unsigned_flood_costs_little_and_is_never_parsed(body: str) -> None:
    event = {**request(b""), "body": body}
    begun = time.process_time()
    with pytest.raises(Unverified):
        verify(event)
    assert time.process_time() - begun < 0.05


def test_a_body_up_to_the_cap_is_taken() -> None:
    longest = b"payload=" + b"x" * (MAX_BODY - 8)
    assert verify(request(longest)) == longest
    with pytest.raises(Unverified):
        verify(request(longest + b"x"))


def test_replays_share_a_mark_and_new_signatures_do_not() -> None:
    def mark(event: Any) -> str:
        return verified_body(event, lambda: (SECRET, PREVIOUS), NOW)[1]

    assert mark(request(BODY)) == mark(in_base64(request(BODY))) == mark(changed(x_slack_retry_num="1"))
    assert (
        len({mark(request(BODY)), mark(request(BODY, START + timedelta(seconds=1))), mark(request(BODY + b"&"))}) == 3
    )


def test_a_press_is_read() -> None:
    assert click(BODY) == Click(APP, TEAM, None, ANA, CHANNEL, POST.ts, "approve", f"{1:032x}")
    denied = payload(actions=[action(action_id="firebreak_deny")], team=None, enterprise={"id": "E0ORG"})
    assert click(form(denied)) == Click(APP, None, "E0ORG", ANA, CHANNEL, POST.ts, "deny", f"{1:032x}")


def test_the_workspace_of_the_user_alone_says_nothing() -> None:
    organisation = payload(user={"id": ANA, "team_id": "E0ORG"})
    assert click(form(organisation)).team == TEAM


ODD_MEMBERS: dict[str, tuple[Any, ...]] = {
    "type": ("block_suggestion", "shortcut", "url_verification", "view_submission", "", None, 7, ["x"]),
    "actions": ([], None, {}, "x", [action(), action()], [None], ["x"]),
    "container": (None, {}, [], {"type": "view", "message_ts": POST.ts}, {"type": "message", "message_ts": None}),
    "user": (None, {}, {"id": ""}, {"id": "U0 "}, {"id": "\ud800"}, {"id": 7}),
    "channel": (None, {"id": "c" * 200}, {"id": "C0\n"}),
    "api_app_id": (None, "", {}, "a b"),
    "team": ({"id": "T0 HOME"}, {"id": 7}),
    "enterprise": ({"id": ""},),
}
ODD_ACTIONS: dict[str, tuple[Any, ...]] = {
    "action_id": ("other", "", None, 7, ["firebreak_approve"]),
    "value": (
        *("", None, 7, "x" * 2000, "a" * 31, "a" * 33, "A" * 32, "'; DROP TABLE--", "a" * 32 + "\n"),
        *("ａ" * 32, "../" * 10, "\ud800" * 32),
    ),
}
ODD_TIMESTAMPS: tuple[Any, ...] = ("", 1.5, "1", "1.x", "x\n", "1.1\n")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"payload=",
        b"payload={",
        b"payload=%FF",
        b"\xff",
        b"payload",
        b"nothing=here",
        b"ssl_check=1&token=x",
        BODY + b"&" + BODY,
        BODY + b"&other=1",
        form("[" * 80_000),
        form('{"a":' + "9" * 5_000 + "}"),
        form("[]"),
        form("null"),
        form('"text"'),
        json.dumps(payload()).encode(),
        *(form(payload(**{name: odd})) for name, values in ODD_MEMBERS.items() for odd in values),
        *(form(payload(actions=[action(**{name: odd})])) for name, values in ODD_ACTIONS.items() for odd in values),
        *(form(payload(container={"type": "message", "message_ts": odd})) for odd in ODD_TIMESTAMPS),
    ],
)
def test_what_is_no_press_of_a_button_of_ours_is_unusable_and_never_raises_anything_else(body: bytes) -> None:
    with pytest.raises(Unusable) as refusal:
        click(body)
    assert str(refusal.value).isascii()
    assert "\n" not in str(refusal.value)


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(
    st.dictionaries(st.sampled_from(["headers", "body", "isBase64Encoded", "routeKey"]), JSON)
    | st.fixed_dictionaries({"headers": st.dictionaries(st.sampled_from(list(request(BODY)["headers"])), JSON)})
)
def test_no_event_that_slack_did_not_sign_raises_anything_else(event: Any) -> None:
    with pytest.raises(Unverified):
        verify(event)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(payload(), JSON)).map(lambda odd: payload(**odd)))
def test_no_signed_payload_raises_anything_else(content: Any) -> None:
    try:
        pressed = click(form(content))
    except Unusable:
        return
    assert all(text.isascii() for text in (pressed.user, pressed.channel, pressed.ts, pressed.approval))


@given(st.binary())
def test_no_signed_body_raises_anything_else(body: bytes) -> None:
    with pytest.raises(Unusable):
        click(body)


def test_the_form_helper_of_these_tests_is_what_slack_posts() -> None:
    parse: Callable[[bytes], Click] = click
    spaced = b"payload=" + BODY.removeprefix(b"payload=").replace(b"%20", b"+")
    assert parse(spaced) == parse(BODY)
