"""Whose a pod is, which node it runs on, and which instance that node is."""

from __future__ import annotations

import re
from collections.abc import Iterator

from firebreak.core.clients import Clients
from firebreak.core.enricher import Enricher, Enrichment, Fact
from firebreak.core.errors import TargetMissing
from firebreak.core.grant import Grant, KubernetesRule
from firebreak.core.kubernetes import instance_id, path
from firebreak.core.model import Json, Scalar
from firebreak.core.target import Host, Instance, Node, Pod, Target

ABOVE = {"ReplicaSet": ("replicasets", "apps/v1"), "Job": ("jobs", "batch/v1")}
"""Owners that have an owner themselves: where to read them."""
LONGEST_CHAIN = 4

_KIND = re.compile(r"[A-Z][A-Za-z0-9]{0,62}")
_NODE_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_INSTANCE_ID = re.compile(r"i-[0-9a-f]{8,17}")
_STATES = ["pending", "running", "stopping", "stopped"]


class KubernetesOwner(Enricher):
    """Resolves pods, nodes and host names towards the EC2 instance below them.

    A node says itself which instance it is, and a compromised kubelet can lie: the instance counts only where EC2 knows
    it under the node's own name, which the cluster's authentication ties to the machine.
    """

    name = "kubernetes_owner"
    kinds = ("pod", "node", "host")
    reads = (
        Grant(action="eks:DescribeCluster", resources=("arn:{partition}:eks:{region}:{account}:cluster/*",)),
        Grant(action="ec2:DescribeInstances"),
        KubernetesRule(resource="nodes", verbs=("get",)),
        KubernetesRule(resource="pods", verbs=("get",)),
        KubernetesRule(resource="replicasets", verbs=("get",), group="apps"),
        KubernetesRule(resource="jobs", verbs=("get",), group="batch"),
    )

    def enrich(self, clients: Clients, target: Target) -> Enrichment:
        match target:
            case Pod():
                return _pod(clients, target)
            case Node():
                return _node(clients, target)
            case Host(cluster=""):
                return _host(clients, target)
            case Host():
                node = _node_named(target, target.cluster, target.name)
                return Enrichment(also=(node, *_node(clients, node).also))
        return Enrichment()


def _pod(clients: Clients, target: Pod) -> Enrichment:
    if target.workload.lower() not in ("pod", "pods"):
        # The finding names a controller: its pods may run anywhere, and no node is guilty by that.
        return Enrichment(facts=_facts(target, {"pod.workload": target.workload.lower()[:63]}))
    kubernetes = clients.kubernetes(target.cluster)
    pod = kubernetes.call("GET", path("pods", target.name, namespace=target.namespace))
    metadata, spec = pod["metadata"], pod.get("spec") or {}
    if target.uid and metadata["uid"] != target.uid:
        # Another pod has its name now; where that one runs says nothing about the finding.
        return Enrichment(facts=_facts(target, {"pod.replaced": True}))
    security = [container.get("securityContext") or {} for container in spec.get("containers") or ()]
    facts = _facts(
        target,
        {
            "pod.node": spec.get("nodeName"),
            "pod.service_account": spec.get("serviceAccountName") or spec.get("serviceAccount"),
            "pod.phase": (pod.get("status") or {}).get("phase"),
            "pod.deleting": "deletionTimestamp" in metadata,
            "pod.mirror": "kubernetes.io/config.mirror" in (metadata.get("annotations") or {}),
            "pod.host_network": bool(spec.get("hostNetwork")),
            "pod.host_pid": bool(spec.get("hostPID")),
            "pod.privileged": any(context.get("privileged") for context in security),
        },
    )
    owners = tuple(_owners(clients, target, metadata))
    owned = (Fact(name="pod.owners", value=owners, about=target.key),) if owners else ()
    if not spec.get("nodeName"):
        return Enrichment(facts=facts + owned)
    node = _node_named(target, target.cluster, spec["nodeName"])
    return Enrichment(facts=facts + owned, also=(node, *_node(clients, node).also))


