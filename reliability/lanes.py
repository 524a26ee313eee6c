"""What may befall a lane: a message that nobody can use, a consumer that dies, a cause that lasts, a second delivery.

Each case plays in a memory world of its own and returns what it counted.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any
from unittest.mock import patch

from reliability.counted import deliveries, incidents_of, instances, laid, waiting, world
from reliability.fault import Fault
from reliability.memory import MemoryWorld
from reliability.stories import STORIES
from reliability.telling import ONLY, finding

DAY = 86_400.0


@dataclass(frozen=True)
class Poison:
    """A message that nobody can use, among good ones.

    Attributes:
        good: how many good messages there were.
        handled: how many of them have an incident.
        laid: messages laid aside.
        received: how often the bad one was received before.
        untouched: whether it was laid aside byte for byte as it came.
        reason: why it could not be used, as the table has it.
        waiting: messages still in a queue.
        receives: after how many the queue lays a message aside.
    """

    good: int
    handled: int
    laid: int
    received: int
    untouched: bool
    reason: str
    waiting: int
    receives: int

    @property
    def right(self) -> bool:
        """Whether the good ones were handled, and the bad one laid aside with its reason."""
        aside = self.laid == 1 and self.received == self.receives and self.untouched and bool(self.reason)
        return self.handled == self.good and aside and not self.waiting


def poison(folder: str, body: str = '{"source": "aws.guardduty", "detail": ', good: int = 6) -> Poison:
    """Send good findings, and a message with this body in their midst."""
    with world(folder, instances(good)) as played:
        lane = played.blueprint.lanes[0]
        for number, instance in enumerate(instances(good), 1):
            if number == good // 2:
                played.queues.send(lane.queue, body)
            played.send(finding(played, ONLY, number, target=instance))
        played.settle()
        aside = played.queues.laid.get(lane.queue, [])
        reasons = [row["error"]["S"] for key, row in played.table.rows.items() if key[0] == "REJECTED#urgent"]
        return Poison(
            good,
            len(incidents_of(played)),
            laid(played),
            aside[0].received if aside else 0,
            [message.body for message in aside] == [body],
            "; ".join(reasons),
            waiting(played),
            lane.receives,
        )


@dataclass(frozen=True)
class Deaths:
    """A consumer that dies after each of its calls in turn, one death a world.

    Attributes:
        findings: how many there are in the batch.
        deaths: how many worlds, each with a death that happened.
        once: worlds in which every finding has one incident, one execution each, and is contained.
        left: messages that were left in a queue or laid aside.
    """

    findings: int
    deaths: int
    once: int
    left: int

    @property
    def right(self) -> bool:
        """Whether every finding came to one incident, whenever its consumer died."""
        return 0 < self.deaths == self.once and not self.left


def deaths(folder: str, findings: int = 5) -> Deaths:
    """Let the consumer of a batch die after its first call, in another world after its second, and so on."""
    calm = _dying(folder, findings, ())
    places = [call.number for call in calm.injector.calls if call.function == "firebreak-triage"]
    worlds = [_dying(folder, findings, (Fault(place, "kill_after"),)) for place in places]
    return Deaths(
        findings,
        sum(len(each.injector.struck) for each in worlds),
        sum(_once(each, findings) for each in worlds),
        sum(waiting(each) + laid(each) for each in worlds),
    )


def _dying(folder: str, findings: int, faults: Sequence[Fault]) -> MemoryWorld:
    with world(folder, instances(findings)) as played:
        played.injector.plan(faults)
        for number, instance in enumerate(instances(findings), 1):
            played.send(finding(played, ONLY, number, target=instance))
        played.settle()
    return played


def _once(world: MemoryWorld, findings: int) -> bool:
    one = list(incidents_of(world).values()) == [1] * findings
    contained = [story.status for story in world.stories] == ["contained"] * findings
    return one and contained and len(world.machines.all) == findings


@dataclass(frozen=True)
class Redriven:
    """A finding that was laid aside because the table was denied, sent again once it no longer is.

    Attributes:
        refused: calls that were denied meanwhile.
        laid: messages laid aside then.
        before: incidents there were before it was sent again.
        incidents, executions, contained: what there was afterwards.
        counted: deliveries that the table has counted.
        left: messages still in a queue or aside.
    """

    refused: int
    laid: int
    before: int
    incidents: int
    executions: int
    contained: int
    counted: int
    left: int

    @property
    def right(self) -> bool:
        """Whether it was laid aside, and handled once after it was sent again."""
        once = self.incidents == self.executions == self.contained == self.counted == 1
        return self.refused > 0 and self.laid == 1 and not self.before and once and not self.left


def redriven(folder: str) -> Redriven:
    """Deny the table until a finding is laid aside, then send it again."""
    with world(folder) as played:
        played.injector.plan(Fault(call, "deny") for call in range(1, 1_000))
        played.send(finding(played, ONLY))
        played.settle()
        aside, before, refused = laid(played), len(played.stories), len(played.injector.denied)
        played.injector.plan(())
        redrive(played)
        played.settle()
        stories = played.stories
        return Redriven(
            refused,
            aside,
            before,
            len(stories),
            len(played.machines.all),
            sum(story.status == "contained" for story in stories),
            deliveries(played),
            waiting(played) + laid(played),
        )


def redrive(world: MemoryWorld) -> None:
    """Send what was laid aside to where it came from, as `firebreak dlq redrive` has SQS do."""
    for number, lane in enumerate(world.blueprint.lanes):
        for message in world.queues.laid.pop(lane.queue, []):
            world.send(json.loads(message.body), lane=number)


@dataclass(frozen=True)
class Replayed:
    """Every event of finished stories, sent a second time out of the archive.

    Attributes:
        stories: how many were played.
        events: how many events they had.
        new_incidents, new_revisions, new_executions, new_effects, new_notices: what the second time brought.
        left: messages still in a queue or aside.
    """

    stories: int
    events: int
    new_incidents: int
    new_revisions: int
    new_executions: int
    new_effects: int
    new_notices: int
    left: int

    @property
    def right(self) -> bool:
        """Whether the second time changed nothing."""
        return self.events >= self.stories > 0 and not any(astuple(self)[2:])


def replayed(folder: str, names: Sequence[str] = tuple(STORIES), later: float = DAY) -> Replayed:
    """Play stories to their end and send their events again, so many seconds later."""
    counted = [_replayed(folder, name, later) for name in names]
    events, *more = (sum(each) for each in zip(*counted, strict=True))
    return Replayed(len(counted), events, *more)


def _replayed(folder: str, name: str, later: float) -> tuple[int, ...]:
    with world(folder) as played:
        archive: list[dict[str, Any]] = []
        send = MemoryWorld.send

        def kept(self: MemoryWorld, event: dict[str, Any], *, lane: int = 0, copies: int = 1) -> None:
            archive.append(event)
            send(self, event, lane=lane, copies=copies)

        with patch.object(MemoryWorld, "send", kept):
            STORIES[name].play(played)
        played.clock.advance(later)
        before, left = _effects(played), waiting(played) + laid(played)
        for event in archive:
            played.send({**event, "replay-name": "again"})  # EventBridge adds the name of the replay, nothing else
        played.settle()
        played.sweep()
        after = _effects(played)
        more = (now - then for now, then in zip(after, before, strict=True))
        return len(archive), *more, waiting(played) + laid(played) - left


def _effects(world: MemoryWorld) -> tuple[int, ...]:
    stories = world.stories
    return (
        len(stories),
        sum(story.revision for story in stories),
        len(world.machines.all),
        len(world.estate.effects),
        len(world.services.notices),
    )
