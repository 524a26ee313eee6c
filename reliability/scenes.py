"""What the sandbox world plays besides the shapes: one action where the estate is not as it usually is.

Each plays calls that no shape makes; which those are, the scan of the code says (reliability/coverage.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from firebreak.core.incident import StepStatus
from reliability.leads import Lead, alert, finding, function, instance
from sandbox.kubernetes_kinds import BY_PATH
from sandbox.lab import Lab

RESERVED = 5
"""Executions that a function has reserved."""

POD = "web-5d9c-x7k2p"


@dataclass(frozen=True)
class Scene:
    """What is about an action.

    Attributes:
        before: makes the estate so, and changes nothing where it is so already.
        meddles: whether somebody presses first who may not answer.
        meanwhile: what somebody else does while it is asked.
        ends: how its step may end.
    """

    before: Callable[[Lab], None] = lambda lab: None
    meddles: bool = False
    meanwhile: Callable[[Lab], None] = lambda lab: None
    ends: tuple[StepStatus, ...] = ("verified",)


def _web(lab: Lab) -> dict[str, Any]:
    return instance(lab, lab.estate.web[0])


def _unprepared(lab: Lab) -> None:
    """Take the quarantine groups away."""
    ec2 = lab.sandbox.client("ec2")
    filters = [{"Name": "group-name", "Values": ["firebreak-sealed", "firebreak-untrack"]}]
    for group in ec2.describe_security_groups(Filters=filters)["SecurityGroups"]:
        ec2.delete_security_group(GroupId=group["GroupId"])


def _owned(lab: Lab) -> None:
    """Run a pod that a ReplicaSet owns."""
    cluster, kind = lab.estate.cluster, BY_PATH["apps", "v1", "replicasets"]
    if cluster is None or list(cluster.store.all(kind)):
        return
    owner = cluster.add(kind, {"metadata": {"name": "web-5d9c"}, "spec": {}}).item["metadata"]
    ours = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": owner["name"], "uid": owner["uid"]}
    metadata = {"name": POD, "ownerReferences": [{**ours, "controller": True}]}
    spec = {"nodeName": sorted(lab.estate.nodes)[0], "containers": [{"name": "web", "image": "web:1"}]}
    cluster.add("pods", {"metadata": metadata, "spec": spec, "status": {"phase": "Running"}})


def _replaced(lab: Lab) -> None:
    """Put another node in the place of the first, under its name."""
    cluster, name = lab.estate.cluster, sorted(lab.estate.nodes)[0]
    assert cluster is not None
    old = next(node for node in cluster.store.all(BY_PATH["", "v1", "nodes"]) if node.item["metadata"]["name"] == name)
    labels, spec = old.item["metadata"]["labels"], old.item["spec"]
    cluster.store.remove(old)
    cluster.add("nodes", {"metadata": {"name": name, "labels": labels}, "spec": spec})


def _reserved(lab: Lab) -> None:
    """Reserve executions for the function."""
    functions = lab.sandbox.client("lambda")
    functions.put_function_concurrency(FunctionName=lab.estate.function, ReservedConcurrentExecutions=RESERVED)


USUAL = Scene()
"""The estate as it usually is."""


@dataclass(frozen=True)
class Place:
    """One action in a scene of its own.

    Attributes:
        action: its name.
        where: "in a network that is not prepared".
        lead: the event.
        scene: what is about it.
    """

    action: str
    where: str
    lead: Lead
    scene: Scene


PLACES = (
    Place(
        "ec2.isolate_instance",
        "in an Auto Scaling group whose network is not prepared",
        Lead("guardduty", frozenset({"instance"}), finding("Backdoor:EC2/C&CActivity.B!DNS", _web)),
        Scene(before=_unprepared, meddles=True),
    ),
    Place(
        "eks.cordon_node",
        "under a pod that is owned",
        Lead("falco", frozenset({"instance", "node"}), alert(**{"k8s.pod.name": POD})),
        Scene(before=_owned),
    ),
    Place(
        "eks.cordon_node",
        "that is replaced by another of its name",
        Lead("falco", frozenset({"instance", "node"}), alert()),
        Scene(meanwhile=_replaced, ends=("gone",)),
    ),
    Place(
        "lambda.stop_function",
        "with executions reserved",
        Lead("guardduty", frozenset({"lambda_function"}), finding("Backdoor:Lambda/C&CActivity.B", function)),
        Scene(before=_reserved),
    ),
)
"""What is played in a scene of its own."""
