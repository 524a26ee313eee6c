"""Merge: incidents that turn out to be about the same thing become one, the older."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from firebreak.clock import Clock
from firebreak.core.incident import Incident
from firebreak.ports import Actor, Consent, Execution, Executions, IncidentStore


@dataclass(frozen=True)
class Merge:
    """The use case."""

    incidents: IncidentStore
    executions: Executions
    consent: Consent
    clock: Clock

    def meet(self, incident: Incident, keys: Sequence[str], actor: Actor) -> Incident:
        """Claim every canonical name for an incident, merging it with whoever holds one.

        Every step of it can be repeated, in any order of the two: the older takes the younger's findings and gets a
        revision for them before the younger is marked merged, so that a crash in between loses nothing.

        Returns:
            The incident that holds them all now: the given one, or an older one that took it over.

        Raises:
            Conflict: one of the two moved meanwhile; try again.
        """
        if not incident.absorbed:  # what is listed is held, unless it was taken over and is still being handed on
            keys = [key for key in keys if key not in incident.locks]
        while (holder := self.incidents.claim_locks(incident, keys, self.clock())) is not None:
            other = self.incidents.incident(holder)
            if other.over:
                self.incidents.hand_locks(keys, other.id, other.merged_into)
            elif (incident.created_at, incident.id) <= (other.created_at, other.id):
                incident = self._absorb(incident, other, actor)
            else:
                older = self._absorb(other, incident, actor, revise=True)
                execution = Execution(
                    incident=older.id, revision=older.revision, mode="respond", attempt=1, lane="urgent"
                )
                self.executions.start(self.incidents.want_execution(execution, self.clock()))
                self._end(incident, older, actor)
                return older
        return incident.model_copy(update={"locks": tuple(dict.fromkeys((*incident.locks, *keys)))})

    def _absorb(self, older: Incident, younger: Incident, actor: Actor, *, revise: bool = False) -> Incident:
        self.incidents.copy_findings(younger.id, older.id)
        if younger.id not in older.absorbed:
            after = older.model_copy(
                update={
                    "absorbed": (*older.absorbed, younger.id, *younger.absorbed),
                    "severity": max(older.severity, younger.severity),
                    "revision": older.revision + revise,
                    "locks": tuple(dict.fromkeys((*older.locks, *younger.locks))),
                }
            )
            older = self.incidents.change_incident(older, after, "absorbed", actor, self.clock(), younger.id)
        if not revise:
            self._end(younger, older, actor)
        return older

    def _end(self, younger: Incident, older: Incident, actor: Actor) -> None:
        self.consent.cancel(younger.id, self.clock())
        self.incidents.hand_locks(younger.locks, younger.id, older.id)
        merged = younger.model_copy(update={"status": "merged", "merged_into": older.id, "reason": "merged"})
        self.incidents.change_incident(younger, merged, "merged", actor, self.clock(), f"into {older.id}")
