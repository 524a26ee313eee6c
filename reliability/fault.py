"""What can befall a call, and a run's whole misfortune as one text that can be played again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal, TypeAlias, get_args

Kind: TypeAlias = Literal[
    "kill_before",
    "kill_after",
    "reject",
    "reject_once",
    "deny",
    "conn_before",
    "timeout_after",
    "stale_read",
    "slow",
    "freeze",
    "freeze_after",
]
"""What befalls a call.

kill_before, kill_after: the process is gone before the call is sent, or after it took effect.
reject, deny: refused for now (throttled, as often as the SDK tries), or for good; nothing happens.
reject_once: throttled, and taken when the SDK tries again by itself; only where there is an SDK.
conn_before: no connection, nothing happens.
timeout_after: it takes effect, and the answer is lost.
stale_read: a read answers with the state before the last change.
slow: it takes longer than the function may.
freeze, freeze_after: others go on for a while before the call is sent, or before its answer is seen.
"""

KINDS: tuple[Kind, ...] = tuple(kind for kind in get_args(Kind) if kind != "reject_once")
"""The kinds that the memory world knows: it has no SDK between the pipeline and the services."""

HARD: tuple[Kind, ...] = ("kill_before", "kill_after", "reject", "deny", "timeout_after")
"""The kinds of which several are combined."""


@dataclass(frozen=True, order=True)
class Fault:
    """One misfortune.

    Attributes:
        call: which call of the run, counted from 1 over all invocations.
        kind: what befalls it.
    """

    call: int
    kind: Kind


@dataclass(frozen=True)
class Misfortune:
    """Everything that goes wrong in one run of a story; the same again with `make replay PLAN=…`.

    Attributes:
        story: which story is played, or which shape of steps in the sandbox.
        faults: what befalls which call.
        seed: of whatever the run draws: the order of messages.
        without: the mutant that is in, "" for none.
    """

    story: str
    faults: tuple[Fault, ...] = ()
    seed: int = 0
    without: str = ""

    def __str__(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def read(cls, text: str) -> Misfortune:
        """Read what `str` wrote.

        Raises:
            ValueError: it is not such a text.
        """
        try:
            said = json.loads(text)
            faults = tuple(Fault(int(one["call"]), one["kind"]) for one in said.pop("faults"))
            if unknown := [fault.kind for fault in faults if fault.kind not in get_args(Kind)]:
                raise ValueError(f"unknown kinds: {', '.join(unknown)}")
            return cls(faults=faults, **said)
        except (AttributeError, TypeError, KeyError) as error:
            raise ValueError(f"not a fault plan: {error!r}") from error


def singles(calls: int, kinds: Iterable[Kind] = KINDS) -> list[tuple[Fault, ...]]:
    """Return every single fault at every call."""
    return [(Fault(call, kind),) for call in range(1, calls + 1) for kind in kinds]


def pairs(calls: int, kinds: Iterable[Kind]) -> list[tuple[Fault, ...]]:
    """Return every two faults at two different calls."""
    ones = [fault for (fault,) in singles(calls, kinds)]
    return [(first, second) for first in ones for second in ones if first.call < second.call]
