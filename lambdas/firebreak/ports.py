"""What the pipeline needs of the world, as Protocols. Adapters make them real; tests make them small."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol, TypeAlias

from firebreak.core.audit import AuditRecord
from firebreak.core.clients import Clients
from firebreak.core.evidence import Artefact, Kept
from firebreak.core.finding import Finding
from firebreak.core.guard import GuardState
from firebreak.core.incident import Incident, Lane, Mode, StepRecord
from firebreak.core.model import Json, Model
from firebreak.core.plan import Draft, Plan
from firebreak.core.target import Place

Remaining: TypeAlias = Callable[[], float]
"""Returns the seconds left in this invocation."""


class Actor(Model):
    """Who does something, for the audit trail: a function and its request, or a person.

    Attributes:
        name: "execute", or a person.
        request: the invocation's id; also the holder of leases.
    """

    name: str
    request: str

    def __str__(self) -> str:
        return f"{self.name}/{self.request}"


class SeenFinding(Model):
    """What the table knows of a finding.

    Attributes:
        incident: the incident it belongs to, None where it was dropped or only told.
        revision: the revision it brought.
        handled: whether that revision's execution exists (or waits, or none is needed).
        fingerprint, severity, updated_at: of the newest delivery.
        version: counts what was made of it; news is conditional on it.
        deliveries: how often it was delivered, repeats included.
    """

    incident: str | None
    revision: int
    handled: bool
    fingerprint: str
    severity: int
    updated_at: datetime
    version: int
    deliveries: int


class Execution(Model):
    """One execution of the state machine.

    Attributes:
        incident, revision, mode, attempt: its input and, together, its name.
        lane: executions of the bulk lane are admitted one by one.
    """

    incident: str
    revision: int
    mode: Mode
    attempt: int
    lane: Lane = "urgent"

    @property
    def name(self) -> str:
        """The execution's name; a closed name cannot be used again for 90 days (StartExecution, API reference)."""
        return f"{self.incident}-r{self.revision}-{self.mode}-a{self.attempt}"

    @property
    def input(self) -> dict[str, Json]:
        """The execution's input: identifiers only."""
        return {"incident": self.incident, "revision": self.revision, "mode": self.mode, "attempt": self.attempt}


class File(NamedTuple):
    """An incident with what belongs to it.

    Attributes:
        incident: the incident.
        findings: the newest delivery of each.
        steps: in the order they were decided.
        decided: revisions whose decision is recorded.
    """

    incident: Incident
    findings: Sequence[Finding]
    steps: Sequence[StepRecord]
    decided: frozenset[int] = frozenset()


class FindingStore(Protocol):
    """Findings and the incidents they open or join."""

    def repeat(self, finding: Finding, now: datetime, deliveries: int) -> SeenFinding | bool | None:
        """Count a repeat; a later update that brings nothing new moves the finding's time on.

        Returns:
            True where it was one; else what the table knows of the finding, None where nothing.
        """

    def drop(self, finding: Finding, reason: str, now: datetime, deliveries: int) -> None:
        """Record a finding that ends here, with the reason, unless an incident has it already."""

    def told(self, finding: Finding, now: datetime, quiet_until: datetime, deliveries: int = 1) -> None:
        """Record a finding of which people were told and nothing else is done."""

    def open(self, finding: Finding, incident: Incident, seen: SeenFinding | None, deliveries: int = 1) -> str | None:
        """Open an incident with its first revision in one transaction.

        Returns:
            None where it is open now (or already was, by this very call); else the incident that holds a lock.

        Raises:
            Conflict: the finding moved meanwhile.
        """

    def join(
        self,
        finding: Finding,
        incident: Incident,
        after: Incident,
        seen: SeenFinding | None,
        now: datetime,
        deliveries: int = 1,
    ) -> Incident:
        """Add a finding to an incident, in one transaction; a revision where `after` has one more.

        Raises:
            Conflict: the incident or the finding moved meanwhile.
        """

    def handled(self, finding: Finding, incident: str, event: Artefact) -> None:
        """Mark the newest revision of a finding handled, and note where its event is kept."""

    def incident(self, incident: str) -> Incident | None:
        """Return an incident, or None."""

    def free(self, keys: Iterable[str], owner: str) -> None:
        """Free the locks that an incident which is over still holds."""

    def hush(self, finding: Finding) -> None:
        """Let repeats that bring nothing new stay repeats for good: a person released what the finding was about."""

    def reject(self, lane: Lane, message: str, error: str, now: datetime) -> None:
        """Record why a message cannot be used."""


