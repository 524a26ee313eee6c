"""What tests of approvals start from: people, a question, an incident with a planned step, signed requests."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import boto3

from firebreak.adapters.approval_table import ApprovalTable
from firebreak.adapters.incident_rows import new_incident, new_step
from firebreak.adapters.incident_table import IncidentTable
from firebreak.adapters.table import Table
from firebreak.core.approval import Approval, Post, Question, Vote
from firebreak.core.deployment import Deployment
from firebreak.core.finding import Severity
from firebreak.core.incident import Incident, Setting, StepRecord
from firebreak.core.plan import Change, Plan
from firebreak.core.playbook import Playbooks
from firebreak.core.target import Instance
from tests.world import ACCOUNT, REGION, START, World, world

INCIDENT, STEP = "inc-0123456789ab", "ec2-isolate_instance-0123456789ab"
EXECUTION = f"{INCIDENT}-r1-respond-a1"
APP, TEAM, CHANNEL = "A0FIREBREAK", "T0HOME", "C0CONTAIN"
ANA, BEN, EVE = "U0ANA", "U0BEN", "U0EVE"
SECRET, PREVIOUS, BOT_TOKEN = "8f742231b10e8888abcd99yyyzzz85a5", "previous-signing-secret", "xoxb-not-a-real-token"
ROLE = f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_Security_*/ben"
POST = Post(channel=CHANNEL, ts="1793613600.000100")

DEPLOYMENT = Deployment.model_validate(
    {
        "mode": "approve",
        "people": [
            {"name": "ana", "slack": ANA, "iam": [f"arn:aws:iam::{ACCOUNT}:user/ana"]},
            {"name": "ben", "slack": BEN, "iam": [ROLE]},
            {"name": "eve", "slack": EVE, "iam": [f"arn:aws:iam::{ACCOUNT}:user/eve"]},
        ],
        "approvers": [{"people": ["ana", "ben"]}],
        "slack": {"channel": CHANNEL, "team": TEAM, "app": APP},
        "approval": {"expire_after_minutes": 60, "use_within_minutes": 30},
    }
)

QUESTION = Question(
    action="ec2.isolate_instance",
    severity="high",
    reversible=True,
    what="instance i-0123456789abcdef0",
    where=f"account {ACCOUNT}, {REGION}, environment production",
    why=("guardduty Backdoor:EC2/C&CActivity.B",),
    changes=("eni-0123456789abcdef0 security groups: sg-0a → sg-0b",),
)


def question(number: int = 1, **changes: Any) -> Approval:
    """A question that was asked at START and is open for an hour."""
    asked = Approval(
        id=f"{number:032x}",
        incident=INCIDENT,
        revision=1,
        step=STEP,
        effect="reversible",
        environment="production",
        question=QUESTION,
        digest="d" * 64,
        created_at=START,
        expires_at=START + timedelta(minutes=60),
        exec_deadline=START + timedelta(minutes=90),
    )
    return replace(asked, **changes)


def vote(person: str = "ana", choice: Any = "approve", **changes: Any) -> Vote:
    """A vote on `question()`, five minutes after it was asked."""
    given = Vote(
        approval=f"{1:032x}",
        person=person,
        choice=choice,
        digest="d" * 64,
        route="slack",
        principal=f"{TEAM}/{person}",
        at=START + timedelta(minutes=5),
    )
    return replace(given, **changes)


def plan(**changes: Any) -> Plan:
    """A plan to isolate an instance."""
    return Plan(
        before={"groups": ["sg-0a"]},
        changes=(Change(resource="eni-0123456789abcdef0", what="security groups", before="sg-0a", after="sg-0b"),),
        effects=("target group web loses a target",),
        residual=("tracked connections go on",),
        action="ec2.isolate_instance",
        incident=INCIDENT,
        revision=1,
        step=STEP,
        target=Instance(account=ACCOUNT, region=REGION, instance_id="i-0123456789abcdef0"),
        parameters={},
        policy="p" * 64,
    ).model_copy(update=changes)


def step(**changes: Any) -> StepRecord:
    """The step of that plan."""
    made = plan()
    return StepRecord(
        id=STEP,
        incident=INCIDENT,
        revision=1,
        order=1,
        action=made.action,
        effect="reversible",
        stage="contain",
        target=made.target,
        parameters={},
        consent="ask",
        setting=Setting(posture="acting", environment="production"),
        playbook="ec2-command-and-control",
        reasons=("guardduty: Backdoor:EC2/C&CActivity.B",),
        status="planned",
        plan=made,
    ).model_copy(update=changes)


def incident(**changes: Any) -> Incident:
    """The incident it belongs to."""
    return Incident(
        id=INCIDENT,
        status="acting",
        revision=1,
        lane="urgent",
        severity=Severity.HIGH,
        title="guardduty Backdoor:EC2/C&CActivity.B",
        account=ACCOUNT,
        region=REGION,
        created_at=START,
        updated_at=START,
    ).model_copy(update=changes)


@contextmanager
def approvals_world(folder: Path, deployment: Deployment = DEPLOYMENT) -> Iterator[World]:
    """The surroundings of ask, answer and decide, with an incident whose step is planned."""
    with world(folder) as place:
        place.configure(deployment, Playbooks())
        place.clients["secretsmanager"] = secrets = boto3.client(
            "secretsmanager", region_name=REGION, aws_access_key_id="testing", aws_secret_access_key="testing"
        )
        for variable, name, content in (
            ("FIREBREAK_SLACK_SECRET_ARN", "bot", {"bot_token": BOT_TOKEN}),
            ("FIREBREAK_SIGNING_SECRET_ARN", "signing", {"signing_secret": SECRET, "previous": PREVIOUS}),
        ):
            made = secrets.create_secret(Name=name, SecretString=json.dumps(content))
            place.environment[variable] = made["ARN"]
        table = table_of(place)
        _, writes = new_incident(incident(), "opened", "triage/1", ())
        table.write_all(*writes)
        table.write_all(*new_step(step(), "plan/1", START))
        yield place


def table_of(place: World) -> Table:
    return Table(place.client("dynamodb"), "firebreak", pause=lambda seconds: None)


def store(place: World) -> ApprovalTable:
    return ApprovalTable(table_of(place))


def incidents(place: World) -> IncidentTable:
    return IncidentTable(table_of(place))


def asked(place: World, approval: Approval | None = None, post: Post | None = POST, token: str = "token-1") -> Approval:
    """Open a question as Ask does, bound to a message."""
    table = store(place)
    opened = table.open(approval or question(), token)
    if post is not None:
        table.mark_posting(opened.id, START)
        table.set_post(opened.id, post)
    found = table.get(opened.id)
    assert found is not None
    return found


def payload(**changes: Any) -> dict[str, Any]:
    """A press of the approve button under POST by Ana, as Slack documents block_actions payloads."""
    pressed = {
        "type": "block_actions",
        "api_app_id": APP,
        "team": {"id": TEAM, "domain": "example"},
        "enterprise": None,
        "user": {"id": ANA, "username": "ana", "team_id": TEAM},
        "channel": {"id": CHANNEL, "name": "containment"},
        "container": {"type": "message", "message_ts": POST.ts, "channel_id": CHANNEL, "is_ephemeral": False},
        "trigger_id": "13345224609.738474920.8088930838d88f008e0",
        "actions": [action()],
    }
    return {**pressed, **changes}


def action(**changes: Any) -> dict[str, Any]:
    pressed = {"type": "button", "action_id": "firebreak_approve", "value": f"{1:032x}", "action_ts": "1793613601.000"}
    return {**pressed, **changes}


def form(content: Any) -> bytes:
    """A payload in the form that Slack posts."""
    text = content if isinstance(content, str) else json.dumps(content)
    return urlencode({"payload": text}, quote_via=quote).encode()


def request(
    body: bytes, moment: datetime = START, *, secret: str = SECRET, headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The event of a request that was signed at a moment (HTTP API, payload format 2.0)."""
    timestamp = str(int(moment.timestamp()))
    signed = b"v0:" + timestamp.encode() + b":" + body
    return {
        "version": "2.0",
        "routeKey": "POST /slack/interactions",
        "rawPath": "/slack/interactions",
        "rawQueryString": "",
        "headers": {
            "content-type": "application/x-www-form-urlencoded",
            "x-slack-request-timestamp": timestamp,
            "x-slack-signature": "v0=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest(),
            **(headers or {}),
        },
        "requestContext": {"requestId": "JKJaXmPLvHcESHA=", "http": {"method": "POST"}},
        "body": body.decode(),
        "isBase64Encoded": False,
    }


def iam_request(arn: str, body: Any, *, approval: str = f"{1:032x}", request_id: str = "K1") -> dict[str, Any]:
    """The event of a request that the caller signed with AWS credentials."""
    return {
        "version": "2.0",
        "routeKey": "POST /approvals/{id}",
        "headers": {"content-type": "application/json"},
        "pathParameters": {"id": approval},
        "requestContext": {"requestId": request_id, "authorizer": {"iam": {"userArn": arn, "accountId": ACCOUNT}}},
        "body": body if isinstance(body, str) else json.dumps(body),
        "isBase64Encoded": False,
    }
