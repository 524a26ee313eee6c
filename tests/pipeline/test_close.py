"""Close and Sweep: what an execution came to, and what waited too long."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from firebreak.adapters.admission_table import AdmissionTable
from firebreak.adapters.finding_table import FindingTable
from firebreak.adapters.incident_rows import step_row
from firebreak.core import evidence
from firebreak.core.errors import InputError, Permanent, Retriable
from firebreak.core.finding import Finding, Severity
from firebreak.core.incident import EFFECTIVE, Incident
from firebreak.core.model import digest
from firebreak.core.registry import action
from firebreak.pipeline.close import Close
from firebreak.pipeline.reconcile import Reconcile
from firebreak.pipeline.sweep import Sweep
from firebreak.ports import Actor, Execution
from tests.pipeline.stage import INCIDENT, Consents, Stage
from tests.world import ACCOUNT, REGION, START

ACTOR = Actor(name="close", request="request-c")


@dataclass
class Kept:
    """What was kept."""

    names: list[str] = field(default_factory=list)
    content: Any = None

    def keep(self, prefix: str, content: Any) -> evidence.Kept:
        self.names.append(prefix)
        self.content = content
        sha256 = digest(content)
        return evidence.Kept(where=f"s3://evidence/{prefix}{sha256}.json", sha256=sha256, size=len(str(content)))


@dataclass
class Started:
    """Executions that were started; starting one that runs is starting it once, as StartExecution has it."""

    names: list[str] = field(default_factory=list)
    over: bool = False

    def start(self, execution: Execution) -> bool:
        if self.over and execution.name in self.names:
            return False
        if execution.name not in self.names:
            self.names.append(execution.name)
        return True


@dataclass
class Office:
    """The stage with Close and Sweep at it."""

    stage: Stage
    kept: Kept = field(default_factory=Kept)
    started: Started = field(default_factory=Started)

    @property
    def admission(self) -> AdmissionTable:
        return AdmissionTable(self.stage.ledger._table)

    @property
    def findings(self) -> FindingTable:
        return FindingTable(self.stage.ledger._table)

    @property
    def close(self) -> Close:
        stage = self.stage
        return Close(stage.incidents, self.findings, self.admission, self.kept, stage.notices, stage.world.clock)

    @property
    def sweep(self) -> Sweep:
        stage = self.stage
        reconcile = Reconcile(stage.incidents, stage.sessions, stage.notices, stage.world.clock, action)
        clock = stage.world.clock
        return Sweep(stage.incidents, self.started, self.admission, stage.consent, stage.notices, clock, 2, reconcile)

    def conclude(self, mode: Any = "respond", revision: int = 1) -> Incident:
        self.close.handle(INCIDENT, revision, mode, f"{INCIDENT}-r{revision}-{mode}-a1", ACTOR)
        return self.stage.incidents.incident(INCIDENT)

    def step(self, status: str, action: str = "ec2.isolate_instance") -> None:
        """Put a step into the table in a status."""
        planned = self.stage.plan(action, id=f"{action.replace('.', '-')}-{status}")
        begun = START if status in EFFECTIVE else None
        after = planned.model_copy(update={"status": status, "started_at": begun})
        self.stage.incidents.change_step(planned, after, ACTOR, START)


@pytest.fixture
def office(stage: Stage) -> Office:
    return Office(stage)


@pytest.mark.parametrize(
    ("statuses", "status"),
    [
        (["verified"], "contained"),
        (["verified", "failed"], "contained"),
        (["undo_failed"], "contained"),
        (["observed"], "open"),
        (["denied"], "open"),
        (["failed"], "open"),
        (["unneeded"], "closed"),
        (["gone"], "closed"),
        ([], "closed"),
    ],
    ids=str,
)
def test_an_incident_ends_up_as_its_steps_did(office: Office, statuses: list[str], status: str) -> None:
    for each in statuses:
        office.step(each)
    assert office.conclude().status == status
    assert office.stage.chains()


def test_evidence_alone_contains_nothing(office: Office) -> None:
    office.step("verified", "ebs.snapshot_volumes")
    assert office.conclude().status == "open"


@pytest.mark.parametrize(
    ("status", "words"),
    [("decided", "could not be planned"), ("planned", "could not be begun"), ("asking", "could not be begun")],
)
def test_a_step_that_its_own_execution_leaves_behind_is_recorded_as_failed(
    office: Office, status: str, words: str
) -> None:
    office.step(status)
    assert office.conclude().status == "open"
    (step,) = office.stage.incidents.steps(INCIDENT)
    assert step.status == "failed"
    assert words in (step.error or "")


@pytest.mark.parametrize("status", ["planned", "asking"])
def test_a_step_that_an_earlier_execution_is_still_at_is_left_to_it(office: Office, status: str) -> None:
    office.step(status)
    revise(office)
    assert office.conclude(revision=2).status == "acting"
    (step,) = office.stage.incidents.steps(INCIDENT)
    assert step.status == status


@pytest.mark.parametrize("status", ["running", "applied"])
def test_an_execution_that_leaves_a_step_half_way_has_failed_and_another_one_has_not(
    office: Office, status: str
) -> None:
    office.step(status)
    with pytest.raises(Permanent, match=f"leaves half-way, for its next attempt: ec2-isolate_instance-{status}"):
        office.conclude()
    assert office.stage.incidents.incident(INCIDENT).status != "open"
    revise(office)
    assert office.conclude(revision=2).status == "acting"
    assert office.conclude("undo", revision=2).status == "contained"


def test_closing_twice_frees_the_locks_once_and_for_all(office: Office) -> None:
    story = office.stage.incidents.incident(INCIDENT)
    locked = story.model_copy(update={"locks": ("name",)})
    office.stage.incidents.change_incident(story, locked, "decided", ACTOR, START)
    office.stage.incidents.claim_locks(locked, ("name",), START)
    assert office.conclude().status == "closed"
    assert office.conclude().status == "closed"
    assert not [row for row in office.stage.world.rows().values() if row["sk"] == "LOCK"]


def test_a_manifest_is_kept_and_the_trails_of_the_steps_hang_from_the_incidents(office: Office) -> None:
    office.step("verified")
    before = office.stage.incidents.trail(INCIDENT)
    office.conclude()
    assert office.kept.names == [f"manifests/{INCIDENT}/{INCIDENT}-r1-respond-a1-"]
    assert evidence.Manifest.model_validate(office.kept.content).trail == tuple(before)
    (step,) = office.stage.incidents.steps(INCIDENT)
    record = [record for record in office.stage.incidents.trail(INCIDENT) if record.chain == "incident"][-1]
    assert f"{step.id} {step.head}" in record.words
    manifest = f"manifest s3://evidence/{office.kept.names[0]}{digest(office.kept.content)}.json"
    assert manifest in record.words


def test_an_undo_that_took_all_back_closes_the_incident_and_hushes_its_findings(office: Office) -> None:
    finding = Finding(
        source="guardduty", id="f", account=ACCOUNT, region=REGION, type="t", severity=Severity.HIGH,
        created_at=START, updated_at=START, targets=(office.stage.instance,),
    )  # fmt: skip
    story = office.stage.incidents.incident(INCIDENT)
    office.findings.join(finding, story, story, None, START)
    office.step("undone")
    done = office.conclude("undo")
    assert (done.status, done.released_at) == ("closed", START)
    office.stage.world.pass_time(days=30)
    later = finding.model_copy(update={"updated_at": office.stage.world.clock()})
    assert office.findings.repeat(later, office.stage.world.clock(), 1) is True
    worse = later.model_copy(update={"severity": Severity.CRITICAL})
    assert office.findings.repeat(worse, office.stage.world.clock(), 1) is not True


def test_an_undo_that_left_something_keeps_the_incident_and_says_what(office: Office) -> None:
    office.step("undo_failed")
    assert office.conclude("undo").status == "contained"


def revise(office: Office) -> None:
    """Make a second revision, as Triage does."""
    story = office.stage.incidents.incident(INCIDENT)
    office.stage.incidents.change_incident(story, story.model_copy(update={"revision": 2}), "revised", ACTOR, START)


def test_an_earlier_revision_that_ends_last_tells_what_it_contained(office: Office) -> None:
    office.step("verified")
    revise(office)
    assert office.conclude().status == "contained"


def test_an_earlier_revision_that_found_nothing_to_do_leaves_the_incident_to_the_later_one(office: Office) -> None:
    revise(office)
    assert office.conclude().status == "acting"


def test_a_revision_that_ends_while_another_is_at_it_leaves_the_incident_to_that(office: Office) -> None:
    office.step("running")
    revise(office)
    (step,) = office.stage.incidents.steps(INCIDENT)
    step = office.stage.incidents.change_step(step, step.model_copy(update={"revision": 2}), ACTOR, START)
    assert office.conclude().status == "acting"
    office.stage.incidents.change_step(step, step.model_copy(update={"status": "failed"}), ACTOR, START)
    assert office.conclude().status == "open"  # the earlier one ends last, and tells


@pytest.mark.parametrize("status", ["decided", "planned", "asking"])
def test_an_undo_settles_what_had_not_begun(office: Office, status: str) -> None:
    office.step(status)
    assert office.conclude("undo").status == "closed"
    (step,) = office.stage.incidents.steps(INCIDENT)
    assert step.status == "refused"
    assert "before it began" in (step.error or "")


@pytest.mark.parametrize("status", ["running", "applied"])
def test_an_undo_settles_evidence_that_was_under_way_and_keeps_it(office: Office, status: str) -> None:
    office.step(status, "ebs.snapshot_volumes")
    assert office.conclude("undo").status == "closed"
    (step,) = office.stage.incidents.steps(INCIDENT)
    assert step.status == "failed"
    assert "released while it ran; what it did is kept" in (step.error or "")


def test_what_was_removed_stays_removed_where_something_cannot_be_taken_back(office: Office) -> None:
    office.step("undo_failed")
    story = office.stage.incidents.incident(INCIDENT)
    for status in ("acting", "eradicated"):
        story = office.stage.incidents.change_incident(
            story, story.model_copy(update={"status": status}), status, ACTOR, START
        )
    assert office.conclude("undo").status == "eradicated"


def test_an_earlier_revision_leaves_the_steps_of_a_later_one_alone(office: Office) -> None:
    office.step("decided")
    (step,) = office.stage.incidents.steps(INCIDENT)
    office.stage.incidents.change_step(step, step.model_copy(update={"revision": 2}), ACTOR, START)
    revise(office)
    office.conclude()
    (step,) = office.stage.incidents.steps(INCIDENT)
    assert step.status == "decided"


def execution(number: int) -> Execution:
    return Execution(incident=f"inc-{number:012x}", revision=1, mode="respond", attempt=1, lane="bulk")


def test_a_slot_is_taken_and_given_back_once(office: Office) -> None:
    first, second, third = (execution(number) for number in range(3))
    assert office.admission.enter(first, 2, START)
    assert office.admission.enter(first, 2, START)
    assert office.admission.enter(second, 2, START)
    assert not office.admission.enter(third, 2, START)
    assert not office.admission.enter(third, 2, START)
    assert office.admission.waiting() == [third]
    office.admission.leave(first.name)
    office.admission.leave(first.name)
    assert office.admission.enter(third, 2, START)
    assert not office.admission.enter(execution(4), 2, START)


def test_sweep_starts_what_waits_as_soon_as_there_is_room_and_once(office: Office) -> None:
    for number in range(5):
        office.admission.enter(execution(number), 2, START)
    assert office.sweep.scheduled(ACTOR, lambda: 60.0)["started"] == 0
    office.admission.leave(execution(0).name)
    assert office.sweep.scheduled(ACTOR, lambda: 60.0)["started"] == 1
    assert office.started.names == [execution(2).name]
    assert office.sweep.scheduled(ACTOR, lambda: 60.0)["started"] == 0
    assert office.admission.waiting() == [execution(3), execution(4)]


def test_a_slot_for_what_ran_and_is_over_is_given_back(office: Office) -> None:
    for number in range(3):
        office.admission.enter(execution(number), 2, START)
    office.admission.leave(execution(0).name)
    office.started.names, office.started.over = [execution(2).name], True  # a sweep started it, and was stopped
    assert office.sweep.scheduled(ACTOR, lambda: 60.0)["started"] == 0
    assert office.admission.waiting() == []
    assert office.admission.enter(execution(4), 2, START)
    assert not office.admission.enter(execution(5), 2, START)


def test_an_execution_that_ended_badly_is_tried_again_and_then_people_are_told(office: Office) -> None:
    names = [f"{INCIDENT}-r1-respond-a{attempt}" for attempt in (1, 2, 3)]
    assert office.sweep.ended(names[0], "FAILED", ACTOR)
    assert office.started.names == names[1:2]
    assert office.sweep.ended(names[0], "FAILED", ACTOR), "told twice, since the first telling may have been cut short"
    assert office.started.names == names[1:2]
    assert office.sweep.ended(names[1], "TIMED_OUT", ACTOR)
    assert not office.sweep.ended(names[0], "FAILED", ACTOR), "a late one starts nothing any more"
    assert not office.sweep.ended(names[2], "ABORTED", ACTOR)
    assert office.started.names == names[1:]
    assert f"Incident {INCIDENT} needs a person" in office.stage.notices.told


def test_an_execution_of_a_fenced_incident_is_not_tried_again_but_its_undo_is(office: Office) -> None:
    story = office.stage.incidents.incident(INCIDENT)
    office.stage.incidents.change_incident(story, story.model_copy(update={"fenced": 1}), "fenced", ACTOR, START)
    assert not office.sweep.ended(f"{INCIDENT}-r1-respond-a1", "FAILED", ACTOR)
    undo = Execution(incident=INCIDENT, revision=1, mode="undo", attempt=1)
    office.stage.incidents.want_execution(undo, START)
    assert office.sweep.ended(undo.name, "FAILED", ACTOR)


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("somebody-elses", "FAILED"),
        (f"{INCIDENT}-r1-respond-a1", "SUCCEEDED"),
        (f"{INCIDENT}-r1-respond-a1\n", "FAILED"),
        (f"{INCIDENT}-r1-destroy-a1", "FAILED"),
        ("", ""),
    ],
    ids=["foreign", "succeeded", "newline", "no mode of ours", "empty"],
)
def test_what_is_no_bad_end_of_ours_is_refused(office: Office, name: str, status: str) -> None:
    with pytest.raises(InputError):
        office.sweep.ended(name, status, ACTOR)


@pytest.mark.parametrize(
    ("status", "days", "after"), [("open", 8, "closed"), ("open", 6, "open"), ("contained", 99, "contained")]
)
def test_an_idle_open_incident_is_closed_and_a_contained_one_is_not(
    office: Office, status: str, days: int, after: str
) -> None:
    story = office.stage.incidents.incident(INCIDENT)
    office.stage.incidents.change_incident(story, story.model_copy(update={"status": status}), status, ACTOR, START)
    office.stage.world.pass_time(days=days)
    office.sweep.scheduled(ACTOR, lambda: 60.0)
    assert office.stage.incidents.incident(INCIDENT).status == after


def test_the_oldest_of_many_incidents_is_closed_too(office: Office) -> None:
    oldest = office.stage.incidents.incident(INCIDENT)
    office.stage.incidents.change_incident(oldest, oldest.model_copy(update={"status": "open"}), "open", ACTOR, START)
    for number in range(100):
        office.stage.contained_later(number)
    office.stage.world.pass_time(days=8)
    assert office.sweep.scheduled(ACTOR, lambda: 60.0)["closed"] == 1
    assert office.stage.incidents.incident(INCIDENT).status == "closed"


def test_an_incident_in_which_nothing_moves_is_told(office: Office) -> None:
    office.stage.world.pass_time(hours=27)
    office.sweep.scheduled(ACTOR, lambda: 60.0)
    office.stage.world.pass_time(minutes=5)
    office.sweep.scheduled(ACTOR, lambda: 60.0)
    assert office.stage.notices.told == [f"Incident {INCIDENT} is stuck"]
    assert office.stage.incidents.incident(INCIDENT).status == "acting"
    office.stage.world.pass_time(hours=27)
    office.sweep.scheduled(ACTOR, lambda: 60.0)
    assert office.stage.notices.told == [f"Incident {INCIDENT} is stuck"] * 2


def test_one_part_that_fails_does_not_keep_the_others_from_running(office: Office) -> None:
    class Failing(Consents):
        def expire_due(self, now: datetime) -> int:
            raise Retriable("no answer")

    office.stage.consent = Failing()
    for number in range(3):
        office.admission.enter(execution(number), 2, START)
    office.admission.leave(execution(0).name)
    with pytest.raises(Retriable, match="no answer"):
        office.sweep.scheduled(ACTOR, lambda: 60.0)
    assert office.started.names == [execution(2).name]


def test_a_step_row_says_what_conditions_look_at(office: Office) -> None:
    step = office.stage.plan("ec2.isolate_instance")
    assert {name: step_row(step)[name] for name in ("status", "version")} == {"status": "planned", "version": 1}
