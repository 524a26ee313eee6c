"""Plan: what is decided, how the plans of a stage are made and judged, and what an undo takes back."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import pytest

from firebreak.adapters.aws import SessionClients
from firebreak.adapters.finding_table import FindingTable
from firebreak.core.decision import Circumstances
from firebreak.core.deployment import Deployment
from firebreak.core.enricher import Enricher, Enrichment, Fact
from firebreak.core.errors import Denied, TargetMissing, Throttled, Unprepared
from firebreak.core.finding import Finding, Severity
from firebreak.core.incident import Incident
from firebreak.core.playbook import Match, Playbook, Playbooks, PlaybookStep
from firebreak.core.registry import action
from firebreak.core.target import AccessKey, Cluster, Instance, Pod, Target
from firebreak.pipeline.merge import Merge
from firebreak.pipeline.plan import Planner
from firebreak.pipeline.resolve import Resolve
from firebreak.ports import Actor, Execution
from tests.pipeline.stage import INCIDENT, Stage
from tests.world import ACCOUNT, AUTOMATIC, REGION, START

ACTOR = Actor(name="plan", request="request-p")
ISOLATE = PlaybookStep(
    action="ec2.isolate_instance",
    parameters={"cut_tracked": False, "untrack_seconds": 60},
    consent="auto",
    stage="contain",
    effect="reversible",
    target_kind="instance",
)
SNAPSHOT = PlaybookStep(
    action="ebs.snapshot_volumes", consent="auto", stage="preserve", effect="collect", target_kind="instance"
)
BOTH = Playbooks(
    playbooks=(Playbook(name="both", description="d", priority=1, match=Match(), steps=(SNAPSHOT, ISOLATE)),)
)


class Looks(Enricher):
    """An enricher that finds what a test says."""

    name, kinds, reads = "looks", ("instance", "pod"), ()

    def __init__(self, also: dict[str, tuple[Target, ...]] | None = None, tags: dict[str, str] | None = None) -> None:
        self.also, self.tags = also or {}, tags or {"environment": "test"}
        self.error: Exception | None = None
        self.looked: list[str] = []

    def enrich(self, clients: Any, target: Any) -> Enrichment:
        self.looked.append(target.key)
        if self.error is not None:
            raise self.error
        facts = (Fact(name=f"{target.kind}.seen", value=True, about=target.key),)
        return Enrichment(facts=facts, also=self.also.get(target.key, ()), tags=self.tags)


@dataclass
class Started:
    """Executions that were asked for."""

    names: list[str] = field(default_factory=list)

    def start(self, execution: Execution) -> bool:
        self.names.append(execution.name)
        return True


@dataclass
class Prepares:
    """Places that were to be prepared."""

    places: list[tuple[str, str]] = field(default_factory=list)

    def request(self, account: str, region: str) -> None:
        self.places.append((account, region))


@dataclass
class Desk:
    """The stage with a planner at it."""

    stage: Stage
    looks: Looks = field(default_factory=Looks)
    started: Started = field(default_factory=Started)
    prepares: Prepares = field(default_factory=Prepares)
    playbooks: Playbooks = BOTH
    deployment: Deployment = AUTOMATIC

    @property
    def planner(self) -> Planner:
        stage = self.stage
        return Planner(
            incidents=stage.incidents,
            ledger=stage.ledger,
            sessions=stage.sessions,
            consent=stage.consent,
            messenger=stage.notices,
            clock=stage.world.clock,
            playbooks=self.playbooks,
            deployment=self.deployment,
            enrichers={"looks": self.looks},
            action=action,
            merge=Merge(stage.incidents, self.started, stage.consent, stage.world.clock),
            preparation=self.prepares,
        )

    def finding(self, number: int = 1, *targets: Target, incident: str = INCIDENT, **update: Any) -> Finding:
        """Put a finding into an incident, as Triage does."""
        finding = Finding(
            source="guardduty",
            id=f"f{number}",
            account=ACCOUNT,
            region=REGION,
            type="Backdoor:EC2/C&CActivity.B!DNS",
            severity=Severity.HIGH,
            posture="acting",
            targets=targets or (self.stage.instance,),
            created_at=START,
            updated_at=START,
        ).model_copy(update=update)
        story = self.stage.incidents.incident(incident)
        FindingTable(self.stage.ledger._table).join(finding, story, story, None, START)
        return finding

    def incident(self, name: str, **update: Any) -> Incident:
        """Open another incident."""
        from firebreak.adapters.incident_rows import new_incident

        story = self.stage.incidents.incident(INCIDENT).model_copy(update={"id": name, "status": "open", **update})
        written, writes = new_incident(story, "opened", "triage", ())
        self.stage.ledger._table.write_all(*writes)
        return written

    def decide(self, incident: str = INCIDENT, revision: int = 1) -> bool:
        return self.planner.decide(incident, revision, ACTOR, lambda: 60.0)

    def plan(self, stage: Any, incident: str = INCIDENT, revision: int = 1) -> list[str]:
        return [step.step for step in self.planner.stage(incident, revision, stage, ACTOR, lambda: 60.0)]

    def statuses(self, incident: str = INCIDENT) -> dict[str, str]:
        return {step.action: step.status for step in self.stage.incidents.steps(incident)}


@pytest.fixture
def desk(stage: Stage) -> Desk:
    return Desk(stage)


def test_decide_writes_the_steps_that_a_playbook_wants_with_their_reasons(desk: Desk) -> None:
    desk.finding()
    assert desk.decide()
    steps = {step.action: step for step in desk.stage.incidents.steps(INCIDENT)}
    assert {name: step.status for name, step in steps.items()} == {
        "ebs.snapshot_volumes": "decided",
        "ec2.isolate_instance": "decided",
    }
    step = steps["ec2.isolate_instance"]
    assert (step.playbook, step.setting.posture, step.setting.environment) == ("both", "acting", "other")
    assert step.reasons[0] == "guardduty: Backdoor:EC2/C&CActivity.B!DNS"
    (decision,) = desk.stage.incidents.decisions(INCIDENT)
    assert decision["decisions"]


def test_deciding_twice_is_deciding_once(desk: Desk) -> None:
    desk.finding()
    desk.decide()
    before = desk.stage.incidents.steps(INCIDENT)
    assert desk.decide()
    assert desk.stage.incidents.steps(INCIDENT) == before
    assert desk.stage.chains()


def test_a_stage_is_planned_when_it_begins_and_no_sooner(desk: Desk) -> None:
    desk.finding()
    desk.decide()
    (evidence,) = desk.plan("preserve")
    assert desk.statuses() == {"ebs.snapshot_volumes": "planned", "ec2.isolate_instance": "decided"}
    first, containment = desk.plan("contain")
    assert (first, containment.partition("-")[0]) == (evidence, "ec2")
    assert desk.plan("contain") == [first, containment]
    step = next(step for step in desk.stage.incidents.steps(INCIDENT) if step.action == "ec2.isolate_instance")
    assert step.plan is not None
    assert len(step.plan.changes) == 2
    assert step.plan.policy == BOTH.version


@pytest.mark.parametrize(
    ("mode", "statuses", "told"),
    [
        ("observe", {"ebs.snapshot_volumes": "observed", "ec2.isolate_instance": "observed"}, True),
        ("approve", {"ebs.snapshot_volumes": "planned", "ec2.isolate_instance": "planned"}, False),
        ("auto", {"ebs.snapshot_volumes": "planned", "ec2.isolate_instance": "planned"}, False),
    ],
)
def test_the_mode_decides_whether_a_plan_is_told_asked_or_run(
    desk: Desk, mode: str, statuses: dict[str, str], told: bool
) -> None:
    desk.stage.incidents.set_mode(mode, ACTOR, START)
    desk.finding()
    desk.decide()
    desk.plan("preserve")
    desk.plan("contain")
    assert desk.statuses() == statuses
    consents = {step.action: step.consent for step in desk.stage.incidents.steps(INCIDENT)}
    assert consents["ec2.isolate_instance"] == ("ask" if mode == "approve" else "auto")
    assert any("observed" in subject for subject in desk.stage.notices.told) is told


def test_a_protected_target_is_refused_and_told(desk: Desk) -> None:
    desk.looks.tags = {"firebreak:protected": "yes"}
    desk.finding()
    desk.decide()
    desk.plan("contain")
    assert desk.statuses()["ec2.isolate_instance"] == "refused"
    assert any("refused" in subject for subject in desk.stage.notices.told)


def test_a_victim_is_never_contained_without_asking(desk: Desk) -> None:
    desk.finding(posture="victim")
    desk.decide()
    desk.plan("contain")
    (step,) = [step for step in desk.stage.incidents.steps(INCIDENT) if step.stage == "contain"]
    assert (step.status, step.consent) == ("planned", "ask")


def test_a_finding_that_names_too_many_targets_asks(desk: Desk) -> None:
    others = [Instance(account=ACCOUNT, region=REGION, instance_id=f"i-{number:017x}") for number in range(4)]
    desk.finding(1, desk.stage.instance, *others)
    desk.decide()
    desk.plan("contain")
    consents = {step.consent for step in desk.stage.incidents.steps(INCIDENT) if step.status == "planned"}
    assert consents == {"ask"}


def test_what_an_earlier_stage_left_planned_goes_on_with_a_later_one(desk: Desk) -> None:
    desk.finding()
    desk.decide()
    (evidence,) = desk.plan("preserve")
    assert desk.plan("contain")[0] == evidence  # its answer was lost, and nobody follows it
    (step,) = (step for step in desk.stage.incidents.steps(INCIDENT) if step.id == evidence)
    desk.stage.incidents.change_step(step, step.model_copy(update={"status": "running"}), ACTOR, START)
    assert evidence not in desk.plan("contain")


def test_what_an_earlier_revision_left_to_plan_or_planned_goes_on_with_a_later_one(desk: Desk) -> None:
    desk.finding()
    desk.decide()
    for _ in range(2):  # planned in passing the first time, and read as that the second
        assert "ebs.snapshot_volumes" in {desk.stage.step(step).action for step in desk.plan("preserve", revision=2)}
    (step,) = (step for step in desk.stage.incidents.steps(INCIDENT) if step.stage == "preserve")
    desk.stage.incidents.change_step(step, step.model_copy(update={"status": "running"}), ACTOR, START)
    assert desk.plan("preserve", revision=2) == []
    assert desk.plan("preserve") == [step.id]


def test_beyond_the_hourly_budget_a_person_is_asked_and_a_repeated_plan_spends_nothing(desk: Desk) -> None:
    desk.deployment = AUTOMATIC.model_copy(
        update={"guard": AUTOMATIC.guard.model_copy(update={"budgets": {"ec2.isolate_instance": 1}})}
    )
    incidents, now = desk.stage.incidents, desk.stage.world.clock()
    assert incidents.spend("ec2.isolate_instance", ACCOUNT, "a", 1, now)
    assert incidents.spend("ec2.isolate_instance", ACCOUNT, "a", 1, now)
    assert not incidents.spend("ec2.isolate_instance", ACCOUNT, "b", 1, now)
    desk.finding()
    desk.decide()
    desk.plan("contain")
    (step,) = [step for step in incidents.steps(INCIDENT) if step.stage == "contain"]
    assert step.consent == "ask"
    desk.stage.world.pass_time(hours=1)
    assert incidents.spend("ec2.isolate_instance", ACCOUNT, "b", 1, desk.stage.world.clock())


def test_a_target_that_is_not_there_is_noted_and_planned_for_by_nobody(desk: Desk) -> None:
    desk.looks.error = TargetMissing("no such instance")
    desk.finding()
    assert desk.decide()
    assert desk.statuses() == {}
    (decision,) = desk.stage.incidents.decisions(INCIDENT)
    assert "no such instance" in decision["notes"][0]


def test_an_account_without_our_roles_is_told_as_such(desk: Desk) -> None:
    desk.looks.error = Denied("assume_role: AccessDenied")
    desk.finding()
    assert desk.decide()
    assert desk.statuses() == {}
    assert "could not be looked up" in desk.stage.incidents.decisions(INCIDENT)[0]["notes"][0]


def test_a_throttled_look_up_is_tried_again_and_writes_nothing(desk: Desk) -> None:
    desk.looks.error = Throttled("slow down")
    desk.finding()
    with pytest.raises(Throttled):
        desk.decide()
    assert desk.stage.incidents.decisions(INCIDENT) == []
    desk.looks.error = None
    assert desk.decide()


def test_a_missing_quarantine_group_wakes_prepare_and_the_other_steps_are_planned(desk: Desk) -> None:
    ec2 = desk.stage.world.client("ec2")
    for group in ec2.describe_security_groups()["SecurityGroups"]:
        if group["GroupName"].startswith("firebreak-"):
            ec2.delete_security_group(GroupId=group["GroupId"])
    desk.finding()
    desk.decide()
    with pytest.raises(Unprepared):
        desk.plan("contain")
    assert desk.prepares.places == [(ACCOUNT, REGION)]
    assert desk.plan("preserve")


def test_a_later_revision_adds_steps_and_takes_up_what_was_not_done(desk: Desk) -> None:
    desk.stage.incidents.set_mode("observe", ACTOR, START)
    desk.finding()
    desk.decide()
    desk.plan("preserve")
    desk.plan("contain")
    assert desk.statuses()["ec2.isolate_instance"] == "observed"
    desk.stage.incidents.set_mode("auto", ACTOR, START)
    story = desk.stage.incidents.incident(INCIDENT)
    desk.stage.incidents.change_incident(story, story.model_copy(update={"revision": 2}), "revised", ACTOR, START)
    assert not desk.decide(revision=1)
    assert desk.decide(revision=2)
    assert len(desk.plan("contain", revision=2)) == 1
    assert desk.statuses()["ec2.isolate_instance"] == "planned"
    assert desk.stage.chains()


def test_an_execution_that_is_tried_again_sees_its_own_steps_through_beside_a_later_revision(desk: Desk) -> None:
    desk.finding()
    desk.decide()
    planned = desk.plan("contain")
    story = desk.stage.incidents.incident(INCIDENT)
    desk.stage.incidents.change_incident(story, story.model_copy(update={"revision": 2}), "revised", ACTOR, START)
    assert desk.decide(revision=1)
    assert desk.plan("contain", revision=1) == planned
    assert desk.decide(revision=2)
    assert desk.plan("contain", revision=2) == planned  # it cannot tell whether the other still follows it


def test_a_later_revision_repeats_nothing_that_was_done_or_denied(desk: Desk) -> None:
    desk.finding()
    desk.decide()
    for step in desk.stage.incidents.steps(INCIDENT):
        status = "verified" if step.stage == "preserve" else "denied"
        desk.stage.incidents.change_step(step, step.model_copy(update={"status": status}), ACTOR, START)
    story = desk.stage.incidents.incident(INCIDENT)
    desk.stage.incidents.change_incident(story, story.model_copy(update={"revision": 2}), "revised", ACTOR, START)
    assert desk.decide(revision=2)
    assert desk.plan("preserve", revision=2) == desk.plan("contain", revision=2) == []
    assert desk.statuses() == {"ebs.snapshot_volumes": "verified", "ec2.isolate_instance": "denied"}


def test_a_pod_leads_to_its_node_and_instance_and_all_three_are_locked(desk: Desk) -> None:
    pod = Pod(account=ACCOUNT, region=REGION, cluster="prod", namespace="shop", name="cart")
    cluster = Cluster(account=ACCOUNT, region=REGION, name="prod")
    desk.looks.also = {pod.key: (desk.stage.instance,)}
    desk.finding(1, pod, cluster)
    assert desk.decide()
    locked = {row["pk"] for row in desk.stage.world.rows().values() if row["sk"] == "LOCK"}
    assert locked == {f"LOCK#{pod.key}", f"LOCK#{desk.stage.instance.key}"}
    assert set(desk.stage.incidents.incident(INCIDENT).locks) == {pod.key, desk.stage.instance.key}


def test_a_finding_without_a_place_to_look_is_decided_by_what_it_says(desk: Desk) -> None:
    key = AccessKey(account=ACCOUNT, region="global", access_key_id="AKIAIOSFODNN7EXAMPLE")
    desk.finding(1, key)
    assert desk.decide()
    assert desk.looks.looked == []
    assert desk.statuses() == {}


def test_the_younger_of_two_incidents_that_meet_is_merged_into_the_older(desk: Desk) -> None:
    desk.finding()
    desk.decide()
    desk.stage.world.pass_time(minutes=1)
    younger = desk.incident("inc-ba9876543210", created_at=desk.stage.world.clock(), locks=("name",))
    desk.stage.incidents.claim_locks(younger, ("name",), START)
    desk.finding(2, incident=younger.id)
    assert not desk.decide(younger.id)
    story = desk.stage.incidents.incident(younger.id)
    assert (story.status, story.merged_into) == ("merged", INCIDENT)
    older = desk.stage.incidents.incident(INCIDENT)
    assert (older.revision, older.absorbed) == (2, (younger.id,))
    assert desk.started.names == [f"{INCIDENT}-r2-respond-a1"]
    assert {finding.id for finding in desk.stage.incidents.findings(INCIDENT)} == {"f1", "f2"}
    owners = {row["incident"] for row in desk.stage.world.rows().values() if row["sk"] == "LOCK"}
    assert owners == {INCIDENT}


def test_an_older_incident_that_comes_later_takes_the_younger_over(desk: Desk) -> None:
    younger = desk.incident("inc-ba9876543210", created_at=START.replace(hour=11))
    desk.finding(2, incident=younger.id)
    desk.decide(younger.id)
    desk.finding()
    assert desk.decide()
    assert desk.stage.incidents.incident(younger.id).merged_into == INCIDENT
    assert {finding.id for finding in desk.stage.incidents.findings(INCIDENT)} == {"f1", "f2"}


def test_a_lock_of_an_ended_incident_is_taken_over(desk: Desk) -> None:
    ended = desk.incident("inc-ba9876543210", created_at=START.replace(hour=9))
    desk.stage.incidents.claim_locks(ended, (desk.stage.instance.key,), START)
    desk.stage.incidents.change_incident(ended, ended.model_copy(update={"status": "closed"}), "closed", ACTOR, START)
    desk.finding()
    assert desk.decide()
    assert desk.stage.incidents.incident(INCIDENT).status == "acting"


def test_an_undo_fences_first_and_lists_what_was_done_newest_first(desk: Desk) -> None:
    first = desk.stage.plan("ec2.isolate_instance", id="first")
    desk.stage.settle(first.id)
    later = first.model_copy(
        update={"id": "second", "status": "verified", "started_at": START.replace(hour=12), "version": 0, "head": ""}
    )
    never = first.model_copy(update={"id": "third", "status": "denied", "version": 0, "head": ""})
    taken = first.model_copy(
        update={"id": "fourth", "status": "verified", "effect": "collect", "version": 0, "head": ""}
    )
    desk.stage.incidents.add_steps(INCIDENT, [later, never, taken], ACTOR, START)
    listed = [step.step for step in desk.planner.undo(INCIDENT, ACTOR)]
    assert listed == ["second", "first"]
    assert desk.stage.incidents.incident(INCIDENT).fenced == 1
    assert [step.step for step in desk.planner.undo(INCIDENT, ACTOR)] == listed
    assert not desk.decide()
    assert desk.plan("contain") == []


@pytest.mark.parametrize("status", ["closed", "merged"])
def test_nothing_is_decided_for_an_incident_that_is_over(desk: Desk, status: str) -> None:
    story = desk.stage.incidents.incident(INCIDENT)
    desk.stage.incidents.change_incident(story, story.model_copy(update={"status": status}), status, ACTOR, START)
    assert not desk.decide()


def resolver(looks: Looks, clients: SessionClients | None = None) -> Resolve:
    return Resolve({"looks": looks}, lambda account, region: clients, AUTOMATIC.environment.of)  # type: ignore[arg-type, return-value]


def test_look_ups_end_however_targets_name_each_other() -> None:
    targets = [Instance(account=ACCOUNT, region=REGION, instance_id=f"i-{number:017x}") for number in range(200)]
    looks = Looks({target.key: (other, target) for target, other in itertools.pairwise(targets)})
    found = resolver(looks)(targets[:1])
    assert len(looks.looked) == len(set(looks.looked)) == 50
    assert found.incomplete
    assert "more than 50 targets" in found.notes[-1]


@pytest.mark.parametrize(
    ("tags", "environment"),
    [
        ({"environment": "test"}, "other"),
        ({"environment": "prod"}, "production"),
        ({"x": "y"}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_the_environment_is_read_from_tags_and_unknown_where_they_are_silent(
    tags: dict[str, str], environment: str
) -> None:
    looks = Looks()
    looks.tags = tags
    found = resolver(looks)([Instance(account=ACCOUNT, region=REGION, instance_id="i-0abcd1234abcd1234")])
    assert found.circumstances.environment == environment


def test_two_targets_with_one_fact_show_both_values() -> None:
    class Counting(Looks):
        def enrich(self, clients: Any, target: Any) -> Enrichment:
            super().enrich(clients, target)
            return Enrichment(facts=(Fact(name="n", value=len(self.looked), about=target.key),))

    targets = [Instance(account=ACCOUNT, region=REGION, instance_id=f"i-{number:017x}") for number in range(2)]
    assert resolver(Counting())(targets).circumstances == Circumstances(
        facts={"n": (1, 2)}, kinds=frozenset({"instance"})
    )
