"""What the demo comes to: the same facts for the closing table and for `--json`."""

from __future__ import annotations

from firebreak.core.model import Model


class Check(Model):
    """Something that had to be so, and what was read back.

    Attributes:
        what: what had to be so.
        ok: whether it is.
        saw: what was read, where and from whom.
    """

    what: str
    ok: bool
    saw: str


class StepReport(Model):
    """One step of an incident.

    Attributes:
        action, target: what was to be done.
        status: how it ended before anything was taken back; "verified" was read back.
        status_at_end: what became of it at the end of the run.
        contains: whether it changed the estate, reversibly or not, and that was verified.
        asked: whether a person was asked.
        approved_by: who agreed.
        seconds: from the event to its end by the sandbox's clock; waiting for people included.
        seconds_waited: from the question to its answer.
        outcome: what was read back.
        residual: what stays possible all the same.
        error: what failed.
    """

    action: str
    target: str
    status: str
    status_at_end: str
    contains: bool = False
    asked: bool = False
    approved_by: tuple[str, ...] = ()
    seconds: float | None = None
    seconds_waited: float = 0.0
    outcome: tuple[str, ...] = ()
    residual: tuple[str, ...] = ()
    error: str | None = None


class IncidentReport(Model):
    """One incident.

    Attributes:
        id, title: as Firebreak has them.
        status: before anything was taken back.
        status_at_end: at the end of the run.
        steps: its steps.
        seconds_to_contain: from the event to the last containing step that was verified; None where there is none.
        seconds_waited: of these, waiting for a person.
        snapshots: ids of its evidence snapshots, as EC2 has them.
        manifests: where its evidence manifests are kept.
    """

    id: str
    title: str
    status: str
    status_at_end: str
    steps: tuple[StepReport, ...] = ()
    seconds_to_contain: float | None = None
    seconds_waited: float = 0.0
    snapshots: tuple[str, ...] = ()
    manifests: tuple[str, ...] = ()


class Report(Model):
    """A whole run.

    Attributes:
        ok: whether everything was as it should be.
        checks: what was checked.
        incidents: in the order they were opened.
        seconds_to_first_containment: real seconds from the start of the command.
        seconds: real seconds of the run.
        synthesis_kept: whether the synthesized stacks were there from an earlier run.
        log: where the functions' own logs are.
    """

    ok: bool
    checks: tuple[Check, ...]
    incidents: tuple[IncidentReport, ...]
    seconds_to_first_containment: float | None
    seconds: float
    synthesis_kept: bool
    log: str
