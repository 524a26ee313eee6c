"""What a Kubernetes API server answers, as a table: the contract that the fake is held to.

Each story starts on an empty cluster and is asked in order. A fact says what matters in the answer: status, reason,
causes, Retry-After, media type, and chosen fields. Behaviour of kube-apiserver 1.36 (Kubernetes documentation: API
Concepts, Server-Side Apply, API-initiated Eviction, Using RBAC Authorization).

In paths and bodies, "<web.uid>" stands for the uid of the object that a fact before kept as "web".
"""

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

STORIES: dict[str, list[Fact]] = {
    "cordon": [
        post(
            "a new node is tainted as not ready; it has no generation",
            f"{CORE}/nodes",
            {"kind": "Node", "metadata": {"name": "blue"}, "spec": {"providerID": "aws:///us-east-1a/i-0abcdef12"}},
            has={"spec.taints": [NOT_READY]},
            lacks=("metadata.generation",),
            keep="new",
        ),
        patch("a cordon adds no taint by itself", NODE, CORDON, has={"spec.taints": [NOT_READY]}, keep="cordoned"),
        patch(
            "the same cordon again answers alike and moves no version",
            NODE,
            CORDON,
            has={"metadata.resourceVersion": "<cordoned.resourceVersion>"},
        ),
        patch(
            "a stale version is refused even where nothing would change",
            NODE,
            {"metadata": {"resourceVersion": "<new.resourceVersion>"}, **CORDON},
            **STALE,
            media=STRATEGIC,
        ),
        patch(
            "another uid is an invalid field, not a conflict",
            NODE,
            {"metadata": {"uid": "00000000-0000-0000-0000-000000000000"}, **CORDON},
            422,
            reason="Invalid",
            causes=TWICE,
        ),
        patch(
            "uid and version together pass where both hold",
            NODE,
            {
                "metadata": {"uid": "<new.uid>", "resourceVersion": "<cordoned.resourceVersion>"},
                "spec": {"unschedulable": None},
            },
            lacks=("spec.unschedulable",),
        ),
        patch("false is stored as absent", NODE, {"spec": {"unschedulable": False}}, lacks=("spec.unschedulable",)),
        patch("a name that is not there", f"{CORE}/nodes/green", CORDON, 404, reason="NotFound"),
        put("a full write with a stale version", NODE, {"metadata": {"resourceVersion": "1"}}, **STALE),
        put("a full write for another uid is a conflict", NODE, {"metadata": {"uid": "00"}, "spec": {}}, **STALE),
        patch("a patch may not rename", NODE, {"metadata": {"name": "red"}}, 400, reason="BadRequest"),
        patch(
            "null takes an annotation away, and with the last one the whole table",
            NODE,
            {"metadata": {"annotations": {"example.com/a": "1"}}},
            has={"metadata.annotations": {"example.com/a": "1"}},
        ),
        patch("…", NODE, {"metadata": {"annotations": {"example.com/a": None}}}, lacks=("metadata.annotations",)),
    ],
    "taints": [
        BLUE,
        patch(
            "a strategic merge replaces the whole list of taints",
            NODE,
            {"spec": {"taints": [OUR_TAINT]}},
            media=STRATEGIC,
            has={"spec.taints": [OUR_TAINT]},
            keep="tainted",
        ),
        patch(
            "a merge patch too", NODE, {"spec": {"taints": [NOT_READY]}}, has={"spec.taints": [NOT_READY]}, keep="now"
        ),
        patch(
            "a JSON patch appends, guarded by a test of the version",
            NODE,
            [{"op": "test", "path": "/metadata/resourceVersion", "value": "<now.resourceVersion>"}, TAINT_AT_END],
            media=JSON_PATCH,
            has={"spec.taints": [NOT_READY, OUR_TAINT]},
        ),
        patch(
            "a test that fails has empty details",
            NODE,
            [{"op": "test", "path": "/metadata/resourceVersion", "value": "<now.resourceVersion>"}, TAINT_AT_END],
            media=JSON_PATCH,
            **UNAPPLICABLE,
        ),
        patch(
            "key and effect are unique together",
            NODE,
            [TAINT_AT_END],
            422,
            JSON_PATCH,
            reason="Invalid",
            causes=(("FieldValueDuplicate", "metadata.taints[2]"),) * 2,
        ),
        patch(
            "the same key with another effect is another taint",
            NODE,
            [{**TAINT_AT_END, "value": {**OUR_TAINT, "effect": "PreferNoSchedule"}}],
            media=JSON_PATCH,
        ),
        patch(
            "an effect that does not exist",
            NODE,
            [{**TAINT_AT_END, "value": {**OUR_TAINT, "effect": "Maybe"}}],
            422,
            JSON_PATCH,
            reason="Invalid",
            causes=(("FieldValueNotSupported", "metadata.taints[3].effect"),) * 2,
        ),
        patch("null takes the list away", NODE, {"spec": {"taints": None}}, lacks=("spec.taints",)),
        patch("and nothing can be appended to it", NODE, [TAINT_AT_END], media=JSON_PATCH, **UNAPPLICABLE),
        patch(
            "nor an absent field removed",
            NODE,
            [{"op": "remove", "path": "/spec/unschedulable"}],
            media=JSON_PATCH,
            **UNAPPLICABLE,
        ),
        patch(
            "a test for null passes on an absent path",
            NODE,
            [{"op": "test", "path": "/spec/unschedulable", "value": None}],
            media=JSON_PATCH,
        ),
        patch("a JSON patch is a list", NODE, {"op": "add"}, 400, JSON_PATCH, reason="BadRequest"),
        patch("plain JSON is no patch", NODE, CORDON, 415, "application/json", reason="UnsupportedMediaType"),
        patch(
            "a dry run answers in full and stores nothing",
            f"{NODE}?dryRun=All",
            CORDON,
            has={"spec.unschedulable": True},
        ),
        get("…", NODE, lacks=("spec.unschedulable",)),
        patch(
            "a dry run knows no other value",
            f"{NODE}?dryRun=Server",
            CORDON,
            422,
            reason="Invalid",
            causes=(("FieldValueNotSupported", "dryRun"),),
        ),
    ],
    "pods and labels": [
        SHOP,
        post("a pod counts its generations", PODS, pod("web"), has={"metadata.generation": 1}, keep="web"),
        patch(
            "a label is no new generation",
            f"{PODS}/web",
            {"metadata": {"labels": {"quarantine": "0a1b"}}},
            has={"metadata.generation": 1, "metadata.labels": {"app": "web", "quarantine": "0a1b"}},
        ),
        patch(
            "a slash in a key is ~1",
            f"{PODS}/web",
            [{"op": "add", "path": "/metadata/labels/example.com~1q", "value": "x"}],
            media=JSON_PATCH,
            has={"metadata.labels": {"app": "web", "quarantine": "0a1b", "example.com/q": "x"}},
            keep="web",
        ),
        patch(
            "removing what is absent changes nothing",
            f"{PODS}/web",
            {"metadata": {"labels": {"other": None}}},
            has={"metadata.resourceVersion": "<web.resourceVersion>"},
        ),
        patch(
            "a key with two slashes",
            f"{PODS}/web",
            {"metadata": {"labels": {"a/b/c": "x"}}},
            422,
            reason="Invalid",
            causes=(("FieldValueInvalid", "metadata.labels"),) * 4,
        ),
        patch(
            "the spec of a pod stays as it is",
            f"{PODS}/web",
            {"spec": {"nodeName": "green"}},
            422,
            reason="Invalid",
            causes=(("FieldValueForbidden", "spec"),) * 4,
        ),
        patch(
            "status changes through its subresource",
            f"{PODS}/web/status",
            {"status": {"phase": "Running"}},
            has={"status.phase": "Running"},
        ),
        patch("and not beside it", f"{PODS}/web", {"status": {"phase": "Failed"}}, has={"status.phase": "Running"}),
        post("the name is taken", PODS, pod("web"), 409, reason="AlreadyExists", has={"details.kind": "pods"}),
        post(
            "a namespace that is not there is named itself",
            f"{CORE}/namespaces/nowhere/pods",
            pod("web"),
            404,
            reason="NotFound",
            has={"details.kind": "namespaces", "details.name": "nowhere"},
        ),
        post("another namespace in the body", PODS, pod("a", namespace="other"), 400, reason="BadRequest"),
        delete("a pod ends after its grace", f"{PODS}/web", has={"metadata.deletionGracePeriodSeconds": 30}),
        patch(
            "and still takes a label, which isolates nothing",
            f"{PODS}/web",
            {"metadata": {"labels": {"late": "1"}}},
            has={"metadata.generation": 2, "metadata.labels.late": "1"},
        ),
        delete("grace 0 is the kubelet's part", f"{PODS}/web", body={"gracePeriodSeconds": 0}, has={"kind": "Pod"}),
        get("…", f"{PODS}/web", 404, reason="NotFound"),
        delete("and again", f"{PODS}/web", 404, reason="NotFound"),
        post("a finalizer", PODS, pod("held", finalizers=["example.com/hold"])),
        delete("holds a pod", f"{PODS}/held", body={"gracePeriodSeconds": 0}),
        get("…", f"{PODS}/held", has={"metadata.deletionGracePeriodSeconds": 0}),
        patch("until it is taken away", f"{PODS}/held", {"metadata": {"finalizers": None}}),
        get("…", f"{PODS}/held", 404, reason="NotFound"),
    ],
    "lists": [
        SHOP,
        *(post("pods", PODS, pod(name, app)) for name, app in (("a", "web"), ("b", "web"), ("c", "db"), ("d", "db"))),
        ready("d", "False", "Succeeded"),
        get(
            "the pods of a node; items have no kind",
            f"{CORE}/pods?fieldSelector=spec.nodeName%3Dblue",
            has={"kind": "PodList", "items.0.metadata.name": "a", "items.3.metadata.name": "d"},
            lacks=("items.0.kind", "items.4"),
        ),
        get(
            "without the finished",
            f"{CORE}/pods?fieldSelector=spec.nodeName%3Dblue%2Cstatus.phase%21%3DSucceeded",
            has={"items.2.metadata.name": "c"},
            lacks=("items.3",),
        ),
        get("no pod there", f"{CORE}/pods?fieldSelector=spec.nodeName%3Dgreen", has={"items": []}),
        get("an unsupported field", f"{PODS}?fieldSelector=spec.hostname%3Dx", 400, reason="BadRequest"),
        get("equality", f"{PODS}?labelSelector=app%3Ddb", has={"items.0.metadata.name": "c"}, lacks=("items.2",)),
        get("inequality", f"{PODS}?labelSelector=app%21%3Ddb", has={"items.0.metadata.name": "a"}, lacks=("items.2",)),
        get("sets", f"{PODS}?labelSelector=app%20in%20(db,x),app", has={"items.0.metadata.name": "c"}),
        get("not in a set", f"{PODS}?labelSelector=app%20notin%20(db)", has={"items.1.metadata.name": "b"}),
        get("existence", f"{PODS}?labelSelector=nothing", has={"items": []}),
        get("absence", f"{PODS}?labelSelector=%21nothing", has={"items.3.metadata.name": "d"}),
        get("malformed", f"{PODS}?labelSelector=a%3D%3D%3Db", 400, reason="BadRequest"),
        get("a page", f"{PODS}?limit=3", has={"items.2.metadata.name": "c"}, lacks=("items.3",), keep="page"),
        post("meanwhile", PODS, pod("e")),
        get(
            "the next page shows what the first one saw",
            f"{PODS}?limit=3&continue=<page.continue>",
            has={"items.0.metadata.name": "d", "metadata.resourceVersion": "<page.resourceVersion>"},
            lacks=("items.1", "metadata.continue"),
        ),
        get("a cursor that is none", f"{PODS}?limit=3&continue=x", 400, reason="BadRequest"),
    ],
    "eviction without a budget": [
        SHOP,
        post("a pod", PODS, pod("web"), keep="web"),
        ready("web"),
        evict("another uid", "web", **STALE, options={"preconditions": {"uid": "no"}}),
        evict("a dry run in the body", "web", options={"dryRun": ["All"]}),
        get("changes nothing", f"{PODS}/web", lacks=("metadata.deletionTimestamp",)),
        evict("a dry run in the query", "web", query="?dryRun=All"),
        evict(
            "that knows no other value",
            "web",
            422,
            "?dryRun=Server",
            reason="Invalid",
            causes=(("FieldValueNotSupported", "dryRun"),),
        ),
        post("a body that names nothing", f"{PODS}/web/eviction", {}, 400, reason="BadRequest"),
        post("or another pod", f"{PODS}/web/eviction", eviction("other"), 400, reason="BadRequest"),
        post(
            "or another namespace",
            f"{PODS}/web/eviction",
            {"metadata": {"name": "web", "namespace": "other"}},
            400,
            reason="BadRequest",
        ),
        evict("right uid, own grace", "web", options={"preconditions": {"uid": "<web.uid>"}, "gracePeriodSeconds": 5}),
        get(
            "accepted is not gone",
            f"{PODS}/web",
            has={
                "metadata.deletionGracePeriodSeconds": 5,
                "status.conditions.1.type": "DisruptionTarget",
                "status.conditions.1.reason": "EvictionByEvictionAPI",
            },
        ),
        evict("twice is safe", "web"),
        evict("a pod that is not there", "gone", 404, reason="NotFound"),
        post("the old version of the body", PODS, pod("old")),
        post("…", f"{PODS}/old/eviction", {**eviction("old"), "apiVersion": "policy/v1beta1"}),
        post("the server protects no mirror pod", PODS, pod("m", annotations={"kubernetes.io/config.mirror": "x"})),
        evict("…", "m"),
        post(
            "nor one of a DaemonSet",
            PODS,
            pod(
                "ds",
                ownerReferences=[
                    {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "ds", "uid": "1", "controller": True}
                ],
            ),
        ),
        evict("…", "ds"),
    ],
    "eviction and the budget": [
        SHOP,
        post("a budget", BUDGETS, budget(), has={"metadata.generation": 1, "status.disruptionsAllowed": 0}),
        *(post("pods", PODS, pod(name)) for name in ("web", "next", "slow", "slower", "late", "done")),
        ready("web"),
        ready("next"),
        ready("slow", "False"),
        ready("slower", "False"),
        ready("done", "False", "Succeeded"),
        evict("not yet observed", "web", **BLOCKED | {"retry_after": "10", "has": {"details.retryAfterSeconds": 10}}),
        budget_status("none left", observedGeneration=1, disruptionsAllowed=0, currentHealthy=1, desiredHealthy=2),
        evict("spent: no Retry-After", "web", **BLOCKED),
        evict("in a dry run as well", "web", query="?dryRun=All", **BLOCKED),
        evict("not ready, too few healthy", "slow", **BLOCKED),
        evict("pending pods go whatever the budget", "late"),
        evict("finished ones too", "done"),
        budget_status("as many as desired", currentHealthy=2),
        evict("not ready, enough healthy", "slow"),
        patch("sick pods may always go", f"{BUDGETS}/web", {"spec": {"unhealthyPodEvictionPolicy": "AlwaysAllow"}}),
        budget_status("observed, too few healthy", observedGeneration=2, currentHealthy=1),
        evict("not ready, too few healthy, AlwaysAllow", "slower"),
        budget_status("one to spare", disruptionsAllowed=1, currentHealthy=3),
        evict("dry run with another uid", "web", **STALE, options={"dryRun": ["All"], "preconditions": {"uid": "no"}}),
        get("spends nothing", f"{BUDGETS}/web", has={"status.disruptionsAllowed": 1}, lacks=("status.disruptedPods",)),
        evict("another uid is refused late", "web", **STALE, options={"preconditions": {"uid": "no"}}),
        get(
            "and has spent the budget",
            f"{BUDGETS}/web",
            has={"status.disruptionsAllowed": 0, "status.conditions.0.status": "False"},
            lacks=("status.disruptedPods.next",),
            keep="spent",
        ),
        get("with the pod untouched", f"{PODS}/web", lacks=("metadata.deletionTimestamp", "status.conditions.1")),
        budget_status("given back", disruptionsAllowed=1, disruptedPods=None),
        evict("a stale version", "web", **STALE, options={"preconditions": {"resourceVersion": "1"}}),
        get("spends it too", f"{BUDGETS}/web", has={"status.disruptionsAllowed": 0}),
        budget_status("given back again", disruptionsAllowed=1, disruptedPods=None),
        evict("allowed", "web"),
        get("one less", f"{BUDGETS}/web", has={"status.disruptionsAllowed": 0}, lacks=("status.disruptedPods.next",)),
        evict("the next one waits", "next", **BLOCKED),
        post("a second budget over the same pods", BUDGETS, budget("second")),
        evict("is an error of the server without a reason", "next", 500),
        evict("in a dry run as well", "next", 500, "?dryRun=All"),
        evict("but what ends already may", "web"),
        delete("delete asks no budget", f"{PODS}/next", body={"gracePeriodSeconds": 0}),
    ],
    "writing policies": [
        SHOP,
        post("a policy", POLICIES, policy("q"), has={"metadata.generation": 1}, keep="q"),
        post("twice", POLICIES, policy("q"), 409, reason="AlreadyExists"),
        post(
            "a misspelt field under strict validation",
            f"{POLICIES}?fieldValidation=Strict",
            policy("s", podSelctor={}),
            400,
            reason="BadRequest",
        ),
        post(
            "by default it is dropped with a warning",
            POLICIES,
            policy("w", podSelctor={}),
            warning=True,
            lacks=("spec.podSelctor",),
        ),
        post("or in silence", f"{POLICIES}?fieldValidation=Ignore", policy("i", x=1), lacks=("spec.x",)),
        patch(
            "a misspelt field in a patch under strict validation",
            f"{POLICIES}/q?fieldValidation=Strict",
            {"spec": {"podSelctor": {}}},
            422,
            reason="Invalid",
            causes=(("FieldValueInvalid", "patch"),),
        ),
        post(
            "a word that is none",
            POLICIES,
            policy("x", policyTypes=["Both"]),
            422,
            reason="Invalid",
            causes=(("FieldValueNotSupported", "spec.policyTypes[0]"),),
        ),
        post(
            "a name that is none",
            POLICIES,
            policy("Not_A_Name"),
            422,
            reason="Invalid",
            causes=(("FieldValueInvalid", "metadata.name"),),
        ),
        post("no name", POLICIES, {}, 422, reason="Invalid", causes=(("FieldValueRequired", "metadata.name"),)),
        post("a body that is no JSON object", POLICIES, [], 400, reason="BadRequest"),
        post("a dry run", f"{POLICIES}?dryRun=All", policy("dry"), lacks=("metadata.resourceVersion",)),
        get("stores nothing", f"{POLICIES}/dry", 404, reason="NotFound"),
        patch("a new spec is a new generation", f"{POLICIES}/q", {"spec": {"policyTypes": ["Ingress"]}},
              has={"metadata.generation": 2}),
        put("a full write without a version overwrites blindly", f"{POLICIES}/q", policy("q", "0c2d")),
        put("and creates nothing", f"{POLICIES}/none", policy("none"), 404, reason="NotFound"),
        delete("another uid", f"{POLICIES}/q", **STALE, body={"preconditions": {"uid": "no"}}),
        delete("a stale version", f"{POLICIES}/q", **STALE, body={"preconditions": {"resourceVersion": "1"}}),
        delete("a dry run", f"{POLICIES}/q?dryRun=All", has={"status": "Success"}),
        delete(
            "the right uid", f"{POLICIES}/q", body={"preconditions": {"uid": "<q.uid>"}}, has={"details.uid": "<q.uid>"}
        ),
        delete("again", f"{POLICIES}/q", 404, reason="NotFound"),
        delete("a selection", f"{POLICIES}?labelSelector=none", has={"kind": "NetworkPolicyList", "items": []}),
        delete("a namespace begins to end", f"{CORE}/namespaces/shop", has={"status.phase": "Terminating"}),
        post(
            "and takes nothing new",
            POLICIES,
            policy("late"),
            403,
            reason="Forbidden",
            causes=(("NamespaceTerminating", "metadata.namespace"),),
        ),
    ],
    "apply": [
        SHOP,
        patch("without an owner", f"{POLICIES}/q", policy("q"), 422, APPLY, reason="Invalid",
              causes=(("FieldValueRequired", "fieldManager"),)),
        patch("another name", f"{POLICIES}/q?fieldManager=us", policy("p"), 400, APPLY, reason="BadRequest"),
        patch("makes what is not there", f"{POLICIES}/q?fieldManager=us", policy("q"), 201, APPLY, keep="q"),
        patch("again changes nothing", f"{POLICIES}/q?fieldManager=us", policy("q"), media=APPLY,
              has={"metadata.resourceVersion": "<q.resourceVersion>"}),
        patch("the same values are shared", f"{POLICIES}/q?fieldManager=they", policy("q"), media=APPLY,
              has={"metadata.managedFields.1.manager": "us", "metadata.generation": 1}),
        patch("other values are refused", f"{POLICIES}/q?fieldManager=they", policy("q", "ffff"), 409, APPLY,
              reason="Conflict", causes=(("FieldManagerConflict", ".spec.podSelector"),)),
        patch("unless forced", f"{POLICIES}/q?fieldManager=they&force=true", policy("q", "ffff"), media=APPLY,
              has={"spec.podSelector.matchLabels.quarantine": "ffff", "metadata.generation": 2}),
        patch("and now the first owner meets the refusal", f"{POLICIES}/q?fieldManager=us", policy("q"), 409, APPLY,
              reason="Conflict", causes=(("FieldManagerConflict", ".spec.podSelector"),)),
        patch("what an owner leaves out is removed", f"{POLICIES}/q?fieldManager=they",
              {"metadata": {"name": "q"}, "spec": {"policyTypes": ["Ingress", "Egress"]}}, media=APPLY,
              lacks=("spec.podSelector",)),
        post("one made by a client", POLICIES, policy("made"), agent="tool/1.0 (x)",
             has={"metadata.managedFields.0.manager": "tool"}),
        patch("is that client's", f"{POLICIES}/made?fieldManager=us", policy("made", "ffff"), 409, APPLY,
              reason="Conflict", causes=(("FieldManagerConflict", ".spec.podSelector"),)),
        BLUE,
        patch("a node that nobody owns a field of", NODE, {"metadata": {"annotations": {"example.com/a": "1"}}},
              lacks=("metadata.managedFields",)),
        patch("…", NODE, CORDON, lacks=("metadata.managedFields",)),
        patch("gets an invented owner at the first apply", f"{NODE}?fieldManager=us", {**CORDON, "kind": "Node"},
              media=APPLY, has={"metadata.managedFields.1.manager": "before-first-apply"}),
        patch("who is asked too", f"{NODE}?fieldManager=they", {"spec": {"unschedulable": False}}, 409, APPLY,
              reason="Conflict", causes=(("FieldManagerConflict", ".spec.unschedulable"),) * 2),
        patch("an unknown field has no reason", f"{NODE}?fieldManager=us", {"spec": {"x": 1}}, 500, APPLY),
    ],
    "access": [
        SHOP,
        BLUE,
        post("a pod", PODS, pod("web")),
        get("no token at all is somebody without rights", NODE, 403, user=None, reason="Forbidden",
            has={"details.kind": "nodes", "details.name": "blue"}),
        get("an unknown token", NODE, 401, user="stranger", reason="Unauthorized"),
        get("no rights", NODE, 403, user="responder", reason="Forbidden", lacks=("details.causes",)),
        get("rights come before existence", f"{PODS}/ghost", 403, user="responder", reason="Forbidden"),
        get("a list names none", f"{CORE}/pods", 403, user="responder", reason="Forbidden", lacks=("details.name",)),
        evict("nor evict", "web", 403, user="responder", reason="Forbidden"),
        post("a role", f"{RBAC}/clusterroles", {"metadata": {"name": "r"}, "rules": [
            {"apiGroups": [""], "resources": ["pods/eviction"], "verbs": ["create"]},
            {"apiGroups": [""], "resources": ["nodes"], "resourceNames": ["blue"], "verbs": ["get", "patch"]},
            {"apiGroups": ["networking.k8s.io"], "resources": ["networkpolicies"], "verbs": ["patch"]}]}),
        post("bound to a group", f"{RBAC}/clusterrolebindings", {"metadata": {"name": "r"},
             "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "r"},
             "subjects": [{"kind": "Group", "name": "firebreak:responders"}]}),
        get("the node that the role names", NODE, user="responder"),
        patch("…", NODE, CORDON, user="responder"),
        get("no other", f"{CORE}/nodes/green", 403, user="responder", reason="Forbidden"),
        get("nor all of them", f"{CORE}/nodes", 403, user="responder", reason="Forbidden"),
        patch("nor its status", f"{NODE}/status", {}, 403, user="responder", reason="Forbidden"),
        patch("an apply that creates needs create too", f"{POLICIES}/q?fieldManager=us", policy("q"), 403, APPLY,
              user="responder", reason="Forbidden"),
        patch("…", f"{POLICIES}/q?fieldManager=us", policy("q"), 201, APPLY),
        patch("one that changes needs patch alone", f"{POLICIES}/q?fieldManager=us", policy("q", "0c2d"), 200, APPLY,
              user="responder"),
        evict("eviction is a right of its own", "web", user="responder"),
        get("without reading pods", f"{PODS}/web", 403, user="responder", reason="Forbidden"),
        post("may I", f"{REVIEWS}/selfsubjectaccessreviews",
             {"spec": {"resourceAttributes": {"verb": "patch", "resource": "nodes", "name": "blue"}}},
             user="responder", has={"status.allowed": True}),
        post("may I not", f"{REVIEWS}/selfsubjectaccessreviews",
             {"spec": {"resourceAttributes": {"verb": "delete", "resource": "nodes", "name": "blue"}}},
             user="responder", has={"status.allowed": False}, lacks=("status.reason",)),
        post("what may I", f"{REVIEWS}/selfsubjectrulesreviews", {"spec": {"namespace": "shop"}}, user="responder",
             has={"status.resourceRules.1.resourceNames": ["blue"]}),
        post("who am I", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {}, user="responder",
             has={"status.userInfo.groups": ["firebreak:responders", "system:authenticated"]}),
        post("a role in one namespace", f"{RBAC}/namespaces/shop/roles", {"metadata": {"name": "reader"},
             "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]}),
        post("…", f"{RBAC}/namespaces/shop/rolebindings", {"metadata": {"name": "reader"},
             "roleRef": {"kind": "Role", "name": "reader"}, "subjects": [{"kind": "User", "name": "responder"}]}),
        get("counts there", PODS, user="responder"),
        get("and nowhere else", f"{CORE}/pods", 403, user="responder", reason="Forbidden"),
    ],
    "paths": [
        BLUE,
        get("an unknown group is answered in text", "/apis/nothing.example/v1/things", 404, text=True),
        get("an unknown resource has empty details", f"{CORE}/things", 404, reason="NotFound", has={"details": {}}),
        get("so has an unknown subresource", f"{NODE}/things", 404, reason="NotFound", has={"details": {}}),
        get("a missing object is named", f"{CORE}/nodes/green", 404, reason="NotFound",
            has={"details.name": "green", "details.kind": "nodes"}),
        post("a create at a name", NODE, {}, 405, reason="MethodNotAllowed"),
        post("broken JSON", f"{CORE}/nodes", "{", 400, reason="BadRequest"),
        post("another kind", f"{CORE}/nodes", {"kind": "Pod", "metadata": {"name": "x"}}, 400, reason="BadRequest"),
        get("health is open to all", "/healthz", text=True, user=None),
        get("other paths are not", "/metrics", 403, user=None, reason="Forbidden", has={"details": {}}),
    ],
}  # fmt: skip
