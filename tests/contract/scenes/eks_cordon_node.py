"""A node with pods on it, annotated by somebody already, in a cluster whose RBAC grants what the action declares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from firebreak.actions.eks_cordon_node import CordonNode
from firebreak.adapters.aws import SessionClients
from firebreak.adapters.kubernetes import KubernetesClient
from firebreak.core.clients import Kubernetes
from firebreak.core.grant import KubernetesRule
from firebreak.core.model import Json
from firebreak.core.scheduling import KARPENTER
from firebreak.core.target import Node
from sandbox.kubernetes import Cluster, User
from sandbox.kubernetes_wire import Wire
from tests.contract.scenes import ACCOUNT, REGION, Scene

NAME = "ip-10-0-1-7.ec2.internal"
PATH = f"/api/v1/nodes/{NAME}"
MERGE = "application/merge-patch+json"


class World(Scene):
    def __init__(self, aws: Callable[[str], Any]) -> None:
        aws("eks").create_cluster(
            name="prod", roleArn=f"arn:aws:iam::{ACCOUNT}:role/eks", resourcesVpcConfig={"subnetIds": []}
        )
        self.cluster = Cluster("prod")
        self.cluster.add("nodes", {"metadata": {"name": NAME, "annotations": {KARPENTER: "false", "team": "web"}}})
        for name in ("web-1", "web-2"):
            spec = {"nodeName": NAME, "containers": [{"name": "main"}]}
            self.cluster.add("pods", {"metadata": {"name": name}, "spec": spec})
        self._grant()
        self.person = KubernetesClient(Wire(self.cluster), "https://api.example", lambda: "admin")
        self.target = Node(account=ACCOUNT, region=REGION, cluster="prod", name=NAME)

    def _grant(self) -> None:
        rules = [
            {"apiGroups": [rule.group], "resources": [rule.resource], "verbs": list(rule.verbs)}
            for rule in (*CordonNode.reads, *CordonNode.writes)
            if isinstance(rule, KubernetesRule)
        ]
        self.cluster.users["firebreak"] = User("firebreak", ("firebreak:eks-cordon_node",))
        self.cluster.add("clusterroles", {"metadata": {"name": "firebreak"}, "rules": rules})
        subject = {"kind": "Group", "name": "firebreak:eks-cordon_node"}
        role = {"kind": "ClusterRole", "name": "firebreak"}
        binding = {"metadata": {"name": "firebreak"}, "roleRef": role, "subjects": [subject]}
        self.cluster.add("clusterrolebindings", binding)

    def kubernetes(self, clients: SessionClients, cluster: str) -> Kubernetes:
        endpoint = clients.aws("eks").describe_cluster(name=cluster)["cluster"]["endpoint"]
        return KubernetesClient(Wire(self.cluster), endpoint, lambda: "firebreak", clients.remaining)

    def drift(self) -> None:
        patch = {"metadata": {"annotations": {KARPENTER: "30m"}}}
        self.person.call("PATCH", PATH, body=patch, content_type=MERGE)

    def delete(self) -> None:
        self.person.call("DELETE", PATH)

    def state(self) -> Json:
        node = self.person.call("GET", PATH)
        return {"spec": node["spec"], "annotations": node["metadata"].get("annotations")}
