"""Whether a Kubernetes node takes new pods and may be taken away by an autoscaler: state, differences, words."""

from __future__ import annotations

from firebreak.core.display import clean
from firebreak.core.model import Json, Model
from firebreak.core.plan import Change
from firebreak.core.target import Node

KARPENTER = "karpenter.sh/do-not-disrupt"
"""Annotation: no voluntary disruption by Karpenter (Karpenter documentation: Disruption)."""
AUTOSCALER = "cluster-autoscaler.kubernetes.io/scale-down-disabled"
"""Annotation: no scale-down by the Cluster Autoscaler (Cluster Autoscaler FAQ)."""


class Scheduling(Model):
    """The scheduling side of one node.

    Taints are no part of it: the node controller itself sets node.kubernetes.io/* on a cordoned node.

    Attributes:
        uid: of the node object; another one under the same name is another node.
        unschedulable: whether it is cordoned.
        do_not_disrupt, scale_down_disabled: values of the two annotations, None where absent.
    """

    uid: str
    unschedulable: bool
    do_not_disrupt: str | None
    scale_down_disabled: str | None

    @property
    def cordoned(self) -> Scheduling:
        """The same node, cordoned and out of the autoscalers' reach."""
        return Scheduling(uid=self.uid, unschedulable=True, do_not_disrupt="true", scale_down_disabled="true")

    @property
    def words(self) -> str:
        """The state, for people."""
        cordon, karpenter, autoscaler = self._sides
        return f"{cordon}, {KARPENTER} {karpenter}, {AUTOSCALER} {autoscaler}"

    @property
    def _sides(self) -> tuple[str, str, str]:
        cordon = "cordoned" if self.unschedulable else "schedulable"
        return cordon, _value(self.do_not_disrupt), _value(self.scale_down_disabled)

    def changes(self, target: Node, after: Scheduling) -> tuple[Change, ...]:
        """Return what differs in another state, in words."""
        resource = f"node {target.name} of cluster {target.cluster}"
        whats = ("scheduling", f"annotation {KARPENTER}", f"annotation {AUTOSCALER}")
        sides = zip(whats, self._sides, after._sides, strict=True)
        return tuple(
            Change(resource=resource, what=what, before=was, after=is_) for what, was, is_ in sides if was != is_
        )


def scheduling(node: Json) -> Scheduling:
    """Return the scheduling side of a node object."""
    annotations = node["metadata"].get("annotations") or {}
    return Scheduling(
        uid=node["metadata"]["uid"],
        # `false` is stored as absent: only the truth of it means something.
        unschedulable=bool((node.get("spec") or {}).get("unschedulable")),
        do_not_disrupt=annotations.get(KARPENTER),
        scale_down_disabled=annotations.get(AUTOSCALER),
    )


def patch(version: str, start: Scheduling, goal: Scheduling) -> Json:
    """Return the merge patch from one state to another.

    It is bound to the node object and to its version: a node that was replaced or changed since refuses it.

    Args:
        version: the resourceVersion that was read with `start`.
        start: the state now.
        goal: the state to reach.
    """
    metadata: Json = {"uid": start.uid, "resourceVersion": version}
    pairs = (
        (KARPENTER, start.do_not_disrupt, goal.do_not_disrupt),
        (AUTOSCALER, start.scale_down_disabled, goal.scale_down_disabled),
    )
    if annotations := {key: wanted for key, found, wanted in pairs if found != wanted}:
        metadata["annotations"] = annotations
    if start.unschedulable == goal.unschedulable:
        return {"metadata": metadata}
    return {"metadata": metadata, "spec": {"unschedulable": goal.unschedulable or None}}


def _value(annotation: str | None) -> str:
    return "absent" if annotation is None else f'"{clean(annotation, 60)}"'
