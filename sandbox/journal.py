"""Every AWS call of a run, and the faults it was to meet."""

from __future__ import annotations

import fnmatch
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.identity import Caller
from sandbox.judge_policies import Decision


@dataclass(frozen=True)
class Call:
    """One AWS call.

    Attributes:
        at: when, by the sandbox's clock.
        service: signing name, "ec2".
        operation: "DescribeInstances".
        caller: who made it; None where the key is nobody's.
        parameters: what it asked for, as on the wire (JSON and query protocols).
        status: HTTP status of the answer.
        code: error code of the answer, "" if it was none.
        decisions: what was decided about each permission it needs; empty where nobody judges, or it needs none.
    """

    at: datetime
    service: str
    operation: str
    caller: Caller | None
    parameters: Mapping[str, Any]
    status: int
    code: str = ""
    decisions: tuple[Decision, ...] = ()

    @property
    def name(self) -> str:
        """ "ec2:DescribeInstances"."""
        return f"{self.service}:{self.operation}"

    @property
    def function(self) -> str:
        """Name of the function that made it, also through roles that it assumed; "" if none."""
        return self.caller.function if self.caller else ""


class Journal:
    """The calls so far, in the order of their answers."""

    def __init__(self) -> None:
        self._calls: list[Call] = []
        self._lock = threading.Lock()

    def add(self, call: Call) -> None:
        """Append a call."""
        with self._lock:
            self._calls.append(call)

    def calls(self, pattern: str = "*", function: str | None = None) -> list[Call]:
        """Return the calls whose name matches a glob ("ec2:Modify*"), of one function if given."""
        return [
            call
            for call in list(self._calls)
            if fnmatch.fnmatchcase(call.name, pattern) and function in (None, call.function)
        ]

    def clear(self) -> None:
        """Forget the calls so far (those of standing up, before a test begins)."""
        with self._lock:
            self._calls.clear()

    def __len__(self) -> int:
        return len(self._calls)

    def __iter__(self) -> Iterator[Call]:
        return iter(list(self._calls))


@dataclass
class Fault:
    """What some calls are to meet instead of, or besides, their answer.

    Attributes:
        call: glob over "service:Operation".
        code: error code to answer with; "" lets the call through.
        status: HTTP status of that error.
        count: how many calls meet it; the SDK's own retries count as calls.
        skip: how many matching calls go by unharmed first.
        delay: virtual seconds that the call takes.
        lost: whether the call is done and its answer lost (the connection drops).
        function: only calls of this function.
        meanwhile: called before the call is passed on: what others do while this caller is frozen.
    """

    call: str
    code: str = ""
    status: int = 400
    count: int = 1
    skip: int = 0
    delay: float = 0.0
    lost: bool = False
    function: str | None = None
    meanwhile: Callable[[], None] | None = None
    met: int = field(default=0, init=False)


class Faults:
    """The faults to come. A call meets the first that fits."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> Fault:
        """Arm a fault. Its `met` tells afterwards how many calls met it."""
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Disarm all."""
        with self._lock:
            self._faults.clear()

    def take(self, name: str, function: str) -> Fault | None:
        """Return the fault that a call meets, and count it as met."""
        with self._lock:
            for fault in self._faults:
                if fault.met >= fault.count or fault.function not in (None, function):
                    continue
                if fnmatch.fnmatchcase(name, fault.call):
                    if fault.skip > 0:
                        fault.skip -= 1
                        continue
                    fault.met += 1
                    return fault
        return None
