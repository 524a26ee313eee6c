"""Requests of real clients: what they are called, who answers them, and what they come to where they are refused.

They are answered without a socket between client and sandbox: what is on the wire stays the same, and a run takes three
quarters of the time.
"""

from __future__ import annotations

import contextvars
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import urllib3
from urllib3.exceptions import NewConnectionError, ReadTimeoutError

from reliability.fault import Kind
from sandbox import wire
from sandbox.invocation import Sent
from sandbox.server import Wsgi

REFUSED: Mapping[str, tuple[tuple[str, int], tuple[str, int]]] = {
    "ec2": (("RequestLimitExceeded", 503), ("UnauthorizedOperation", 403)),
    "s3": (("SlowDown", 503), ("AccessDenied", 403)),
    "sts": (("Throttling", 400), ("AccessDenied", 403)),
    "sns": (("Throttled", 429), ("AuthorizationError", 403)),
}
"""How a service says "later" and "never" ("Common errors" in each service's API reference)."""

COMMON = (("ThrottlingException", 400), ("AccessDeniedException", 400))
"""How the services with a JSON protocol say so."""

READS = ("Describe", "Get", "List", "Query", "BatchGet", "Scan")


@dataclass(frozen=True)
class Answered:
    """An answer, which can be given again."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def to(self, sent: Sent) -> urllib3.HTTPResponse:
        """Return it as urllib3 hands it to the client that asked."""
        headers = urllib3.HTTPHeaderDict(self.headers)
        body = io.BytesIO(self.body)
        return urllib3.HTTPResponse(body, headers, self.status, preload_content=sent.whole, decode_content=False)


@dataclass(frozen=True)
class Asked:
    """A request, read as the server reads it.

    Attributes:
        name: "ec2:DescribeInstances", "kubernetes:PATCH", "slack:chat.postMessage".
        reads: whether it changes nothing.
        again: the same for the SDK's own tries of one call, "" where there is no SDK.
    """

    sent: Sent
    request: wire.Request

    @classmethod
    def of(cls, sent: Sent) -> Asked:
        """Read what is about to be sent."""
        return cls(sent, wire.read(_environment(sent), _body(sent)))

    @property
    def name(self) -> str:
        if self.request.service:
            return f"{self.request.service}:{self.request.operation}"
        first, _, rest = self.request.path.lstrip("/").partition("/")
        return f"{first}:{self.sent.method if first == 'kubernetes' else rest.rpartition('/')[2]}"

    @property
    def reads(self) -> bool:
        return self.request.operation.startswith(READS) or self.sent.method == "GET"

    @property
    def again(self) -> str:
        return str(self.request.headers.get("amz-sdk-invocation-id", ""))

    def answered(self, server: Wsgi) -> Answered:
        """Have a server answer it, which knows nothing of the invocation that asks."""
        told: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
            told.extend((int(status.split(maxsplit=1)[0]), tuple(headers)))

        body = contextvars.Context().run(lambda: b"".join(server(_environment(self.sent), start)))
        return Answered(told[0], told[1], body)

    def refused(self, kind: Kind) -> urllib3.HTTPResponse:
        """Return the answer of a request that is refused, or raise where it has none.

        Raises:
            NewConnectionError: there was no connection.
            ReadTimeoutError: the answer is lost.
        """
        pool: Any = urllib3.HTTPConnectionPool(self.sent.host)
        if kind == "conn_before":
            raise NewConnectionError(pool, "injected: no connection")
        if kind == "timeout_after":
            raise ReadTimeoutError(pool, self.sent.url, "injected: no answer")
        return self._refusal(later=kind != "deny").to(self.sent)

    def _refusal(self, *, later: bool) -> Answered:
        if self.request.service:
            code, status = REFUSED.get(self.request.service, COMMON)[0 if later else 1]
            status, headers, body = wire.error(self.request, code, "injected", status)
            return Answered(status, tuple(headers), body)
        if self.request.path.startswith("/kubernetes"):
            status, reason = (429, "TooManyRequests") if later else (403, "Forbidden")
            said = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": status}
            return Answered(status, _JSON, json.dumps({**said, "message": "injected"}).encode())
        said = {"ok": False, "error": "ratelimited" if later else "not_in_channel"}
        return Answered(429 if later else 200, (*_JSON, ("Retry-After", "1")), json.dumps(said).encode())


_JSON = (("Content-Type", "application/json"),)


def _environment(sent: Sent) -> dict[str, Any]:
    parts, body = urlsplit(sent.url), _body(sent)
    headers = {name.upper().replace("-", "_"): _text(value) for name, value in sent.headers.items()}
    return {
        **{f"HTTP_{name}": value for name, value in headers.items()},
        "HTTP_HOST": sent.host,
        "REQUEST_METHOD": sent.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(parts.path),
        "QUERY_STRING": parts.query,
        "REQUEST_URI": sent.url,
        "CONTENT_TYPE": headers.get("CONTENT_TYPE", ""),
        "CONTENT_LENGTH": str(len(body)),
        "SERVER_NAME": sent.host,
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
    }


def _body(sent: Sent) -> bytes:
    return sent.body if isinstance(sent.body, bytes) else _text(sent.body or "").encode()


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
