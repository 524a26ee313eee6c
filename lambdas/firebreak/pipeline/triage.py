"""Triage: parse, drop, coalesce, lock, open or join an incident, start its execution.

Per message the order is: record the incident and its wish for an execution in one transaction, start the execution,
mark the finding handled. A crash in between leaves a finding that is not handled; its redelivery finds the incident
and goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from firebreak.clock import Clock
from firebreak.core.decision import may_act, possible
from firebreak.core.errors import Conflict, FirebreakError, InputError
from firebreak.core.evidence import EVENTS, Artefact
from firebreak.core.finding import Finding
from firebreak.core.incident import Incident, Lane
from firebreak.core.intake import normalise
from firebreak.core.model import Json, digest
from firebreak.core.playbook import Playbooks
from firebreak.core.source import Origin, Source
from firebreak.ports import Admission, Execution, Executions, FindingStore, Messenger, SeenFinding, Vault

QUIET = timedelta(minutes=10)
"""A finding that adds nothing makes no revision sooner than this after the last one."""

TOLD_QUIET = timedelta(hours=24)
"""People are told of a finding that no playbook acts on once in this time, unless it grows."""

SEEN_LIMIT = 500
"""What an incident remembers of what its findings brought; beyond it nothing more is news but a higher band."""

ATTEMPTS = 5


@dataclass(frozen=True)
class Message:
    """One message of a lane.

    Attributes:
        id: the queue's message id.
        lane: which lane it came from.
        event: the parsed body, or the error that parsing it raised.
        body: the raw body.
    """

    id: str
    lane: Lane
    event: Json | InputError


@dataclass
class _Group:
    """Deliveries of one finding inside a batch: the latest of them, and the messages that carried them."""

    finding: Finding
    lane: Lane
    event: Json
    messages: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Triage:
    """The use case.

    Args:
        bulk_limit: executions of the bulk lane at once.
    """

    sources: Mapping[str, Source]
    playbooks: Playbooks
    findings: FindingStore
    executions: Executions
    admission: Admission
    vault: Vault
    messenger: Messenger
    clock: Clock
    bulk_limit: int

    def handle(self, messages: Iterable[Message]) -> dict[str, FirebreakError]:
        """Handle a batch.

        Returns:
            The messages that have to be delivered again, by id, each with why. A message that can never be used is
            among them: after its last delivery the queue moves it to the dead-letter queue, untouched.
        """
        failed: dict[str, FirebreakError] = {}
        groups: dict[str, _Group] = {}
        for message in messages:
            try:
                if isinstance(message.event, InputError):
                    raise message.event
                for finding in normalise(message.event, Origin(), self.sources):
                    group = groups.setdefault(finding.key, _Group(finding, message.lane, message.event))
                    later = group.finding.later(finding)
                    if later is finding:
                        group.finding, group.event = finding, message.event
                    if message.lane == "urgent":
                        group.lane = "urgent"
                    group.messages.add(message.id)
            except InputError as error:
                self.findings.reject(message.lane, message.id, str(error), self.clock())
                failed[message.id] = error
        for group in groups.values():
            try:
                self._triage(group)
            except FirebreakError as error:
                failed |= dict.fromkeys(group.messages, error)
        return failed

    def _triage(self, group: _Group) -> None:
        finding, now = group.finding, self.clock()
        if finding.drop_reason is not None:
            self.findings.drop(finding, finding.drop_reason, now, len(group.messages))
            if finding.signal == "sensor_blind":
                self.messenger.tell("A sensor lost events", [f"{finding.source}: {finding.type}", finding.key])
            return None
        seen = self.findings.repeat(finding, now, len(group.messages))
        if isinstance(seen, bool):
            return None
        for _ in range(ATTEMPTS):
            try:
                return self._news(group, seen, now)
            except Conflict as error:
                conflict = error
                seen = self.findings.repeat(finding, now, len(group.messages))
                if isinstance(seen, bool):
                    return None
        raise conflict

    def _news(self, group: _Group, seen: SeenFinding | None, now: datetime) -> None:
        finding, count = group.finding, len(group.messages)
        incident = self._incident_of(seen)
        if seen is not None and incident is not None and not seen.handled and seen.incident == incident.id:
            self._carry_on(group, incident, now)  # a crash came between the record and the execution
            return
        if incident is not None and incident.over:
            incident = None
        if incident is None and not may_act(self.playbooks, finding):
            self._tell(finding, seen, now, count)
            return
        if incident is None:
            opened = self._new_incident(finding, group.lane, seen, now)
            holder = self.findings.open(finding, opened, seen, count)
            if holder is None:
                self._carry_on(group, opened, now)
                return
            incident = self._living(holder)
            if incident is None or incident.over:
                self.findings.free(opened.locks, holder)  # it ended, and was stopped before it freed its locks
                raise Conflict(f"incident {holder} ended while {finding.key} was to join it; deliver again")
        after = self._joined(incident, finding, group.lane, now)
        joined = self.findings.join(finding, incident, after, seen, now, count)
        if joined.revision > incident.revision:
            self._carry_on(group, joined, now)

    def _incident_of(self, seen: SeenFinding | None) -> Incident | None:
        return None if seen is None or seen.incident is None else self._living(seen.incident)

    def _living(self, incident: str) -> Incident | None:
        """Return an incident, or the one that took it over."""
        found = self.findings.incident(incident)
        while found is not None and found.merged_into is not None:
            found = self.findings.incident(found.merged_into)
        return found

    def _new_incident(self, finding: Finding, lane: Lane, seen: SeenFinding | None, now: datetime) -> Incident:
        # the same finding at the same point of its history opens the same incident, however often it is delivered
        generation = 0 if seen is None else seen.version + 1
        return Incident(
            id=f"inc-{digest([finding.key, generation])[:12]}",
            revision=1,
            lane=lane,
            severity=finding.severity,
            title=f"{finding.source}: {finding.type}",
            account=finding.account,
            region=finding.region,
            targets=finding.targets,
            locks=_locks(finding),
            created_at=now,
            updated_at=now,
            quiet_until=now + QUIET,
            seen=_brings(finding),
        )

    def _joined(self, incident: Incident, finding: Finding, lane: Lane, now: datetime) -> Incident:
        brings = _brings(finding)
        new = [thing for thing in brings if thing not in incident.seen] if len(incident.seen) < SEEN_LIMIT else []
        grows = bool(new) and may_act(self.playbooks, finding)
        quiet = incident.quiet_until is not None and now < incident.quiet_until
        revises = finding.severity > incident.severity or grows or not quiet
        targets = incident.targets + tuple(target for target in finding.targets if target not in incident.targets)
        return incident.model_copy(
            update={
                "revision": incident.revision + revises,
                "severity": max(incident.severity, finding.severity),
                "lane": "urgent" if lane == "urgent" else incident.lane,
                "targets": targets[:SEEN_LIMIT],
                "seen": (*incident.seen, *new),
                "quiet_until": now + QUIET if revises else incident.quiet_until,
            }
        )

    def _carry_on(self, group: _Group, incident: Incident, now: datetime) -> None:
        execution = Execution(
            incident=incident.id, revision=incident.revision, mode="respond", attempt=1, lane=incident.lane
        )
        admitted = execution.lane == "urgent" or self.admission.enter(execution, self.bulk_limit, now)
        if admitted and not self.executions.start(execution) and execution.lane == "bulk":
            self.admission.leave(execution.name)  # it ran and is over: no Close gives its slot back
        kept = self.vault.keep(f"{EVENTS}{incident.id}/", group.event)
        call = group.finding.delivery or kept.sha256
        event = Artefact(kept=kept, origin=group.finding.key, call=call, actor="triage", at=now)
        self.findings.handled(group.finding, incident.id, event)

    def _tell(self, finding: Finding, seen: SeenFinding | None, now: datetime, count: int) -> None:
        deciding = possible(self.playbooks, finding)
        if deciding and not any(playbook.notify for playbook in deciding):
            self.findings.drop(finding, f"playbook {deciding[0].name} neither acts nor tells", now, count)
            return
        self.messenger.tell(
            f"{finding.severity.word} finding, no playbook acts on it",
            [
                f"{finding.source}: {finding.type}",
                f"account {finding.account}, {finding.region}",
                *(f"{target.kind} {target.label}" for target in finding.targets[:10]),
            ],
        )
        self.findings.told(finding, now, now + TOLD_QUIET, count + (seen.deliveries if seen else 0))


def _locks(finding: Finding) -> tuple[str, ...]:
    """The names that a finding locks: its first target of its own, and the attack sequence that it belongs to."""
    target = next((target.key for target in finding.targets if not target.shared), f"finding/{finding.key}")
    return (target,) if finding.sequence is None else (target, f"sequence/{finding.sequence}")


def _brings(finding: Finding) -> tuple[str, ...]:
    """What a finding brings that a step could use: its type and its targets. An order is news each time."""
    order = () if finding.order is None else (f"order/{finding.id}",)
    return (*order, f"type/{finding.source}/{finding.type}", *(target.key for target in finding.targets))[:SEEN_LIMIT]
