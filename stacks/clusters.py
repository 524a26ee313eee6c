"""What belongs beside an EKS cluster: who may use its API as what group, and the role that Falco sends with."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_eks as eks
from aws_cdk import aws_iam as iam
from constructs import Construct

from firebreak.core.deployment import Deployment, WatchedCluster
from stacks.names import of_cluster
from stacks.places import environment
from stacks.rbac import groups
from stacks.statement import allow

SIDEKICK = ("falco", "falco-falcosidekick")
"""Namespace and service account of falcosidekick in a release of the chart called falco (falco/values.yaml)."""


class ClustersStack(cdk.Stack):
    """The clusters of one account and region.

    Args:
        scope, id: where it belongs.
        deployment: the settings.
        clusters: those that are here.
    """

    def __init__(
        self, scope: Construct, id: str, *, deployment: Deployment, clusters: list[WatchedCluster], **stack: Any
    ) -> None:
        super().__init__(scope, id, **stack)
        home = environment(deployment)
        for cluster in clusters:
            inside = Construct(self, of_cluster("cluster", "of", cluster))
            self._access(inside, deployment.prefix, cluster.name)
            self._sender(inside, deployment.prefix, cluster, home)

    def _access(self, scope: Construct, prefix: str, cluster: str) -> None:
        for role, group in groups(prefix).items():
            eks.CfnAccessEntry(
                scope,
                f"Access-{role}",
                cluster_name=cluster,
                principal_arn=f"arn:{self.partition}:iam::{self.account}:role/{role}",
                kubernetes_groups=[group.name],
            )

    def _sender(self, scope: Construct, prefix: str, cluster: WatchedCluster, home: cdk.Environment) -> None:
        name = of_cluster(prefix, "falco", cluster)
        queue = f"arn:{self.partition}:sqs:{home.region or self.region}:{home.account or self.account}:{name}"
        namespace, account = SIDEKICK
        # EKS says in session tags whose pod it is ("Create IAM role with trust policy required by EKS Pod Identity")
        pod = {
            "aws:RequestTag/eks-cluster-name": cluster.name,
            "aws:RequestTag/kubernetes-namespace": namespace,
            "aws:RequestTag/kubernetes-service-account": account,
        }
        role = iam.Role(
            scope,
            "Sender",
            role_name=name,
            description=f"Firebreak: falcosidekick of {cluster.name} sends alerts to its queue",
            assumed_by=iam.SessionTagsPrincipal(
                iam.ServicePrincipal("pods.eks.amazonaws.com", conditions={"StringEquals": pod})
            ),
            inline_policies={"Send": iam.PolicyDocument(statements=[allow(["sqs:SendMessage"], [queue])])},
        )
        eks.CfnPodIdentityAssociation(
            scope,
            "Sidekick",
            cluster_name=cluster.name,
            namespace=namespace,
            service_account=account,
            role_arn=role.role_arn,
        )
