"""The bus and the lanes: who may send what, and where it goes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from firebreak.core.lanes import bulk_pattern, urgent_pattern
from firebreak.core.registry import sources
from stacks.response.lanes import TRIAGE_TIMEOUT
from tests.stacks.conftest import MEMBER, SECURITY
from tests.stacks.iam import allowed
from tests.stacks.template import Template, text

QUEUE = "AWS::SQS::Queue"
BUS = f"arn:aws:events:eu-west-1:{SECURITY}:event-bus/firebreak"


def bus_policy(response: Template) -> list[dict[str, Any]]:
    """The bus's policy as IAM sees it together with an identity that may do anything."""
    policy = response.one("AWS::Events::EventBus")["Policy"]["Statement"]
    identity = {"Effect": "Allow", "Action": "events:PutEvents", "Resource": "*"}
    return [identity, *(one for one in policy if one["Effect"] == "Deny")]


@pytest.mark.parametrize(
    ("source", "role", "may"),
    [
        ("aws.guardduty", "firebreak-forward-eu-west-1", True),
        ("aws.guardduty", "somebody", False),
        ("aws.ec2", "somebody", False),
        ("firebreak.falco", "firebreak-forward-eu-west-1", False),
        ("firebreak.falco", "somebody", False),
        ("com.example", "somebody", True),
    ],
)
def test_the_bus_pins_who_may_send_what(response: Template, source: str, role: str, may: bool) -> None:
    context = {
        "events:source": [source],
        "aws:PrincipalArn": f"arn:aws:iam::{SECURITY}:role/{role}",
        "aws:PrincipalIsAWSService": "false",
    }
    assert allowed(bus_policy(response), "events:PutEvents", BUS, context) == may


def test_each_clusters_pipe_may_send_alerts(response: Template, estate: Mapping[str, Template]) -> None:
    roles = [one["RoleName"] for id, one in estate["firebreak-falco"].all("AWS::IAM::Role").items()]
    assert len(roles) == 2
    for role in roles:
        context = {
            "events:source": ["firebreak.falco"],
            "aws:PrincipalArn": f"arn:aws:iam::{SECURITY}:role/{role}",
            "aws:PrincipalIsAWSService": "false",
        }
        assert allowed(bus_policy(response), "events:PutEvents", BUS, context)


def test_a_forged_source_does_not_hide_behind_a_harmless_one_in_the_same_call(response: Template) -> None:
    context = {
        "events:source": ["com.example", "firebreak.falco"],
        "aws:PrincipalArn": f"arn:aws:iam::{SECURITY}:role/somebody",
        "aws:PrincipalIsAWSService": "false",
    }
    assert not allowed(bus_policy(response), "events:PutEvents", BUS, context)


def test_members_may_send_what_is_forwarded_and_nothing_else(response: Template) -> None:
    (members,) = [
        one for one in response.one("AWS::Events::EventBus")["Policy"]["Statement"] if one["Sid"] == "Members"
    ]
    assert MEMBER in text(members["Principal"]["AWS"])
    assert members["Condition"]["ForAllValues:StringEquals"] == {"events:source": ["aws.ec2", "aws.guardduty"]}


def test_everything_on_the_bus_is_kept_for_replay(response: Template) -> None:
    archive = response.one("AWS::Events::Archive")
    assert archive["EventPattern"] == {"version": ["0"]}
    assert archive["RetentionDays"] == 30


def test_every_pattern_of_the_bus_equals_its_sources(response: Template) -> None:
    wanted = {
        json.dumps(pattern, sort_keys=True): lane
        for source in sources().values()
        for lane, patterns in (("Urgent", urgent_pattern(source)), ("Bulk", bulk_pattern(source)))
        for pattern in patterns
    }
    found = {}
    for rule in response.all("AWS::Events::Rule").values():
        (target,) = rule["Targets"]
        arn = text(target["Arn"])
        for lane in ("Urgent", "Bulk"):
            if arn.startswith(f"<Lanes{lane}"):
                found[json.dumps(rule["EventPattern"], sort_keys=True)] = lane
                assert "EventBusName" in rule
                assert "InputTransformer" not in target
    assert found == wanted
    assert {"Urgent", "Bulk"} == set(wanted.values())


def test_a_message_is_hidden_six_times_as_long_as_triage_may_take(response: Template) -> None:
    assert response.function("triage")["Timeout"] == TRIAGE_TIMEOUT
    for id, queue in response.all(QUEUE).items():
        if "RedrivePolicy" in queue:
            assert queue["VisibilityTimeout"] >= 6 * TRIAGE_TIMEOUT, id


def test_triage_drains_both_lanes_and_answers_for_each_message(response: Template) -> None:
    lanes = {
        text(one["EventSourceArn"]): one
        for one in response.all("AWS::Lambda::EventSourceMapping").values()
        if "Lanes" in text(one["EventSourceArn"])
    }
    assert len(lanes) == 2
    for one in lanes.values():
        assert one["BatchSize"] == 10
        assert one["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert one["ScalingConfig"]["MaximumConcurrency"] >= 2
