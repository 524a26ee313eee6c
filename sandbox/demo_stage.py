"""The stage that scenes play on: the lab, what is seen of it, who answers, and what was checked so far."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from firebreak.core.errors import FirebreakError
from firebreak.core.incident import Incident, StepRecord
from sandbox.demo_person import LOOK, Answers, question
from sandbox.demo_report import Check, IncidentReport, StepReport
from sandbox.demo_sight import Sight
from sandbox.demo_terminal import Terminal
from sandbox.demo_watch import Kind, Moment, Watch
from sandbox.slack_channel import Message

LONGEST = 180.0
"""Real seconds after which work that nobody is asked about should long be done, however slow the machine."""


class Stuck(FirebreakError):
    """The pipeline does not come to rest."""


@dataclass
class Stage:
    """Everything that a scene needs.

    Attributes:
        sight, terminal, answers: what is seen, where it is shown, and who answers.
        between: leaves a person time to read, before every scene but the first.
        checks: what was checked so far.
        begun: when the event of an incident arrived, by incident.
        times: by step, when it was first contained or cordoned, for the closing table.
        contained: real time of the first verified containment.
    """

    sight: Sight
    terminal: Terminal
    answers: Answers
    between: Callable[[], None] = lambda: None
    checks: list[Check] = field(default_factory=list)
    begun: dict[str, datetime] = field(default_factory=dict)
    held: dict[str, IncidentReport] = field(default_factory=dict)
    contained: float | None = None

    def __post_init__(self) -> None:
        self._watch = Watch(self.sight.lab)
        self._number = 0

    @property
    def now(self) -> datetime:
        """The sandbox's clock."""
        return self.sight.lab.sandbox.clock.now()

    def scene(self, title: str, words: str = "") -> None:
        """Begin a scene."""
        if self._number:
            self.between()
        self._number += 1
        self.terminal.scene(self._number, title, words)

    def say(self, kind: Kind, words: str) -> None:
        """Tell something of our own doing."""
        self.terminal.moment(Moment(self.now, kind, words))

    def begin(self, words: str) -> datetime:
        """Let the scene's time begin: its event arrives."""
        self.terminal.begun = now = self.now
        self.say("arrives", words)
        return now

    def look(self) -> None:
        """Tell what happened since the last look."""
        for moment in self._watch.look():
            self.terminal.moment(moment)

    def settle(self) -> None:
        """Tell what happens until nothing more does, questions to people included.

        Raises:
            Stuck: it takes far too long.
        """
        clock, slack = self.sight.lab.sandbox.clock, self.sight.lab.slack
        self._rest()
        while (asked := question(slack)) is not None:
            if words := self.answers(asked, partial(self._open, asked)):
                self.say("answer", words)
            self._until(lambda asked=asked: not self._open(asked) and clock.idle)  # type: ignore[misc]
            self._rest()

    def _rest(self) -> None:
        clock = self.sight.lab.sandbox.clock
        self._until(lambda: clock.idle)
        self.look()

    def _until(self, true: Callable[[], bool]) -> None:
        until = time.monotonic() + LONGEST
        while not true():
            self.look()
            if time.monotonic() > until:
                raise Stuck(f"the pipeline has not come to rest within {LONGEST:.0f} seconds; its log says more")
            time.sleep(LOOK)

    def _open(self, message: Message) -> bool:
        self.look()
        asked = question(self.sight.lab.slack)
        return asked is not None and asked.ts == message.ts

    def check(self, what: str, ok: bool, saw: str) -> None:
        """Hold what was read back against what it has to be."""
        self.checks.append(Check(what=what, ok=ok, saw=saw))
        self.terminal.check(self.checks[-1])

    def sound(self) -> None:
        """Check that nothing went wrong behind the scenes."""
        defects = self.sight.defects()
        self.check("no function and no execution failed", not defects, "; ".join(defects) or "none did")

    def hold(self, incident: Incident, begun: datetime) -> IncidentReport:
        """Keep what an incident came to, before it is taken back."""
        self.begun[incident.id] = begun
        self.held[incident.id] = report = self.report(incident, begun)
        if self.contained is None and report.seconds_to_contain is not None:
            self.contained = time.monotonic()
        return report

    def ended(self) -> tuple[IncidentReport, ...]:
        """Return what the incidents came to, with what has become of them since."""
        return tuple(self._ended(report) for report in self.held.values())

    def _ended(self, report: IncidentReport) -> IncidentReport:
        incident, steps = self.sight.incident(report.id), self.sight.steps(report.id)
        now = {(step.action, step.target.label): step.status for step in steps}
        return report.model_copy(
            update={
                "status_at_end": incident.status,
                "manifests": tuple(self.sight.manifests(report.id)),
                "steps": tuple(
                    step.model_copy(update={"status_at_end": now[step.action, step.target]}) for step in report.steps
                ),
            }
        )

    def report(self, incident: Incident, begun: datetime) -> IncidentReport:
        """Return what an incident came to, as the stores and the estate have it now."""
        steps = [self._step(step, begun) for step in self.sight.steps(incident.id)]
        return IncidentReport(
            id=incident.id,
            title=incident.title,
            status=incident.status,
            status_at_end=incident.status,
            steps=tuple(steps),
            snapshots=tuple(sorted(each["SnapshotId"] for each in self.sight.snapshots(incident.id))),
            manifests=tuple(self.sight.manifests(incident.id)),
            seconds_to_contain=max((s.seconds for s in steps if s.contains and s.seconds is not None), default=None),
            seconds_waited=sum(step.seconds_waited for step in steps),
        )

    def _step(self, step: StepRecord, begun: datetime) -> StepReport:
        approval = self.sight.approval(step.approval)
        waited = 0.0
        if approval is not None and approval.decided_at is not None:
            waited = (approval.decided_at - approval.created_at).total_seconds()
        return StepReport(
            action=step.action,
            target=step.target.label,
            status=step.status,
            status_at_end=step.status,
            contains=step.effect != "collect" and step.status == "verified",
            asked=approval is not None,
            approved_by=approval.approvers if approval is not None else (),
            seconds=(step.settled_at - begun).total_seconds() if step.settled_at else None,
            seconds_waited=waited,
            outcome=step.outcome,
            residual=step.residual,
            error=step.error,
        )
