"""A fake Kubernetes API server: one cluster as a WSGI application.

It answers as kube-apiserver 1.36 does, as far as Firebreak asks: nodes, pods, eviction, disruption budgets, network
policies, RBAC, tokens. No watch, no controllers, no scheduler, no kubelet: what these would do, a test does.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import responses
from typing import Any

from sandbox.kubernetes_access import ANONYMOUS, MASTERS, EksAccess, User, authorize
from sandbox.kubernetes_answer import THROTTLED, UNKNOWN_GROUP, Answer, Failure, Object
from sandbox.kubernetes_kinds import BY_PATH, GROUPS, Kind
from sandbox.kubernetes_request import Request, read
from sandbox.kubernetes_review import REVIEWS, review
from sandbox.kubernetes_store import Record, Store
from sandbox.kubernetes_verbs import Verbs

__all__ = ["THROTTLED", "Answer", "Call", "Cluster", "User"]


@dataclass(frozen=True)
class Call:
    """One request, as the audit log has it.

    Attributes:
        number: from 1.
        user: name of the caller, "" where the token is unknown.
        verb: "get", "list", "create", "update", "patch", "delete", "deletecollection".
        resource: "nodes", "pods/eviction".
        status: of the answer; 0 while it is not answered.
        audit_id: what the Audit-Id header says.
    """

    number: int
    method: str
    path: str
    user: str
    verb: str
    resource: str
    namespace: str
    name: str
    status: int = 0
    audit_id: str = ""


class Cluster:
    """One cluster.

    Attributes:
        store: its objects.
        users: callers by bearer token.
        eks: reads EKS tokens, if the cluster is one of EKS.
        calls: every request so far.
        before: called ahead of each request; an Answer it returns is sent instead, with nothing done. It may wait,
            change objects as somebody else would, or raise ConnectionError to lose the request.
        after: called with each answer before it is sent, with everything done; returns what is sent.
        kubelet_runs: whether terminating pods end at once; otherwise `finish_pods` ends them.

    Args:
        name: what EKS calls it.
        now: the time, aware.
        eks: reads EKS tokens.
    """

    def __init__(
        self,
        name: str = "sandbox",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        eks: EksAccess | None = None,
    ) -> None:
        self.name = name
        self.store = Store(now, name)
        self.users: dict[str, User] = {"admin": User("admin", (MASTERS,))}
        self.eks = eks
        self.calls: list[Call] = []
        self.before: Callable[[Call], Answer | None] = lambda call: None
        self.after: Callable[[Call, Answer], Answer] = lambda call, answer: answer
        self.kubelet_runs = False
        self._verbs = Verbs(self.store)
        self._lock = threading.RLock()
        for namespace in ("default", "kube-system"):
            self.add(BY_PATH["", "v1", "namespaces"], {"metadata": {"name": namespace}})

    def add(self, kind: Kind | str, item: Object) -> Record:
        """Put an object into the cluster, status included, past every check.

        Args:
            kind: the kind, or the plural name of one ("pods").
            item: the object; the namespace is "default" where it names none.
        """
        if isinstance(kind, str):
            kind = next(known for known in BY_PATH.values() if known.resource == kind)
        filled = {**item, "metadata": dict(item["metadata"])}
        kind.default(filled)
        for name in ("spec", "status"):
            if name in item:
                filled[name] = {**filled.get(name, {}), **item[name]}
        return self.store.create(kind, item["metadata"].get("namespace", "default"), filled, {})

    def finish_pods(self) -> None:
        """Do the kubelet's part: every terminating pod that no finalizer holds is gone."""
        for pod in self.store.all(BY_PATH["", "v1", "pods"]):
            if pod.terminating and not pod.item["metadata"].get("finalizers"):
                self.store.remove(pod)

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        with self._lock:
            audit_id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.name}/audit/{len(self.calls)}"))
            answer = self._serve(read(environ), audit_id)
        content = answer.encoded
        headers = {"Content-Type": answer.media_type, "Content-Length": str(len(content)), "Audit-Id": audit_id}
        start(f"{answer.status} {responses.get(answer.status, 'Status')}", list((headers | answer.headers).items()))
        return [content]

    def _serve(self, request: Request, audit_id: str) -> Answer:
        user = self._user(request)
        call = Call(
            len(self.calls) + 1,
            request.method,
            request.path,
            user.name if user else "",
            request.asked.verb,
            request.asked.full_resource,
            request.asked.namespace,
            request.asked.name,
            audit_id=audit_id,
        )
        self.calls.append(call)
        answer = self.before(call)
        if answer is None:
            try:
                answer = self._answer(request, user)
            except Failure as failure:
                answer = failure.answer
            if self.kubelet_runs:
                self.finish_pods()
            answer = self.after(call, answer)
        self.calls[call.number - 1] = Call(**{**vars(call), "status": answer.status})
        return answer

    def _user(self, request: Request) -> User | None:
        if not request.token:
            return ANONYMOUS
        if self.eks and request.token.startswith(EksAccess.PREFIX):
            return self.eks.user(request.token)
        return self.users.get(request.token)

    def _answer(self, request: Request, user: User | None) -> Answer:
        if user is None:
            raise Failure(401, "Unauthorized", "Unauthorized")
        asked = request.asked
        authorize(self.store, user, asked)
        if asked.path:
            return Answer(200, {"major": "1", "minor": "36"} if "version" in asked.path else "ok")
        if (asked.group, request.version) not in GROUPS:
            return UNKNOWN_GROUP
        if (asked.group, asked.resource) in REVIEWS:
            return review(self.store, user, request)
        return self._verbs.answer(request, user)
