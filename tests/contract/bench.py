"""The bench on which one action is tried: recorded clients, a world, a plan, and crashes at any call."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

import boto3
from botocore.exceptions import ClientError
from moto.core.base_backend import BackendDict
from moto.moto_api._internal import mock_random

from firebreak.adapters.aws import SessionClients
from firebreak.core import registry
from firebreak.core.action import AnyAction
from firebreak.core.clients import Kubernetes
from firebreak.core.errors import Throttled
from firebreak.core.grant import Grant, Permission
from firebreak.core.model import Json, Model
from firebreak.core.operations import iam_action
from firebreak.core.plan import Again, Done, Draft, Plan, Verification
from firebreak.core.target import Place
from tests.contract.scenes import REGION, scene_of

Fault = Literal["crash", "throttle"]
READS = re.compile(r"[a-z0-9-]+:(Describe|Get|List|Head|BatchGet|Lookup)|(get|list|watch) ")
IDENTIFIER = re.compile(r"\b[a-z]+-[0-9a-f]{8,17}\b")
PATIENCE = 10  # times an action may say Again in a world whose time passes at will


class Crash(BaseException):
    """The process is gone: nothing may catch it and go on. Not an Exception, as a kill is none."""


@dataclass(frozen=True)
class Call:
    """One call: the permission it needs ("ec2:DescribeInstances", "patch nodes") and what was sent."""

    permission: str
    sent: str

    @property
    def writes(self) -> bool:
        return not READS.match(self.permission)

    @property
    def identifiers(self) -> set[str]:
        return set(IDENTIFIER.findall(self.sent))


@dataclass
class Tape:
    """Records calls, and strikes once.

    Attributes:
        strike: after how many calls to crash (the crash before a call is the one after the call before it, or nothing
            at all), or which call to throttle.
        struck: whether it has.
    """

    strike: int | None = None
    fault: Fault = "crash"
    calls: list[Call] = field(default_factory=list)
    struck: bool = False

    def before(self, call: Call, throttled: Exception) -> None:
        if self.struck and self.fault == "crash":
            raise Crash
        self.calls.append(call)
        if self.fault == "throttle" and self.strike == len(self.calls):
            self.struck = True
            raise throttled

    def after(self) -> None:
        if self.fault == "crash" and self.strike == len(self.calls):
            self.struck = True
            raise Crash

    @property
    def permissions(self) -> set[str]:
        return {call.permission for call in self.calls}

    @property
    def writes(self) -> list[Call]:
        return [call for call in self.calls if call.writes]


class Recorder:
    """Hears every call of a recorded session and tells the tape that is in."""

    def __init__(self) -> None:
        self.tape = Tape()

    def before_call(self, model: Any, params: Any, **_: Any) -> None:
        sent = json.dumps({"body": params.get("body"), "url": params.get("url_path")}, default=str)
        throttled = ClientError({"Error": {"Code": "RequestLimitExceeded", "Message": "slow down"}}, model.name)
        self.tape.before(Call(iam_action(model.service_model.signing_name, model.name), sent), throttled)

    def after_call(self, **_: Any) -> None:
        self.tape.after()


class CachedSession:
    """A boto3 session that makes each client once: making one costs more than all of a world's calls."""

    def __init__(self, hear: Recorder | None = None) -> None:
        self._session = boto3.Session(region_name=REGION)
        self._clients: dict[str, Any] = {}
        if hear:
            self._session.events.register("before-call.*.*", hear.before_call)
            self._session.events.register("after-call.*.*", hear.after_call)

    def client(self, service: str, **_: Any) -> Any:
        if service not in self._clients:
            self._clients[service] = self._session.client(service, region_name=REGION)
        return self._clients[service]


RECORDER = Recorder()


@cache
def _sessions() -> tuple[CachedSession, CachedSession]:
    return CachedSession(RECORDER), CachedSession()


class RecordedKubernetes:
    """A Kubernetes client whose calls go on the tape."""

    def __init__(self, inner: Kubernetes, recorder: Recorder) -> None:
        self._inner = inner
        self._recorder = recorder

    def call(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        body: Json = None,
        content_type: str = "application/json",
    ) -> Any:
        call = Call(rbac(method, path), json.dumps({"path": path, "query": query, "body": body}))
        self._recorder.tape.before(call, Throttled(f"{method} {path}: 429"))
        try:
            return self._inner.call(method, path, query=query, body=body, content_type=content_type)
        finally:
            self._recorder.tape.after()


