"""Who outside can reach what a template makes: every policy with a principal in it, and every other way in.

A policy is found by its shape, wherever it stands. A type of resource is one that is known here, or a fault: it could
carry a way in of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator
from typing import Any

from tests.stacks.template import Template, listed

Properties = dict[str, Any]

PUBLIC_ROUTE = "POST /slack/interactions"
"""The only route without IAM: Slack signs, and the handler checks the signature."""

UNSOURCED = ("lambda.amazonaws.com", "events.amazonaws.com")
"""Not documented to give a source when they take a role on; a condition on it might keep them out, and with EventBridge
every finding. Who may hand them a role is decided by `iam:PassRole`, which reaches roles of its own account alone."""

OURS_BY = ("aws:PrincipalArn", "aws:PrincipalAccount", "aws:SourceAccount", "aws:SourceArn", "kms:CallerAccount")
POSITIVE = ("StringEquals", "ArnEquals", "ArnLike", "StringLike")
HERE = json.dumps({"Ref": "AWS::AccountId"})
ACCOUNT = re.compile(r"(?<!\d)\d{12}(?!\d)")


def faults(template: Template, accounts: Collection[str]) -> list[str]:
    """Return in words whatever lets in somebody who is not ours.

    Args:
        template: of one stack.
        accounts: those that are ours.
    """
    found: list[str] = []
    for id, resource in template.body["Resources"].items():
        kind, properties = resource["Type"], _filled(resource.get("Properties", {}), template)
        if kind not in KNOWN:
            found.append(f"{id}: {kind} is not known; teach tests/stacks/reach.py what it lets in")
            continue
        check = KNOWN[kind]
        words = [*(check(properties) if check else ()), *_policies(kind, properties, accounts)]
        found += [f"{id}: {word}" for word in words]
    return found


def _filled(value: Any, template: Template) -> Any:
    """Parameters by their defaults, pseudo parameters as they are."""
    match value:
        case {"Ref": str(name)} if name in template.body.get("Parameters", {}):
            return template.body["Parameters"][name].get("Default", value)
        case {"Fn::Join": [str(between), list(parts)]}:
            filled = [_filled(part, template) for part in parts]
            spelt = [part if isinstance(part, str) else f"<{json.dumps(part)}>" for part in filled]
            return between.join(spelt)
        case dict():
            return {key: _filled(one, template) for key, one in value.items()}
        case list():
            return [_filled(one, template) for one in value]
    return value


def _policies(kind: str, properties: Properties, accounts: Collection[str]) -> Iterator[str]:
    for statement in _statements(properties):
        if statement is None:
            yield "a policy is a string, which nothing here reads"
        elif statement["Effect"] == "Allow":
            foreign = sorted(set(ACCOUNT.findall(json.dumps(statement))) - set(accounts))
            if foreign:
                yield f"names the accounts {foreign}"
            yield from _principals(kind, statement, accounts)


def _statements(value: Any) -> Iterator[Properties | None]:
    match value:
        case str() if '"Statement"' in value:
            yield None
        case {"Statement": statements}:
            yield from listed(statements)
        case dict():
            for one in value.values():
                yield from _statements(one)
        case list():
            for one in value:
                yield from _statements(one)


def _principals(kind: str, statement: Properties, accounts: Collection[str]) -> Iterator[str]:
    if "NotPrincipal" in statement:
        yield "lets in all but some"
    named = statement.get("Principal", {})
    for sort, names in ({"AWS": named} if isinstance(named, str) else named).items():
        for name in listed(names):
            if sort == "Service":
                if not _sourced(statement, accounts) and not (kind == "AWS::IAM::Role" and name in UNSOURCED):
                    yield f"{name} may act for anybody: no condition says for whom"
            elif sort != "AWS":
                yield f"lets in {sort} {name}"
            elif name == "*":
                if not _pinned(statement, OURS_BY, accounts):
                    yield "lets in everybody"
            elif kind == "AWS::IAM::Role" and not _pinned(statement, ("aws:PrincipalArn",), accounts):
                yield f"trusts {name} whole"
            elif not ACCOUNT.findall(str(name)) and HERE not in str(name):
                yield f"lets in {name}, whose account is not said"


def _sourced(statement: Properties, accounts: Collection[str]) -> bool:
    pods = statement.get("Condition", {}).get("StringEquals", {})
    tags = ("eks-cluster-name", "kubernetes-namespace", "kubernetes-service-account")
    return _pinned(statement, OURS_BY, accounts) or all(pods.get(f"aws:RequestTag/{tag}") for tag in tags)


def _pinned(statement: Properties, keys: Collection[str], accounts: Collection[str]) -> bool:
    """Tell whether a condition holds a statement to things of ours: all its values are."""
    return any(
        operator in POSITIVE and key in keys and all(_ours(word, accounts) for word in listed(words))
        for operator, under in statement.get("Condition", {}).items()
        for key, words in under.items()
    )


def _ours(word: Any, accounts: Collection[str]) -> bool:
    if isinstance(word, dict):
        return json.dumps(word) == HERE or "Fn::GetAtt" in word
    said = ACCOUNT.findall(word)
    return set(said) <= set(accounts) if said else HERE in word


def _permission(properties: Properties) -> Iterator[str]:
    if "FunctionUrlAuthType" in properties:
        yield "gives a function a URL"
    if not str(properties["Principal"]).endswith(".amazonaws.com") or "SourceArn" not in properties:
        yield f"lets {properties['Principal']} invoke a function, for no source that is said"


def _url(properties: Properties) -> Iterator[str]:
    yield "a function has a URL"


def _route(properties: Properties) -> Iterator[str]:
    authorization = properties.get("AuthorizationType", "NONE")
    if authorization != "AWS_IAM" and (authorization, properties["RouteKey"]) != ("NONE", PUBLIC_ROUTE):
        yield f"the route {properties['RouteKey']} is open ({authorization})"


def _api(properties: Properties) -> Iterator[str]:
    if odd := {"CorsConfiguration", "Target", "RouteKey", "Body"} & properties.keys():
        yield f"the API has {sorted(odd)}, a way in beside its routes"


def _bucket(properties: Properties) -> Iterator[str]:
    blocks = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    given = properties.get("PublicAccessBlockConfiguration", {})
    if [block for block in blocks if given.get(block) is not True]:
        yield "public access is not blocked in all four ways"
    if "AccessControl" in properties:
        yield "has an access control list"


def _entry(properties: Properties) -> Iterator[str]:
    if properties.get("AccessPolicies"):
        yield "an access entry has a policy of EKS, beside our groups"
    if not all(str(group).partition(":")[0] == "firebreak" for group in properties["KubernetesGroups"]):
        yield "an access entry is in a group that is not ours"


def _subscription(properties: Properties) -> Iterator[str]:
    if properties["Protocol"] != "email":
        yield f"notices go out by {properties['Protocol']}"


KNOWN: dict[str, Callable[[Properties], Iterator[str]] | None] = {
    "AWS::ApiGatewayV2::Api": _api,
    "AWS::ApiGatewayV2::Integration": None,
    "AWS::ApiGatewayV2::Route": _route,
    "AWS::ApiGatewayV2::Stage": None,
    "AWS::CloudWatch::Alarm": None,
    "AWS::CloudWatch::Dashboard": None,
    "AWS::DynamoDB::Table": None,
    "AWS::EKS::AccessEntry": _entry,
    "AWS::EKS::PodIdentityAssociation": None,
    "AWS::Events::Archive": None,
    "AWS::Events::EventBus": None,
    "AWS::Events::Rule": None,
    "AWS::GuardDuty::Detector": None,
    "AWS::IAM::ManagedPolicy": None,
    "AWS::IAM::Policy": None,
    "AWS::IAM::Role": None,
    "AWS::KMS::Alias": None,
    "AWS::KMS::Key": None,
    "AWS::Lambda::EventInvokeConfig": None,
    "AWS::Lambda::EventSourceMapping": None,
    "AWS::Lambda::Function": None,
    "AWS::Lambda::Permission": _permission,
    "AWS::Lambda::Url": _url,
    "AWS::Logs::LogGroup": None,
    "AWS::Logs::MetricFilter": None,
    "AWS::Pipes::Pipe": None,
    "AWS::S3::Bucket": _bucket,
    "AWS::S3::BucketPolicy": None,
    "AWS::SNS::Subscription": _subscription,
    "AWS::SNS::Topic": None,
    "AWS::SNS::TopicPolicy": None,
    "AWS::SQS::Queue": None,
    "AWS::SQS::QueuePolicy": None,
    "AWS::SSM::Parameter": None,
    "AWS::SecretsManager::Secret": None,
    "AWS::StepFunctions::StateMachine": None,
}
"""Every type there is, with what it can let in besides the policies in it."""
