"""A world to play a load in, in calm unless its case breaks something, and what can be counted in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from unittest.mock import patch

from reliability import injector
from reliability.memory import MemoryWorld
from reliability.run import blueprint
from reliability.seat import seated
from reliability.telling import INSTANCE, OTHER

ENOUGH = 10_000_000
"""More calls than any load makes: the limit that tells a runaway is meant for one story."""


@contextmanager
def world(folder: str, instances: Sequence[str] = (INSTANCE, OTHER)) -> Iterator[MemoryWorld]:
    """Yield a world in calm, with the pipeline seated in it.

    Args:
        folder: of the settings, see `reliability.run.config`.
        instances: which there are in the estate.
    """
    made: MemoryWorld
    plan = blueprint()  # before the scripted actions are seated: a synthesis knows the real ones
    with seated(lambda *call: made.serve(*call), lambda seconds: None), patch.object(injector, "MOST", ENOUGH):
        made = MemoryWorld(plan, folder)
        for instance in instances:
            made.estate.doors |= {f"{instance}/door-1": ("a", "b"), f"{instance}/door-2": ("c",)}
            made.estate.things.add(instance)
        yield made


def instances(number: int) -> list[str]:
    """Return the names of so many instances."""
    return [f"i-{each:017x}" for each in range(1, number + 1)]


def waiting(world: MemoryWorld) -> int:
    """Return how many messages are in queues."""
    return sum(map(len, world.queues.messages.values()))


def laid(world: MemoryWorld) -> int:
    """Return how many messages were laid aside."""
    return sum(map(len, world.queues.laid.values()))


def deliveries(world: MemoryWorld, pk: str = "FINDING#") -> int:
    """Return how many deliveries the table has counted of its findings, or of what it rejected."""
    return sum(int(row["deliveries"]["N"]) for key, row in world.table.rows.items() if key[0].startswith(pk))


def incidents_of(world: MemoryWorld) -> dict[str, int]:
    """Return how many incidents have each finding, by its key."""
    found: dict[str, int] = {}
    for pk, sk in world.table.rows:
        if pk.startswith("INCIDENT#") and sk.startswith("FINDING#"):
            found[sk] = found.get(sk, 0) + 1
    return found