def _owners(clients: Clients, target: Pod, metadata: Json) -> Iterator[str]:
    """Yield the chain of controllers, nearest first: "ReplicaSet/web-5d9c", "Deployment/web"."""
    for _ in range(LONGEST_CHAIN):  # objects may be made to own each other
        owner = next((each for each in metadata.get("ownerReferences") or () if each.get("controller")), None)
        if owner is None:
            return
        kind, name = str(owner.get("kind")), str(owner.get("name"))
        if not (_KIND.fullmatch(kind) and _NODE_NAME.fullmatch(name)):
            return
        yield f"{kind}/{name}"
        if kind not in ABOVE:
            return
        resource, api = ABOVE[kind]
        try:
            above = clients.kubernetes(target.cluster).call(
                "GET", path(resource, name, namespace=target.namespace, api=api)
            )
        except TargetMissing:
            return
        metadata = above["metadata"]
        if metadata["uid"] != owner.get("uid"):
            return


def _node(clients: Clients, target: Node) -> Enrichment:
    node = clients.kubernetes(target.cluster).call("GET", path("nodes", target.name))
    metadata, spec = node["metadata"], node.get("spec") or {}
    labels, provider = metadata.get("labels") or {}, str(spec.get("providerID", ""))
    claimed = instance_id(provider, target.region)
    instance = _confirmed(clients, target, claimed) if claimed else None
    facts = _facts(
        target,
        {
            "node.provider_id": provider[:200] or None,
            "node.instance_confirmed": instance is not None,
            "node.unschedulable": bool(spec.get("unschedulable")),
            "node.deleting": "deletionTimestamp" in metadata,
            "node.control_plane": "node-role.kubernetes.io/control-plane" in labels,
            "node.fargate": labels.get("eks.amazonaws.com/compute-type") == "fargate",
            "node.group": labels.get("eks.amazonaws.com/nodegroup"),
            "node.pool": labels.get("karpenter.sh/nodepool"),
        },
    )
    return Enrichment(facts=facts, also=(instance,) if instance else ())


def _confirmed(clients: Clients, node: Node, claimed: str) -> Instance | None:
    found = _instances(clients, "instance-id", claimed)
    # Nodes are called by the private DNS name, or by the instance id with or without a domain behind it.
    names = {claimed, *(each.get("PrivateDnsName") for each in found)}
    if len(found) == 1 and (node.name in names or node.name.partition(".")[0] == claimed):
        return _instance(node, claimed)
    return None


def _host(clients: Clients, target: Host) -> Enrichment:
    """A machine outside any cluster: by its private DNS name, or by the instance id that its sensor was told to use."""
    if not _NODE_NAME.fullmatch(target.name):
        # EC2 reads * and ? in filters as wildcards: a host called "*" would be every host.
        raise TargetMissing(f"{target.name[:80]!r} cannot be a host name, so there is no such host")
    key = "instance-id" if _INSTANCE_ID.fullmatch(target.name) else "private-dns-name"
    found = _instances(clients, key, target.name)
    if not found:
        raise TargetMissing(f"no instance in {target.account}/{target.region} is called {target.name}")
    facts = _facts(target, {"host.instances": len(found)})
    return Enrichment(facts=facts, also=(_instance(target, found[0]["InstanceId"]),) if len(found) == 1 else ())


def _instances(clients: Clients, key: str, value: str) -> list[Json]:
    filters = [{"Name": key, "Values": [value]}, {"Name": "instance-state-name", "Values": _STATES}]
    reservations = clients.aws("ec2").pages("describe_instances", "Reservations", Filters=filters)
    return [instance for reservation in reservations for instance in reservation["Instances"]]


def _instance(near: Node | Host, identity: str) -> Instance:
    return Instance(partition=near.partition, account=near.account, region=near.region, instance_id=identity)


def _node_named(near: Pod | Host, cluster: str, name: str) -> Node:
    if not _NODE_NAME.fullmatch(name):
        raise TargetMissing(f"{name[:80]!r} cannot be the name of a node, so cluster {cluster} has none")
    return Node(partition=near.partition, account=near.account, region=near.region, cluster=cluster, name=name)


def _facts(target: Target, values: dict[str, Scalar]) -> tuple[Fact, ...]:
    return tuple(Fact(name=name, value=value, about=target.key) for name, value in values.items() if value is not None)
