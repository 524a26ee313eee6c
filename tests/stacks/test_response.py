"""The response stack: nothing is lost, nothing is open, everything is watched."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from tests.stacks.template import Template, text


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
            {TABLE, NOTICES, "FIREBREAK_RAW_EVENTS_BUCKET", MACHINE, "FIREBREAK_BULK_QUEUE_ARN"},
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


@pytest.mark.parametrize(("what", "days"), [("Evidence", 365), ("RawEvents", 90)])
def test_what_is_kept_is_private_and_locked_as_long_as_it_is_kept(response: Template, what: str, days: int) -> None:
    bucket = response.body["Resources"][response.id_of("AWS::S3::Bucket", what)]["Properties"]
    assert bucket["ObjectLockEnabled"] is True
    rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": days}}
    assert bucket["ObjectLockConfiguration"] == {"ObjectLockEnabled": "Enabled", "Rule": rule}
    (lifecycle,) = bucket["LifecycleConfiguration"]["Rules"]
    assert (lifecycle["ExpirationInDays"], lifecycle["NoncurrentVersionExpiration"]) == (days, {"NoncurrentDays": 1})
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}


@pytest.mark.parametrize(("name", "what"), [("evidence", "Evidence"), ("raw-events", "RawEvents")])
def test_each_vault_has_readers_of_its_own(response: Template, name: str, what: str) -> None:
    policies = response.all("AWS::IAM::ManagedPolicy").values()
    (policy,) = [one for one in policies if one["ManagedPolicyName"] == f"firebreak-{name}-reader"]
    arn = f"<{response.id_of('AWS::S3::Bucket', what)}.Arn>"
    assert [(one["Action"], text(one["Resource"])) for one in policy["PolicyDocument"]["Statement"]] == [
        ("s3:ListBucket", arn),
        (["s3:GetObject", "s3:GetObjectVersion"], f"{arn}/*"),
    ]


def test_alarms_tell_the_notice_topic_which_is_encrypted(response: Template) -> None:
    topic = response.one("AWS::SNS::Topic")
    assert "KmsMasterKeyId" in topic
    arn = f"<{response.id_of('AWS::SNS::Topic', 'Notices')}>"
    alarms = response.all("AWS::CloudWatch::Alarm")
    assert len(alarms) == 12
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
    assert filters.keys() == {"FailedSteps", "UnsecuredSteps", "Differences"}
    assert '($.details.name = "Secure*")' in filters["FailedSteps"]
    assert '($.details.name = "Unsecured*")' in filters["UnsecuredSteps"]


def test_what_sweep_logs_of_differences_is_counted_in_its_own_log(response: Template) -> None:
    (counted,) = [
        one
        for one in response.all("AWS::Logs::MetricFilter").values()
        if one["MetricTransformations"][0]["MetricName"] == "Differences"
    ]
    assert counted["FilterPattern"] == '{ ($.message = "swept") && ($.differ > 0) }'
    assert counted["MetricTransformations"][0]["MetricValue"] == "$.differ"
    assert text(counted["LogGroupName"]) == f"<{response.id_of('AWS::Logs::LogGroup', 'Sweep')}>"
