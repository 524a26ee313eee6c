"""A Kubernetes API server over plain HTTP calls (Kubernetes documentation: API Concepts)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from urllib3 import Timeout
from urllib3.exceptions import HTTPError, SSLError

from firebreak.adapters.aws import WORST_CASE_CALL, Remaining
from firebreak.core.display import clean
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
from firebreak.core.model import Json

SAID = 300
"""Characters kept of what a server says. Webhooks and whoever makes objects write some of it."""

CAUSES = 100
"""Causes of a refusal that are looked at."""

CONNECT_TIMEOUT = 3.0
READ_TIMEOUT = WORST_CASE_CALL - CONNECT_TIMEOUT
"""Together they keep one call within the time that is checked before it."""

_AUDIT_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_CREATE_OR_CHANGE = frozenset({"POST", "PUT", "PATCH"})


class HttpAnswer(Protocol):
    """What this client needs of a urllib3 response."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def data(self) -> bytes: ...


class Transport(Protocol):
    """What this client needs of a urllib3 pool. A test puts its own in the place."""

    def request(
        self,
        method: str,
        url: str,
        *,
        body: bytes | None,
        headers: dict[str, str],
        timeout: Timeout,
        retries: bool,
        redirect: bool,
    ) -> HttpAnswer: ...


class KubernetesClient:
    """One API server behind `firebreak.core.clients.Kubernetes`.

    Attributes:
        audit_ids: the Audit-Id of every answer so far; they find the calls in the cluster's audit log.

    Args:
        transport: makes the requests.
        endpoint: URL of the API server, a path prefix allowed.
        token: makes a bearer token. Made once and again after a 401, never logged.
        remaining: seconds left in this invocation.
    """

    def __init__(
        self,
        transport: Transport,
        endpoint: str,
        token: Callable[[], str],
        remaining: Remaining = lambda: float("inf"),
    ) -> None:
        self.audit_ids: list[str] = []
        self._transport = transport
        self._endpoint = endpoint.rstrip("/")
        self._make_token = token
        self._token: str | None = None
        self._remaining = remaining

    def call(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        body: Json = None,
        content_type: str = "application/json",
    ) -> Any:
        """Make one request and return the parsed answer, which is an object.

        Raises:
            TargetMissing: the object or its namespace is gone, going, or replaced by another of the same name.
            Conflict: the object was changed since it was read. Read again, decide again.
            Throttled: the server is busy; nothing was done.
            Denied: no rights, or a token that is not accepted when made afresh either.
            KubernetesError: any other refusal; trying again cannot help. A spent disruption budget is one too: only the
                caller knows how long it may wait for it.
            Retriable: the outcome is unknown. Read before repeating.
            OutOfTime: too little time left to begin.
        """
        asked = f"{method} {path}"
        answer = self._send(asked, method, path, query, body, content_type)
        if answer.status == 401:
            self._token = None
            answer = self._send(asked, method, path, query, body, content_type)
        return _parsed(asked, answer)

    def _send(
        self, asked: str, method: str, path: str, query: dict[str, str] | None, body: Json, content_type: str
    ) -> HttpAnswer:
        if (left := self._remaining()) < WORST_CASE_CALL:
            raise OutOfTime(f"{asked}: {left:.0f} s left, a call may take {WORST_CASE_CALL:.0f} s; run again")
        if self._token is None:
            self._token = self._make_token()
        # Without Strict a misspelt field is dropped and the answer says success.
        checked = {**(query or {}), **({"fieldValidation": "Strict"} if method in _CREATE_OR_CHANGE else {})}
        url = self._endpoint + path + (f"?{urlencode(checked, quote_via=quote)}" if checked else "")
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json", "User-Agent": "firebreak"}
        if body is not None:
            headers["Content-Type"] = content_type
        try:
            answer = self._transport.request(
                method,
                url,
                body=None if body is None else json.dumps(body).encode(),
                headers=headers,
                timeout=Timeout(connect=CONNECT_TIMEOUT, read=READ_TIMEOUT),
                retries=False,  # a request whose outcome is unknown is not ours to repeat
                redirect=False,  # nobody else gets to see the token
            )
        except SSLError as error:
            raise Denied(f"{asked}: the server's certificate is not the cluster's: {error}") from error
        except HTTPError as error:
            raise Retriable(f"{asked}: unknown outcome, read before repeating: {error}") from error
        if _AUDIT_ID.fullmatch(audit_id := answer.headers.get("Audit-Id", "")):
            self.audit_ids.append(audit_id)
        return answer


def _parsed(asked: str, answer: HttpAnswer) -> Any:
    """Return the object in an answer, or raise our error for it.

    The media type comes first: a throttled server, an unknown group and every proxy on the way answer with text.
    """
    if answer.headers.get("Content-Type", "").partition(";")[0].strip() != "application/json":
        raise _error(asked, answer, {}, answer.data[:SAID].decode("utf-8", "replace"))
    try:
        told = json.loads(answer.data)
    except (ValueError, RecursionError):
        raise Retriable(f"{asked}: {answer.status} with a broken body; unknown outcome") from None
    if 200 <= answer.status < 300:
        if not isinstance(told, dict):
            raise Retriable(f"{asked}: {answer.status} with a body that is no object; unknown outcome")
        return told
    status = told if isinstance(told, dict) and told.get("kind") == "Status" else {}
    raise _error(asked, answer, status, str(status.get("message", "")))


def _error(asked: str, answer: HttpAnswer, status: dict[str, Any], words: str) -> FirebreakError:
    """Return our error for a refusal. Decided on code, reason, details and causes, never on the words.

    Args:
        asked: method and path.
        answer: the refusal.
        status: its Status object, {} where it has none.
        words: what it says to people.
    """
    code, reason, details = answer.status, clean(status.get("reason", ""), 100), status.get("details")
    told = details if isinstance(details, dict) else {}
    listed = told.get("causes")
    causes = tuple(
        (clean(cause.get("reason", ""), SAID), clean(cause.get("field", ""), SAID))
        for cause in (listed[:CAUSES] if isinstance(listed, list) else ())
        if isinstance(cause, dict)
    )
    reasons, fields = {cause for cause, _ in causes}, {field for _, field in causes}
    audit_id = answer.headers.get("Audit-Id", "")
    audited = f" (audit {audit_id})" if _AUDIT_ID.fullmatch(audit_id) else ""
    said = f"{asked}: {code} {reason}: {clean(' '.join(words.split()), SAID)}{audited}"
    refused = KubernetesError(code, reason, causes, said)
    match code:
        case 401:
            return Denied(f"{said}. Has the cluster an access entry for this role?")
        case 403 if "NamespaceTerminating" in reasons:
            return TargetMissing(said)
        case 403:
            return Denied(f"{said}. falco/rbac.yaml has what each role's group needs.")
        case 404 if reason == "NotFound" and told.get("name"):
            return TargetMissing(said)
        case 409 if reason == "Conflict" and "FieldManagerConflict" not in reasons:
            return Conflict(said)
        case 410:
            return Retriable(f"{said}. Begin the list again.")
        case 422 if "metadata.uid" in fields:
            # The name belongs to another object now: what was planned for is gone, it was not changed.
            return TargetMissing(said)
        case 422 if details == {}:
            return Conflict(said)
        case 429 if "DisruptionBudget" not in reasons:
            return Throttled(said)
        case 500 if status and not reason and asked.endswith("/eviction"):
            # Two disruption budgets over one pod. Elsewhere the same shape hides a timeout of the server's store.
            return refused
    return Retriable(f"{said}. Unknown outcome, read before repeating.") if code >= 500 else refused
