"""Resources that run: functions and who wakes them, state machines, HTTP APIs."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from sandbox.cloud import Cloud
from sandbox.delivery import QueueReader, StreamReader, filters_of, function_consumer
from sandbox.functions import Function
from sandbox.http_api import HttpApi, Route
from sandbox.identity import Caller
from sandbox.intrinsics import TemplateError
from sandbox.resource import Made, Resource, creates


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
    filters = filters_of(properties)
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


def _must(delivered: bool, arn: str) -> None:
    if not delivered:
        raise RuntimeError(f"{arn} does not exist, and a failure was to be sent there")