class IncidentStore(Protocol):
    """Incidents, their steps, locks and audit trail."""

    def incident(self, incident: str) -> Incident:
        """Return an incident.

        Raises:
            TargetMissing: there is none of that id.
        """

    def file(self, incident: str) -> File:
        """Return an incident with its findings and steps, read at once.

        Raises:
            TargetMissing: there is none of that id.
        """

    def findings(self, incident: str) -> Sequence[Finding]:
        """Return the newest delivery of each finding of an incident."""

    def steps(self, incident: str) -> Sequence[StepRecord]:
        """Return the steps of an incident in the order they were decided."""

    def briefing(self, incident: str, step: str) -> tuple[Incident, StepRecord, GuardState]:
        """Read, consistently and at once, what a step's run depends on."""

    def guard(self) -> GuardState:
        """Return mode and kill switch as the table has them."""

    def change_incident(
        self, before: Incident, after: Incident, event: str, actor: Actor, now: datetime, *words: str
    ) -> Incident:
        """Move an incident and append to its trail, where it is still as `before` says.

        Raises:
            Conflict: someone moved it meanwhile.
        """

    def decide(
        self,
        before: Incident,
        after: Incident,
        steps: Sequence[StepRecord],
        decision: Json,
        actor: Actor,
        now: datetime,
        *words: str,
    ) -> Incident:
        """Record what a revision's playbooks decided, its new steps included, and move the incident, all at once.

        Raises:
            Conflict: someone moved the incident or brought a step meanwhile.
        """

    def change_step(
        self, before: StepRecord, after: StepRecord, actor: Actor, now: datetime, *words: str
    ) -> StepRecord:
        """Move a step and append to its trail, where it is still as `before` says.

        Raises:
            Conflict: someone moved it meanwhile.
        """

    def decisions(self, incident: str) -> Sequence[Json]:
        """Return what was decided, revision by revision."""

    def artefacts(self, incident: str) -> Sequence[Artefact]:
        """Return what is kept of an incident."""

    def trail(self, incident: str) -> Sequence[AuditRecord]:
        """Return the audit records of an incident, chain by chain."""

    def claim_locks(self, incident: Incident, keys: Iterable[str], now: datetime) -> str | None:
        """Take locks, those held already included; return the incident that holds one of them, if any."""

    def hand_locks(self, keys: Iterable[str], owner: str, to: str | None) -> None:
        """Free the locks that an incident holds, or hand them to another one."""

    def spend(self, action: str, account: str, holder: str, limit: int, now: datetime) -> bool:
        """Take one of so many runs of an action in an account and hour, once per holder; False where none is left."""

    def copy_findings(self, source: str, to: str) -> None:
        """Copy the findings of an incident to another one."""

    def incidents(self, *, over: bool = False, limit: int = 100, newest_first: bool = True) -> Sequence[Incident]:
        """Return so many incidents, those that are over or the others, by when they were opened."""

    def try_again(self, execution: Execution) -> Execution | None:
        """Move an execution that failed on to its next attempt; None where that was done already."""

    def want_execution(self, execution: Execution, now: datetime) -> Execution:
        """Note that an execution is wanted, once, and return it with its newest attempt."""


