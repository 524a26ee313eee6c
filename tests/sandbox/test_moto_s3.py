"""Each cure for S3, by what a client sees."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from tests.contract.bench import CachedSession
from tests.contract.scenes import ACCOUNT
from tests.ec2_world import cured_moto

SESSION = CachedSession()


def code_of(call: Callable[[], object]) -> str:
    """The error code that a call is refused with; "" if it is not."""
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


@pytest.mark.parametrize(("owner", "code"), [(ACCOUNT, ""), ("999999999999", "AccessDenied")])
def test_a_call_that_says_whose_the_bucket_is_meets_no_other(owner: str, code: str) -> None:
    with cured_moto():
        s3 = SESSION.client("s3")
        s3.create_bucket(Bucket="customers")
        met = {"Bucket": "customers", "ExpectedBucketOwner": owner}
        assert code_of(lambda: s3.get_bucket_acl(**met)) == code
        assert code_of(lambda: s3.put_bucket_policy(**met, Policy="{}")) == code
        assert code_of(lambda: s3.delete_public_access_block(**met)) == code


def test_a_bucket_that_does_not_exist_is_missing_whoever_is_expected() -> None:
    with cured_moto():
        s3 = SESSION.client("s3")
        assert code_of(lambda: s3.get_bucket_acl(Bucket="customers", ExpectedBucketOwner=ACCOUNT)) == "NoSuchBucket"


@pytest.mark.parametrize(
    ("blocks", "principal", "code"),
    [
        (True, "*", "AccessDenied"),
        (True, {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, ""),
        (False, "*", ""),
        (None, "*", ""),
    ],
)
def test_a_block_of_public_policies_refuses_those(blocks: bool | None, principal: object, code: str) -> None:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "s3:*", "Resource": "arn:aws:s3:::customers/*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    with cured_moto():
        s3 = SESSION.client("s3")
        s3.create_bucket(Bucket="customers")
        if blocks is not None:
            flags = {"BlockPublicPolicy": blocks}
            s3.put_public_access_block(Bucket="customers", PublicAccessBlockConfiguration=flags)
        assert code_of(lambda: s3.put_bucket_policy(Bucket="customers", Policy=policy)) == code
