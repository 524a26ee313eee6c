"""Ask, Answer and Decide together, as deployed: a person presses a button of the stand-in for Slack over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer

from firebreak.core.errors import NoConsent, SettingsError
from firebreak.handlers import answer, ask, decide
from firebreak.wiring import Wiring
from sandbox.clock import Clock
from sandbox.server import Server
from sandbox.slack import Slack, Workspace
from tests.approvals import (
    ANA,
    APP,
    BEN,
    BOT_TOKEN,
    CHANNEL,
    EVE,
    EXECUTION,
    INCIDENT,
    SECRET,
    STEP,
    TEAM,
    approvals_world,
    iam_request,
    incidents,
    request,
    store,
)
from tests.world import ACCOUNT, START, World

TASK = {
    "incident": INCIDENT,
    "revision": 1,
    "mode": "respond",
    "attempt": 1,
    "execution": EXECUTION,
    "operation": "ask",
    "step": STEP,
    "token": "token-1",
}


@dataclass
class Deployed:
    """The three functions and the channel."""

    world: World
    slack: Slack

    def ask(self) -> str:
        return str(self.world.function(ask)(TASK)["approval"])

    def deliver_votes(self, approval: str) -> Any:
        """What the table's stream brings for each vote on an approval."""
        pack = TypeSerializer().serialize
        rows = [row for key, row in self.world.rows().items() if key[0] == f"VOTE#{approval}"]
        return self.world.function(decide)({"Records": [record(row, pack, n) for n, row in enumerate(rows)]})


