"""Crashes between two AWS calls, at the transport, below botocore's retries.

A killed process runs no `finally` and makes no further call: after the kill every later call of the same run raises
as well. The hook is moto's in-process transport, for an answer given from botocore's `before-send` event does not keep
moto from applying the change.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from moto.core.botocore_stubber import BotocoreStubber


class Killed(BaseException):
    """The process is dead."""


@dataclass
class Calls:
    """The calls of a run, and where it is killed.

    Attributes:
        seen: operations so far, "service:Operation".
        kill: the call at which the run dies, from 1; 0 for never.
        after: whether it dies after the call took effect.
    """

    kill: int = 0
    after: bool = False
    seen: list[str] = field(default_factory=list)
    dead: bool = False

    @property
    def reached(self) -> bool:
        """Whether the run came as far as the call at which it was to die."""
        return self.dead


@contextmanager
def counted(kill: int = 0, *, after: bool = False) -> Iterator[Calls]:
    """Count the AWS calls made inside, and kill the run at one of them."""
    calls = Calls(kill, after)
    original = BotocoreStubber.__call__

    def call(self: BotocoreStubber, event_name: str, request: Any, **kwargs: Any) -> Any:
        if calls.dead:
            raise Killed
        calls.seen.append(event_name.removeprefix("before-send."))
        here = len(calls.seen) == calls.kill
        if here and not calls.after:
            calls.dead = True
            raise Killed
        answer = original(self, event_name, request, **kwargs)
        if here:
            calls.dead = True
            raise Killed
        return answer

    BotocoreStubber.__call__ = call  # type: ignore[method-assign]
    try:
        yield calls
    finally:
        BotocoreStubber.__call__ = original  # type: ignore[method-assign]
