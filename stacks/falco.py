"""Falco's alerts: a queue per cluster at home, whose name says whose alerts they are, and a Pipe to the bus."""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_pipes as pipes
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from firebreak.core.deployment import Deployment, WatchedCluster
from stacks.alarms import Alarms, near_topic
from stacks.names import of_cluster
from stacks.places import environment
from stacks.queue import queue
from stacks.statement import allow

SOURCE, DETAIL_TYPE = "firebreak.falco", "Falco Alert"
VISIBILITY = 60


class FalcoStack(cdk.Stack):
    """The queues and pipes, in the home account and region: a Pipe reaches only the bus beside it.

    Args:
        scope, id: where it belongs.
        deployment: the settings.
        bus_arn: our bus.
    """

    def __init__(self, scope: Construct, id: str, *, deployment: Deployment, bus_arn: str, **stack: Any) -> None:
        super().__init__(scope, id, **stack)
        self._bus = events.EventBus.from_event_bus_arn(self, "Bus", bus_arn)
        dead = [self._cluster(deployment, cluster) for cluster in deployment.clusters]
        Alarms(self, near_topic(self, deployment.prefix)).dead_letters(dead)

    def _cluster(self, deployment: Deployment, cluster: WatchedCluster) -> sqs.Queue:
        where = environment(deployment, cluster.account, cluster.region)
        account, region = where.account or self.account, where.region or self.region
        scope = Construct(self, of_cluster("cluster", "of", cluster))
        name = of_cluster(deployment.prefix, "falco", cluster)
        alerts, dead = queue(scope, "Alerts", visibility=VISIBILITY, name=name)
        sender = f"arn:{self.partition}:iam::{account}:role/{name}"
        alerts.add_to_resource_policy(
            iam.PolicyStatement(
                sid="Sidekick",
                principals=[iam.AccountPrincipal(account)],
                actions=["sqs:SendMessage"],
                resources=[alerts.queue_arn],
                conditions={"ArnEquals": {"aws:PrincipalArn": sender}},
            )
        )
        self._pipe(scope, of_cluster(deployment.prefix, "pipe", cluster), alerts, (account, region, cluster.name))
        cdk.CfnOutput(scope, "QueueUrl", value=alerts.queue_url, description=f"falcosidekick of {cluster.name}")
        return dead

    def _pipe(self, scope: Construct, name: str, alerts: sqs.Queue, whose: tuple[str, str, str]) -> None:
        role = iam.Role(
            scope,
            "PipeRole",
            role_name=name,
            description="Firebreak: takes Falco's alerts of one cluster to the bus",
            assumed_by=iam.ServicePrincipal(
                "pipes.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": self.account}}
            ),
            inline_policies={
                "Pipe": iam.PolicyDocument(
                    statements=[
                        allow(
                            ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], [alerts.queue_arn]
                        ),
                        allow(["events:PutEvents"], [self._bus.event_bus_arn]),
                    ]
                )
            },
        )
        account, region, cluster = (json.dumps(word) for word in whose)
        pipes.CfnPipe(
            scope,
            "Pipe",
            name=name,
            description="Firebreak: Falco's alerts to the bus; no filter, since one drops what is not JSON in silence",
            role_arn=role.role_arn,
            source=alerts.queue_arn,
            source_parameters=pipes.CfnPipe.PipeSourceParametersProperty(
                # no batching window: on a quiet queue it is waited for
                sqs_queue_parameters=pipes.CfnPipe.PipeSourceSqsQueueParametersProperty(batch_size=10)
            ),
            target=self._bus.event_bus_arn,
            target_parameters=pipes.CfnPipe.PipeTargetParametersProperty(
                event_bridge_event_bus_parameters=pipes.CfnPipe.PipeTargetEventBridgeEventBusParametersProperty(
                    source=SOURCE, detail_type=DETAIL_TYPE
                ),
                # account, region and cluster are said here, where no pod can forge them
                input_template=f'{{"account": {account}, "region": {region}, "cluster": {cluster}, "alert": <$.body>}}',
            ),
        )
