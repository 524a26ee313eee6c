"""The response stack: nothing is lost, nothing is open, everything is watched."""

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


def dead_letter_queues(template: Template) -> set[str]:
    """Every queue that something else lays aside to."""
    found = set()
    for queue in template.all(QUEUE).values():
        if "RedrivePolicy" in queue:
            found.add(text(queue["RedrivePolicy"]["deadLetterTargetArn"]))
    for rule in template.all("AWS::Events::Rule").values():
        found |= {text(target["DeadLetterConfig"]["Arn"]) for target in rule["Targets"]}
    for function in template.all("AWS::Lambda::Function").values():
        if "DeadLetterConfig" in function:
            found.add(text(function["DeadLetterConfig"]["TargetArn"]))
    for mapping in template.all("AWS::Lambda::EventSourceMapping").values():
        if "DestinationConfig" in mapping:
            found.add(text(mapping["DestinationConfig"]["OnFailure"]["Destination"]))
    return {arn.strip("<>").removesuffix(".Arn") for arn in found}


def test_every_queue_has_a_dead_letter_queue_or_is_one(estate: Mapping[str, Template]) -> None:
    for template in estate.values():
        dead = dead_letter_queues(template)
        for id, queue in template.all(QUEUE).items():
            assert ("RedrivePolicy" in queue) != (id in dead), id
            if "RedrivePolicy" in queue:
                assert queue["RedrivePolicy"]["maxReceiveCount"] == 5
                target = text(queue["RedrivePolicy"]["deadLetterTargetArn"]).strip("<>").removesuffix(".Arn")
                assert template.all(QUEUE)[target]["MessageRetentionPeriod"] > queue["MessageRetentionPeriod"]


def test_every_dead_letter_queue_has_an_alarm(estate: Mapping[str, Template]) -> None:
    for template in estate.values():
        watched = {
            text(dimension["Value"]).strip("<>").removesuffix(".QueueName")
            for alarm in template.all("AWS::CloudWatch::Alarm").values()
            if alarm.get("MetricName") == "ApproximateNumberOfMessagesVisible"
            for dimension in alarm["Dimensions"]
        }
        assert watched == dead_letter_queues(template), template.name


