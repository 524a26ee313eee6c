"""The one HTTP server of the sandbox: ours first, then faults, then moto behind its lock."""

from __future__ import annotations

import io
import json
import socket
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http.client import responses
from typing import Any, NoReturn

import werkzeug.serving
import werkzeug.wrappers

from sandbox import wire
from sandbox.backend import Backend
from sandbox.clock import Clock
from sandbox.identity import Caller, Identities
from sandbox.journal import Call, Faults, Journal
from sandbox.judge_policies import Decision
from sandbox.judge_refusal import refusal
from sandbox.server import Wsgi

LONG_POLL = 0.05


class AwsFailure(Exception):
    """An error answer of an operation that we serve.

    Args:
        code: "ResourceNotFoundException".
        message: for people.
        status: HTTP status.
    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


@dataclass(frozen=True)
class Answer:
    """The answer to one request."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @classmethod
    def of(cls, content: Mapping[str, Any] | None) -> Answer:
        """An answer in a JSON protocol."""
        return cls(200, [("Content-Type", "application/x-amz-json-1.0")], json.dumps(content or {}).encode())


Operation = Callable[[wire.Request, Caller | None], Mapping[str, Any] | Answer | None]
"""Serves one operation; what it returns is the JSON answer, or the whole answer. Raises AwsFailure."""

Judging = Callable[[wire.Request, Caller | None], Sequence[Decision]]
"""Decides about every permission that a call needs."""


class Front:
    """The WSGI application.

    Attributes:
        journal: every AWS call.
        faults: what calls are to meet.
        latency: real seconds added to every AWS call.
        judge: decides what a call may do; None lets everybody do everything.

    Args:
        served: told the name of each AWS call that was answered without an error, after it was.
    """

    def __init__(
        self, backend: Backend, identities: Identities, clock: Clock, served: Callable[[str], None] = lambda name: None
    ) -> None:
        self.journal = Journal()
        self.faults = Faults()
        self.latency = 0.0
        self.judge: Judging | None = None
        self._backend = backend
        self._identities = identities
        self._clock = clock
        self._served = served
        self._mounts: dict[str, Wsgi] = {}
        self._operations: dict[str, Operation] = {}

    def mount(self, prefix: str, application: Wsgi) -> None:
        """Serve everything below a path ("/kubernetes/prod") by another WSGI application."""
        self._mounts[prefix] = application

    def serve(self, name: str, operation: Operation) -> None:
        """Serve an AWS operation ("events:PutEvents") ourselves, outside moto's lock."""
        self._operations[name] = operation

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "/")
        # Read to the end even where nobody looks: werkzeug would wait for what is left of it, and the client for us.
        body = werkzeug.wrappers.Request(environ).get_data()
        environ = {**environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        _, _, service = wire.credential_scope(environ.get("HTTP_AUTHORIZATION", ""))
        if service in ("", "execute-api"):
            for prefix, application in self._mounts.items():
                if path == prefix or path.startswith(prefix + "/"):
                    inner = {**environ, "SCRIPT_NAME": prefix, "PATH_INFO": path[len(prefix) :]}
                    return application(inner, start)
        answer = self._aws(environ, wire.read(environ, body))
        if answer is None:
            _drop(environ)
        headers = answer.headers
        if not any(name.lower() == "content-length" for name, _ in headers):
            headers = [*headers, ("Content-Length", str(len(answer.body)))]
        start(f"{answer.status} {responses.get(answer.status, 'Status')}", headers)
        return [answer.body]

    def _aws(self, environ: dict[str, Any], request: wire.Request) -> Answer | None:
        caller = self._identities.find(request.key) or self._backend.user(request.key)
        name = f"{request.service}:{request.operation}"
        fault = self.faults.take(name, caller.function if caller else "")
        decisions = self.judge(request, caller) if self.judge else ()
        if self.latency:
            time.sleep(self.latency)
        if fault is not None and fault.meanwhile is not None:
            fault.meanwhile()
        if fault is not None and fault.delay:
            self._clock.drift(fault.delay)
        if refused := next((decision for decision in decisions if not decision.allowed), None):
            answer = _error(request, *refusal(request, caller, refused))
        elif fault is not None and fault.code:
            answer = _error(request, fault.code, "injected by the sandbox", fault.status)
        else:
            answer = self._answer(environ, request, caller)
        code = "" if answer.status < 400 else _code(answer)
        self.journal.add(
            Call(
                self._clock.now(),
                request.service,
                request.operation,
                caller,
                request.parameters,
                answer.status,
                code,
                tuple(decisions),
            )
        )
        if answer.status < 400:
            self._served(name)
        return None if fault is not None and fault.lost else answer

    def _answer(self, environ: dict[str, Any], request: wire.Request, caller: Caller | None) -> Answer:
        operation = self._operations.get(f"{request.service}:{request.operation}")
        if operation is not None:
            try:
                answer = operation(request, caller)
            except AwsFailure as failure:
                return _error(request, failure.code, failure.message, failure.status)
            return answer if isinstance(answer, Answer) else Answer.of(answer)
        environ = {**environ, "HTTP_X_MOTO_ACCOUNT_ID": caller.account if caller else self._identities.account}
        if request.operation == "ReceiveMessage":
            return self._receive(environ, request)
        return self._moto(environ, request, request.body)

    def _receive(self, environ: dict[str, Any], request: wire.Request) -> Answer:
        """A long poll waits here, where it holds no lock; in virtual time nothing would come while it waits."""
        wait = float(request.parameters.get("WaitTimeSeconds") or 0) if self._clock.wall else 0.0
        body = json.dumps({**request.parameters, "WaitTimeSeconds": 0}).encode()
        until = time.monotonic() + wait
        while True:
            answer = self._moto(environ, request, body)
            if answer.status >= 400 or b'"Messages"' in answer.body or time.monotonic() >= until:
                return answer
            time.sleep(LONG_POLL)

    def _moto(self, environ: dict[str, Any], request: wire.Request, body: bytes) -> Answer:
        name = f"{request.service}:{request.operation or request.path}"
        try:
            status, headers, content = self._backend.call(environ, body)
        except Exception as error:  # noqa: BLE001  moto raises through its application whatever it trips over
            said = f"{name} is not implemented locally: moto failed with {error!r}. Serve it in the sandbox"
            return _error(request, "NotImplementedLocally", said, 501)
        answer = Answer(int(status.split()[0]), headers, content)
        # moto has a web page for what it does not know (404) and for some of what it trips over (500).
        if answer.status in (404, 500) and content[:15].lower() == b"<!doctype html>":
            said = f"{name} is not implemented locally: moto does not know it. Serve it in the sandbox"
            return _error(request, "NotImplementedLocally", said, 501)
        return answer


def _error(request: wire.Request, code: str, message: str, status: int) -> Answer:
    return Answer(*wire.error(request, code, message, status))


def _code(answer: Answer) -> str:
    headers = {name.lower(): value for name, value in answer.headers}
    if known := headers.get("x-amzn-errortype"):
        return known.partition(":")[0]
    try:
        return str(json.loads(answer.body)["__type"]).rpartition("#")[2]
    except (ValueError, KeyError, TypeError):
        _, _, rest = answer.body.partition(b"<Code>")
        return rest.partition(b"</Code>")[0].decode() or str(answer.status)


def _drop(environ: Mapping[str, Any]) -> NoReturn:
    """Lose the answer: the connection is gone before anything is written to it."""
    connection: socket.socket = environ["werkzeug.socket"]
    connection.shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError("lost by a fault")
