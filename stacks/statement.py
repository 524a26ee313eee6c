"""IAM statements, written by hand: what CDK grants in one word is wider than what is called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import aws_iam as iam


def allow(actions: Sequence[str], resources: Sequence[str], **conditions: Mapping[str, object]) -> iam.PolicyStatement:
    """Return a statement that allows actions on resources, each condition operator being a keyword."""
    return iam.PolicyStatement(actions=list(actions), resources=list(resources), conditions=dict(conditions))
