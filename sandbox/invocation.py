"""One run of a function, and the ways to break it between two of its calls.

A kill is honest: it is a BaseException, and every later call of the same invocation fails with it too, because a
process that is killed runs no `finally`.
"""

from __future__ import annotations

import base64
import contextvars
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

import urllib3

from sandbox import wire

_current: contextvars.ContextVar[Invocation | None] = contextvars.ContextVar("invocation", default=None)
_plain_urlopen = urllib3.HTTPConnectionPool.urlopen


class Killed(BaseException):
    """The process that ran this invocation is gone."""


@dataclass
class Interruption:
    """What happens to an invocation of a function at one of its calls.

    Attributes:
        function: name of the function.
        call: which call, counted from 1 in each invocation; the first invocation that gets so far is hit.
        when: before the call is sent or after its answer came.
        action: what others do meanwhile (a freeze); None kills.
        hit: whether it has happened.
    """

    function: str
    call: int
    when: Literal["before", "after"]
    action: Callable[[], None] | None = None
    hit: bool = False


@dataclass
class Invocation:
    """One run of a function. It is also the `context` that the handler gets.

    Attributes:
        function_name: name of the function.
        invoked_function_arn: its ARN.
        aws_request_id: id of this run.
        event: what it was called with.
        deadline: when its time is up.
        now: the sandbox's clock.
        calls: how many calls it has made.
        dead: whether it was killed.
        result: what it returned or how it failed.
    """

    function_name: str
    invoked_function_arn: str
    aws_request_id: str
    memory_limit_in_mb: int
    event: Any
    deadline: datetime
    now: Callable[[], datetime]
    calls: int = 0
    dead: bool = False
    result: Result | None = field(default=None)

    @property
    def late(self) -> bool:
        """Whether its timeout has passed; Lambda has killed it by then."""
        return self.now() >= self.deadline

    def get_remaining_time_in_millis(self) -> int:
        """Return the time left until the function's timeout."""
        return max(0, int((self.deadline - self.now()) / timedelta(milliseconds=1)))


@dataclass(frozen=True)
class Sent:
    """A request as urllib3 is about to send it.

    Attributes:
        host: where to.
        whole: whether the answer is to be read before it is handed on (urllib3's `preload_content`).
    """

    host: str
    method: str
    url: str
    body: Any
    headers: Mapping[str, Any]
    whole: bool = True


Strike: TypeAlias = Callable[[Invocation, Sent, Callable[[], Any]], Any]
"""Sends a request of an invocation, or has something befall it; returns the answer."""


@dataclass(frozen=True)
class Result:
    """How an invocation ended.

    Attributes:
        payload: what the handler returned, or Lambda's error object (errorType, errorMessage).
        failed: whether it is an error.
    """

    payload: Any
    failed: bool = False


class Interruptions:
    """Counts the calls of running invocations and interrupts where a test asked for it.

    While it is installed, an invocation can reach nothing but the loopback interface.

    Attributes:
        strike: what sends each request of an invocation in our stead, where a harness has put something there.

    Args:
        owner: tells the running invocation that an access key belongs to.
    """

    def __init__(self, owner: Callable[[str], Invocation | None]) -> None:
        self.strike: Strike | None = None
        self._owner = owner
        self._planned: list[Interruption] = []

    def plan(self, interruption: Interruption) -> Interruption:
        """Arm an interruption; its `hit` tells afterwards whether it happened."""
        self._planned.append(interruption)
        return interruption

    def install(self) -> None:
        """Watch every request of this process (botocore and our own clients both use urllib3)."""
        watch = self.around

        def urlopen(
            pool: Any, method: str, url: str, body: Any = None, headers: Any = None, *rest: Any, **more: Any
        ) -> Any:
            sent = Sent(pool.host, method, url, body, headers or {}, more.get("preload_content", True))
            return watch(sent, lambda: _plain_urlopen(pool, method, url, body, headers, *rest, **more))

        urllib3.HTTPConnectionPool.urlopen = urlopen  # type: ignore[assignment]

    def uninstall(self) -> None:
        """Watch no more."""
        urllib3.HTTPConnectionPool.urlopen = _plain_urlopen  # type: ignore[method-assign]

    def around(self, sent: Sent, send: Callable[[], Any]) -> Any:
        """Send one request of a running invocation, or of nobody's."""
        invocation = self._owner(_key(sent.headers)) or _current.get()
        if invocation is None:
            return send()
        if sent.host not in ("127.0.0.1", "localhost", "::1"):
            raise RuntimeError(f"{invocation.function_name}: called {sent.host}, which is outside the sandbox")
        if invocation.dead or invocation.late:
            invocation.dead = True
            raise Killed(invocation.function_name)
        invocation.calls += 1
        number = invocation.calls
        self._interrupt(invocation, number, "before")
        answer = self.strike(invocation, sent, send) if self.strike else send()
        self._interrupt(invocation, number, "after")
        return answer

    def _interrupt(self, invocation: Invocation, number: int, when: Literal["before", "after"]) -> None:
        for planned in self._planned:
            if not planned.hit and (planned.function, planned.call, planned.when) == (
                invocation.function_name,
                number,
                when,
            ):
                planned.hit = True
                if planned.action is None:
                    invocation.dead = True
                    raise Killed(invocation.function_name)
                planned.action()


def current() -> Invocation | None:
    """Return what this thread runs, None outside every invocation."""
    return _current.get()


def running(invocation: Invocation | None) -> contextvars.Token[Invocation | None]:
    """Make `invocation` the one that this thread runs."""
    return _current.set(invocation)


def finished(token: contextvars.Token[Invocation | None]) -> None:
    """Restore what this thread ran before."""
    _current.reset(token)


def _key(headers: Mapping[str, Any]) -> str:
    value = next((headers[name] for name in headers if name.lower() == "authorization"), "")
    authorization = value.decode() if isinstance(value, bytes) else str(value)
    if authorization.startswith("Bearer k8s-aws-v1."):
        # An EKS token is a presigned STS request in base64 (aws-iam-authenticator, "API Authorization from Outside").
        text = authorization.removeprefix("Bearer k8s-aws-v1.")
        url = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
        return wire.credential_scope("", query.get("X-Amz-Credential", ""))[0]
    return wire.credential_scope(authorization)[0]
