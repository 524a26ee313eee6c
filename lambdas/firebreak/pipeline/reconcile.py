"""Reconcile: whether what was contained is contained still. It looks and tells; it never changes a target."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256

from firebreak.clock import Clock
from firebreak.core.action import AnyAction
from firebreak.core.errors import Conflict, FirebreakError, PlanStale, TargetMissing
from firebreak.core.incident import Incident, StepRecord
from firebreak.core.plan import Plan
from firebreak.ports import Actor, IncidentStore, Messenger, Remaining, Sessions

log = logging.getLogger(__name__)

KNOWN = 1_000
"""Incidents that are drawn from, the oldest first."""

INCIDENTS = 25
"""Incidents looked at in one sweep."""

STEPS = 50
"""Steps read back in one sweep."""

SPARE = 20.0
"""Seconds that have to be left before another step is read back."""


@dataclass(frozen=True)
class Reconcile:
    """The use case.

    Attributes:
        action: finds an action by its name.
    """

    incidents: IncidentStore
    sessions: Sessions
    messenger: Messenger
    clock: Clock
    action: Callable[[str], AnyAction]

    def look(self, actor: Actor, remaining: Remaining) -> dict[str, int]:
        """Read back what stands, and tell of each difference once.

        A difference is told before it is recorded: stopped in between, the next sweep tells it again.

        Returns:
            How many steps were read back, differ from their record, were news, and could not be read back.

        Raises:
            FirebreakError: the table or the topic failed.
        """
        done = {"read": 0, "differ": 0, "news": 0, "unread": 0}
        for story, step, plan in self._standing():
            if remaining() < SPARE or done["read"] + done["unread"] == STEPS:
                break
            try:
                difference = self._difference(story, step, plan, remaining)
            except (FirebreakError, ValueError, LookupError) as error:
                # denied, throttled, late, or a plan or an action of another version: no word about the target
                log.warning("%s of %s could not be read back: %s: %s", step.id, story.id, type(error).__name__, error)
                done["unread"] += 1
                continue
            done["read"] += 1
            news = difference != step.difference
            if news and not self._record(story, step, difference, actor):
                continue
            done["news"] += news
            done["differ"] += bool(difference)
        return done

    def _standing(self) -> Iterator[tuple[Incident, StepRecord, Plan]]:
        """What stands in incidents in which nothing moves, in an order drawn anew by the time, so that none is always
        last."""
        draw = self.clock().isoformat()
        stories = [story for story in self.incidents.incidents(limit=KNOWN, newest_first=False) if _rests(story)]
        stories.sort(key=lambda story: sha256(f"{draw} {story.id}".encode()).digest())
        for story in stories[:INCIDENTS]:
            for incident in (story.id, *story.absorbed):
                for step in self.incidents.steps(incident):
                    if step.stands and step.status == "verified" and step.plan is not None:
                        yield story, step, step.plan

    def _difference(self, story: Incident, step: StepRecord, plan: Plan, remaining: Remaining) -> tuple[str, ...]:
        try:
            target = plan.target
            clients = self.sessions.observer(target.account, target.region, story.id, remaining)
            found = self.action(step.action).verify(clients, plan)
        except TargetMissing as error:
            return (f"gone: {error}",)
        except PlanStale as error:
            return (str(error),)
        return () if found.ok else found.saw or ("not as it was left",)

    def _record(self, story: Incident, step: StepRecord, difference: tuple[str, ...], actor: Actor) -> bool:
        if not _rests(self.incidents.incident(story.id)):
            return False  # it began to move while its target was read: what was seen may be its own doing
        what = "differs from its record" if difference else "is as recorded again"
        lines = [
            *difference,
            *(["nothing was repaired: a person has to look"] if difference else []),
            f"`firebreak incidents show {story.id}` shows what was done",
        ]
        self.messenger.tell(f"{step.action} on {step.target.label} {what}", lines, incident=story.id)
        after = step.model_copy(update={"difference": difference})
        try:
            self.incidents.change_step(step, after, actor, self.clock(), what, *difference)
        except Conflict:
            return False  # another sweep recorded it, or the step moved on; what stands is looked at again
        return True


def _rests(story: Incident) -> bool:
    return not story.over and story.status != "acting"
