"""What the client makes of every answer that a Kubernetes API server, or something on the way to it, can give."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
import urllib3
from hypothesis import given
from hypothesis import strategies as st
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    IncompleteRead,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
    SSLError,
)
from urllib3.response import HTTPResponse

from firebreak.adapters.kubernetes import CONNECT_TIMEOUT, READ_TIMEOUT, KubernetesClient
from firebreak.core.errors import (
    Conflict,
    Denied,
    FirebreakError,
    KubernetesError,
    OutOfTime,
    Retriable,
    TargetMissing,
    Throttled,
)
from sandbox.kubernetes import THROTTLED, Answer, Cluster, User
from sandbox.kubernetes_wire import Wire

NODE = "/api/v1/nodes/blue"
EVICTION = "/api/v1/namespaces/shop/pods/web/eviction"
MERGE = "application/merge-patch+json"
TOKEN = "secret-token"
AUDIT_ID = "0c1d2e3f-0000-4000-8000-000000000000"


class Scripted:
    """A transport that answers what it is told to and remembers what it was asked."""

    def __init__(self, *answers: HTTPResponse | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[dict[str, Any]] = []

    def request(self, method: str, url: str, **given: Any) -> HTTPResponse:
        self.asked.append({"method": method, "url": url, **given})
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def http(status: int, body: Any, media: str = "application/json", **headers: str) -> HTTPResponse:
    content = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    return HTTPResponse(
        io.BytesIO(content), headers={"Content-Type": media, "Audit-Id": AUDIT_ID, **headers}, status=status
    )


def status(code: int, reason: str = "", message: str = "no", **details: Any) -> HTTPResponse:
    body: dict[str, Any] = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": code}
    if reason:
        body["reason"] = reason
    if details:
        body["details"] = {name: value for name, value in details.items() if name != "empty"}
    return http(code, body)


def causes(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [{"reason": reason, "field": field, "message": "x"} for reason, field in pairs]


def client(transport: Any, **given: Any) -> KubernetesClient:
    return KubernetesClient(transport, "https://api.example:6443/", given.pop("token", lambda: TOKEN), **given)


REFUSALS: dict[str, tuple[str, HTTPResponse, type[FirebreakError]]] = {
    "selector, cursor, decoding": (NODE, status(400, "BadRequest"), KubernetesError),
    "no rights": (NODE, status(403, "Forbidden", name="blue", kind="nodes"), Denied),
    "refused by something on the way": (NODE, http(403, "<html>", "text/html"), Denied),
    "namespace going away": (
        NODE,
        status(403, "Forbidden", causes=causes(("NamespaceTerminating", "metadata.namespace"))),
        TargetMissing,
    ),
    "object missing": (NODE, status(404, "NotFound", name="blue", kind="nodes"), TargetMissing),
    "unknown group": (NODE, http(404, "404 page not found\n", "text/plain; charset=utf-8"), KubernetesError),
    "unknown resource": (NODE, status(404, "NotFound", empty=True), KubernetesError),
    "method not allowed": (NODE, status(405, "MethodNotAllowed", empty=True), KubernetesError),
    "media type": (NODE, status(415, "UnsupportedMediaType", empty=True), KubernetesError),
    "name taken": (NODE, status(409, "AlreadyExists", name="blue", kind="nodes"), KubernetesError),
    "stale": (NODE, status(409, "Conflict", name="blue", kind="nodes"), Conflict),
    "another owner": (
        NODE,
        status(409, "Conflict", causes=causes(("FieldManagerConflict", ".spec.podSelector"))),
        KubernetesError,
    ),
    "cursor expired": (NODE, status(410, "Expired"), Retriable),
    "invalid": (NODE, status(422, "Invalid", causes=causes(("FieldValueInvalid", "metadata.labels"))), KubernetesError),
    "replaced": (NODE, status(422, "Invalid", causes=causes(("FieldValueInvalid", "metadata.uid"))), TargetMissing),
    "JSON patch refused": (NODE, status(422, "Invalid", empty=True), Conflict),
    "budget spent": (
        EVICTION,
        status(429, "TooManyRequests", causes=causes(("DisruptionBudget", ""))),
        KubernetesError,
    ),
    "budget not observed": (
        EVICTION,
        status(429, "TooManyRequests", causes=causes(("DisruptionBudget", "")), retryAfterSeconds=10),
        KubernetesError,
    ),
    "server busy": (NODE, http(429, "Too many requests\n", "text/plain; charset=utf-8"), Throttled),
    "server busy, as an object": (NODE, status(429, "TooManyRequests", retryAfterSeconds=1), Throttled),
    "two budgets": (EVICTION, status(500), KubernetesError),
    "the same shape elsewhere": (NODE, status(500), Retriable),
    "internal error": (EVICTION, status(500, "InternalError", empty=True), Retriable),
    "a proxy's 500": (EVICTION, http(500, "oops", "text/html"), Retriable),
    "bad gateway": (NODE, http(502, "", "text/html"), Retriable),
    "unavailable": (NODE, http(503, "", "text/plain"), Retriable),
    "timeout": (NODE, status(504, "Timeout"), Retriable),
    "half a body": (NODE, http(200, '{"kind": "Nod'), Retriable),
    "half an error": (NODE, http(404, b'{"kind": "\xff'), Retriable),
    "a login page": (NODE, http(200, "<html>", "text/html"), KubernetesError),
    "a redirect": (NODE, http(302, "", "text/html", Location="https://elsewhere.example/"), KubernetesError),
    "a list where an error should be": (NODE, http(400, []), KubernetesError),
    "details that are none": (
        NODE,
        http(404, {"kind": "Status", "reason": "NotFound", "details": None}),
        KubernetesError,
    ),
    "causes that are none": (NODE, http(409, {"kind": "Status", "details": {"causes": ["x"]}}), KubernetesError),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_every_refusal_becomes_its_error(what: str) -> None:
    path, answer, error = REFUSALS[what]
    with pytest.raises(error) as caught:
        client(Scripted(answer)).call("POST" if path == EVICTION else "GET", path)
    assert type(caught.value) is error
    assert TOKEN not in str(caught.value)


def test_a_refusal_says_what_was_asked_and_where_the_audit_log_has_it() -> None:
    answer = status(409, "Conflict", "modified\n  meanwhile", name="blue")
    with pytest.raises(Conflict) as caught:
        client(Scripted(answer)).call("PATCH", NODE, body={})
    assert str(caught.value) == f"PATCH {NODE}: 409 Conflict: modified meanwhile (audit {AUDIT_ID})"


def test_reason_and_causes_stay_with_the_error() -> None:
    answer = status(429, "TooManyRequests", causes=causes(("DisruptionBudget", "")))
    with pytest.raises(KubernetesError) as caught:
        client(Scripted(answer)).call("POST", EVICTION, body={})
    assert (caught.value.status, caught.value.reason, caught.value.causes) == (
        429,
        "TooManyRequests",
        (("DisruptionBudget", ""),),
    )


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (ConnectTimeoutError("slow"), Retriable),
        (NewConnectionError(None, "refused"), Retriable),  # type: ignore[arg-type]  # urllib3 only shows the pool
        (ReadTimeoutError(None, NODE, "slow"), Retriable),  # type: ignore[arg-type]  # urllib3 only shows the pool
        (ProtocolError("Connection aborted."), Retriable),
        (IncompleteRead(3, 10), Retriable),
        (SSLError("certificate verify failed"), Denied),
    ],
)
def test_a_lost_connection_is_an_unknown_outcome(failure: HTTPError, error: type[FirebreakError]) -> None:
    transport = Scripted(failure)
    with pytest.raises(error) as caught:
        client(transport).call("PATCH", NODE, body={})
    assert type(caught.value) is error
    assert len(transport.asked) == 1  # repeating it is not the client's to decide


def test_the_request_is_what_the_server_needs_to_check_it() -> None:
    transport = Scripted(http(200, {"kind": "Node"}))
    answer = client(transport).call(
        "PATCH", NODE, query={"fieldManager": "a b"}, body={"spec": {"é": 1}}, content_type=MERGE
    )
    (asked,) = transport.asked
    assert answer == {"kind": "Node"}
    assert asked["url"] == f"https://api.example:6443{NODE}?fieldManager=a%20b&fieldValidation=Strict"
    assert json.loads(asked["body"]) == {"spec": {"é": 1}}
    assert asked["headers"] == {
        "Authorization": f"Bearer {TOKEN}",
        "Accept": "application/json",
        "User-Agent": "firebreak",
        "Content-Type": MERGE,
    }
    assert (asked["timeout"].connect_timeout, asked["timeout"].read_timeout) == (CONNECT_TIMEOUT, READ_TIMEOUT)
    assert (asked["retries"], asked["redirect"]) == (False, False)


@pytest.mark.parametrize(
    ("method", "strict"), [("GET", False), ("DELETE", False), ("POST", True), ("PATCH", True), ("PUT", True)]
)
def test_every_create_and_change_is_validated_strictly(method: str, strict: bool) -> None:
    transport = Scripted(http(200, {}))
    client(transport).call(method, NODE)
    assert transport.asked[0]["url"].endswith("?fieldValidation=Strict") == strict
    assert transport.asked[0]["body"] is None


def test_one_token_serves_all_calls() -> None:
    made: list[str] = []

    def make() -> str:
        made.append("t")
        return "t"

    kubernetes = client(Scripted(http(200, {}), http(200, {})), token=make)
    kubernetes.call("GET", NODE)
    kubernetes.call("GET", NODE)
    assert len(made) == 1


def test_a_token_that_is_not_accepted_is_made_anew_once() -> None:
    tokens = iter(("old", "new", "newer"))
    transport = Scripted(status(401, "Unauthorized"), http(200, {"ok": True}))
    assert client(transport, token=lambda: next(tokens)).call("GET", NODE) == {"ok": True}
    assert [asked["headers"]["Authorization"] for asked in transport.asked] == ["Bearer old", "Bearer new"]

    refused = Scripted(status(401, "Unauthorized"), status(401, "Unauthorized"), http(200, {}))
    with pytest.raises(Denied):
        client(refused).call("GET", NODE)
    assert len(refused.asked) == 2


def test_nothing_is_sent_when_too_little_time_is_left() -> None:
    left = iter((30.0, 9.9))
    transport = Scripted(http(200, {}), http(200, {}))
    kubernetes = client(transport, remaining=lambda: next(left))
    kubernetes.call("GET", NODE)
    with pytest.raises(OutOfTime):
        kubernetes.call("PATCH", NODE, body={})
    assert len(transport.asked) == 1


def test_the_time_is_looked_at_again_before_the_second_token() -> None:
    left = iter((30.0, 5.0))
    transport = Scripted(status(401, "Unauthorized"), http(200, {}))
    with pytest.raises(OutOfTime):
        client(transport, remaining=lambda: next(left)).call("GET", NODE)
    assert len(transport.asked) == 1


def test_audit_ids_are_kept_and_odd_ones_are_not() -> None:
    odd = http(200, {})
    odd.headers["Audit-Id"] = "x\x1b[31m"
    kubernetes = client(Scripted(http(200, {}), odd, status(404, "NotFound", name="blue")))
    kubernetes.call("GET", NODE)
    kubernetes.call("GET", NODE)
    with pytest.raises(TargetMissing):
        kubernetes.call("GET", NODE)
    assert kubernetes.audit_ids == [AUDIT_ID, AUDIT_ID]


def test_the_token_is_in_no_text_of_the_client() -> None:
    kubernetes = client(Scripted(http(200, {})))
    kubernetes.call("GET", NODE)
    assert TOKEN not in repr(kubernetes) + str(kubernetes)


@given(
    code=st.integers(100, 599),
    media=st.sampled_from(
        ["application/json", "application/json; charset=utf-8", "text/plain", "", "application/yaml"]
    ),
    body=st.one_of(
        st.binary(max_size=60),
        st.recursive(
            st.one_of(st.none(), st.integers(), st.text(max_size=8)),
            lambda inner: st.one_of(
                st.lists(inner, max_size=3),
                st.dictionaries(
                    st.sampled_from(["kind", "reason", "details", "causes", "message", "name", "field"]),
                    inner,
                    max_size=4,
                ),
            ),
            max_leaves=12,
        ).map(lambda value: json.dumps(value).encode()),
    ),
)
def test_whatever_comes_back_is_an_object_or_one_of_our_errors(code: int, media: str, body: bytes) -> None:
    answers = [HTTPResponse(io.BytesIO(body), headers={"Content-Type": media}, status=code) for _ in range(2)]
    try:
        client(Scripted(*answers)).call("GET", NODE)
    except FirebreakError:
        assert not (200 <= code < 300 and media.startswith("application/json") and _is_object(body))
    else:
        assert 200 <= code < 300
        assert _is_object(body)


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except ValueError:
        return False


# The same against the fake API server, whose answers have the shape of a real one's.


@pytest.fixture
def cluster() -> Cluster:
    made = Cluster("prod")
    made.users[TOKEN] = User("firebreak", ("system:masters",))
    made.add("nodes", {"metadata": {"name": "blue"}})
    return made


def against(cluster: Cluster, **given: Any) -> KubernetesClient:
    return KubernetesClient(Wire(cluster), "https://api.example", given.pop("token", lambda: TOKEN), **given)


LIVE: dict[str, tuple[Callable[[KubernetesClient], Any], type[FirebreakError]]] = {
    "a missing node": (lambda api: api.call("GET", "/api/v1/nodes/green"), TargetMissing),
    "a missing group": (lambda api: api.call("GET", "/apis/x.example/v1/things"), KubernetesError),
    "a missing resource": (lambda api: api.call("GET", "/api/v1/things"), KubernetesError),
    "a stale version": (
        lambda api: api.call("PATCH", NODE, body={"metadata": {"resourceVersion": "1"}}, content_type=MERGE),
        Conflict,
    ),
    "another uid": (
        lambda api: api.call("PATCH", NODE, body={"metadata": {"uid": "0"}}, content_type=MERGE),
        TargetMissing,
    ),
    "a misspelt field": (
        lambda api: api.call("PATCH", NODE, body={"spec": {"unscheduleable": True}}, content_type=MERGE),
        KubernetesError,
    ),
    "a JSON patch that does not apply": (
        lambda api: api.call(
            "PATCH", NODE, body=[{"op": "remove", "path": "/spec/x"}], content_type="application/json-patch+json"
        ),
        Conflict,
    ),
}


@pytest.mark.parametrize("what", LIVE)
def test_a_servers_own_refusals_become_the_right_errors(what: str, cluster: Cluster) -> None:
    ask, error = LIVE[what]
    with pytest.raises(error) as caught:
        ask(against(cluster))
    assert type(caught.value) is error
    assert against(cluster).call("GET", NODE)["kind"] == "Node"


def test_the_client_names_itself_to_the_server(cluster: Cluster) -> None:
    api = against(cluster)
    api.call("POST", "/api/v1/namespaces", body={"metadata": {"name": "shop", "labels": {"a": "b"}}})
    namespace = api.call("GET", "/api/v1/namespaces/shop")
    assert {entry["manager"] for entry in namespace["metadata"]["managedFields"]} == {"firebreak"}
    assert api.audit_ids == [call.audit_id for call in cluster.calls]


def test_an_expired_token_is_replaced_without_the_caller_noticing(cluster: Cluster) -> None:
    tokens = iter(("expired", TOKEN))
    assert against(cluster, token=lambda: next(tokens)).call("GET", NODE)["metadata"]["name"] == "blue"


def test_a_busy_server_and_a_lost_connection_change_nothing_here(cluster: Cluster) -> None:
    api = against(cluster)
    cluster.before = lambda call: THROTTLED
    with pytest.raises(Throttled):
        api.call("PATCH", NODE, body={"spec": {"unschedulable": True}}, content_type=MERGE)

    def lose(call: object) -> Answer | None:
        raise ConnectionResetError("reset")

    cluster.before = lose
    with pytest.raises(Retriable, match="unknown outcome"):
        api.call("PATCH", NODE, body={"spec": {"unschedulable": True}}, content_type=MERGE)
    cluster.before = lambda call: None
    assert "unschedulable" not in api.call("GET", NODE)["spec"]


def test_urllib3_itself_fits_the_transport(cluster: Cluster) -> None:
    import threading
    from wsgiref.simple_server import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    def mounted(environ: dict[str, Any], start: Any) -> Any:
        return cluster({**environ, "PATH_INFO": environ["PATH_INFO"].removeprefix("/kubernetes/prod")}, start)

    with make_server("127.0.0.1", 0, mounted, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            with urllib3.PoolManager() as pool:
                api = KubernetesClient(pool, f"http://127.0.0.1:{server.server_port}/kubernetes/prod", lambda: TOKEN)
                api.call("PATCH", NODE, body={"spec": {"unschedulable": True}}, content_type=MERGE)
                assert api.call("GET", NODE)["spec"]["unschedulable"] is True
                with pytest.raises(TargetMissing):
                    api.call("GET", "/api/v1/nodes/green")
        finally:
            server.shutdown()
            thread.join()