def record(row: dict[str, Any], pack: Any, number: int, name: str = "INSERT") -> dict[str, Any]:
    """A record of a DynamoDB stream (Amazon DynamoDB Developer Guide, "Process DynamoDB records with Lambda")."""
    image = {attribute: pack(value) for attribute, value in row.items()}
    return {
        "eventID": f"{number:032x}",
        "eventName": name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-west-1",
        "dynamodb": {
            "ApproximateCreationDateTime": START.timestamp(),
            "Keys": {"pk": image["pk"], "sk": image["sk"]},
            "NewImage": image,
            "SequenceNumber": f"{100 + number}",
            "SizeBytes": 59,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        "eventSourceARN": f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/firebreak/stream/2026-11-02T10:00:00.000",
    }


@pytest.fixture
def deployed(tmp_path: Path) -> Iterator[Deployed]:
    with approvals_world(tmp_path) as place:

        def door(body: bytes, headers: Any) -> tuple[int, str]:
            event = request(body, place.moment)
            told = place.function(answer)({**event, "headers": {name.lower(): text for name, text in headers.items()}})
            return told["statusCode"], told["body"]

        people = {ANA: "Ana", BEN: "Ben", EVE: "Eve"}
        slack = Slack(Workspace(TEAM, APP, CHANNEL, BOT_TOKEN, SECRET, people), Clock(START), door)
        server = Server(slack)
        place.environment["FIREBREAK_SLACK_API"] = f"{server.url}/api"
        try:
            yield Deployed(place, slack)
        finally:
            server.stop()


def test_a_person_presses_approve_and_execute_may_run_once(deployed: Deployed) -> None:
    approval = deployed.ask()
    (message,) = deployed.slack.messages
    assert deployed.slack.press(message.ts, "firebreak_approve", ANA) == (200, "")
    assert deployed.deliver_votes(approval) == {"batchItemFailures": []}
    assert deployed.slack.messages[0].text.startswith("Approved")
    consent = Wiring(deployed.world.environment, deployed.world.clock).consent(
        Wiring(deployed.world.environment, deployed.world.clock).table()
    )
    step = incidents(deployed.world).steps(INCIDENT)[0]
    consent.redeem(step, "holder", START)
    with pytest.raises(NoConsent):
        consent.redeem(step, "another", START)


def test_an_outsider_gets_a_private_refusal_and_changes_nothing(deployed: Deployed) -> None:
    approval = deployed.ask()
    (message,) = deployed.slack.messages
    status, text = deployed.slack.press(message.ts, "firebreak_deny", EVE)
    assert (status, "cannot be answered by you" in text) == (403, True)
    assert store(deployed.world).votes(approval) == []
    assert deployed.slack.press(message.ts, "firebreak_deny", BEN)[0] == 200
    deployed.deliver_votes(approval)
    assert deployed.slack.messages[0].text.startswith("Denied")


def test_a_press_is_good_for_five_minutes_after_it_was_signed(deployed: Deployed) -> None:
    deployed.ask()
    (message,) = deployed.slack.messages
    deployed.world.pass_time(minutes=6)
    assert deployed.slack.press(message.ts, "firebreak_approve", ANA)[0] == 401


def test_the_command_line_answers_the_same_question(deployed: Deployed) -> None:
    approval = deployed.ask()
    event = iam_request(f"arn:aws:iam::{ACCOUNT}:user/ana", {"decision": "approve"}, approval=approval)
    assert deployed.world.function(answer)(event)["statusCode"] == 200
    assert deployed.deliver_votes(approval) == {"batchItemFailures": []}
    assert "ana" in json.dumps(deployed.slack.messages[0].blocks)


def test_only_new_votes_wake_a_decision(deployed: Deployed) -> None:
    approval = deployed.ask()
    (message,) = deployed.slack.messages
    deployed.slack.press(message.ts, "firebreak_approve", ANA)
    pack = TypeSerializer().serialize
    vote_row = deployed.world.rows()[(f"VOTE#{approval}", "ana")]
    token_row = deployed.world.rows()[(f"TOKEN#{approval}", "TOKEN")]
    others = [record(vote_row, pack, 1, "REMOVE"), record(vote_row, pack, 2, "MODIFY"), record(token_row, pack, 3)]
    call = deployed.world.function(decide)
    assert call({"Records": others}) == {"batchItemFailures": []}
    found = store(deployed.world).get(approval)
    assert found is not None
    assert found.status == "pending"
    call({"Records": [*others, record(vote_row, pack, 4)]})
    found = store(deployed.world).get(approval)
    assert found is not None
    assert found.status == "approved"


def test_what_cannot_be_settled_comes_again_and_only_that(deployed: Deployed) -> None:
    approval = deployed.ask()
    (message,) = deployed.slack.messages
    deployed.slack.press(message.ts, "firebreak_approve", ANA)
    row = deployed.world.rows()[(f"VOTE#{approval}", "ana")]
    pack = TypeSerializer().serialize
    other = {**row, "pk": "VOTE#" + "f" * 32}
    call = deployed.world.function(decide)
    deployed.world.client("dynamodb").delete_table(TableName="firebreak")
    failed = call({"Records": [record(row, pack, 1), record(other, pack, 2)]})
    assert failed == {"batchItemFailures": [{"itemIdentifier": "101"}, {"itemIdentifier": "102"}]}


def test_sweep_denies_what_nobody_answered_and_says_so_in_the_channel(deployed: Deployed) -> None:
    approval = deployed.ask()
    wiring = Wiring(deployed.world.environment, deployed.world.clock)
    deployed.world.pass_time(minutes=60)
    assert wiring.sweep().consent.expire_due(deployed.world.moment) == 1
    found = store(deployed.world).get(approval)
    assert found is not None
    assert found.status == "expired"
    assert deployed.slack.messages[0].text.startswith("Expired")
    assert found.decided_at == START + timedelta(minutes=60)


def test_the_bot_token_is_never_sent_off_this_machine_by_a_setting(deployed: Deployed) -> None:
    deployed.world.environment["FIREBREAK_SLACK_API"] = "http://slack.example/api"
    with pytest.raises(SettingsError, match="not this machine"):
        deployed.world.function(ask)
