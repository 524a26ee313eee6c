"""Queues in every stack: nothing is lost in silence."""

from __future__ import annotations

from collections.abc import Mapping

from tests.stacks.template import Template, text

QUEUE = "AWS::SQS::Queue"


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
