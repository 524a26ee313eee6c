"""Resources that route: buses, archives, rules, schedules, pipes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sandbox.cloud import Cloud
from sandbox.delivery import QueueReader, Record, filters_of
from sandbox.events import Archive, Rule, envelope, every
from sandbox.intrinsics import TemplateError
from sandbox.patterns import matches
from sandbox.resource import Made, Resource, creates
from sandbox.transform import pipe_input


@creates("AWS::Events::EventBus", uses="Name", ignores="Description KmsKeyIdentifier DeadLetterConfig LogConfig Policy")
def bus(cloud: Cloud, resource: Resource) -> Made:
    """A bus."""
    name = resource.name("Name", 256)
    arn = resource.arn("events", f"event-bus/{name}")
    cloud.events.add_bus(arn)
    return Made(name, {"Arn": arn, "Name": name})


@creates(
    "AWS::Events::Archive",
    uses="ArchiveName SourceArn EventPattern",
    ignores="Description RetentionDays KmsKeyIdentifier",
)
def archive(cloud: Cloud, resource: Resource) -> Made:
    """An archive."""
    name = resource.name("ArchiveName", 48)
    arn = resource.arn("events", f"archive/{name}")
    cloud.events.add_archive(Archive(arn, resource.properties["SourceArn"], resource.properties.get("EventPattern")))
    return Made(name, {"Arn": arn, "ArchiveName": name})


@creates(
    "AWS::Events::Rule",
    uses="Name EventBusName EventPattern ScheduleExpression State Targets",
    ignores="Description RoleArn",
)
def rule(cloud: Cloud, resource: Resource) -> Made:
    """A rule with its targets."""
    properties = resource.properties
    known = {"Id", "Arn", "DeadLetterConfig", "Input", "InputPath", "InputTransformer", "RetryPolicy", "RoleArn"}
    for target in properties.get("Targets", ()):
        if unknown := set(target) - known:
            raise TemplateError(f"{resource.stack}/{resource.id}: target with unknown {', '.join(sorted(unknown))}")
    name = resource.name("Name")
    bus_name = properties.get("EventBusName", "default")
    bus_arn = bus_name if bus_name.startswith("arn:") else resource.arn("events", f"event-bus/{bus_name}")
    path = name if bus_arn.endswith("/default") else f"{bus_arn.rpartition('/')[2]}/{name}"
    arn = resource.arn("events", f"rule/{path}")
    schedule = properties.get("ScheduleExpression")
    enabled = properties.get("State", "ENABLED") != "DISABLED"
    pattern = properties.get("EventPattern")
    cloud.events.add_rule(Rule(arn, bus_arn, pattern, schedule, properties.get("Targets", ()), enabled))
    if schedule is not None:
        cloud.schedules[name] = lambda: cloud.events.tick(arn)
    return Made(name, {"Arn": arn})


@creates(
    "AWS::Scheduler::Schedule",
    uses="Name ScheduleExpression State Target",
    ignores="FlexibleTimeWindow ScheduleExpressionTimezone GroupName Description",
)
def schedule(cloud: Cloud, resource: Resource) -> Made:
    """A schedule of EventBridge Scheduler."""
    properties = resource.properties
    name = resource.name("Name")
    arn = resource.arn("scheduler", f"schedule/default/{name}")
    target = properties["Target"]

    def fire() -> None:
        event = envelope(cloud.clock.now(), resource.account, resource.region, "aws.scheduler", "Scheduled Event", "{}")
        text = target.get("Input") or json.dumps({**event, "resources": [arn]})
        if not cloud.deliver(target, target["Arn"], text) and "DeadLetterConfig" in target:
            cloud.send(target["DeadLetterConfig"]["Arn"], text)

    if properties.get("State", "ENABLED") == "ENABLED":
        every(cloud.clock, properties["ScheduleExpression"], fire)
        cloud.schedules[name] = fire
    return Made(name, {"Arn": arn})


@creates(
    "AWS::Pipes::Pipe",
    uses="Name Source SourceParameters Target TargetParameters DesiredState",
    ignores="RoleArn Description LogConfiguration KmsKeyIdentifier",
)
def pipe(cloud: Cloud, resource: Resource) -> Made:
    """A pipe from a queue to a bus. A message that it cannot hand on stays in the queue until that lays it aside."""
    properties = resource.properties
    parameters = properties["TargetParameters"]
    bus_parameters = parameters["EventBridgeEventBusParameters"]
    if unknown := set(bus_parameters) - {"DetailType", "Source"}:
        raise TemplateError(f"{resource.stack}/{resource.id}: unknown {', '.join(sorted(unknown))}")
    source_parameters = properties.get("SourceParameters", {})
    filters = filters_of(source_parameters)
    bus_arn = properties["Target"]

    def hand_on(record: Record) -> bool:
        body = _json(record["body"])
        if filters and not any(matches(pattern, {**record, "body": body}) for pattern in filters):
            return True
        detail = _json(pipe_input(parameters.get("InputTemplate", "<$>"), record))
        if not isinstance(detail, dict):
            return False
        kind, source = bus_parameters["DetailType"], bus_parameters["Source"]
        cloud.events.put(envelope(cloud.clock.now(), resource.account, resource.region, source, kind, detail), bus_arn)
        return True

    def consume(records: list[Record], settle: Callable[[set[str]], None]) -> None:
        failed = {record["messageId"] for record in records if not hand_on(record)}
        cloud.clock.soon(lambda: settle(failed))

    if properties.get("DesiredState", "RUNNING") == "RUNNING":
        batch = int(source_parameters.get("SqsQueueParameters", {}).get("BatchSize", 10))
        cloud.readers.append(QueueReader(cloud.clock, cloud.backend, properties["Source"], batch, 1, consume))
    name = resource.name("Name")
    return Made(name, {"Arn": resource.arn("pipes", f"pipe/{name}")})


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
