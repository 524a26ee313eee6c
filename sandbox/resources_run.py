"""Resources that run or route: functions, mappings, machines, buses, rules, pipes, schedules, HTTP APIs."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.cloud import Cloud
from sandbox.delivery import QueueReader, Record, StreamReader, function_consumer
from sandbox.events import Archive, Rule, envelope, every
from sandbox.functions import Function
from sandbox.http_api import HttpApi, Route
from sandbox.identity import Caller
from sandbox.intrinsics import TemplateError
from sandbox.patterns import matches
from sandbox.resource import Made, Resource, creates
from sandbox.transform import pipe_input


@creates(
    "AWS::Lambda::Function",
    uses="FunctionName Handler Role Environment Timeout MemorySize DeadLetterConfig",
    # our code runs in this process, on its interpreter, and prints where it likes
    ignores="Code Runtime Architectures TracingConfig LoggingConfig Description ReservedConcurrentExecutions Layers"
    " EphemeralStorage KmsKeyArn PackageType",
)
def function(cloud: Cloud, resource: Resource) -> Made:
    """A function: its handler's module is built with its own settings."""
    properties = resource.properties
    name = resource.name("FunctionName")
    arn = resource.arn("lambda", f"function:{name}")
    cloud.functions.register(
        Function(
            name,
            arn,
            properties["Handler"].rpartition(".")[0],
            properties["Role"],
            {key: str(value) for key, value in properties.get("Environment", {}).get("Variables", {}).items()},
            int(properties.get("Timeout", 3)),
            int(properties.get("MemorySize", 128)),
            properties.get("DeadLetterConfig", {}).get("TargetArn"),
        )
    )
    return Made(name, {"Arn": arn})


@creates(
    "AWS::Lambda::EventInvokeConfig",
    uses="FunctionName MaximumRetryAttempts DestinationConfig",
    ignores="Qualifier MaximumEventAgeInSeconds",
)
def event_invoke_config(cloud: Cloud, resource: Resource) -> Made:
    """How a function's asynchronous invocations are retried."""
    properties = resource.properties
    found = cloud.functions.find(properties["FunctionName"])
    failures = properties.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination", found.failures)
    retries = properties.get("MaximumRetryAttempts", found.retries)
    cloud.functions.register(dataclasses.replace(found, failures=failures, retries=retries))
    return Made(f"{found.name}-invoke-config")


@creates(
    "AWS::Lambda::EventSourceMapping",
    uses="FunctionName EventSourceArn BatchSize FunctionResponseTypes FilterCriteria ScalingConfig Enabled"
    " BisectBatchOnFunctionError MaximumRetryAttempts MaximumRecordAgeInSeconds DestinationConfig",
    ignores="MaximumBatchingWindowInSeconds StartingPosition ParallelizationFactor KmsKeyArn",
)
def event_source_mapping(cloud: Cloud, resource: Resource) -> Made:
    """Who reads a queue or a table's stream."""
    properties = resource.properties
    made = Made(resource.id, {"Id": resource.id})
    if not properties.get("Enabled", True):
        return made
    source = properties["EventSourceArn"]
    arn = cloud.functions.find(properties["FunctionName"]).arn
    partial = "ReportBatchItemFailures" in properties.get("FunctionResponseTypes", ())
    filters = _filters(properties)
    if ":dynamodb:" in source:
        reader = StreamReader(
            cloud.clock,
            cloud.backend,
            cloud.functions,
            source.partition("/stream/")[0],
            arn,
            batch=int(properties.get("BatchSize", 100)),
            filters=filters,
            partial=partial,
            bisect=properties.get("BisectBatchOnFunctionError", False),
            retries=int(properties.get("MaximumRetryAttempts", -1)),
            age=float(properties.get("MaximumRecordAgeInSeconds", -1)),
            failures=properties.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination"),
            dead_letter=lambda to, text: _must(cloud.deliver({}, to, text), to),
        )
        cloud.streams.append(reader)
    else:
        consume = function_consumer(cloud.clock, cloud.functions, arn, partial, filters)
        limit = int(properties.get("ScalingConfig", {}).get("MaximumConcurrency", 1000))
        batch = int(properties.get("BatchSize", 10))
        cloud.readers.append(QueueReader(cloud.clock, cloud.backend, source, batch, limit, consume))
    return made


