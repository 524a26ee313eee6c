"""Log groups: kept for as many days as the settings say."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_logs as logs
from constructs import Construct


def log_group(scope: Construct, days: int) -> logs.LogGroup:
    """Return the log group of a construct. It goes with its stack: what has to outlive it is in table and bucket."""
    group = logs.LogGroup(scope, "Logs", removal_policy=cdk.RemovalPolicy.DESTROY)
    default = group.node.default_child
    assert isinstance(default, logs.CfnLogGroup)
    default.retention_in_days = days  # any number that CloudWatch Logs takes; CDK's own enumeration knows fewer words
    return group
