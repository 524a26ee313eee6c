"""An incident, its revisions and its steps: what they are and which moves they may make."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import AwareDatetime, Field

from firebreak.core.finding import Posture, Severity
from firebreak.core.model import Json, Model
from firebreak.core.plan import Plan, Stage
from firebreak.core.target import Target

IncidentStatus: TypeAlias = Literal["open", "acting", "contained", "released", "eradicated", "closed", "merged"]
Mode: TypeAlias = Literal["respond", "undo"]
Lane: TypeAlias = Literal["urgent", "bulk"]

MOVES: dict[IncidentStatus, frozenset[IncidentStatus]] = {
    "open": frozenset({"acting", "closed", "merged"}),
    "acting": frozenset({"open", "contained", "eradicated", "released", "closed", "merged"}),
    "contained": frozenset({"acting", "open", "released", "eradicated", "closed", "merged"}),
    "eradicated": frozenset({"acting", "closed"}),
    "released": frozenset({"acting", "closed"}),
    "closed": frozenset(),
    "merged": frozenset(),
}
"""Which status may follow which. The lock on the target is held until closed or merged."""

StepStatus: TypeAlias = Literal[
    "decided",    # a playbook wants it; no plan yet
    "planned",    # a plan is made and may run
    "asking",     # a person was asked
    "running",    # the first change may have been made
    "applied",    # apply is done, not yet verified
    "verified",   # read back and found as planned
    "undoing",    # being taken back
    "failed",     # a final error; secured where that was possible
    "stale",      # someone else changed the target; nothing overwritten
    "gone",       # the target does not exist any more
    "refused",    # guard or playbook forbids it
    "denied",     # a person said no
    "expired",    # nobody answered in time, which is a no
    "observed",   # mode observe: planned and told, not done
    "unneeded",   # the plan has no changes
    "undone",     # taken back and read back as it was before
    "undo_failed",
]  # fmt: skip
SETTLED: frozenset[StepStatus] = frozenset(
    {
        *("verified", "failed", "stale", "gone", "refused", "denied", "expired", "observed"),
        *("unneeded", "undone", "undo_failed"),
    }
)
EFFECTIVE: frozenset[StepStatus] = frozenset(
    {"running", "applied", "verified", "failed", "stale", "undoing", "undo_failed"}
)
"""Statuses in which something may have been changed: what undo has to look at."""

BEGUN: frozenset[StepStatus] = frozenset({"running", "applied"})
"""Statuses in which the first change may have been made and the last one not: carried on whatever becomes of others."""
DONE_WITH: frozenset[StepStatus] = BEGUN | {"verified", "denied", "undone", "stale"}
"""Statuses that stand when another incident takes the story over: done, begun, or decided by a person."""

Consent: TypeAlias = Literal["auto", "ask"]


class Incident(Model):
    """What happened to one target, and what was done about it.

    Attributes:
        id: "inc-" and 12 hex digits.
        status: see MOVES.
        revision: the newest revision, from 1.
        lane: where its first finding came from; executions from the bulk lane are capped.
        severity: the highest band so far.
        title: source and type of the finding that opened it.
        targets: the targets its findings name, canonical ones added by `plan`.
        locks: keys it holds the lock of.
        merged_into: the older incident that took this one over.
        fenced: revisions up to this one may not change anything any more (an undo was begun).
        absorbed: incidents that were merged into this one; their steps are undone with its own.
        quiet_until: until then, a finding that adds nothing makes no further revision.
        seen: what its findings brought so far (types, targets): what is not among them is news.
        released_at: when an undo of it ended.
        reason: why it was closed.
        version, head: as in StepRecord.
    """

    id: str
    status: IncidentStatus = "open"
    revision: int = Field(ge=1)
    lane: Lane
    severity: Severity
    title: str
    account: str
    region: str
    targets: tuple[Target, ...] = ()
    locks: tuple[str, ...] = ()
    created_at: AwareDatetime
    updated_at: AwareDatetime
    merged_into: str | None = None
    fenced: int = 0
    absorbed: tuple[str, ...] = ()
    quiet_until: AwareDatetime | None = None
    seen: tuple[str, ...] = ()
    released_at: AwareDatetime | None = None
    reason: str | None = None
    version: int = 0
    head: str = ""

    @property
    def over(self) -> bool:
        """Whether its story has ended and its locks are free."""
        return self.status in ("closed", "merged")


class Setting(Model):
    """What the guard has to know of where a step acts, as it was found when the step was decided.

    Attributes:
        posture: of the finding that asks for it.
        environment: what the target serves.
        tags: of the target and of what it is or belongs to.
        names: keys and ARNs of the same.
        named: how many targets the finding names.
    """

    posture: Posture = "unknown"
    environment: Literal["production", "other", "unknown"] = "unknown"
    tags: dict[str, str] = {}
    names: tuple[str, ...] = ()
    named: int = 1


class Ending(Model):
    """How a step has to end: with a final error that cannot be recorded before what may be open is closed.

    Attributes:
        status: the one it will settle in.
        error: what failed, on what, what to do.
    """

    status: StepStatus
    error: str


class StepRecord(Model):
    """One step of an incident, as the table holds it.

    Attributes:
        id: derived from action, target and parameters: the same step in a later revision has the same id.
        revision: the revision that brought it.
        consent: what the playbook and the guard ask for.
        approval: the approval that has to be redeemed before it runs, once asked.
        plan: made when its stage begins.
        joined: whether its plan rests on a before-state that another incident has put on record.
        replanned: whether its plan was made a second time, because the target changed in between.
        not_before: earliest moment of the next look, after an Again.
        outcome, residual, evidence: what was read back, in words.
        error: what failed, on what, what to do.
        ending: how it ends once what may be open is closed; until then nothing more is applied.
        half_way: whether it was begun and not done when its undo began: an undo that fails must leave nothing open.
        difference: how the target differs from what was verified, as Sweep saw it last; empty where it does not.
        setting: what the guard has to know.
        playbook, reasons: who wanted it, and why.
        version: counts its transitions; a transition is conditional on it.
        head: hash of its newest audit record.
    """

    id: str
    incident: str
    revision: int
    order: int
    action: str
    effect: Literal["collect", "reversible", "destructive"]
    stage: Stage
    target: Target
    parameters: Json
    consent: Consent
    setting: Setting = Setting()
    playbook: str
    reasons: tuple[str, ...] = ()
    status: StepStatus = "decided"
    plan: Plan | None = None
    approval: str | None = None
    joined: bool = False
    replanned: bool = False
    not_before: AwareDatetime | None = None
    outcome: tuple[str, ...] = ()
    residual: tuple[str, ...] = ()
    difference: tuple[str, ...] = ()
    error: str | None = None
    ending: Ending | None = None
    half_way: bool = False
    started_at: AwareDatetime | None = None
    settled_at: AwareDatetime | None = None
    version: int = 0
    head: str = ""

    @property
    def settled(self) -> bool:
        """Whether nothing more will happen to it in this mode."""
        return self.status in SETTLED

    @property
    def stands(self) -> bool:
        """Whether it may have changed something that has not been taken back and could be."""
        return self.effect == "reversible" and self.started_at is not None and self.status in EFFECTIVE
