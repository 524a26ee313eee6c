"""Delivery orders: one set of events, delivered in every order, twice, together, late or amid the work (I14).

An order is a text, and as a story it is called "order " and that text: `a,b-A~` sends the finding a, waits until all is
quiet, sends b, waits five seconds, sends the update of a, and waits a quarter of an hour. What its letters mean, PARTS
says. Orders of one `EventSet` have to end alike, see `reliability.state.converged`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations, product, zip_longest
from typing import Any

from reliability.fault import Misfortune
from reliability.memory import BADLY, MemoryWorld
from reliability.telling import ASK, CONTAIN, ONLY, Story, answered, finding, released
from sandbox.execution import status_change

PREFIX = "order "
GAPS = ("", ",", "-", "~")
"""What comes between two parts: nothing, quiet, five seconds, or a quarter of an hour."""


@dataclass(frozen=True)
class EventSet:
    """Events of which every order has to end alike.

    Attributes:
        what: in words.
        first: parts that come in any order.
        then: what people do once those have come; what a person does depends on what was seen, so it keeps its place.
        late: parts that come in any order after that.
    """

    what: str
    first: str
    then: str = ""
    late: str = ""

    def orders(self) -> Iterator[str]:
        """Yield every order, with every gap."""
        for first, late in product(_spread(self.first), _spread(self.late)):
            yield f"{first}{self.then}{late}"


SETS: tuple[EventSet, ...] = (
    EventSet("a finding, its update, a copy, and a graver finding of another kind", "aAab"),
    EventSet("the same, and a copy of the graver", "aAabb"),
    EventSet("a finding that has to be asked about, its copies, and the answer", "ccc", ",y", "cv"),
    EventSet("a finding that is refused, its copies, and the answer again", "cc", ",n", "cvn"),
    EventSet("one that is asked about amid others that are not", "abc", ",y", "v"),
    EventSet("findings that are taken back, and copies of them later", "ab", ",u,u,", "abb"),
    EventSet("findings that are taken back, and news after it", "ab", ",u,u,", "aA"),
    EventSet("an execution is aborted, and its end is told again", "abk", "", "xx"),
)


def orders(limit: int, seed: int) -> Iterator[tuple[EventSet, Misfortune]]:
    """Yield the orders of every set; of one that has more than the limit, so many drawn at random."""
    drawn = random.Random(seed)  # noqa: S311 - repeats, guards nothing
    for events in SETS:
        every = list(events.orders())
        for order in drawn.sample(every, limit) if len(every) > limit else every:
            yield events, Misfortune(PREFIX + order)


def story(name: str) -> Story:
    """Return the story of an order.

    Raises:
        ValueError: it is none.
    """
    order = name.removeprefix(PREFIX)
    if order == name or not set(order) <= PARTS.keys():
        raise ValueError(f"no story or order is called {name!r}")
    return Story(lambda world: _play(world, order))


def _spread(parts: str) -> Iterator[str]:
    for order in sorted(set(permutations(parts))):
        for gaps in product(GAPS, repeat=max(0, len(parts) - 1)):
            yield "".join(part + gap for part, gap in zip_longest(order, gaps, fillvalue=""))


def _play(world: MemoryWorld, order: str) -> None:
    sent = events(world)
    for part in order:
        PARTS[part](world, sent)
    world.settle()


def events(world: MemoryWorld) -> Mapping[str, Any]:
    """Return what is delivered, made before the first of it is: a copy is the same to the last byte."""
    update = finding(world, ONLY, 1, severity=8) | {"id": f"{11:032x}"}
    update["detail"] |= {"updatedAt": "2026-11-02T10:05:00.000Z"}
    return {
        "a": finding(world, ONLY, 1, severity=5),
        "A": update,
        "b": finding(world, CONTAIN, 2, severity=9),
        "c": finding(world, ASK, 3),
    }


def _later(world: MemoryWorld, events: Mapping[str, Any]) -> None:
    world.settle()
    world.clock.advance(900)


def _undo(world: MemoryWorld, events: Mapping[str, Any]) -> None:
    released(world)


def _abort(world: MemoryWorld, events: Mapping[str, Any]) -> None:
    for execution in world.machines.all:
        if execution.status == "RUNNING":
            world.services.call("stepfunctions", "stop_execution", {"executionArn": execution.arn})


def _ends_again(world: MemoryWorld, events: Mapping[str, Any]) -> None:
    for execution in world.machines.all:
        if execution.status in BADLY:
            world.functions.invoke_later("firebreak-sweep", status_change(execution))


def _votes_again(world: MemoryWorld, events: Mapping[str, Any]) -> None:
    votes = [record for record in world.queues.records if record["dynamodb"]["Keys"]["pk"]["S"].startswith("VOTE#")]
    world.queues.records.extend(votes)
    world.poll_stream()


def _sent(letter: str) -> Callable[[MemoryWorld, Mapping[str, Any]], None]:
    return lambda world, events: world.send(events[letter])


PARTS: Mapping[str, Callable[[MemoryWorld, Mapping[str, Any]], None]] = {
    **{letter: _sent(letter) for letter in "aAbc"},
    ",": lambda world, events: world.settle(),
    "-": lambda world, events: world.settle(5),
    "~": _later,
    "y": lambda world, events: answered("approve")(world),
    "n": lambda world, events: answered("deny")(world),
    "u": _undo,
    "k": _abort,
    "x": _ends_again,
    "v": _votes_again,
}
"""What each letter of an order does.

a, A, b, c: a finding comes; its update; a graver one of another kind; one that is asked about.
y, n, u: a person says yes or no to every question that is open, or takes everything back.
k, x: every execution is aborted; Sweep is told again of every execution that ended badly.
v: the stream delivers every vote again.
"""