@creates(
    "AWS::StepFunctions::StateMachine",
    uses="StateMachineName DefinitionString DefinitionSubstitutions StateMachineType",
    ignores="RoleArn LoggingConfiguration TracingConfiguration EncryptionConfiguration",
)
def state_machine(cloud: Cloud, resource: Resource) -> Made:
    """A state machine, refused where the interpreter would not run it to the letter."""
    properties = resource.properties
    if properties.get("StateMachineType", "STANDARD") != "STANDARD":
        raise TemplateError(f"{resource.stack}/{resource.id}: only Standard machines are known")
    text = properties["DefinitionString"]
    for name, value in properties.get("DefinitionSubstitutions", {}).items():
        text = text.replace(f"${{{name}}}", str(value))
    name = resource.name("StateMachineName", 80)
    arn = resource.arn("states", f"stateMachine:{name}")
    cloud.executions.add_machine(arn, json.loads(text))
    return Made(arn, {"Arn": arn, "Name": name})


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
    filters = _filters(source_parameters)
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


@creates("AWS::ApiGatewayV2::Api", uses="Name ProtocolType", ignores="Description DisableExecuteApiEndpoint")
def http_api(cloud: Cloud, resource: Resource) -> Made:
    """An HTTP API, served below the front."""
    if resource.properties["ProtocolType"] != "HTTP":
        raise TemplateError(f"{resource.stack}/{resource.id}: only HTTP APIs are known")
    id_ = resource.id.lower()

    def caller(key: str) -> Caller | None:
        return cloud.identities.find(key) or cloud.backend.user(key)

    api = HttpApi(id_, resource.account, cloud.clock, cloud.functions, caller)
    cloud.apis[id_] = api
    cloud.front.mount(f"/http-api/{id_}", api)
    return Made(id_, {"ApiId": id_, "ApiEndpoint": f"{cloud.url}/http-api/{id_}"})


@creates(
    "AWS::ApiGatewayV2::Integration",
    uses="ApiId IntegrationType IntegrationUri PayloadFormatVersion",
    ignores="IntegrationMethod TimeoutInMillis",
)
def integration(cloud: Cloud, resource: Resource) -> Made:
    """A function behind a route; its id is the function's ARN."""
    properties = resource.properties
    if (properties["IntegrationType"], properties["PayloadFormatVersion"]) != ("AWS_PROXY", "2.0"):
        raise TemplateError(f"{resource.stack}/{resource.id}: only function integrations of format 2.0 are known")
    return Made(properties["IntegrationUri"])


@creates("AWS::ApiGatewayV2::Route", uses="ApiId RouteKey Target AuthorizationType")
def route(cloud: Cloud, resource: Resource) -> Made:
    """A route."""
    properties: Mapping[str, Any] = resource.properties
    kind = properties.get("AuthorizationType", "NONE")
    if kind not in ("NONE", "AWS_IAM"):
        raise TemplateError(f"{resource.stack}/{resource.id}: unknown authorization {kind}")
    function_arn = properties["Target"].removeprefix("integrations/")
    cloud.apis[properties["ApiId"]].routes.append(Route(properties["RouteKey"], function_arn, kind == "AWS_IAM"))
    return Made(resource.id)


def _filters(properties: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [json.loads(one["Pattern"]) for one in properties.get("FilterCriteria", {}).get("Filters", ())]


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _must(delivered: bool, arn: str) -> None:
    if not delivered:
        raise RuntimeError(f"{arn} does not exist, and a failure was to be sent there")
