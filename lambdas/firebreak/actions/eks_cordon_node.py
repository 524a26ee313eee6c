"""Cordon a node of an EKS cluster."""

from __future__ import annotations

from collections import Counter

from firebreak.core.action import Action, NoParameters
from firebreak.core.clients import Clients
from firebreak.core.errors import Conflict, PlanStale, Refused, TargetMissing
from firebreak.core.grant import Grant, KubernetesRule
from firebreak.core.kubernetes import items, path
from firebreak.core.model import Json
from firebreak.core.plan import Done, Draft, Plan, Verification
from firebreak.core.scheduling import Scheduling, patch, scheduling
from firebreak.core.target import Node

CONTROL_PLANE = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
TRIES = 3
_CONTROLLERS = ("ReplicaSet", "StatefulSet", "Job", "ReplicationController", "DaemonSet")


class CordonNode(Action[Node, NoParameters, Scheduling]):
    """Cordon a node: it takes no new pods, and no autoscaler takes it away.

    Marks the node unschedulable and annotates it so that Karpenter and the Cluster Autoscaler leave it alone: one
    atomic patch, bound to the node object and version that were read. Undo lifts the cordon only if Firebreak set it,
    puts both annotations back as they were, and refuses if anyone has changed one of the three since. Control-plane
    nodes and Fargate are refused.

    Does not stop: pods that already run there, DaemonSet and static pods, and pods that name the node themselves.
    Nothing is evicted and no NoExecute taint is set, since both destroy evidence.

    Next: snapshot the volumes, isolate the instance, revoke the credentials of the service accounts on the node, move
    the healthy workload away, then replace the node.
    """

    name = "eks.cordon_node"
    effect = "reversible"
    target = Node
    aspect = "scheduling"
    before = Scheduling
    reads = (
        Grant(action="eks:DescribeCluster", resources=("arn:{partition}:eks:{region}:{account}:cluster/*",)),
        KubernetesRule(resource="nodes", verbs=("get",)),
        KubernetesRule(resource="pods", verbs=("list",)),
    )
    writes = (KubernetesRule(resource="nodes", verbs=("patch",)),)

    def plan(self, clients: Clients, target: Node, parameters: NoParameters) -> Draft:
        node = _node(clients, target)
        _refuse_unfit(node, target)
        before = scheduling(node)
        return Draft(
            before=before.model_dump(mode="json"),
            changes=before.changes(target, before.cordoned),
            effects=(*_pods(clients, target), *_ending(node)),
            residual=(
                "pods that run on the node go on running, with their network, credentials and volumes",
                "DaemonSet pods, static pods and pods that name the node are still put on it",
                "the EC2 instance keeps its security groups and its role",
                "Karpenter still replaces a node that expires, and EC2 one that fails",
            ),
        )

    def apply(self, clients: Clients, plan: Plan) -> Done:
        target, before = _of(plan)
        return _move(clients, target, before, before.cordoned)

    def verify(self, clients: Clients, plan: Plan) -> Verification:
        target, before = _of(plan)
        found = scheduling(_same_node(clients, target, before))
        return Verification(ok=found == before.cordoned, saw=(f"node {target.label}: {found.words}",))

    def undo(self, clients: Clients, plan: Plan) -> Done:
        target, before = _of(plan)
        return _move(clients, target, before.cordoned, before)


def _move(clients: Clients, target: Node, start: Scheduling, goal: Scheduling) -> Done:
    """Bring the node from one state to another. Either way is one atomic patch, hence no third state is ever ours."""
    for _ in range(TRIES):
        node = _same_node(clients, target, start)
        found = scheduling(node)
        if found == goal:
            return Done()
        if found != start:
            raise PlanStale(
                f"node {target.label}: {found.words}; neither as it was found nor as it was to be left. Someone else "
                "changed it, and nothing was written"
            )
        try:
            clients.kubernetes(target.cluster).call(
                "PATCH",
                path("nodes", target.name),
                body=patch(node["metadata"]["resourceVersion"], found, goal),
                content_type="application/merge-patch+json",
            )
        except Conflict:
            continue  # the kubelet's reports move the version too: look again whether the state still holds
        return Done()
    raise Conflict(f"node {target.label}: others wrote to it each of the {TRIES} times we tried; nothing was written")


def _of(plan: Plan) -> tuple[Node, Scheduling]:
    target = plan.target
    if not isinstance(target, Node):
        raise Refused(f"eks.cordon_node works on nodes; this plan is for {target.kind} {target.label}")
    return target, Scheduling.model_validate(plan.before)


def _node(clients: Clients, target: Node) -> Json:
    return clients.kubernetes(target.cluster).call("GET", path("nodes", target.name))


def _same_node(clients: Clients, target: Node, known: Scheduling) -> Json:
    node = _node(clients, target)
    if node["metadata"]["uid"] != known.uid:
        raise TargetMissing(f"node {target.label} is gone: another node has its name now")
    return node


def _refuse_unfit(node: Json, target: Node) -> None:
    labels = node["metadata"].get("labels") or {}
    if any(label in labels for label in CONTROL_PLANE):
        raise Refused(f"node {target.label} is part of the control plane; whether to cordon it is for a person")
    if labels.get("eks.amazonaws.com/compute-type") == "fargate":
        raise Refused(f"node {target.label} is Fargate: it holds one pod and takes no other, a cordon changes nothing")


def _pods(clients: Clients, target: Node) -> tuple[str, ...]:
    """What runs on the node, in words, DaemonSet and static pods apart."""
    chosen = f"spec.nodeName={target.name},status.phase!=Succeeded,status.phase!=Failed"
    running = items(clients.kubernetes(target.cluster), path("pods"), fieldSelector=chosen)
    kinds = Counter(_owner(pod) for pod in running)
    apart = [f"{kinds.pop(kind)} {kind}" for kind in ("DaemonSet", "static") if kind in kinds]
    listed = ", ".join(f"{number} of {kind}" for kind, number in sorted(kinds.items()))
    stay = f"{kinds.total()} pods keep running on it" + (f": {listed}" if listed else "")
    return (stay, f"besides, {' and '.join(apart)} pods, which a cordon does not concern") if apart else (stay,)


def _owner(pod: Json) -> str:
    """The kind of a pod's controller, if it is a common one: whoever makes a pod writes its owners too."""
    metadata = pod["metadata"]
    if "kubernetes.io/config.mirror" in (metadata.get("annotations") or {}):
        return "static"
    owners = [owner.get("kind") for owner in metadata.get("ownerReferences") or () if owner.get("controller")]
    if not owners:
        return "no controller"
    return next((kind for kind in _CONTROLLERS if kind == owners[0]), "other controllers")


def _ending(node: Json) -> tuple[str, ...]:
    if "deletionTimestamp" not in node["metadata"]:
        return ()
    return ("the node is being deleted already, and a cordon does not stop that",)
