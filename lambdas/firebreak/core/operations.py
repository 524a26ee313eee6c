"""Which permission a call needs: the one reviewed table of where IAM does not spell an action as the API does.

Source: Service Authorization Reference, "Actions, resources, and condition keys" of each service. CreateSnapshots stays
out of it on purpose: IAM has an action of that name, which CreateSnapshot does not cover (Amazon Inspector User Guide,
"Service-linked role permissions for Amazon Inspector agentless scans").
"""

from __future__ import annotations

_PREFIXES = {
    "monitoring": "cloudwatch",
    "email": "ses",
}
"""Signing names of services whose IAM prefix is another."""

_ACTIONS = {
    "s3:DeletePublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:ListObjects": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "lambda:Invoke": "lambda:InvokeFunction",
}
"""Calls whose IAM action has another name than the API operation."""

_IMPLIED: dict[str, frozenset[str]] = {
    "ec2:CreateSnapshots": frozenset({"ec2:CreateTags"}),
    "ec2:CreateSecurityGroup": frozenset({"ec2:CreateTags"}),
}
"""Permissions that a call needs beside its own, without a call of theirs ("dependent actions")."""


def iam_action(signing_name: str, operation: str) -> str:
    """Return the IAM action of an API call.

    Args:
        signing_name: botocore's signing name of the service ("ec2", "monitoring").
        operation: the API operation ("ListObjectsV2").
    """
    action = f"{_PREFIXES.get(signing_name, signing_name)}:{operation}"
    return _ACTIONS.get(action, action)


def implied_by(action: str) -> frozenset[str]:
    """Return the IAM actions that may be needed for a call of an IAM action without a call of their own."""
    return _IMPLIED.get(action, frozenset())
