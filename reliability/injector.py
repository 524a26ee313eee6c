"""Where faults strike: around every call that any invocation makes, in one numbering."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from reliability import coverage
from reliability.fault import Fault, Kind
from sandbox.clock import Clock
from sandbox.invocation import Invocation, Killed, current

SLOW = 400.0
"""Seconds of a slow call: longer than any function may take, and than any lease."""


MOST = 1_500
"""More calls than any story needs, its retries included."""


class Runaway(BaseException):
    """The pipeline keeps itself busy. Not an Exception: no handler may take it for an error of AWS."""


@dataclass(frozen=True)
class Call:
    """One call.

    Attributes:
        number: from 1, over all invocations of the run.
        function: name of the function, "" where a person's command makes it.
        role: the name of the role it is made under.
        name: "dynamodb:put_item".
        request: what was sent.
        reads: whether it changes nothing.
        lags: whether it may answer with what was so a moment ago.
        by: the invocation, None for a person's command.
    """

    number: int
    function: str
    role: str
    name: str
    request: Any
    reads: bool
    lags: bool
    by: Invocation | None


def failed(call: Call, kind: Kind) -> Any:
    """What a client that is ours raises where a call is refused or not answered."""
    match kind:
        case "reject":
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "injected"}}, call.name)
        case "deny":
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "injected"}}, call.name)
        case "conn_before":
            raise EndpointConnectionError(endpoint_url="injected")
    raise ReadTimeoutError(endpoint_url="injected")


@dataclass
class Injector:
    """Counts calls and lets each meet what was planned for it.

    Attributes:
        clock: of the world.
        faults: what is to befall which call, by its number.
        meanwhile: what others do while a call is frozen.
        failing: what a call comes to that is refused or not answered: an error, or an answer that says so.
        after: told of every call that took effect, before its caller sees the answer.
        calls: every call so far.
        struck: faults that happened.
        places: in the code, from which calls were made.
    """

    clock: Clock
    faults: dict[int, Fault] = field(default_factory=dict)
    meanwhile: Callable[[], None] = lambda: None
    failing: Callable[[Call, Kind], Any] = failed
    after: Callable[[Call], None] = lambda call: None
    calls: list[Call] = field(default_factory=list)
    struck: list[Fault] = field(default_factory=list)
    places: set[str] = field(default_factory=set)

    @property
    def denied(self) -> list[Call]:
        """The calls that were refused for good."""
        return [self.calls[fault.call - 1] for fault in self.struck if fault.kind == "deny"]

    def plan(self, faults: Iterable[Fault]) -> None:
        """Arm faults."""
        self.faults = {fault.call: fault for fault in faults}

    def around(
        self,
        name: str,
        request: Any,
        send: Callable[[], Any],
        *,
        role: str = "",
        reads: bool = False,
        stale: Callable[[], Any] | None = None,
    ) -> Any:
        """Send one call.

        Args:
            name, request: what is called.
            role: under which role.
            send: does it.
            reads: whether it changes nothing.
            stale: answers with what was so before the last change, where a read of that kind may lag.

        Raises:
            Killed: the invocation is dead.
            Runaway: there were far too many calls.
        """
        if len(self.calls) >= MOST:
            raise Runaway
        invocation = current()
        if invocation is not None and (invocation.dead or invocation.late):
            invocation.dead = True
            raise Killed(invocation.function_name)
        function = invocation.function_name if invocation is not None else ""
        call = Call(len(self.calls) + 1, function, role, name, request, reads, stale is not None, invocation)
        self.calls.append(call)
        self.places.update(coverage.stack())
        fault = self.faults.get(call.number) if invocation is not None else None
        if fault is not None:
            self.struck.append(fault)
        match fault.kind if fault else "":
            case "kill_before":
                invocation.dead = True  # type: ignore[union-attr]
                raise Killed(function)
            case "reject" | "reject_once" | "deny" | "conn_before" as kind:
                return self.failing(call, kind)
            case "freeze":
                self.meanwhile()
                if invocation.late:  # type: ignore[union-attr]
                    invocation.dead = True  # type: ignore[union-attr]
                    raise Killed(function)
            case "stale_read" if stale is not None:
                return stale()
        try:
            return send()
        finally:
            self._sent(call, fault)

    def _sent(self, call: Call, fault: Fault | None) -> None:
        self.after(call)
        invocation = current()
        match fault.kind if fault else "":
            case "kill_after":
                invocation.dead = True  # type: ignore[union-attr]
                raise Killed(call.function)
            case "timeout_after" as kind:
                self.failing(call, kind)
            case "slow":
                self.clock.drift(SLOW)
            case "freeze_after":
                self.meanwhile()
