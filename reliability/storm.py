"""A storm of alerts in both lanes, with one finding inside that cannot wait."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from benchmarks.events import falco
from reliability.counted import deliveries, laid, waiting, world
from reliability.injector import Call
from reliability.memory import START, MemoryWorld
from reliability.telling import CONTAIN, finding

BATCH = 10
SECONDS = 100
"""How long the storm lasts, however many alerts it has: longer than a containment."""

ONSET = 10
"""In which second of it the critical finding comes."""

NUMBER = 4_711
"""Of the critical finding."""

DISTINCT = 97
"""One alert in so many comes from a node of its own; all others are one alert over and over. No multiple of a batch, so
that it comes at every place of one."""


@dataclass(frozen=True)
class Storm:
    """What became of a storm.

    Attributes:
        alerts: how many alerts there were.
        sent: messages sent, the critical finding's included.
        counted: deliveries that the table has counted.
        kinds: distinct alerts.
        findings: findings of alerts in the table.
        left: messages still in a queue or aside.
        lost: invocations that failed.
        calls: calls made for the critical finding, from its delivery to the end.
        calm: the same without a storm.
        seconds: how long its containment took.
        calm_seconds: the same without a storm.
        during: whether alerts still came when it was contained.
    """

    alerts: int
    sent: int
    counted: int
    kinds: int
    findings: int
    left: int
    lost: int
    calls: int
    calm: int
    seconds: float
    calm_seconds: float
    during: bool

    @property
    def right(self) -> bool:
        """Whether every delivery is counted, nothing is lost, and the critical finding did not notice the storm."""
        counts = self.counted == self.sent and self.findings == self.kinds and not self.left and not self.lost
        unmoved = (self.calls, self.seconds) == (self.calm, self.calm_seconds) and self.calls > 0
        return counts and unmoved and self.during


def storm(folder: str, alerts: int, tick: Callable[[], None] = lambda: None) -> Storm:
    """Send so many alerts through both lanes, in batches of ten, and a critical finding amid them.

    Args:
        folder: of the settings, see `reliability.run.config`.
        alerts: how many.
        tick: called after every second of the storm.
    """
    calm, played = _play(folder, 0, lambda: None), _play(folder, alerts, tick)
    world = played.world
    return Storm(
        alerts,
        played.sent,
        deliveries(world),
        1 + len(range(DISTINCT, alerts + 1, DISTINCT)),
        sum(pk.startswith("FINDING#falco/") for pk, _ in world.table.rows),
        waiting(world) + laid(world),
        sum(each.result is None or each.result.failed for each in world.functions.invocations),
        _calls(world),
        _calls(calm.world),
        played.contained_after,
        calm.contained_after,
        played.during,
    )


@dataclass
class _Played:
    """A world after its storm; how many messages were sent, and when the critical finding came."""

    world: MemoryWorld
    sent: int = 0
    came: datetime = START
    during: bool = False

    @property
    def contained_after(self) -> float:
        """Seconds until the last change that its containment made."""
        return (self.world.estate.effects[-1].at - self.came).total_seconds() if self.world.estate.effects else -1.0


def _play(folder: str, alerts: int, tick: Callable[[], None]) -> _Played:
    with world(folder) as made:
        played, numbers = _Played(made), iter(range(1, alerts + 1))
        for second in range(SECONDS):
            coming = list(islice(numbers, -(-alerts // SECONDS)))
            for number, first in enumerate(range(0, len(coming), BATCH)):
                for each in coming[first : first + BATCH]:
                    made.send(_alert(made, each), lane=number % 2)
                    played.sent += 1
            if second == ONSET:  # behind all that came in this second
                made.send(finding(made, CONTAIN, NUMBER, severity=9))
                played.sent += 1
                played.came = made.clock.now()
            made.clock.advance(1)
            played.during |= bool(coming) and _contained(made)
            tick()
        made.settle()
    return played


def _alert(world: MemoryWorld, number: int) -> dict[str, Any]:
    moment = world.clock.now() - timedelta(milliseconds=number)  # to which the alert adds as much
    event = falco("111122223333", "us-east-1", number, moment)
    if number % DISTINCT == 0:
        event["detail"]["alert"]["hostname"] = f"ip-10-1-{number // 256}-{number % 256}.ec2.internal"
    return event


def _contained(world: MemoryWorld) -> bool:
    return [story.status for story in world.stories] == ["contained"]


def _calls(world: MemoryWorld) -> int:
    """Count the calls made for the one incident: by invocations about it, and by Triage about it or its finding."""
    (incident,) = (story.id for story in world.stories)
    names = (incident, f"{NUMBER:032x}")
    return sum(_about(call, incident, names) for call in world.injector.calls)


def _about(call: Call, incident: str, names: tuple[str, ...]) -> bool:
    if call.by is None:
        return False
    if call.function != "firebreak-triage":
        return bool(call.by.event.get("incident") == incident)
    said = str(call.request)
    return any(name in said for name in names)
