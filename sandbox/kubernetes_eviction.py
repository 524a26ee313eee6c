"""Eviction, in the order in which a real server does it: spend the budget, mark the pod, delete it."""

from __future__ import annotations

from copy import deepcopy

from sandbox.kubernetes_answer import Answer, Cause, Failure, Object, bad_request
from sandbox.kubernetes_kinds import BY_PATH
from sandbox.kubernetes_select import selects
from sandbox.kubernetes_store import FINISHED, Record, Store, check_preconditions

PODS = BY_PATH["", "v1", "pods"]
BUDGETS = BY_PATH["policy", "v1", "poddisruptionbudgets"]

EVICTED = Answer(201, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201})


def evict(store: Store, namespace: str, name: str, body: Object, dry: bool) -> Answer:
    """Evict a pod.

    A precondition that does not hold is noticed only after the budget is spent, as on a real server.

    Raises:
        Failure: 400 name mismatch; 404; 409 refused precondition; 429 budget; 500 two budgets.
    """
    metadata = body.get("metadata") or {}
    if metadata.get("namespace") not in (None, "", namespace):
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
    if metadata.get("name") != name:
        raise bad_request("name in URL does not match name in Eviction object")
    options = body.get("deleteOptions") or {}
    dry = dry or bool(options.get("dryRun"))
    pod = store.get(PODS, namespace, name)
    phase = pod.item["status"].get("phase")
    if phase not in (*FINISHED, "Pending") and not pod.terminating:
        _spend_budget(store, pod, dry)
    check_preconditions(pod, options.get("preconditions"))
    if dry:
        return EVICTED
    _mark(store, pod)
    store.delete(pod, options.get("gracePeriodSeconds"))
    return EVICTED


def _spend_budget(store: Store, pod: Record, dry: bool) -> None:
    namespace = pod.item["metadata"]["namespace"]
    budgets = [
        found for found in store.all(BUDGETS, namespace) if selects(found.item["spec"].get("selector"), pod.item)
    ]
    if len(budgets) > 1:
        message = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        raise Failure(500, "", message)
    if not budgets:
        return
    budget = budgets[0]
    status = budget.item["status"]
    if not _ready(pod.item) and _spares_unhealthy(budget.item):
        return
    if status.get("observedGeneration", 0) < budget.item["metadata"]["generation"]:
        raise _blocked(f"The disruption budget {budget.name} is still being processed by the server.", 10)
    allowed, healthy, desired = (
        status.get(field, 0) for field in ("disruptionsAllowed", "currentHealthy", "desiredHealthy")
    )
    if allowed <= 0:
        raise _blocked(
            f"The disruption budget {budget.name} needs {desired} healthy pods and has {healthy} currently"
            if healthy <= desired
            else f"The disruption budget {budget.name} does not allow evicting pods currently"
        )
    if dry:
        return
    spent = deepcopy(budget.item)
    spent["status"]["disruptionsAllowed"] = allowed - 1
    spent["status"].setdefault("disruptedPods", {})[pod.name] = store.stamp()
    if allowed == 1:
        seen = {"observedGeneration": status["observedGeneration"], "lastTransitionTime": store.stamp()}
        condition = {"type": "DisruptionAllowed", "status": "False", "reason": "InsufficientPods", "message": ""}
        spent["status"]["conditions"] = [condition | seen]
    store.update(budget, spent)


def _ready(pod: Object) -> bool:
    conditions = pod["status"].get("conditions") or []
    return any(condition.get("type") == "Ready" and condition.get("status") == "True" for condition in conditions)


def _spares_unhealthy(budget: Object) -> bool:
    if budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    status = budget["status"]
    desired = int(status.get("desiredHealthy", 0))
    return int(status.get("currentHealthy", 0)) >= desired > 0


def _blocked(why: str, retry_after: int | None = None) -> Failure:
    details: Object = {"causes": [Cause("DisruptionBudget", "", why).dump()]}
    if retry_after:
        details["retryAfterSeconds"] = retry_after
    message = "Cannot evict pod as it would violate the pod's disruption budget."
    return Failure(429, "TooManyRequests", message, details, retry_after)


def _mark(store: Store, pod: Record) -> None:
    marked = deepcopy(pod.item)
    conditions = marked["status"].setdefault("conditions", [])
    if any(condition.get("type") == "DisruptionTarget" for condition in conditions):
        return
    conditions.append(
        {
            "type": "DisruptionTarget",
            "status": "True",
            "lastTransitionTime": store.stamp(),
            "reason": "EvictionByEvictionAPI",
            "message": "Eviction API: evicting",
        }
    )
    store.update(pod, marked)
