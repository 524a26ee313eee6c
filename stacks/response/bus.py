"""The one bus: every source one hop away, so that archive and replay cover all of them."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from firebreak.core.deployment import Deployment
from stacks.names import forward_role, of_cluster
from stacks.patterns import forwarded_sources
from stacks.places import accounts


class Bus(Construct):
    """The bus, its archive, and who may send what.

    Args:
        scope: the stack.
        prefix: its name.
        deployment: the settings.
    """

    def __init__(self, scope: Construct, prefix: str, deployment: Deployment) -> None:
        super().__init__(scope, "Bus")
        self.bus = events.EventBus(
            self, "Bus", event_bus_name=prefix, description="Firebreak: findings from every source"
        )
        # by name: the policy is part of the bus, so that it cannot refer to it
        self._arn = cdk.Stack.of(self).format_arn(service="events", resource="event-bus", resource_name=prefix)
        self._policy = iam.PolicyDocument()
        events.Archive(
            self,
            "Archive",
            source_event_bus=self.bus,
            archive_name=prefix,
            description="Firebreak: what came in, to be replayed",
            event_pattern=events.EventPattern(version=["0"]),  # everything
            retention=cdk.Duration.days(deployment.retention.archive),
        )
        forwarders = [f"arn:*:iam::{account}:role/{forward_role(prefix)}*" for account in accounts(deployment)]
        pipes = [
            f"arn:*:iam::{cdk.Stack.of(self).account}:role/{of_cluster(prefix, 'pipe', cluster)}"
            for cluster in deployment.clusters
        ]
        forwarded = sorted(forwarded_sources())
        self._only("Forwarded", forwarded, forwarders)
        self._only("OfClusters", ["firebreak.falco"], pipes or [f"arn:*:iam::*:role/{prefix}-no-cluster"])
        home = cdk.Stack.of(self).account
        if others := [account for account in accounts(deployment) if account not in (home, cdk.Aws.ACCOUNT_ID)]:
            self._members(others, forwarded)
        default = self.bus.node.default_child
        assert isinstance(default, events.CfnEventBus)
        default.policy = self._policy

    def _only(self, sid: str, sources: Sequence[str], roles: Sequence[str]) -> None:
        """Nobody but these roles sends these sources, whatever their own policies say."""
        self._policy.add_statements(
            iam.PolicyStatement(
                sid=sid,
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=["events:PutEvents"],
                resources=[self._arn],
                conditions={
                    "ForAnyValue:StringEquals": {"events:source": list(sources)},
                    "ArnNotLike": {"aws:PrincipalArn": list(roles)},
                    "Bool": {"aws:PrincipalIsAWSService": "false"},
                },
            )
        )

    def _members(self, accounts: Sequence[str], sources: Sequence[str]) -> None:
        self._policy.add_statements(
            iam.PolicyStatement(
                sid="Members",
                principals=[iam.AccountPrincipal(account) for account in accounts],
                actions=["events:PutEvents"],
                resources=[self._arn],
                conditions={
                    "ForAllValues:StringEquals": {"events:source": list(sources)},
                    "Null": {"events:source": "false"},
                },
            )
        )