class Ledger(Protocol):
    """Lease, before-state and claims, per target and aspect."""

    def baseline(self, target: Place, aspect: str) -> Draft | None:
        """Return the draft whose before-state stands for this aspect, where some incident still claims it."""

    def others(self, step: StepRecord, aspect: str) -> Sequence[str]:
        """Return the other incidents that claim this aspect."""

    def begin(
        self,
        before: StepRecord,
        after: StepRecord,
        *,
        aspect: str,
        mode: Mode,
        keep: bool,
        actor: Actor,
        now: datetime,
        lease: float,
        judged: GuardState,
        words: tuple[str, ...] = (),
    ) -> StepRecord:
        """Take the lease, write the before-state once, claim it, and record the intent, in one transaction.

        In mode "respond" the transaction also holds the incident's fence, the kill switch and, where the step has not
        begun yet, the mode against it.

        Args:
            judged: mode and kill switch as the guard judged by them.
            lease: seconds the lease lasts; longer than the invocation can.
            keep: whether to keep the before-state (collecting actions change nothing and keep none).

        Raises:
            Held: another run has the lease.
            Refused: the incident was fenced, or the kill switch is on.
            Conflict: the step moved meanwhile, or somebody set another mode.
        """

    def take(self, step: StepRecord, aspect: str, actor: Actor, now: datetime, lease: float) -> None:
        """Take the lease alone, to close what may be open.

        Raises:
            Held: another run has it.
        """

    def end(
        self,
        before: StepRecord,
        after: StepRecord,
        *,
        aspect: str,
        actor: Actor,
        now: datetime,
        words: tuple[str, ...] = (),
        unclaims: bool = False,
        last: bool = False,
    ) -> StepRecord:
        """Record what came of it and give the lease back.

        Args:
            unclaims: whether the incident's claim on the before-state ends with it.
            last: whether the before-state has been restored by the last claim on it; it is forgotten then.

        Raises:
            Conflict: the step moved, or the lease was lost.
        """

    def give_back(self, step: StepRecord, aspect: str, actor: Actor) -> None:
        """Give the lease back without moving the step."""


class Executions(Protocol):
    """Executions of the state machine."""

    def start(self, execution: Execution) -> bool:
        """Start one; True where it exists now, False where its name was used and closed."""


class Admission(Protocol):
    """Slots of the bulk lane."""

    def enter(self, execution: Execution, limit: int, now: datetime) -> bool:
        """Take a slot, or note that the execution waits; True where it may start."""

    def leave(self, execution: str) -> None:
        """Give the slot back."""

    def waiting(self) -> Sequence[Execution]:
        """Return the executions that wait, oldest first."""

    def started(self, execution: Execution) -> None:
        """Forget that an execution waits."""


class Sessions(Protocol):
    """Clients under the roles of a member account."""

    def observer(self, account: str, region: str, incident: str, remaining: Remaining) -> Clients:
        """Return clients that may only read.

        Raises:
            Denied: the account has no observer role for us.
        """

    def action(self, plan: Plan, remaining: Remaining) -> Clients:
        """Return clients under the action's own role, narrowed to the plan's resources."""


class Messenger(Protocol):
    """Tells people."""

    def tell(self, subject: str, lines: Sequence[str], *, incident: str | None = None) -> None: ...


class Preparation(Protocol):
    """Makes what containment needs beforehand."""

    def request(self, account: str, region: str) -> None:
        """Have an account's region prepared, soon."""


class Vault(Protocol):
    """Keeps evidence."""

    def keep(self, prefix: str, content: Any) -> Kept:
        """Store a JSON value under a prefix and its own hash, once."""


class Consent(Protocol):
    """Approvals, as far as the rest of the pipeline needs them."""

    def redeem(self, step: StepRecord, holder: str, now: datetime) -> None:
        """Spend the consent to a step's plan, once per holder.

        Raises:
            Refused: there is none, or it is for another plan, spent, denied or expired; `str` says which.
        """

    def cancel(self, incident: str, now: datetime) -> None:
        """Withdraw every open question of an incident."""

    def expire_due(self, now: datetime) -> int:
        """Deny what nobody answered in time; return how many."""