def test_every_queue_is_encrypted_and_takes_nothing_in_the_clear(estate: Mapping[str, Template]) -> None:
    for template in estate.values():
        guarded = {
            text(queue)
            for policy in template.all("AWS::SQS::QueuePolicy").values()
            for queue in policy["Queues"]
            if any(
                one["Effect"] == "Deny" and one["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
                for one in policy["PolicyDocument"]["Statement"]
            )
        }
        for id, queue in template.all(QUEUE).items():
            assert queue["SqsManagedSseEnabled"] is True, id
            assert f"<{id}>" in guarded, id


def test_every_log_group_forgets(estate: Mapping[str, Template]) -> None:
    for template in estate.values():
        for id, group in template.all("AWS::Logs::LogGroup").items():
            assert group["RetentionInDays"] == 90, id


def test_every_function_is_built_alike_and_logs_to_a_group_of_its_own(response: Template) -> None:
    functions = response.all("AWS::Lambda::Function")
    groups = [text(function["LoggingConfig"]["LogGroup"]) for function in functions.values()]
    assert len(set(groups)) == len(groups)
    for function in functions.values():
        assert (function["Runtime"], function["Architectures"]) == ("python3.13", ["arm64"])
        assert function["TracingConfig"] == {"Mode": "Active"}
        assert function["LoggingConfig"]["LogFormat"] == "JSON"
        assert "ReservedConcurrentExecutions" not in function
    assert len({json.dumps(function["Code"]) for function in functions.values()}) == 1


@pytest.mark.parametrize(
    "word",
    ["triage", "plan", "ask", "answer", "decide", "execute", "close", "sweep", "prepare", "execute-destructive"],
)
def test_a_function_has_the_handler_of_its_word(response: Template, word: str) -> None:
    module = "execute" if word == "execute-destructive" else word
    assert response.function(word)["Handler"] == f"firebreak.handlers.{module}.handler"


TABLE, NOTICES, EVIDENCE = "FIREBREAK_TABLE", "FIREBREAK_NOTICE_TOPIC_ARN", "FIREBREAK_EVIDENCE_BUCKET"
MACHINE, SLACK = "FIREBREAK_STATE_MACHINE_ARN", "FIREBREAK_SLACK_SECRET_ARN"


@pytest.mark.parametrize(
    ("word", "variables"),
    [
        (
            "triage",
            {TABLE, NOTICES, EVIDENCE, MACHINE, "FIREBREAK_URGENT_QUEUE_ARN", "FIREBREAK_BULK_QUEUE_ARN"},
        ),
        ("plan", {TABLE, NOTICES, MACHINE, "FIREBREAK_PREPARE_FUNCTION"}),
        ("ask", {TABLE, SLACK}),
        ("answer", {TABLE, "FIREBREAK_SIGNING_SECRET_ARN"}),
        ("decide", {TABLE, SLACK}),
        ("execute", {TABLE, NOTICES}),
        ("execute-destructive", {TABLE, NOTICES}),
        ("close", {TABLE, NOTICES, EVIDENCE}),
        ("sweep", {TABLE, NOTICES, MACHINE, SLACK}),
        ("prepare", {NOTICES}),
    ],
)
def test_a_function_is_told_what_the_architecture_says(response: Template, word: str, variables: set[str]) -> None:
    assert set(response.function(word)["Environment"]["Variables"]) == variables


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


def test_decide_is_woken_by_new_votes_alone(response: Template) -> None:
    (mapping,) = [
        one
        for one in response.all("AWS::Lambda::EventSourceMapping").values()
        if "Table" in text(one["EventSourceArn"])
    ]
    (found,) = [json.loads(one["Pattern"]) for one in mapping["FilterCriteria"]["Filters"]]
    assert found == {"eventName": ["INSERT"], "dynamodb": {"Keys": {"pk": {"S": [{"prefix": "VOTE#"}]}}}}
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["MaximumRetryAttempts"] == 10
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_the_table_is_as_the_architecture_says(response: Template) -> None:
    table = response.one("AWS::DynamoDB::Table")
    assert table["KeySchema"] == [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ]
    (index,) = table["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "listing"
    assert [key["AttributeName"] for key in index["KeySchema"]] == ["listing", "listed_at"]
    assert index["Projection"] == {"ProjectionType": "ALL"}
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert (table["BillingMode"], table["DeletionProtectionEnabled"]) == ("PAY_PER_REQUEST", True)
    assert table["SSESpecification"]["SSEType"] == "KMS"


@pytest.mark.parametrize("type_", ["AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::KMS::Key"])
def test_what_holds_the_story_outlives_the_stack(response: Template, type_: str) -> None:
    for resource in response.body["Resources"].values():
        if resource["Type"] == type_:
            assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_evidence_is_private_versioned_and_can_be_locked(response: Template) -> None:
    bucket = response.one("AWS::S3::Bucket")
    assert bucket["ObjectLockEnabled"] is True
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}


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


def test_the_public_route_is_throttled_and_the_other_is_under_iam(response: Template) -> None:
    routes = {one["RouteKey"]: one["AuthorizationType"] for one in response.all("AWS::ApiGatewayV2::Route").values()}
    assert routes == {"POST /slack/interactions": "NONE", "POST /approvals/{id}": "AWS_IAM"}
    stage = response.one("AWS::ApiGatewayV2::Stage")
    assert stage["RouteSettings"]["POST /slack/interactions"] == {
        "ThrottlingRateLimit": 5,
        "ThrottlingBurstLimit": 10,
    }


def test_the_access_log_holds_neither_body_nor_headers(response: Template) -> None:
    log = json.loads(response.one("AWS::ApiGatewayV2::Stage")["AccessLogSettings"]["Format"])
    assert not [value for value in log.values() if "body" in value.lower() or "header" in value.lower()]


def test_the_api_calls_answer_for_its_own_routes_alone(response: Template) -> None:
    answer = response.id_of("AWS::Lambda::Function", "Answer")
    permissions = [
        one
        for one in response.all("AWS::Lambda::Permission").values()
        if one["FunctionName"] == {"Fn::GetAtt": [answer, "Arn"]}
    ]
    assert len(permissions) == 2
    for one in permissions:
        assert one["Principal"] == "apigateway.amazonaws.com"
        assert text(one["SourceArn"]).endswith(("/slack/interactions", "/approvals/{id}"))


def test_sweep_is_woken_by_the_clock_and_by_our_executions_that_ended_badly(response: Template) -> None:
    sweep = f"<{response.id_of('AWS::Lambda::Function', 'Sweep')}.Arn>"
    rules = [one for one in response.all("AWS::Events::Rule").values() if text(one["Targets"][0]["Arn"]) == sweep]
    (clock,) = [one["ScheduleExpression"] for one in rules if "ScheduleExpression" in one]
    (ended,) = [one["EventPattern"] for one in rules if "EventPattern" in one]
    assert clock == "rate(5 minutes)"
    assert ended["source"] == ["aws.states"]
    assert ended["detail"]["status"] == ["FAILED", "TIMED_OUT", "ABORTED"]
    machine = response.id_of("AWS::StepFunctions::StateMachine", "Respond")
    assert [text(arn) for arn in ended["detail"]["stateMachineArn"]] == [f"<{machine}>"]


def test_prepare_is_woken_daily_after_a_deployment_and_by_new_networks(response: Template) -> None:
    prepare = f"<{response.id_of('AWS::Lambda::Function', 'Prepare')}.Arn>"
    rules = [one for one in response.all("AWS::Events::Rule").values() if text(one["Targets"][0]["Arn"]) == prepare]
    assert [one["ScheduleExpression"] for one in rules if "ScheduleExpression" in one] == ["rate(1 day)"]
    patterns = {one["EventPattern"]["source"][0]: one for one in rules if "EventPattern" in one}
    assert patterns.keys() == {"aws.cloudformation", "aws.ec2"}
    assert "EventBusName" in patterns["aws.ec2"], "forwarded, from every account and region"
    assert patterns["aws.ec2"]["EventPattern"]["detail"] == {"eventName": ["CreateVpc", "CreateDefaultVpc"]}
    (prefix,) = patterns["aws.cloudformation"]["EventPattern"]["detail"]["stack-id"]
    assert text(prefix["prefix"]).endswith(":stack/firebreak-")


def test_alarms_tell_the_notice_topic_which_is_encrypted(response: Template) -> None:
    topic = response.one("AWS::SNS::Topic")
    assert "KmsMasterKeyId" in topic
    arn = f"<{response.id_of('AWS::SNS::Topic', 'Notices')}>"
    alarms = response.all("AWS::CloudWatch::Alarm")
    assert len(alarms) == 11
    for alarm in alarms.values():
        assert [text(action) for action in alarm["AlarmActions"]] == [arn]
    publishers = [
        one["Principal"]
        for one in response.one("AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
        if one["Effect"] == "Allow"
    ]
    assert publishers == [{"Service": "cloudwatch.amazonaws.com"}]


def test_steps_that_failed_or_stayed_open_are_counted_by_the_states_they_enter(response: Template) -> None:
    filters = {
        one["MetricTransformations"][0]["MetricName"]: one["FilterPattern"]
        for one in response.all("AWS::Logs::MetricFilter").values()
    }
    assert filters.keys() == {"FailedSteps", "UnsecuredSteps"}
    assert '($.details.name = "Secure*")' in filters["FailedSteps"]
    assert '($.details.name = "Unsecured*")' in filters["UnsecuredSteps"]
