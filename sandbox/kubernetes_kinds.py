"""The kinds that the fake API server knows: their names, the fields they may have, what is filled in and refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.kubernetes_answer import Cause, Object

ANY: Any = None
"""A field below which anything goes."""

_METADATA = (
    "name generateName namespace uid resourceVersion generation creationTimestamp deletionTimestamp "
    "deletionGracePeriodSeconds labels annotations finalizers ownerReferences managedFields selfLink"
)
_POD = (
    "activeDeadlineSeconds affinity automountServiceAccountToken containers dnsConfig dnsPolicy enableServiceLinks "
    "ephemeralContainers hostAliases hostIPC hostNetwork hostPID hostUsers hostname imagePullSecrets initContainers "
    "nodeName nodeSelector os overhead preemptionPolicy priority priorityClassName readinessGates resources "
    "restartPolicy runtimeClassName schedulerName schedulingGates securityContext serviceAccount serviceAccountName "
    "setHostnameAsFQDN shareProcessNamespace subdomain terminationGracePeriodSeconds tolerations "
    "topologySpreadConstraints volumes"
)


def _fields(names: str) -> dict[str, Any]:
    return dict.fromkeys(names.split(), ANY)


def _schema(**members: Any) -> dict[str, Any]:
    return {"apiVersion": ANY, "kind": ANY, "metadata": _fields(_METADATA), **members}


@dataclass(frozen=True, eq=False)
class Kind:
    """One kind.

    Attributes:
        group, version, resource, kind: how the API names it.
        namespaced: whether it lives in a namespace.
        schema: the fields it may have, as nested tables.
        subresources: what may follow its name in a path.
        counted: whether `metadata.generation` counts changes of its spec.
        echoes: how often a refused update lists each cause; a real server validates some kinds more than once.
        default: fills in what a create leaves out.
        check: yields what is wrong with the spec.
    """

    group: str
    version: str
    resource: str
    kind: str
    namespaced: bool
    schema: dict[str, Any]
    subresources: tuple[str, ...] = ()
    counted: bool = False
    echoes: int = 1
    default: Callable[[Object], None] = lambda item: None
    check: Callable[[Object], Iterator[Cause]] = lambda item: iter(())

    @property
    def api_version(self) -> str:
        """ "v1", "policy/v1"."""
        return f"{self.group}/{self.version}" if self.group else self.version


def _default_namespace(item: Object) -> None:
    item["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = item["metadata"]["name"]
    item["spec"] = {"finalizers": ["kubernetes"]}
    item["status"] = {"phase": "Active"}


def _default_node(item: Object) -> None:
    # The admission plugin TaintNodesByCondition; a node is not ready until its kubelet says so.
    taints = item.setdefault("spec", {}).setdefault("taints", [])
    not_ready = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
    if not_ready not in taints:
        taints.append(not_ready)
    item.setdefault("status", {})


def _default_pod(item: Object) -> None:
    spec = item.setdefault("spec", {})
    for name, value in {
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "enableServiceLinks": True,
    }.items():
        spec.setdefault(name, value)
    item["status"] = {"phase": "Pending", "qosClass": "BestEffort"}


def _default_budget(item: Object) -> None:
    item["status"] = dict.fromkeys(("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"), 0)


EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
POLICY_TYPES = ("Ingress", "Egress")


def _check_node(item: Object) -> Iterator[Cause]:
    seen: set[tuple[str, str]] = set()
    for at, taint in enumerate(item.get("spec", {}).get("taints") or []):
        pair = (taint.get("key", ""), taint.get("effect", ""))
        if pair[1] not in EFFECTS:
            yield Cause("FieldValueNotSupported", f"metadata.taints[{at}].effect", f'Unsupported value: "{pair[1]}"')
        elif pair in seen:
            message = "Duplicate value: taints must be unique by key and effect pair"
            yield Cause("FieldValueDuplicate", f"metadata.taints[{at}]", message)
        seen.add(pair)


def _check_policy(item: Object) -> Iterator[Cause]:
    for at, policy_type in enumerate(item.get("spec", {}).get("policyTypes") or []):
        if policy_type not in POLICY_TYPES:
            message = f'Unsupported value: "{policy_type}"'
            yield Cause("FieldValueNotSupported", f"spec.policyTypes[{at}]", message)


def _check_pod(item: Object) -> Iterator[Cause]:
    if not item.get("spec", {}).get("containers"):
        yield Cause("FieldValueRequired", "spec.containers", "Required value")


_NODE_SPEC = _fields("podCIDR podCIDRs providerID unschedulable taints configSource externalID")
_POLICY_SPEC = _fields("podSelector policyTypes ingress egress")
_BUDGET_SPEC = _fields("minAvailable maxUnavailable selector unhealthyPodEvictionPolicy")
_WORKLOAD = _schema(spec=ANY, status=ANY)
_ROLE = _schema(rules=ANY, aggregationRule=ANY)
_BINDING = _schema(roleRef=ANY, subjects=ANY)
_RBAC = "rbac.authorization.k8s.io"

KINDS = (
    Kind("", "v1", "namespaces", "Namespace", False, _WORKLOAD, ("status",), default=_default_namespace),
    Kind(
        *("", "v1", "nodes", "Node", False, _schema(spec=_NODE_SPEC, status=ANY), ("status",)),
        echoes=2,
        default=_default_node,
        check=_check_node,
    ),
    Kind(
        *("", "v1", "pods", "Pod", True, _schema(spec=_fields(_POD), status=ANY), ("status", "eviction")),
        counted=True,
        echoes=4,
        default=_default_pod,
        check=_check_pod,
    ),
    Kind("", "v1", "serviceaccounts", "ServiceAccount", True, _schema(secrets=ANY, imagePullSecrets=ANY)),
    *(
        Kind("apps", "v1", resource, kind, True, _WORKLOAD, ("status",), counted=True)
        for resource, kind in (
            ("deployments", "Deployment"),
            ("replicasets", "ReplicaSet"),
            ("daemonsets", "DaemonSet"),
            ("statefulsets", "StatefulSet"),
        )
    ),
    Kind("batch", "v1", "jobs", "Job", True, _WORKLOAD, ("status",), counted=True),
    Kind("batch", "v1", "cronjobs", "CronJob", True, _WORKLOAD, ("status",), counted=True),
    Kind(
        *("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", True, _schema(spec=_POLICY_SPEC)),
        counted=True,
        check=_check_policy,
    ),
    Kind(
        *("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", True),
        *(_schema(spec=_BUDGET_SPEC, status=ANY), ("status",)),
        counted=True,
        default=_default_budget,
    ),
    Kind(_RBAC, "v1", "clusterroles", "ClusterRole", False, _ROLE),
    Kind(_RBAC, "v1", "clusterrolebindings", "ClusterRoleBinding", False, _BINDING),
    Kind(_RBAC, "v1", "roles", "Role", True, _ROLE),
    Kind(_RBAC, "v1", "rolebindings", "RoleBinding", True, _BINDING),
)
BY_PATH = {(kind.group, kind.version, kind.resource): kind for kind in KINDS}
GROUPS = {(kind.group, kind.version) for kind in KINDS} | {
    ("authorization.k8s.io", "v1"),
    ("authentication.k8s.io", "v1"),
}


def unknown_fields(item: Any, schema: dict[str, Any] | None, at: str = "") -> list[str]:
    """Return the dotted names of the fields of an object that its kind does not have, and take them out of it."""
    if schema is None or not isinstance(item, dict):
        return []
    strange = [name for name in item if name not in schema]
    for name in strange:
        del item[name]
    return [f"{at}{name}" for name in strange] + [
        name for member, value in item.items() for name in unknown_fields(value, schema[member], f"{at}{member}.")
    ]


def tidy(item: Object) -> None:
    """Drop what a real server stores as absent: empty tables and lists of metadata, `unschedulable: false`."""
    metadata, spec = item["metadata"], item.get("spec")
    for name in ("labels", "annotations", "finalizers", "ownerReferences"):
        if name in metadata and not metadata[name]:
            del metadata[name]
    if item.get("kind") == "Node" and isinstance(spec, dict):
        for name in ("unschedulable", "taints"):
            if name in spec and not spec[name]:
                del spec[name]


_LABEL = re.compile(r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?)?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


def problems(kind: Kind, item: Object) -> list[Cause]:
    """Return everything that validation refuses about an object."""
    metadata = item["metadata"]
    name = metadata.get("name", "")
    found: list[Cause] = []
    if not name:
        found.append(Cause("FieldValueRequired", "metadata.name", "Required value: name or generateName is required"))
    elif kind.group != _RBAC and (len(name) > 253 or not _SUBDOMAIN.fullmatch(name)):
        found.append(Cause("FieldValueInvalid", "metadata.name", f'Invalid value: "{name}"'))
    for key, value in (metadata.get("labels") or {}).items():
        if not _LABEL.fullmatch(key):
            found.append(Cause("FieldValueInvalid", "metadata.labels", f'Invalid value: "{key}"'))
        if len(str(value).encode()) > 63:
            message = f'Invalid value: "{value}": must be no more than 63 bytes'
            found.append(Cause("FieldValueInvalid", "metadata.labels", message))
        elif not _LABEL_VALUE.fullmatch(str(value)):
            found.append(Cause("FieldValueInvalid", "metadata.labels", f'Invalid value: "{value}"'))
    found += [
        Cause("FieldValueInvalid", "metadata.annotations", f'Invalid value: "{key}"')
        for key in metadata.get("annotations") or {}
        if not _LABEL.fullmatch(key)
    ]
    return found + (list(kind.check(item)) if name else [])
