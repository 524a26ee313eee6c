"""Every history of a few words, shortest first: a search of the states that incidents and steps can come to.

It is the real thing that is searched, not a picture of it: each history is played from its beginning by the handlers as
deployed, and held against every invariant. A state that a shorter history has come to is not gone on from again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from reliability import histories
from reliability.fault import Misfortune
from reliability.memory import MemoryWorld
from reliability.run import Outcome, tell
from reliability.telling import Story

LETTERS = ("a", "c", "-", ",", "y", "n", "u", "k")
"""A finding that is acted on, one that is asked about; five seconds, until all is quiet; yes, no, an undo, every
execution aborted. See `reliability.orders` and `reliability.histories`."""

AGES = (-7_200, -3_600, -900, -60, 0, 60, 900, 3_600, 7_200)
"""Seconds: times between two of these count as one."""

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[^\"\\]*")
_APART = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}|[0-9a-f]{40,}|\"version\\*\": *\d+|\"deliveries\": {\"N\": \"\d+\"}"
)
"""What tells two states apart and changes nothing that follows: what was drawn, digests, how often something moved."""


def reached(folder: str, words: int, letters: tuple[str, ...] = LETTERS) -> Iterator[tuple[Misfortune, Outcome, bool]]:
    """Play every history of so many words at most.

    Yields:
        What was played, what came of it, and whether it came to a state that is new.
    """
    known: set[int] = set()
    level = [""]
    for _ in range(words):
        grown: list[str] = []
        for history in level:
            for letter in letters:
                longer = f"{history} {letter}".strip()
                misfortune, states = Misfortune(histories.PREFIX + longer), list[int]()
                outcome = tell(_story(misfortune.story, states), misfortune, folder)
                new = states[0] not in known
                known.add(states[0])
                yield misfortune, outcome, new
                if new:
                    grown.append(longer)
        level = grown


def _story(name: str, states: list[int]) -> Story:
    """The same story, of which the state is noted before it is let come to rest."""
    words = name.removeprefix(histories.PREFIX).split()

    def play(world: MemoryWorld) -> None:
        histories.say(world, words)
        states.append(hash(state(world)))
        world.settle()

    return Story(play)


def state(world: MemoryWorld) -> str:
    """Return what the future depends on: the table, what is under way, and the estate. Times are how long ago."""
    now = world.clock.now()
    rows = sorted((key, row) for key, row in world.table.rows.items() if not key[0].startswith("AUDIT#"))
    under_way: dict[str, Any] = {
        "executions": sorted((each.name, each.status, each.entered()[-1:]) for each in world.machines.all),
        "messages": [
            (message.body, message.received, message.visible.isoformat())
            for messages in world.queues.messages.values()
            for message in messages
        ],
        "laid": sorted(len(messages) for messages in world.queues.laid.values()),
        "due": sorted(due.isoformat() for due in world.clock.due()),
    }
    estate = sorted(world.estate.doors.items()), sorted(world.estate.things), len(world.estate.copies)
    told = json.dumps([rows, under_way, estate], sort_keys=True)
    return _APART.sub("", _TIME.sub(lambda found: _age(found[0], now), told))


def _age(text: str, now: datetime) -> str:
    try:
        seconds = (datetime.fromisoformat(text) - now).total_seconds()
    except ValueError:
        return text
    return str(sum(seconds > age for age in AGES))
