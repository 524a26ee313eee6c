"""The fake API server keeps the contract of `kubernetes_facts`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.kubernetes import THROTTLED, Answer, Call, Cluster, User
from sandbox.kubernetes_wire import Wire
from tests.sandbox.kubernetes_fact import CORE, PODS, Fact, eviction, pod
from tests.sandbox.kubernetes_facts import STORIES

RESPONDER = User("responder", ("firebreak:responders",))
MISSING = object()


def new_cluster() -> Cluster:
    cluster = Cluster("prod")
    cluster.users["responder"] = RESPONDER
    return cluster


def ask(cluster: Cluster, fact: Fact, kept: dict[str, Any] | None = None) -> tuple[Any, Any]:
    """Return the HTTP answer and its parsed body."""

    def fill(text: str) -> str:
        for name, metadata in (kept or {}).items():
            for key in ("uid", "resourceVersion", "continue"):
                text = text.replace(f"<{name}.{key}>", str(metadata.get(key)))
        return text

    headers = {"Content-Type": fact.media} if fact.body is not None else {}
    if fact.user:
        headers["Authorization"] = f"Bearer {fact.user}"
    if fact.agent:
        headers["User-Agent"] = fact.agent
    body = None
    if fact.body is not None:
        body = fill(fact.body if isinstance(fact.body, str) else json.dumps(fact.body)).encode()
    answer = Wire(cluster).request(fact.method, fill(fact.path), body=body, headers=headers)
    is_json = answer.headers["Content-Type"] == "application/json"
    return answer, json.loads(answer.data) if is_json else answer.data.decode()


def find(body: Any, path: str) -> Any:
    for part in path.split("."):
        try:
            body = body[int(part)] if isinstance(body, list) else body[part]
        except (KeyError, IndexError, TypeError):
            return MISSING
    return body


def expected(value: Any, kept: dict[str, Any]) -> Any:
    if isinstance(value, str) and value.startswith("<"):
        name, _, key = value[1:-1].partition(".")
        return kept[name][key]
    return value


@pytest.mark.parametrize("story", STORIES)
def test_the_fake_answers_as_a_server_does(story: str) -> None:
    cluster, kept = new_cluster(), dict[str, Any]()
    for number, fact in enumerate(STORIES[story]):
        where = f"{number}: {fact.says}: {fact.method} {fact.path}"
        answer, body = ask(cluster, fact, kept)
        assert answer.status == fact.status, (where, body)
        assert isinstance(body, str) == fact.text, where
        assert answer.headers.get("Retry-After") == fact.retry_after, where
        assert ("Warning" in answer.headers) == fact.warning, where
        if fact.text:
            continue
        causes = find(body, "details.causes")
        listed = () if causes is MISSING else tuple((each["reason"], each.get("field", "")) for each in causes)
        assert listed == fact.causes, where
        if answer.status >= 400:
            assert body.get("reason") == fact.reason, where
            assert (body["kind"], body["status"], body["code"]) == ("Status", "Failure", fact.status), where
        for path, value in fact.has.items():
            assert find(body, path) == expected(value, kept), (where, path)
        for path in fact.lacks:
            assert find(body, path) is MISSING, (where, path)
        if fact.keep:
            kept[fact.keep] = body["metadata"]


def fact(method: str, path: str, body: Any = None, **members: Any) -> Fact:
    return Fact("", method, path, 0, body, **members)


def test_versions_rise_with_every_change_and_with_nothing_else() -> None:
    cluster = new_cluster()
    before = cluster.store.version
    ask(cluster, fact("POST", f"{CORE}/nodes", {"metadata": {"name": "blue"}}))
    ask(cluster, fact("POST", f"{CORE}/nodes", {"metadata": {"name": "blue"}}))
    ask(cluster, fact("GET", f"{CORE}/nodes/blue"))
    assert cluster.store.version == before + 1


def test_an_eviction_writes_budget_then_condition_then_deletion() -> None:
    cluster = new_cluster()
    for each in STORIES["eviction and the budget"][:3]:
        ask(cluster, each)
    running = {"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}
    merge = "application/merge-patch+json"
    ask(cluster, fact("PATCH", f"{PODS}/web/status", running, media=merge))
    spare = {"status": {"observedGeneration": 1, "disruptionsAllowed": 1}}
    budget = "/apis/policy/v1/namespaces/shop/poddisruptionbudgets/web"
    ask(cluster, fact("PATCH", f"{budget}/status", spare, media=merge))
    before = cluster.store.version
    ask(cluster, fact("POST", f"{PODS}/web/eviction", eviction("web")))
    _, spent = ask(cluster, fact("GET", budget))
    _, gone = ask(cluster, fact("GET", f"{PODS}/web"))
    assert spent["metadata"]["resourceVersion"] == str(before + 1)
    assert list(spent["status"]["disruptedPods"]) == ["web"]
    assert gone["metadata"]["resourceVersion"] == str(before + 3)


@pytest.mark.parametrize("running", [False, True])
def test_terminating_pods_stay_until_the_kubelet_has_ended_them(running: bool) -> None:
    cluster = new_cluster()
    cluster.kubelet_runs = running
    ask(cluster, STORIES["lists"][0])
    ask(cluster, fact("POST", PODS, pod("web")))
    ask(cluster, fact("POST", PODS, pod("held", finalizers=["example.com/hold"])))
    for name in ("web", "held"):
        ask(cluster, fact("POST", f"{PODS}/{name}/eviction", eviction(name)))
    assert ask(cluster, fact("GET", f"{PODS}/web"))[0].status == (404 if running else 200)
    cluster.finish_pods()
    assert ask(cluster, fact("GET", f"{PODS}/web"))[0].status == 404
    assert ask(cluster, fact("GET", f"{PODS}/held"))[0].status == 200


def test_an_expired_cursor_is_gone() -> None:
    cluster = new_cluster()
    for name in "abc":
        cluster.add("pods", pod(name))
    _, page = ask(cluster, fact("GET", f"{CORE}/pods?limit=1"))
    following = fact("GET", f"{CORE}/pods?limit=1&continue={page['metadata']['continue']}")
    assert ask(cluster, following)[0].status == 200
    cluster.store.expire_cursors()
    answer, body = ask(cluster, following)
    assert (answer.status, body["reason"]) == (410, "Expired")


def test_a_busy_server_answers_in_text_and_does_nothing() -> None:
    cluster = new_cluster()
    cluster.before = lambda call: THROTTLED if call.verb == "create" else None
    answer, body = ask(cluster, fact("POST", f"{CORE}/nodes", {"metadata": {"name": "blue"}}))
    assert (answer.status, answer.headers["Retry-After"], answer.headers["Content-Type"]) == (
        429,
        "1",
        "text/plain; charset=utf-8",
    )
    assert isinstance(body, str)
    assert ask(cluster, fact("GET", f"{CORE}/nodes/blue"))[0].status == 404


def test_an_answer_can_be_lost_after_the_change_is_made() -> None:
    cluster = new_cluster()
    cluster.after = lambda call, answer: Answer(504, "gateway timeout") if call.verb == "create" else answer
    assert ask(cluster, fact("POST", f"{CORE}/nodes", {"metadata": {"name": "blue"}}))[0].status == 504
    assert ask(cluster, fact("GET", f"{CORE}/nodes/blue"))[0].status == 200


def test_every_answer_carries_an_audit_id_and_every_call_is_written_down() -> None:
    cluster = new_cluster()
    first, _ = ask(cluster, fact("GET", f"{CORE}/nodes/blue"))
    second, _ = ask(cluster, fact("GET", f"{CORE}/nodes", user="stranger"))
    assert [call.audit_id for call in cluster.calls] == [first.headers["Audit-Id"], second.headers["Audit-Id"]]
    assert first.headers["Audit-Id"] != second.headers["Audit-Id"]
    assert cluster.calls[0] == Call(
        1, "GET", f"{CORE}/nodes/blue", "admin", "get", "nodes", "", "blue", 404, first.headers["Audit-Id"]
    )
    assert (cluster.calls[1].user, cluster.calls[1].status) == ("", 401)


def test_two_clusters_built_alike_are_alike() -> None:
    bodies = []
    for _ in range(2):
        cluster = new_cluster()
        _, body = ask(cluster, fact("POST", f"{CORE}/nodes", {"metadata": {"name": "blue"}}))
        bodies.append((body["metadata"]["uid"], body["metadata"]["resourceVersion"]))
    assert bodies[0] == bodies[1]


def test_what_a_test_puts_in_keeps_its_own_status() -> None:
    cluster = new_cluster()
    cluster.add("pods", {**pod("web", namespace="default"), "status": {"phase": "Running"}})
    _, body = ask(cluster, fact("GET", f"{CORE}/namespaces/default/pods/web"))
    assert (body["status"]["phase"], body["status"]["qosClass"]) == ("Running", "BestEffort")
