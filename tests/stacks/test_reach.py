"""Nobody but ours gets in: every policy with a principal, and every other way, in every stack."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import pytest

from tests.stacks.conftest import MEMBER, SECURITY
from tests.stacks.reach import KNOWN, PUBLIC_ROUTE, faults
from tests.stacks.template import Template

ACCOUNTS = (SECURITY, MEMBER)
STRANGER = "999999999999"


def test_nothing_lets_a_stranger_in(estate: Mapping[str, Template], empty: Mapping[str, Template]) -> None:
    assert {name: found for name, one in estate.items() if (found := faults(one, ACCOUNTS))} == {}
    assert {name: found for name, one in empty.items() if (found := faults(one, ()))} == {}
    assert {name.removeprefix("firebreak-").split("-")[0] for name in estate} == {
        "response",
        "detection",
        "member",
        "clusters",
        "falco",
    }


def test_one_route_is_public(estate: Mapping[str, Template]) -> None:
    routes = [route for one in estate.values() for route in one.all("AWS::ApiGatewayV2::Route").values()]
    assert [route["RouteKey"] for route in routes if route["AuthorizationType"] == "NONE"] == [PUBLIC_ROUTE]


def test_no_type_is_known_that_there_is_not(estate: Mapping[str, Template]) -> None:
    there = {resource["Type"] for one in estate.values() for resource in one.body["Resources"].values()}
    assert KNOWN.keys() - there == {"AWS::Lambda::Url"}, "known only to be refused"


def _allow(principal: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": principal, **more}


def _of(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}


def _queue(principal: Any, **more: Any) -> dict[str, Any]:
    return _of("AWS::SQS::QueuePolicy", PolicyDocument={"Statement": [_allow(principal, **more)]})


def _role(principal: Any, **more: Any) -> dict[str, Any]:
    return _of("AWS::IAM::Role", AssumeRolePolicyDocument={"Statement": _allow(principal, **more)})


ROOT, SERVICE = {"AWS": f"arn:aws:iam::{MEMBER}:root"}, {"Service": "events.amazonaws.com"}
BLOCKED = dict.fromkeys(("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True)
BY_ROLE = {"ArnEquals": {"aws:PrincipalArn": f"arn:aws:iam::{MEMBER}:role/firebreak-fn-plan"}}
BY_TAGS = {
    "StringEquals": {
        f"aws:RequestTag/{tag}": "x"
        for tag in ("eks-cluster-name", "kubernetes-namespace", "kubernetes-service-account")
    }
}
STATES, PODS = {"Service": "states.amazonaws.com"}, {"Service": "pods.eks.amazonaws.com"}


@pytest.mark.parametrize(
    ("resource", "said"),
    [
        (_queue("*"), "everybody"),
        (_queue({"AWS": "*"}), "everybody"),
        (_queue("*", Condition={"StringEquals": {"aws:SourceAccount": STRANGER}}), STRANGER),
        (_queue("*", Condition={"StringNotEquals": {"aws:SourceAccount": MEMBER}}), "everybody"),
        (_queue("*", Condition={"StringEqualsIfExists": {"aws:SourceAccount": MEMBER}}), "everybody"),
        (_queue("*", Condition={"StringLike": {"aws:SourceAccount": "*"}}), "everybody"),
        (_queue("*", Condition={"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}), "everybody"),
        (_queue("*", Condition={"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:*"}}), "everybody"),
        (_queue({"AWS": f"arn:aws:iam::{STRANGER}:root"}), STRANGER),
        (_queue({"AWS": STRANGER}), STRANGER),
        (_queue({"AWS": [ROOT["AWS"], f"arn:aws:iam::{STRANGER}:role/firebreak-fn-plan"]}), STRANGER),
        (_queue({"AWS": "AIDAEXAMPLE"}), "not said"),
        (_queue({"CanonicalUser": "79a5"}), "CanonicalUser"),
        (_queue({"Federated": "accounts.example.com"}), "Federated"),
        (_of("AWS::KMS::Key", KeyPolicy={"Statement": {"Effect": "Allow", "NotPrincipal": ROOT}}), "all but"),
        (_queue(SERVICE), "act for anybody"),
        (_queue(SERVICE, Condition={"ArnLike": {"aws:SourceArn": f"arn:aws:events:*:{STRANGER}:rule/x"}}), STRANGER),
        (_queue({"Service": "lambda.amazonaws.com"}), "act for anybody"),
        (_role(STATES), "act for anybody"),
        (_role(PODS, Condition={"StringEquals": {"aws:RequestTag/kubernetes-namespace": "falco"}}), "act for anybody"),
        (_role(ROOT), "whole"),
        (_role(ROOT, Condition={"StringEquals": {"sts:ExternalId": "word"}}), "whole"),
        (_of("AWS::DynamoDB::Table", ResourcePolicy={"PolicyDocument": {"Statement": [_allow("*")]}}), "everybody"),
        (_of("AWS::SSM::Parameter", Value='{"Statement": []}'), "a string"),
        (_of("AWS::Lambda::Permission", Principal="*"), "invoke"),
        (_of("AWS::Lambda::Permission", Principal="sns.amazonaws.com"), "invoke"),
        (_of("AWS::Lambda::Permission", Principal=STRANGER, SourceArn="x"), "invoke"),
        (_of("AWS::Lambda::Permission", Principal="*", FunctionUrlAuthType="NONE", SourceArn="x"), "URL"),
        (_of("AWS::Lambda::Url", AuthType="AWS_IAM"), "URL"),
        (_of("AWS::ApiGatewayV2::Route", RouteKey="POST /approvals/{id}", AuthorizationType="NONE"), "open"),
        (_of("AWS::ApiGatewayV2::Route", RouteKey="$default"), "open"),
        (_of("AWS::ApiGatewayV2::Api", CorsConfiguration={"AllowOrigins": ["*"]}), "beside its routes"),
        (_of("AWS::S3::Bucket"), "not blocked"),
        (_of("AWS::S3::Bucket", PublicAccessBlockConfiguration={**BLOCKED, "BlockPublicPolicy": False}), "not blocked"),
        (_of("AWS::S3::Bucket", PublicAccessBlockConfiguration=BLOCKED, AccessControl="PublicRead"), "control list"),
        (_of("AWS::EKS::AccessEntry", KubernetesGroups=["system:masters"]), "not ours"),
        (_of("AWS::EKS::AccessEntry", KubernetesGroups=[], AccessPolicies=[{}]), "policy of EKS"),
        (_of("AWS::SNS::Subscription", Protocol="https"), "https"),
        (_of("AWS::EC2::SecurityGroup"), "is not known"),
        (_of("AWS::SQS::QueueInlinePolicy"), "is not known"),
    ],
)
def test_a_way_in_is_seen(resource: dict[str, Any], said: str) -> None:
    (found, *_) = faults(Template("spoilt", {"Resources": {"Thing": resource}}), ACCOUNTS)
    assert said in found


@pytest.mark.parametrize(
    "resource",
    [
        _queue("*", Condition={"StringEquals": {"kms:CallerAccount": MEMBER}}),
        _queue({"AWS": ROOT["AWS"]}),
        _queue(SERVICE, Condition={"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": ["Rule", "Arn"]}}}),
        _role(STATES, Condition={"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}),
        _role({"Service": "lambda.amazonaws.com"}),
        _role(SERVICE),
        _role(PODS, Condition=BY_TAGS),
        _role(ROOT, Condition=BY_ROLE),
        _of("AWS::S3::Bucket", PublicAccessBlockConfiguration=BLOCKED),
    ],
)
def test_what_is_ours_is_let_in(resource: dict[str, Any]) -> None:
    assert faults(Template("good", {"Resources": {"Thing": resource}}), ACCOUNTS) == []


def test_a_stranger_in_a_template_that_is_ours_is_seen(response: Template) -> None:
    spoilt = copy.deepcopy(response.body)
    bus = next(one for one in spoilt["Resources"].values() if one["Type"] == "AWS::Events::EventBus")
    bus["Properties"]["Policy"]["Statement"].append(_allow({"AWS": f"arn:aws:iam::{STRANGER}:root"}))
    assert [STRANGER in fault for fault in faults(Template("spoilt", spoilt), ACCOUNTS)] == [True]
