"""Roles: who may take one on, in which account the session works, and what the journal keeps of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from sandbox.template import Stack
from sandbox.world import Sandbox

MEMBER = "444455556666"
HOME = "111122223333"


def role(name: str, principal: str, **condition: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole", "Condition": condition}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return {"Type": "AWS::IAM::Role", "Properties": {"RoleName": name, "AssumeRolePolicyDocument": document}}


MEMBER_STACK = {
    "Resources": {
        "Act": role(
            "act",
            f"arn:aws:iam::{HOME}:root",
            StringEquals={"sts:ExternalId": "secret-id"},
            ArnLike={"aws:PrincipalArn": f"arn:aws:iam::{HOME}:user/admin*"},
        ),
        "Other": role("other", "arn:aws:iam::777788889999:root"),
    }
}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox([Stack("member", MEMBER_STACK, account=MEMBER)]) as running:
        yield running


def assume(sandbox: Sandbox, name: str, **more: str) -> Any:
    arn = f"arn:aws:iam::{MEMBER}:role/{name}"
    return sandbox.client("sts").assume_role(RoleArn=arn, RoleSessionName="inc-1", **more)["Credentials"]


def client(sandbox: Sandbox, service: str, credentials: Any) -> Any:
    return boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url=sandbox.url,
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )


def test_a_session_works_in_the_members_account_and_the_journal_knows_it(sandbox: Sandbox) -> None:
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    credentials = assume(sandbox, "act", ExternalId="secret-id", Policy=policy)
    ec2, sts = client(sandbox, "ec2", credentials), client(sandbox, "sts", credentials)
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    assert sts.get_caller_identity()["Arn"] == f"arn:aws:sts::{MEMBER}:assumed-role/act/inc-1"
    (call,) = sandbox.journal.calls("ec2:CreateVpc")
    assert call.caller is not None
    assert (call.caller.account, call.caller.session, call.caller.session_policy) == (MEMBER, "inc-1", policy)
    assert vpc in [each["VpcId"] for each in sandbox.client("ec2", MEMBER).describe_vpcs()["Vpcs"]]
    assert vpc not in [each["VpcId"] for each in sandbox.client("ec2").describe_vpcs()["Vpcs"]]
    ec2.close()
    sts.close()


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("act", {}),
        ("act", {"ExternalId": "wrong"}),
        ("other", {"ExternalId": "secret-id"}),
        ("nobody", {"ExternalId": "secret-id"}),
    ],
)
def test_a_role_is_refused_to_whom_it_does_not_trust(sandbox: Sandbox, name: str, more: dict[str, str]) -> None:
    with pytest.raises(ClientError) as denied:
        assume(sandbox, name, **more)
    assert denied.value.response["Error"]["Code"] == "AccessDenied"


def test_a_session_policy_over_the_limit_is_refused(sandbox: Sandbox) -> None:
    assert assume(sandbox, "act", ExternalId="secret-id", Policy="x" * 2048)
    with pytest.raises(ClientError, match="ValidationError"):
        assume(sandbox, "act", ExternalId="secret-id", Policy="x" * 2049)
