"""Whole histories, drawn by hypothesis: what comes, what people do, how time passes and what goes wrong, in any order.

A history is a text of words, and as a story it is called "history " and that text. Its words are the parts of an order
(see `reliability.orders`), those of MORE, and faults: "kill_after@3" befalls the third call from there on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, get_args

import hypothesis.strategies as st
from hypothesis.strategies import SearchStrategy

from reliability.blast import PROTECTED
from reliability.fault import Fault, Kind
from reliability.memory import MemoryWorld
from reliability.orders import PARTS
from reliability.orders import events as deliveries
from reliability.telling import DESTROY, INSTANCE, ONLY, OTHER, PERSON, Story, finding

PREFIX = "history "
REACH = 40
"""How many calls ahead a fault may lie."""


def drawn(words: int) -> SearchStrategy[str]:
    """Return a strategy for histories of so many words at most; one word in ten or so is a fault."""
    fault = st.builds("{}@{}".format, st.sampled_from(sorted(KINDS)), st.integers(1, REACH))
    word = st.one_of(*[st.sampled_from(sorted(WORDS))] * 8, fault)
    return st.lists(word, min_size=1, max_size=words).map(lambda said: PREFIX + " ".join(said))


def story(name: str) -> Story:
    """Return the story of a history.

    Raises:
        ValueError: it is none.
    """
    words = name.removeprefix(PREFIX).split()
    if unknown := [word for word in words if word not in WORDS and not _fault(word)]:
        raise ValueError(f"{', '.join(unknown)}: no part of a history")
    return Story(lambda world: _play(world, words))


def _play(world: MemoryWorld, words: list[str]) -> None:
    say(world, words)
    world.settle()


def say(world: MemoryWorld, words: list[str]) -> None:
    """Have happen what some words say, and wait for nothing."""
    events = {**deliveries(world), "d": finding(world, DESTROY, 4), "o": finding(world, ONLY, 5, target=OTHER)}
    events["p"] = finding(world, ONLY, 6, target=PROTECTED)
    for word in words:
        if fault := _fault(word):
            call = len(world.injector.calls) + fault.call
            world.injector.faults[call] = Fault(call, fault.kind)
        else:
            WORDS[word](world, events)


def _fault(word: str) -> Fault | None:
    kind, at, ahead = word.partition("@")
    if not at or kind not in KINDS or not ahead.isdecimal() or not 0 < int(ahead) <= REACH:
        return None
    return Fault(int(ahead), KINDS[kind])


def _hour(world: MemoryWorld, events: Mapping[str, Any]) -> None:
    world.settle()
    world.clock.advance(3_600)


def _touch(world: MemoryWorld, events: Mapping[str, Any]) -> None:
    world.estate.touch(f"{INSTANCE}/door-1", "theirs")


def _halt(on: bool) -> Callable[[MemoryWorld, Mapping[str, Any]], None]:
    return lambda world, events: world.incidents().set_halt(on, PERSON, world.clock.now())


def _mode(mode: str) -> Callable[[MemoryWorld, Mapping[str, Any]], None]:
    return lambda world, events: world.incidents().set_mode(mode, PERSON, world.clock.now())


KINDS: Mapping[str, Kind] = {kind: kind for kind in get_args(Kind) if kind != "reject_once"}
MORE: Mapping[str, Callable[[MemoryWorld, Mapping[str, Any]], None]] = {
    "d": lambda world, events: world.send(events["d"]),
    "o": lambda world, events: world.send(events["o"]),
    "p": lambda world, events: world.send(events["p"]),
    "hour": _hour,
    "touch": _touch,
    "halt": _halt(on=True),
    "go": _halt(on=False),
    "observe": _mode("observe"),
    "act": _mode("auto"),
    "sweep": lambda world, events: world.sweep(),
}
"""What each word does that is no part of an order.

d, o, p: a finding comes that asks for destruction; one about another instance; one about a protected one.
hour: an hour passes. touch: somebody else changes a door.
halt, go, observe, act: the kill switch, and the mode. sweep: Sweep comes by its schedule.
"""

WORDS: Mapping[str, Callable[[MemoryWorld, Mapping[str, Any]], None]] = {**PARTS, **MORE}
