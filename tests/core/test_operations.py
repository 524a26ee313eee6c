"""IAM spells some calls in its own way."""

from __future__ import annotations

import pytest

from firebreak.core.operations import iam_action, implied_by


@pytest.mark.parametrize(
    ("service", "operation", "action"),
    [
        ("ec2", "DescribeInstances", "ec2:DescribeInstances"),
        ("ec2", "CreateSnapshots", "ec2:CreateSnapshots"),  # an action of its own, not covered by CreateSnapshot
        ("s3", "ListObjectsV2", "s3:ListBucket"),
        ("s3", "HeadBucket", "s3:ListBucket"),
        ("s3", "ListBuckets", "s3:ListAllMyBuckets"),
        ("s3", "DeletePublicAccessBlock", "s3:PutBucketPublicAccessBlock"),
        ("lambda", "Invoke", "lambda:InvokeFunction"),
        ("monitoring", "PutMetricData", "cloudwatch:PutMetricData"),
    ],
)
def test_a_call_needs_the_iam_action(service: str, operation: str, action: str) -> None:
    assert iam_action(service, operation) == action


def test_tagging_at_creation_is_implied_and_a_call_that_makes_nothing_implies_nothing() -> None:
    assert "ec2:CreateTags" in implied_by("ec2:CreateSnapshots")
    assert implied_by("ec2:DescribeInstances") == frozenset()
