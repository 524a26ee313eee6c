"""From a call to the permissions it needs: the per-operation table. What is not in it is refused, loudly.

Source: Service Authorization Reference, "Actions, resources, and condition keys" of each service.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from firebreak.core.operations import iam_action
from sandbox import wire
from sandbox.judge_dynamodb import dynamodb
from sandbox.judge_ec2 import ec2
from sandbox.judge_facts import Facts
from sandbox.judge_policies import Asked, Unjudged

Resources = Callable[[wire.Request, Facts], list[str]]

FREE = frozenset({"sts:GetCallerIdentity"})
"""Calls that need no permission (AWS STS API Reference)."""


def asked(request: wire.Request, facts: Facts) -> Iterable[Asked]:
    """Return every permission that a call needs.

    Raises:
        Unjudged: the table does not have the call.
    """
    name = f"{request.service}:{request.operation}"
    if name in FREE:
        return []
    if special := _SERVICES.get(request.service) or _SPECIAL.get(name):
        return special(request, facts)
    if name not in _RESOURCES:
        raise Unjudged(f"the judge does not know the call {name}; teach it in judge_requests.py")
    action = iam_action(request.service, request.operation)
    if request.service == "s3" and "versionId" in request.query:
        action += "Version"  # the versions of an object are under permissions of their own
    return [Asked(action, resource) for resource in _RESOURCES[name](request, facts)]


def _everywhere(request: wire.Request, facts: Facts) -> list[str]:
    return ["*"]


def _arn_in(member: str) -> Resources:
    return lambda request, facts: [str(request.parameters[member])]


def _queue(request: wire.Request, facts: Facts) -> list[str]:
    wanted = request.parameters.get("QueueUrl") or request.parameters["QueueName"]
    return [facts.arn("sqs", str(wanted).rpartition("/")[2])]


def _bucket(request: wire.Request, facts: Facts) -> list[str]:
    return [f"arn:aws:s3:::{request.path.strip('/').partition('/')[0]}"]


def _object(request: wire.Request, facts: Facts) -> list[str]:
    return [f"arn:aws:s3:::{request.path.removeprefix('/')}"]


def _put_object(request: wire.Request, facts: Facts) -> list[Asked]:
    """A write on condition of what is there reads it, too (Amazon S3 User Guide, "Conditional writes")."""
    actions = ("s3:PutObject", *(("s3:GetObject",) if "if-match" in request.headers else ()))
    return [Asked(action, resource) for action in actions for resource in _object(request, facts)]


def _function(request: wire.Request, facts: Facts) -> list[str]:
    name = request.path.split("/")[3]
    return [name if name.startswith("arn:") else facts.arn("lambda", f"function:{name}")]


def _mapping(request: wire.Request, facts: Facts) -> list[str]:
    return [facts.arn("lambda", f"event-source-mapping:{request.path.split('/')[3]}")]


def _cluster(request: wire.Request, facts: Facts) -> list[str]:
    return [facts.arn("eks", f"cluster/{request.path.split('/')[2]}")]


def _user(request: wire.Request, facts: Facts) -> list[str]:
    return [facts.user(str(request.parameters["UserName"]))]


def _secret(request: wire.Request, facts: Facts) -> list[str]:
    return [facts.secret(str(request.parameters["SecretId"]))]


def _parameter(request: wire.Request, facts: Facts) -> list[str]:
    names = request.parameters.get("Names") or [request.parameters["Name"]]
    return [facts.arn("ssm", f"parameter/{str(name).removeprefix('/')}") for name in names]


def _key(request: wire.Request, facts: Facts) -> list[str]:
    """Best effort: a ciphertext names its key only to KMS."""
    id = str(request.parameters.get("KeyId", "*"))
    return [id if id.startswith("arn:") else facts.arn("kms", id if id.startswith("alias/") else f"key/{id}")]


def _token(request: wire.Request, facts: Facts) -> list[str]:
    """A token names its machine only to Step Functions. Where there are several, all are asked about."""
    return [arn for arn in facts.machines if arn.startswith(facts.arn("states", "stateMachine:"))]


def _publish(request: wire.Request, facts: Facts) -> list[Asked]:
    return [Asked("sns:Publish", str(request.parameters["TopicArn"]))]


def _put_events(request: wire.Request, facts: Facts) -> list[Asked]:
    buses: dict[str, list[str]] = {}
    for entry in request.parameters["Entries"]:
        bus = str(entry.get("EventBusName", "default"))
        arn = bus if bus.startswith("arn:") else facts.arn("events", f"event-bus/{bus}")
        buses.setdefault(arn, []).append(str(entry.get("Source", "")))
    return [Asked("events:PutEvents", bus, {"events:source": sources}) for bus, sources in buses.items()]


def _assume(request: wire.Request, facts: Facts) -> list[Asked]:
    parameters = request.parameters
    role = str(parameters["RoleArn"])
    context = {"aws:ResourceAccount": role.split(":")[4], "sts:RoleSessionName": str(parameters["RoleSessionName"])}
    if "ExternalId" in parameters:
        context["sts:ExternalId"] = str(parameters["ExternalId"])
    return [Asked("sts:AssumeRole", role, context)]


_SERVICES: dict[str, Callable[[wire.Request, Facts], Iterable[Asked]]] = {"dynamodb": dynamodb, "ec2": ec2}

_SPECIAL: dict[str, Callable[[wire.Request, Facts], Iterable[Asked]]] = {
    "events:PutEvents": _put_events,
    "s3:PutObject": _put_object,
    "sns:Publish": _publish,
    "sts:AssumeRole": _assume,
}

_RESOURCES: dict[str, Resources] = {
    "autoscaling:DescribeAutoScalingGroups": _everywhere,
    "autoscaling:DescribeAutoScalingInstances": _everywhere,
    "eks:DescribeCluster": _cluster,
    "eks:ListClusters": _everywhere,
    "elasticloadbalancing:DescribeLoadBalancers": _everywhere,
    "elasticloadbalancing:DescribeTargetGroups": _everywhere,
    "elasticloadbalancing:DescribeTargetHealth": _everywhere,
    "iam:GetUser": _user,
    "iam:ListAccessKeys": _user,
    "iam:UpdateAccessKey": _user,
    "kms:Decrypt": _key,
    "kms:DescribeKey": _key,
    "kms:Encrypt": _key,
    "kms:GenerateDataKey": _key,
    "lambda:DeleteFunctionConcurrency": _function,
    "lambda:GetFunctionConcurrency": _function,
    "lambda:Invoke": _function,
    "lambda:ListEventSourceMappings": _everywhere,
    "lambda:PutFunctionConcurrency": _function,
    "lambda:UpdateEventSourceMapping": _mapping,
    "s3:DeleteBucketPolicy": _bucket,
    "s3:DeleteObject": _object,
    "s3:DeletePublicAccessBlock": _bucket,
    "s3:GetBucketAcl": _bucket,
    "s3:GetBucketPolicy": _bucket,
    "s3:GetBucketPolicyStatus": _bucket,
    "s3:GetObject": _object,
    "s3:GetPublicAccessBlock": _bucket,
    "s3:HeadBucket": _bucket,
    "s3:HeadObject": _object,
    "s3:ListObjectsV2": _bucket,
    "s3:PutBucketPolicy": _bucket,
    "s3:PutPublicAccessBlock": _bucket,
    "secretsmanager:DescribeSecret": _secret,
    "secretsmanager:GetSecretValue": _secret,
    "secretsmanager:PutSecretValue": _secret,
    "sqs:ChangeMessageVisibility": _queue,
    "sqs:DeleteMessage": _queue,
    "sqs:GetQueueAttributes": _queue,
    "sqs:GetQueueUrl": _queue,
    "sqs:PurgeQueue": _queue,
    "sqs:ReceiveMessage": _queue,
    "sqs:SendMessage": _queue,
    "ssm:GetParameter": _parameter,
    "ssm:GetParameters": _parameter,
    "ssm:PutParameter": _parameter,
    "states:DescribeExecution": _arn_in("executionArn"),
    "states:GetExecutionHistory": _arn_in("executionArn"),
    "states:ListExecutions": _arn_in("stateMachineArn"),
    "states:SendTaskFailure": _token,
    "states:SendTaskHeartbeat": _token,
    "states:SendTaskSuccess": _token,
    "states:StartExecution": _arn_in("stateMachineArn"),
    "states:StopExecution": _arn_in("executionArn"),
}
"""The resources of each call that needs just the permission of its own name."""
