"""The language in which the facts about a Kubernetes API server are told, and the objects they are told of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"
CORE = "/api/v1"
PODS = f"{CORE}/namespaces/shop/pods"
POLICIES = "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies"
BUDGETS = "/apis/policy/v1/namespaces/shop/poddisruptionbudgets"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
REVIEWS = "/apis/authorization.k8s.io/v1"
NODE = f"{CORE}/nodes/blue"

Causes = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Fact:
    """One question and what matters in the answer.

    Attributes:
        says: the fact in words.
        media: Content-Type of the question.
        user: who asks; None sends no Authorization header.
        status, reason, causes, retry_after, warning: of the answer.
        text: whether the answer is plain text.
        has: dotted path to value, each to be found in the answer.
        lacks: dotted paths that are not in the answer.
        keep: name under which the answer's metadata is kept.
    """

    says: str
    method: str
    path: str
    status: int
    body: Any = None
    media: str = "application/json"
    user: str | None = "admin"
    agent: str = ""
    reason: str | None = None
    causes: Causes = ()
    retry_after: str | None = None
    warning: bool = False
    text: bool = False
    has: dict[str, Any] = field(default_factory=dict)
    lacks: tuple[str, ...] = ()
    keep: str = ""


def get(says: str, path: str, status: int = 200, **expected: Any) -> Fact:
    return Fact(says, "GET", path, status, **expected)


def post(says: str, path: str, body: Any, status: int = 201, **expected: Any) -> Fact:
    return Fact(says, "POST", path, status, body, **expected)


def put(says: str, path: str, body: Any, status: int = 200, **expected: Any) -> Fact:
    return Fact(says, "PUT", path, status, body, **expected)


def patch(says: str, path: str, body: Any, status: int = 200, media: str = MERGE, **expected: Any) -> Fact:
    return Fact(says, "PATCH", path, status, body, media, **expected)


def delete(says: str, path: str, status: int = 200, body: Any = None, **expected: Any) -> Fact:
    return Fact(says, "DELETE", path, status, body, **expected)


def pod(name: str, app: str = "web", **metadata: Any) -> Any:
    labels = {"app": app}
    spec = {"nodeName": "blue", "containers": [{"name": "main", "image": "registry.example/app:1"}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels, **metadata}, "spec": spec}


def policy(name: str, value: str = "0a1b", **spec: Any) -> Any:
    selector = {"podSelector": {"matchLabels": {"quarantine": value}}, "policyTypes": ["Ingress", "Egress"]}
    kind = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"}
    return {**kind, "metadata": {"name": name}, "spec": {**selector, **spec}}


def budget(name: str = "web") -> Any:
    spec = {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": name}, "spec": spec}


def eviction(name: str, **options: Any) -> Any:
    wanted = {"deleteOptions": options} if options else {}
    return {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": "shop"}, **wanted}


def evict(says: str, name: str, status: int = 201, query: str = "", **expected: Any) -> Fact:
    options = expected.pop("options", {})
    return post(says, f"{PODS}/{name}/eviction{query}", eviction(name, **options), status, **expected)


def ready(name: str, status: str = "True", phase: str = "Running") -> Fact:
    conditions = [{"type": "Ready", "status": status}]
    body = {"status": {"phase": phase, "conditions": conditions}}
    return patch(f"{name} reports Ready={status} in phase {phase}", f"{PODS}/{name}/status", body)


def budget_status(says: str, **status: Any) -> Fact:
    return patch(says, f"{BUDGETS}/web/status", {"status": status})


SHOP = post("a namespace is made", f"{CORE}/namespaces", {"metadata": {"name": "shop"}})
BLUE = post("a node is made", f"{CORE}/nodes", {"kind": "Node", "metadata": {"name": "blue"}}, keep="blue")
BLOCKED: dict[str, Any] = {"status": 429, "reason": "TooManyRequests", "causes": (("DisruptionBudget", ""),)}
STALE: dict[str, Any] = {"status": 409, "reason": "Conflict"}
UNAPPLICABLE: dict[str, Any] = {"status": 422, "reason": "Invalid", "has": {"details": {}}}
CORDON = {"spec": {"unschedulable": True}}
OUR_TAINT = {"key": "quarantine", "value": "0a1b", "effect": "NoSchedule"}
NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
TAINT_AT_END = {"op": "add", "path": "/spec/taints/-", "value": OUR_TAINT}
TWICE: Causes = (("FieldValueInvalid", "metadata.uid"),) * 2
