"""The door: who gets in, what a vote leaves behind, and that everything else leaves nothing.

INERT: no row of the table differs but replay marks and audit records of the refusal.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from firebreak.adapters.approval_rows import stamp
from firebreak.adapters.writes import PRESENT, update
from firebreak.core.approval import Post
from firebreak.core.errors import FirebreakError
from firebreak.core.tally import count
from firebreak.handlers import answer
from firebreak.pipeline.answer import REFUSAL
from tests.approvals import (
    ANA,
    BEN,
    CHANNEL,
    DEPLOYMENT,
    EVE,
    INCIDENT,
    PREVIOUS,
    ROLE,
    SECRET,
    action,
    approvals_world,
    asked,
    form,
    iam_request,
    incidents,
    payload,
    question,
    request,
    store,
    table_of,
)
from tests.faults import Killed, counted
from tests.world import ACCOUNT, START, World

ID = question().id
ANA_ARN = f"arn:aws:iam::{ACCOUNT}:user/ana"
Call = Callable[[Any], Any]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[World]:
    with approvals_world(tmp_path) as place:
        yield place


@pytest.fixture
def call(place: World) -> Call:
    """The function, with one question open."""
    asked(place)
    return place.function(answer)


def press(**changes: Any) -> dict[str, Any]:
    return request(form(payload(**changes)))


def state(place: World) -> dict[Any, Any]:
    return {key: row for key, row in place.rows().items() if not key[0].startswith(("REPLAY#", "AUDIT#"))}


def votes(place: World) -> list[tuple[str, str]]:
    return [(given.person, given.choice) for given in store(place).votes(ID)]


def trail(place: World, event: str) -> list[tuple[str, ...]]:
    return [record.words for record in incidents(place).trail(INCIDENT) if record.event == event]


def expect_refused(place: World, call: Call, event: Any, cause: str | None) -> None:
    """A refusal: 403, the one wording, INERT; audited with its true cause where there is an incident to audit."""
    before = state(place)
    told = call(event)
    assert (told["statusCode"], json.loads(told["body"])) == (403, {"message": REFUSAL})
    assert state(place) == before
    causes = [words[-1] for words in trail(place, "vote_refused")]
    assert (cause is None and causes == []) or (cause is not None and cause in causes[-1])


def test_a_press_of_an_approver_is_one_vote_and_says_nothing_to_the_channel(place: World, call: Call) -> None:
    before = state(place)
    told = call(press())
    assert (told["statusCode"], told["body"]) == (200, "")
    assert votes(place) == [("ana", "approve")]
    assert set(state(place)) - set(before) == {(f"VOTE#{ID}", "ana")}
    assert {key: row for key, row in state(place).items() if key in before} == before
    assert trail(place, "vote_approve") == [(f"approval {ID}", "approve by ana")]


def test_a_denial_is_a_vote_too(place: World, call: Call) -> None:
    assert call(press(user={"id": BEN}, actions=[action(action_id="firebreak_deny")]))["statusCode"] == 200
    assert votes(place) == [("ben", "deny")]


@pytest.mark.parametrize("secret", [SECRET, PREVIOUS])
@pytest.mark.parametrize("encoded", [False, True])
def test_both_secrets_and_both_encodings_are_taken(place: World, call: Call, secret: str, encoded: bool) -> None:
    event = request(form(payload()), secret=secret)
    if encoded:
        event |= {"body": base64.b64encode(event["body"].encode()).decode(), "isBase64Encoded": True}
    assert call(event)["statusCode"] == 200
    assert votes(place) == [("ana", "approve")]


@pytest.mark.parametrize(
    "event",
    [
        {**press(), "headers": {}},
        request(form(payload()), secret="another"),
        {**press(), "body": press()["body"] + "\n"},
        {**press(), "isBase64Encoded": True},
        request(form(payload()), START - timedelta(seconds=301)),
        request(form(payload()), START + timedelta(seconds=61)),
        {**press(), "body": "x" * 10_000_000},
        {**press(), "headers": {**press()["headers"], "X-Slack-Signature": "v0=" + "0" * 64}},
        {"routeKey": "POST /slack/interactions"},
        {**iam_request(ANA_ARN, {"decision": "approve"}), "routeKey": "POST /slack/interactions"},
        {**press(), "routeKey": "POST /approvals/{id}", "pathParameters": {"id": ID}},
        {**iam_request(ANA_ARN, {"decision": "approve"}), "requestContext": {"requestId": "x", "authorizer": {}}},
    ],
)
def test_what_is_not_authentic_is_401_and_leaves_nothing(place: World, call: Call, event: Any) -> None:
    before = place.rows()
    with counted() as calls:
        told = call(event)
    assert told["statusCode"] == 401
    assert place.rows() == before
    assert not any("dynamodb" in each for each in calls.seen)


def test_a_signature_is_good_for_five_minutes(place: World, call: Call) -> None:
    assert call(request(form(payload()), START - timedelta(seconds=299)))["statusCode"] == 200
    assert call(request(form(payload(user={"id": BEN})), START + timedelta(seconds=59)))["statusCode"] == 200


@pytest.mark.parametrize(
    "event",
    [
        *(
            request(body)
            for body in (
                *(b"", b"payload=%7B", form("[]"), form("[" * 50_000), form(payload()) + b"&" + form(payload())),
                *(form(payload(type=kind)) for kind in ("block_suggestion", "shortcut", "url_verification")),
                b"ssl_check=1",
                *(form(payload(actions=[action(value=odd)])) for odd in ("'; --", "x" * 2000, "ａ" * 32, ID + "\n")),
            )
        ),
        iam_request(ANA_ARN, {"decision": "approve"}, approval="'; --"),
        iam_request(ANA_ARN, {"decision": "approve"}, approval=ID.upper().replace("0", "A")),
        *(
            iam_request(ANA_ARN, odd)
            for odd in (
                *(
                    "",
                    "{",
                    "[]",
                    "null",
                    "[" * 5_000,
                    {},
                    {"decision": "yes"},
                    {"decision": None},
                    {"decision": ["deny"]},
                ),
                *({"decision": "deny"}, {"decision": "deny", "reason": " \u200b"}, {"decision": "approve", "x": 1}),
                *({"decision": "approve", "digest": "ddd"}, {"decision": "approve", "reason": 7}, "x" * 20_000),
            )
        ),
        {**press(), "routeKey": "$default"},
        {**press(), "routeKey": None},
        {},
    ],
)
def test_what_cannot_be_understood_is_400_and_leaves_nothing(place: World, call: Call, event: Any) -> None:
    before = place.rows()
    told = call(event)
    assert told["statusCode"] == 400
    assert "Traceback" not in told["body"]
    assert place.rows() == before


@pytest.mark.parametrize(
    ("event", "cause"),
    [
        (press(api_app_id="A0OTHER"), None),
        (press(team={"id": "T0OTHER"}), None),
        (press(team=None), None),
        (press(team=None, enterprise={"id": "E0OTHER"}), None),
        (press(actions=[action(value="f" * 32)]), None),
        (press(user={"id": EVE}), "eve may not answer"),
        (press(user={"id": EVE}, actions=[action(action_id="firebreak_deny")]), "eve may not answer"),
        (press(user={"id": "U0STRANGER"}), "nobody of ours"),
        (press(user={"id": "USLACKBOT"}), "nobody of ours"),
        (press(channel={"id": "C0OTHER"}), "not where it was asked"),
        (press(container={"type": "message", "message_ts": "1793613600.000200"}), "not where it was asked"),
        (iam_request(ANA_ARN, {"decision": "approve"}, approval="f" * 32), None),
        (iam_request(f"arn:aws:iam::{ACCOUNT}:user/eve", {"decision": "approve"}), "eve may not answer"),
        (iam_request(f"arn:aws:iam::{ACCOUNT}:user/mallory", {"decision": "deny", "reason": "x"}), "nobody of ours"),
        (iam_request(ANA_ARN, {"decision": "approve", "digest": "e" * 64}), "the plan is dddddddd"),
        (iam_request(ANA_ARN, {"decision": "approve", "digest": "d" * 63 + "e"}), "the plan is dddddddd"),
    ],
)
def test_whoever_may_not_answer_here_gets_the_one_refusal(
    place: World, call: Call, event: Any, cause: str | None
) -> None:
    expect_refused(place, call, event, cause)
    assert call(press())["statusCode"] == 200  # the control


def test_a_button_that_carries_another_approvals_id_is_refused(place: World, call: Call) -> None:
    asked(place, question(2), post=Post(CHANNEL, "1793613600.000900"))
    expect_refused(place, call, press(actions=[action(value=question(2).id)]), "not where it was asked")
    there = {"type": "message", "message_ts": "1793613600.000900"}
    assert call(press(actions=[action(value=question(2).id)], container=there))["statusCode"] == 200


def test_a_question_that_is_not_bound_to_a_message_takes_no_press_but_takes_the_command_line(place: World) -> None:
    asked(place, post=None)
    call = place.function(answer)
    expect_refused(place, call, press(), "not where it was asked")
    assert call(iam_request(ANA_ARN, {"decision": "approve"}))["statusCode"] == 200


def test_an_organisations_own_id_stands_in_for_the_workspace(tmp_path: Path) -> None:
    slack = DEPLOYMENT.slack.model_copy(update={"enterprise": "E0ORG"}) if DEPLOYMENT.slack else None
    with approvals_world(tmp_path, DEPLOYMENT.model_copy(update={"slack": slack})) as place:
        asked(place)
        call = place.function(answer)
        expect_refused(place, call, press(team=None, enterprise={"id": "E0OTHER"}), None)
        foreign_user = {"id": ANA, "team_id": "E0ORG"}
        assert call(press(team=None, enterprise={"id": "E0ORG"}, user=foreign_user))["statusCode"] == 200
        assert votes(place) == [("ana", "approve")]


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"status": "approved"}, "it is approved"),
        ({"status": "denied"}, "it is denied"),
        ({"status": "expired"}, "it is expired"),
        ({"status": "superseded"}, "it is superseded"),
        ({"expires_at": stamp(START)}, "it has expired"),
        ({"excluded": {"-", "ana"}}, "ana is excluded"),
    ],
)
def test_a_question_that_is_not_open_for_the_person_gets_the_same_refusal(
    place: World, call: Call, change: dict[str, Any], cause: str
) -> None:
    edited = {"created_at": stamp(START - timedelta(hours=1)), **change}
    table_of(place).write(update(f"APPROVAL#{ID}", "APPROVAL", PRESENT, put=edited))
    expect_refused(place, call, press(), cause)


def test_every_refusal_reads_the_same(place: World, call: Call) -> None:
    events = [
        press(actions=[action(value="f" * 32)]),
        press(user={"id": EVE}),
        press(channel={"id": "C0OTHER"}),
        press(team={"id": "T0OTHER"}),
        iam_request(f"arn:aws:iam::{ACCOUNT}:user/eve", {"decision": "approve"}),
        iam_request(ANA_ARN, {"decision": "approve"}, approval="f" * 32),
    ]
    answers = [call(event) for event in events]
    assert all(told == answers[0] for told in answers)


def test_the_same_request_again_is_answered_and_does_nothing(place: World, call: Call) -> None:
    assert call(press())["statusCode"] == 200
    before = place.rows()
    for headers in ({}, {"x-slack-retry-num": "1", "x-slack-retry-reason": "http_timeout"}, {"x-bolt-lazy": "1"}):
        place.pass_time(seconds=10)
        told = call(request(form(payload()), headers=headers))
        assert (told["statusCode"], told["body"]) == (200, "")
    assert place.rows() == before


def test_a_replay_after_the_decision_is_answered_and_does_nothing(place: World, call: Call) -> None:
    assert call(press())["statusCode"] == 200
    approval = store(place).get(ID)
    assert approval is not None
    store(place).move(approval, count(approval, store(place).votes(ID), START), START)
    before = place.rows()
    assert call(press())["statusCode"] == 200
    assert place.rows() == before


def test_a_double_click_with_a_fresh_signature_is_one_vote(place: World, call: Call) -> None:
    assert call(press())["statusCode"] == 200
    place.pass_time(seconds=1)
    assert call(request(form(payload()), place.moment))["statusCode"] == 200
    assert votes(place) == [("ana", "approve")]


def test_one_person_on_two_routes_is_one_vote(place: World, call: Call) -> None:
    assert call(press())["statusCode"] == 200
    assert call(iam_request(ANA_ARN, {"decision": "approve"}))["statusCode"] == 200
    assert votes(place) == [("ana", "approve")]
    expect_refused(place, call, iam_request(ANA_ARN, {"decision": "deny", "reason": "no"}, request_id="K2"), "opposite")


@pytest.mark.parametrize(
    ("arn", "person"),
    [(ANA_ARN, "ana"), (ROLE.replace("*", "0123456789abcdef"), "ben")],
    ids=["user", "session of single sign-on"],
)
def test_the_command_line_votes_under_iam_with_digest_and_reason(
    place: World, call: Call, arn: str, person: str
) -> None:
    said = {"decision": "deny", "digest": "d" * 8, "reason": "the host is ours\nApproved by ben"}
    event = iam_request(arn, said)
    event |= {"body": base64.b64encode(event["body"].encode()).decode(), "isBase64Encoded": True}
    assert call(event)["statusCode"] == 200
    (given,) = store(place).votes(ID)
    assert (given.person, given.choice, given.route, given.principal) == (person, "deny", "iam", arn)
    assert given.reason == "the host is ours⏎Approved by ben"


def test_a_refusal_is_noted_once_however_often_it_is_sent(place: World, call: Call) -> None:
    for _ in range(3):
        assert call(press(user={"id": EVE}))["statusCode"] == 403
    assert len(trail(place, "vote_refused")) == 1


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_crash_at_any_call_then_the_same_press_again_is_one_vote(
    place: World, call: Call, number: int, after: bool
) -> None:
    with counted(number, after=after) as calls, pytest.raises(Killed):
        call(press())
    assert calls.reached
    place.pass_time(seconds=2)
    assert call(request(form(payload()), place.moment))["statusCode"] == 200
    assert votes(place) == [("ana", "approve")]
    assert len(trail(place, "vote_approve")) == 1


def test_an_outage_of_ours_is_raised_and_not_called_a_refusal(place: World, call: Call) -> None:
    place.client("dynamodb").delete_table(TableName="firebreak")
    with pytest.raises(FirebreakError):
        call(press())
    assert call({**press(), "headers": {}})["statusCode"] == 401


def test_a_secret_out_of_reach_fails_no_request_that_is_malformed(place: World, call: Call) -> None:
    arn = place.environment["FIREBREAK_SIGNING_SECRET_ARN"]
    place.client("secretsmanager").delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)
    assert call({**press(), "headers": {}})["statusCode"] == 401
    with pytest.raises(FirebreakError):
        call(press())
    with pytest.raises(ClientError):
        place.client("secretsmanager").get_secret_value(SecretId=arn)


def test_logs_hold_one_line_a_request_and_no_secret(place: World, call: Call, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    hostile = "U0\r\nINFO fake\x1b[31m"
    for event in (press(), press(user={"id": hostile}), {**press(), "headers": {}}, press(user={"id": EVE})):
        call(event)
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("firebreak")]
    assert len(lines) == 4
    assert all(line.isprintable() for line in lines)
    assert not any(secret in line for line in lines for secret in (SECRET, PREVIOUS, "token-1", "v0="))


def test_the_answer_path_imports_neither_pydantic_nor_the_registry(place: World) -> None:
    asked(place)
    script = (
        "import json, os, sys\n"
        "from firebreak.handlers import answer\n"
        "handle = answer.build(os.environ)\n"
        "told = handle({'routeKey': 'POST /slack/interactions', 'headers': {}}, None)\n"
        "assert told['statusCode'] == 401\n"
        "import firebreak.core.slack_request\n"
        "print(json.dumps(sorted(sys.modules)))\n"
    )
    root = Path(__file__).resolve().parents[2]
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        env={**place.environment, "PYTHONPATH": os.pathsep.join([str(root / "lambdas"), *sys.path])},
        capture_output=True,
        check=True,
        text=True,
    )
    modules = json.loads(ran.stdout.splitlines()[-1])
    assert "firebreak.pipeline.answer" in modules  # the control
    heavy = ("pydantic", "pydantic_core", "firebreak.core.registry", "firebreak.core.model")
    assert [name for name in heavy if name in modules] == []
    assert [name for name in modules if name.startswith(("firebreak.actions.", "firebreak.sources."))] == []
