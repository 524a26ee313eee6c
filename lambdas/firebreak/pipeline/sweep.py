"""Sweep: what waited too long. Woken by a schedule, and by executions that ended badly."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from firebreak.clock import Clock
from firebreak.core.errors import FirebreakError, InputError
from firebreak.core.incident import Incident
from firebreak.pipeline.reconcile import Reconcile
from firebreak.ports import Actor, Admission, Consent, Execution, Executions, IncidentStore, Messenger, Remaining

ATTEMPTS = 3
"""Executions of one revision before people have to look."""

IDLE = timedelta(days=7)
"""An incident in which nothing was contained and nothing moves is closed after this; its lock is free then."""

KNOWN = 1_000
"""Incidents looked through in one sweep. The oldest first: it is they that waited too long."""

STUCK = timedelta(hours=26)
"""Longer than any question to a person stays open: what still acts after this is stuck, and told as often."""

_NAME = re.compile(r"(?P<incident>inc-[0-9a-f]{12})-r(?P<revision>\d+)-(?P<mode>respond|undo)-a(?P<attempt>\d+)\Z")


@dataclass(frozen=True)
class Sweep:
    """The use case."""

    incidents: IncidentStore
    executions: Executions
    admission: Admission
    consent: Consent
    messenger: Messenger
    clock: Clock
    bulk_limit: int
    reconcile: Reconcile

    def scheduled(self, actor: Actor, remaining: Remaining) -> dict[str, int]:
        """Do what is due. Each part goes on whatever befalls the others.

        Returns:
            How much of each was done, for the log.

        Raises:
            FirebreakError: the last one met, after everything else was done.
        """
        done: dict[str, int] = {}
        failed: FirebreakError | None = None
        parts: tuple[Callable[[], dict[str, int]], ...] = (
            lambda: {"expired": self._expire(actor)},
            lambda: {"started": self._start_waiting(actor)},
            lambda: {"closed": self._close_idle(actor)},
            lambda: self.reconcile.look(actor, remaining),
        )
        for part in parts:
            try:
                done |= part()
            except FirebreakError as error:
                failed = error
        if failed is not None:
            raise failed
        return done

    def ended(self, name: str, status: str, actor: Actor) -> bool:
        """Try an execution again that failed, timed out or was aborted; True where another attempt is started.

        Args:
            name, status: the execution's, as Step Functions tells them.

        Raises:
            InputError: it is none of ours, or did not end badly.
        """
        match = _NAME.match(name)
        if match is None or status not in ("FAILED", "TIMED_OUT", "ABORTED"):
            raise InputError(f"execution {name} {status}: not one of ours that ended badly")
        story = self.incidents.incident(match["incident"])
        ended = Execution(
            incident=story.id,
            revision=int(match["revision"]),
            mode="undo" if match["mode"] == "undo" else "respond",
            attempt=int(match["attempt"]),
            lane=story.lane,
        )
        self.admission.leave(name)
        if story.over or (ended.mode == "respond" and ended.revision <= story.fenced):
            return False
        self.messenger.tell(f"Execution {name} {status.lower()}", [story.title], incident=story.id)
        if ended.attempt >= ATTEMPTS:
            self.messenger.tell(
                f"Incident {story.id} needs a person",
                [
                    f"{name} was the last of {ATTEMPTS} attempts",
                    f"`firebreak incidents show {story.id}` tells how far it came",
                ],
                incident=story.id,
            )
            return False
        again = self.incidents.try_again(ended) or self.incidents.want_execution(ended, self.clock())
        # an earlier try may have moved it on and been stopped before it started it; starting twice is starting once
        return again.attempt == ended.attempt + 1 and self._start(again)

    def _start(self, execution: Execution) -> bool:
        if execution.lane == "bulk" and not self.admission.enter(execution, self.bulk_limit, self.clock()):
            return False
        if self.executions.start(execution):
            return True
        self.admission.leave(execution.name)  # it ran and is over: no Close gives its slot back
        return False

    def _expire(self, actor: Actor) -> int:
        return self.consent.expire_due(self.clock())

    def _start_waiting(self, actor: Actor) -> int:
        started = 0
        for execution in self.admission.waiting():
            if not self.admission.enter(execution, self.bulk_limit, self.clock()):
                break
            if self.executions.start(execution):
                started += 1
            else:  # an earlier sweep started it and was stopped, and it is over: no Close gives its slot back
                self.admission.leave(execution.name)
            self.admission.started(execution)
        return started

    def _close_idle(self, actor: Actor) -> int:
        closed = 0
        for story in self.incidents.incidents(limit=KNOWN, newest_first=False):
            idle = self.clock() - story.updated_at
            if story.status == "open" and idle > IDLE:
                self._close(story, actor)
                closed += 1
            elif story.status == "acting" and idle > STUCK:
                self._stuck(story, actor)
        return closed

    def _stuck(self, story: Incident, actor: Actor) -> None:
        """Tell people, and note it, so that the next sweep does not tell them again."""
        now = self.clock()
        words = f"nothing moved for {now - story.updated_at}"
        self.messenger.tell(f"Incident {story.id} is stuck", [story.title, words], incident=story.id)
        self.incidents.change_incident(story, story, "stuck", actor, now, words)  # a change moves `updated_at` on

    def _close(self, story: Incident, actor: Actor) -> None:
        over = story.model_copy(update={"status": "closed", "reason": "idle"})
        self.incidents.change_incident(
            story, over, "closed", actor, self.clock(), f"nothing moved for {IDLE.days} days"
        )
        self.incidents.hand_locks(story.locks, story.id, None)
