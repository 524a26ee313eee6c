"""Where findings come from: GuardDuty, if it is ours to make, and the way from a default bus to our bus."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_guardduty as guardduty
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from firebreak.core.deployment import Deployment, Detection
from stacks.alarms import Alarms, near_topic
from stacks.names import forward_role
from stacks.patterns import as_declared, forwarded
from stacks.queue import dead_letters

AGENTS = ("EKS_ADDON_MANAGEMENT", "ECS_FARGATE_AGENT_MANAGEMENT", "EC2_AGENT_MANAGEMENT")


class DetectionStack(cdk.Stack):
    """Detection in one account and region.

    Args:
        scope, id: where it belongs.
        deployment: the settings.
        bus_arn: our bus.
        home: whether this is where the pipeline runs.
    """

    def __init__(
        self, scope: Construct, id: str, *, deployment: Deployment, bus_arn: str, home: bool, **stack: Any
    ) -> None:
        super().__init__(scope, id, **stack)
        if home and deployment.detection.detector == "create":
            self._detector(deployment.detection)
        lost = self._forward(deployment.prefix, bus_arn)
        Alarms(self, near_topic(self, deployment.prefix) if home else None).dead_letters([lost])

    def _detector(self, detection: Detection) -> None:
        runtime = guardduty.CfnDetector.CFNFeatureConfigurationProperty(
            name="RUNTIME_MONITORING",
            status=_switch(detection.runtime_monitoring),
            additional_configuration=[
                guardduty.CfnDetector.CFNFeatureAdditionalConfigurationProperty(
                    name=agent, status=_switch(detection.runtime_monitoring and detection.runtime_agents)
                )
                for agent in AGENTS
            ],
        )
        others = {
            "EKS_AUDIT_LOGS": detection.eks_audit_logs,
            "EBS_MALWARE_PROTECTION": detection.ebs_malware_protection,
            "S3_DATA_EVENTS": detection.s3_data_events,
            "RDS_LOGIN_EVENTS": detection.rds_login_events,
            "LAMBDA_NETWORK_LOGS": detection.lambda_network_logs,
        }
        guardduty.CfnDetector(
            self,
            "Detector",
            enable=True,
            finding_publishing_frequency="FIFTEEN_MINUTES",
            features=[
                runtime,
                *(
                    guardduty.CfnDetector.CFNFeatureConfigurationProperty(name=name, status=_switch(on))
                    for name, on in others.items()
                ),
            ],
        )

    def _forward(self, prefix: str, bus_arn: str) -> sqs.Queue:
        bus = events.EventBus.from_event_bus_arn(self, "Bus", bus_arn)
        lost = dead_letters(self, "Undelivered")
        role = iam.Role(
            self,
            "Forward",
            role_name=f"{forward_role(prefix)}{self.region}",
            description="Firebreak: takes events from the default bus to Firebreak's",
            assumed_by=iam.ServicePrincipal("events.amazonaws.com"),
        )
        for name, pattern in forwarded().items():
            rule = events.Rule(
                self,
                "Forward" + "".join(part.capitalize() for part in name.split("_")),
                description=f"Firebreak: {name} to the bus",
                event_pattern=events.EventPattern(source=pattern["source"]),
                targets=[targets.EventBus(bus, role=role, dead_letter_queue=lost)],
            )
            as_declared(rule, pattern)
        return lost


def _switch(on: bool) -> str:
    return "ENABLED" if on else "DISABLED"