def rbac(method: str, path: str) -> str:
    """Return the verb and resource that a request needs, "patch nodes" or "create pods/eviction"; `resource.group`.

    Kubernetes documentation, "Authorization: Determine the request verb".
    """
    parts = path.strip("/").split("/")
    if parts[0] not in ("api", "apis"):
        return f"{method.lower()} /{path.strip('/')}"
    group, rest = ("", parts[2:]) if parts[0] == "api" else (parts[1], parts[3:])
    if rest[0] == "namespaces" and len(rest) > 2:
        rest = rest[2:]
    named = len(rest) > 1
    verbs = {
        "GET": "get" if named else "list",
        "POST": "create",
        "PUT": "update",
        "PATCH": "patch",
        "DELETE": "delete" if named else "deletecollection",
    }
    resource = "/".join((rest[0], *rest[2:]))
    return f"{verbs[method]} {resource}" + (f".{group}" if group else "")


def permissions(granted: tuple[Permission, ...], *, uncalled: frozenset[str] = frozenset()) -> set[str]:
    """Return what calls of some grants look like on the tape; implied ones and the scene's exceptions have none."""
    called: set[str] = set()
    for permission in granted:
        if isinstance(permission, Grant):
            if permission.implied_by is None and permission.action not in uncalled:
                called.add(permission.action)
        else:
            suffix = f".{permission.group}" if permission.group else ""
            called |= {f"{verb} {permission.resource}{suffix}" for verb in permission.verbs}
    return called


def bind(action: AnyAction, draft: Draft, target: Place, parameters: Model) -> Plan:
    """Bind a draft to an incident as the pipeline does; the plan has been written down and read again."""
    plan = {
        **draft.model_dump(mode="json"),
        "action": action.name,
        "incident": "inc-0123456789ab",
        "revision": 1,
        "step": "step-0123456789ab",
        "target": target.model_dump(mode="json"),
        "parameters": parameters.model_dump(mode="json"),
        "policy": "0" * 64,
    }
    return Plan.model_validate_json(json.dumps(plan))


class Bench:
    """One action on one new world.

    Args:
        name: the action.
        case: which of the scene's parameter sets.
    """

    def __init__(self, name: str, case: str) -> None:
        RECORDER.tape = Tape()
        recorded, arranging = _sessions()
        mock_random.seed(0)
        BackendDict.reset()
        arranging.client("ec2").describe_vpcs()  # moto makes its default VPC now or did at the reset, as it happens
        mock_random.seed(0)
        self.action: AnyAction = registry.actions()[name]
        scene = scene_of(name)
        self.parameters = self.action.parameters.model_validate(scene.cases[case])
        self.scene = scene(arranging.client)
        self.clients = SessionClients(recorded, REGION, kubernetes=self._kubernetes)

    def _kubernetes(self, clients: SessionClients, cluster: str) -> Kubernetes:
        return RecordedKubernetes(self.scene.kubernetes(clients, cluster), RECORDER)

    def draft(self) -> Draft:
        return self.action.plan(self.clients, self.scene.target, self.parameters)

    def plan(self) -> Plan:
        """Return the plan as apply gets it: bound to an incident, written down and read again."""
        return bind(self.action, self.draft(), self.scene.target, self.parameters)

    def apply(self, plan: Plan) -> Done:
        return self._until_done(lambda: self.action.apply(self.clients, plan))

    def undo(self, plan: Plan) -> Done:
        return self._until_done(lambda: self.action.undo(self.clients, plan))

    def secure(self, plan: Plan) -> None:
        self.action.secure(self.clients, plan)

    def verify(self, plan: Plan) -> Verification:
        self.scene.elapse()
        return self.action.verify(self.clients, plan)

    def state(self) -> Json:
        return self.scene.state()

    def record(self, strike: int | None = None, fault: Fault = "crash") -> Tape:
        """Put a new tape in and return it."""
        RECORDER.tape = Tape(strike=strike, fault=fault)
        return RECORDER.tape

    def _until_done(self, phase: Callable[[], Done | Again]) -> Done:
        for _ in range(PATIENCE):
            progress = phase()
            if isinstance(progress, Done):
                return progress
            self.scene.elapse()
        raise AssertionError(f"{self.action.name} still says Again after {PATIENCE} times")
