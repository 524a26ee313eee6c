"""Execute: one step, whatever happens to the process, the target and the people around it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

import sandbox.moto_cures
from firebreak.adapters.incident_rows import attempt_write, new_incident
from firebreak.adapters.incident_table import IncidentTable
from firebreak.adapters.ledger_table import LedgerTable
from firebreak.adapters.sts import MemberSessions
from firebreak.adapters.table import Table
from firebreak.core.action import AnyAction
from firebreak.core.audit import broken_link
from firebreak.core.deployment import Deployment
from firebreak.core.errors import Held, NoConsent, Retriable
from firebreak.core.finding import Severity
from firebreak.core.incident import Incident, Setting, StepRecord
from firebreak.core.plan import Plan
from firebreak.core.quarantine import DESCRIPTIONS, NAMES
from firebreak.core.registry import action
from firebreak.core.target import Instance
from firebreak.pipeline.execute import Answer, Execute, Operation
from firebreak.ports import Actor
from tests.faults import Killed, counted
from tests.world import ACCOUNT, AUTOMATIC, REGION, START, World, world

sandbox.moto_cures.install()
INCIDENT = "inc-0123456789ab"


@dataclass
class Consents:
    """Consent that is given or not, as a test says."""

    because: str | None = None
    redeemed: list[str] = field(default_factory=list)

    def redeem(self, step: StepRecord, holder: str, now: datetime) -> None:
        if self.because is not None:
            raise NoConsent(self.because, "as the test says")
        self.redeemed.append(holder)

    def cancel(self, incident: str, now: datetime) -> None:
        """Nothing is open."""

    def expire_due(self, now: datetime) -> int:
        return 0


@dataclass
class Notices:
    """What people were told."""

    told: list[str] = field(default_factory=list)

    def tell(self, subject: str, lines: Any, *, incident: str | None = None) -> None:
        self.told.append(subject)


@dataclass
class Stage:
    """An instance with two interfaces, an incident about it, and what executes its steps."""

    world: World
    incidents: IncidentTable
    ledger: LedgerTable
    sessions: MemberSessions
    instance: Instance
    consent: Consents = field(default_factory=Consents)
    notices: Notices = field(default_factory=Notices)
    deployment: Deployment = AUTOMATIC
    left: float = 60.0

    @property
    def execute(self) -> Execute:
        return Execute(
            self.incidents,
            self.ledger,
            self.sessions,
            self.consent,
            self.notices,
            self.world.clock,
            self.deployment,
            action,
        )

    def run(self, step: str, operation: Operation = "run", mode: Any = "respond", request: str | None = None) -> Answer:
        self.world.requests += 1
        actor = Actor(name="execute", request=request or f"request-{self.world.requests}")
        return self.execute.handle(INCIDENT, step, mode, operation, actor, lambda: self.left)

    def settle(self, step: str, mode: Any = "respond") -> StepRecord:
        """Run a step as the state machine does: again and again, with its waits and its retries."""
        for _ in range(30):
            try:
                answer = self.run(step, mode=mode)
            except Held:
                self.world.pass_time(seconds=60)
                continue
            if answer.status == "settled":
                return self.step(step)
            self.world.pass_time(seconds=answer.after)
        raise AssertionError(f"{step} does not settle: {self.step(step)}")

    def step(self, step: str) -> StepRecord:
        return next(record for record in self.incidents.steps(INCIDENT) if record.id == step)

    def groups(self) -> dict[str, list[str]]:
        """Names of the groups on each interface."""
        found = self.world.client("ec2").describe_network_interfaces(
            Filters=[{"Name": "attachment.instance-id", "Values": [self.instance.instance_id]}]
        )["NetworkInterfaces"]
        return {eni["NetworkInterfaceId"]: sorted(group["GroupName"] for group in eni["Groups"]) for eni in found}

    def isolated(self) -> bool:
        return all(groups == ["firebreak-sealed"] for groups in self.groups().values())

    def plan(self, name: str, parameters: dict[str, Any] | None = None, **update: Any) -> StepRecord:
        """Plan a step and put it into the table, as Plan does."""
        unit: AnyAction = action(name)
        checked = unit.parameters.model_validate(parameters or {})
        draft = unit.plan(self.sessions.observer(ACCOUNT, REGION, INCIDENT, lambda: 60.0), self.instance, checked)
        step = StepRecord(
            id=f"{name.replace('.', '-')}-1",
            incident=INCIDENT,
            revision=1,
            order=0,
            action=name,
            effect=unit.effect,
            stage=unit.stage,
            target=self.instance,
            parameters=checked.model_dump(mode="json"),
            consent="auto",
            playbook="test",
            setting=Setting(posture="acting", environment="other"),
            status="planned",
        )
        plan = Plan(
            **draft.model_dump(),
            action=name,
            incident=INCIDENT,
            revision=1,
            step=step.id,
            target=self.instance,
            parameters=step.parameters,
            policy="p",
        )
        step = step.model_copy(update={"plan": plan, **update})
        self.incidents.add_steps(INCIDENT, [step], Actor(name="plan", request="p"), self.world.clock())
        return self.step(step.id)

    def chains(self) -> bool:
        """Whether every audit chain is whole."""
        trail = self.incidents.trail(INCIDENT)
        names = {record.chain for record in trail}
        return all(broken_link(record for record in trail if record.chain == name) is None for name in names)


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    with world(tmp_path) as place:
        yield set_up(place)


def quarantine(ec2: Any, vpc: str) -> None:
    """Make the quarantine groups of a VPC as Prepare leaves them."""
    sealed, untrack = (
        ec2.create_security_group(GroupName=NAMES[kind], Description=DESCRIPTIONS[kind], VpcId=vpc)["GroupId"]
        for kind in ("sealed", "untrack")
    )
    egress = ec2.describe_security_groups(GroupIds=[sealed])["SecurityGroups"][0]["IpPermissionsEgress"]
    ec2.revoke_security_group_egress(GroupId=sealed, IpPermissions=egress)
    v4, v6 = {"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}, {"Ipv6Ranges": [{"CidrIpv6": "::/0"}]}
    ec2.authorize_security_group_ingress(GroupId=untrack, IpPermissions=[{"IpProtocol": "-1", **v4, **v6}])
    ec2.authorize_security_group_egress(GroupId=untrack, IpPermissions=[{"IpProtocol": "-1", **v6}])


def set_up(place: World) -> Stage:
    ec2 = boto3.client("ec2", region_name=REGION)
    place.clients["ec2"] = ec2
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    web = ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc)["GroupId"]
    instance = ec2.run_instances(
        ImageId="ami-12345678", MinCount=1, MaxCount=1, SubnetId=subnet, SecurityGroupIds=[web]
    )["Instances"][0]["InstanceId"]
    second = ec2.create_network_interface(SubnetId=subnet, Groups=[web])["NetworkInterface"]["NetworkInterfaceId"]
    ec2.attach_network_interface(NetworkInterfaceId=second, InstanceId=instance, DeviceIndex=1)
    session = boto3.Session(region_name=REGION)
    table = Table(place.client("dynamodb"), "firebreak", pause=lambda seconds: None)
    sessions = MemberSessions(session, AUTOMATIC, action, lambda clients, cluster: None)  # type: ignore[arg-type, return-value]
    quarantine(ec2, vpc)
    incident = Incident(
        id=INCIDENT,
        status="acting",
        revision=1,
        lane="urgent",
        severity=Severity.HIGH,
        title="test",
        account=ACCOUNT,
        region=REGION,
        created_at=START,
        updated_at=START,
    )
    _, writes = new_incident(incident, "opened", "triage", ())
    table.write_all(*writes, attempt_write(INCIDENT, 1, "respond", "urgent", START))
    target = Instance(account=ACCOUNT, region=REGION, instance_id=instance)
    return Stage(place, IncidentTable(table), LedgerTable(table), sessions, target)


ISOLATE, CUT = "ec2.isolate_instance", {"cut_tracked": True, "untrack_seconds": 60}


def test_an_isolation_is_verified_and_its_trail_is_whole(stage: Stage) -> None:
    step = stage.plan(ISOLATE)
    assert not stage.isolated()
    done = stage.settle(step.id)
    assert done.status == "verified"
    assert stage.isolated()
    assert len(done.outcome) == 2
    assert [record.event for record in stage.incidents.trail(INCIDENT) if record.chain == step.id] == [
        "planned",
        "running",
        "verified",
    ]
    assert stage.chains()


def test_a_second_run_of_a_settled_step_changes_nothing(stage: Stage) -> None:
    step = stage.plan(ISOLATE)
    stage.settle(step.id)
    with counted() as calls:
        assert stage.run(step.id) == Answer(status="settled")
    assert calls.seen == ["dynamodb.BatchGetItem"]


def test_undo_gives_every_interface_its_own_groups_back(stage: Stage) -> None:
    before = stage.groups()
    step = stage.plan(ISOLATE)
    stage.settle(step.id)
    assert stage.settle(step.id, mode="undo").status == "undone"
    assert stage.groups() == before
    assert stage.ledger.baseline(stage.instance, "network") is None


def test_untracking_waits_and_an_early_call_does_not_shorten_the_wait(stage: Stage) -> None:
    step = stage.plan(ISOLATE, CUT)
    assert stage.run(step.id) == Answer(status="again", after=60)
    assert set(map(tuple, stage.groups().values())) == {("firebreak-untrack",)}
    stage.world.pass_time(seconds=20)
    assert stage.run(step.id) == Answer(status="again", after=40)
    assert set(map(tuple, stage.groups().values())) == {("firebreak-untrack",)}
    stage.world.pass_time(seconds=40)
    assert stage.run(step.id).outcome == "verified"
    assert stage.isolated()


@pytest.mark.parametrize("parameters", [{}, CUT], ids=["straight", "cut tracked"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_crash_at_any_call_and_another_run_end_in_the_same_state(
    stage: Stage, parameters: dict[str, Any], after: bool
) -> None:
    kill = 0
    while True:
        kill += 1
        step = stage.plan(ISOLATE, parameters, id=f"isolate-{kill}")
        before = stage.groups()
        with counted(kill, after=after) as calls, contextlib.suppress(Killed):
            stage.settle(step.id)
        stage.sessions._observers.clear()
        assert stage.settle(step.id).status == "verified", f"killed at {kill}: {calls.seen}"
        assert stage.isolated()
        assert stage.chains()
        assert stage.settle(step.id, mode="undo").status == "undone"
        assert stage.groups() == before
        if not calls.reached:
            break
    assert kill > 8


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_an_undo_that_crashes_at_any_call_restores_the_same_groups(stage: Stage, after: bool) -> None:
    kill = 0
    while True:
        kill += 1
        before = stage.groups()
        step = stage.plan(ISOLATE, id=f"isolate-{kill}")
        stage.settle(step.id)
        with counted(kill, after=after) as calls, contextlib.suppress(Killed):
            stage.settle(step.id, mode="undo")
        assert stage.settle(step.id, mode="undo").status == "undone", f"killed at {kill}: {calls.seen}"
        assert stage.groups() == before
        assert stage.chains()
        if not calls.reached:
            break
    assert kill > 8


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_an_isolation_that_is_killed_and_given_up_ends_sealed(stage: Stage, after: bool) -> None:
    kill = 0
    while True:
        kill += 1
        before = stage.groups()
        step = stage.plan(ISOLATE, CUT, id=f"isolate-{kill}")
        with counted(kill, after=after) as calls, contextlib.suppress(Killed):
            stage.settle(step.id)
        stage.world.pass_time(seconds=120)
        stage.run(step.id, "secure")
        groups = set(map(tuple, stage.groups().values()))
        assert groups in ({("firebreak-sealed",)}, {("web",)}), f"killed at {kill}: {calls.seen}"
        stage.settle(step.id, mode="undo")
        assert stage.groups() == before
        if not calls.reached:
            break
    assert kill > 8


def test_a_frozen_run_that_wakes_up_after_a_release_changes_nothing(stage: Stage) -> None:
    step = stage.plan(ISOLATE)
    before = stage.groups()
    with counted(7), pytest.raises(Killed):  # frozen just before its first change
        stage.run(step.id, request="frozen")
    with pytest.raises(Held):
        stage.run(step.id, request="second")
    stage.world.pass_time(seconds=76)  # the frozen invocation is over its timeout: it is dead by now
    stage.settle(step.id)
    stage.settle(step.id, mode="undo")
    assert stage.groups() == before


def test_a_target_that_a_person_changed_is_not_overwritten(stage: Stage) -> None:
    step = stage.plan(ISOLATE)
    ec2, vpc = stage.world.client("ec2"), None
    eni = sorted(stage.groups())[0]
    vpc = ec2.describe_network_interfaces(NetworkInterfaceIds=[eni])["NetworkInterfaces"][0]["VpcId"]
    other = ec2.create_security_group(GroupName="person", Description="p", VpcId=vpc)["GroupId"]
    ec2.modify_network_interface_attribute(NetworkInterfaceId=eni, Groups=[other])
    changed = stage.groups()
    assert stage.settle(step.id).status == "stale"
    assert stage.groups() == changed
    assert stage.notices.told == [f"ec2.isolate_instance on {stage.instance.instance_id}: stale"]


def test_a_target_that_is_gone_settles_the_step_as_gone(stage: Stage) -> None:
    step = stage.plan(ISOLATE)
    stage.world.client("ec2").terminate_instances(InstanceIds=[stage.instance.instance_id])
    assert stage.settle(step.id).status == "gone"


@pytest.mark.parametrize(
    ("because", "status"),
    [("denied", "denied"), ("expired", "expired"), ("missing", "expired"), ("changed", "refused"), (None, "verified")],
)
def test_a_step_that_asks_runs_only_with_consent(stage: Stage, because: str | None, status: str) -> None:
    stage.consent.because = because
    step = stage.plan(ISOLATE, consent="ask")
    assert stage.settle(step.id).status == status
    assert stage.isolated() is (status == "verified")


def test_an_open_question_is_waited_for(stage: Stage) -> None:
    stage.consent.because = "pending"
    step = stage.plan(ISOLATE, consent="ask")
    assert stage.run(step.id) == Answer(status="again", after=10)
    stage.consent.because = None
    assert stage.settle(step.id).status == "verified"


def test_the_kill_switch_stops_what_has_not_begun(stage: Stage) -> None:
    step = stage.plan(ISOLATE)
    person = Actor(name="person", request="cli")
    stage.incidents.set_halt(True, person, stage.world.clock())
    assert stage.settle(step.id).status == "refused"
    assert not stage.isolated()


def test_the_kill_switch_leaves_nothing_half_open(stage: Stage) -> None:
    step = stage.plan(ISOLATE, CUT)
    stage.run(step.id)
    stage.incidents.set_halt(True, Actor(name="person", request="cli"), stage.world.clock())
    before = {interface: ["web"] for interface in stage.groups()}
    assert stage.settle(step.id).status == "failed"
    assert stage.isolated()
    assert stage.settle(step.id, mode="undo").status == "undone"
    assert stage.groups() == before


def test_undo_ignores_the_kill_switch_and_the_mode(stage: Stage) -> None:
    before = stage.groups()
    step = stage.plan(ISOLATE)
    stage.settle(step.id)
    person = Actor(name="person", request="cli")
    stage.incidents.set_halt(True, person, stage.world.clock())
    stage.incidents.set_mode("observe", person, stage.world.clock())
    assert stage.settle(step.id, mode="undo").status == "undone"
    assert stage.groups() == before


def test_a_mode_that_was_tightened_after_the_plan_holds(stage: Stage) -> None:
    step = stage.plan(ISOLATE)
    stage.incidents.set_mode("observe", Actor(name="person", request="cli"), stage.world.clock())
    assert stage.settle(step.id).status == "observed"
    assert not stage.isolated()


def test_a_fenced_incident_changes_nothing_more(stage: Stage) -> None:
    step = stage.plan(ISOLATE)
    story = stage.incidents.incident(INCIDENT)
    actor = Actor(name="plan", request="undo")
    stage.incidents.change_incident(story, story.model_copy(update={"fenced": 1}), "fenced", actor, START)
    assert stage.settle(step.id).status == "refused"
    assert not stage.isolated()


def test_an_undo_leaves_what_another_incident_still_holds(stage: Stage) -> None:
    step = stage.plan(ISOLATE)
    stage.settle(step.id)
    other = step.model_copy(update={"incident": "inc-ba9876543210", "version": 0, "head": ""})
    stage.ledger._table.write_all(
        *new_incident(
            stage.incidents.incident(INCIDENT).model_copy(update={"id": other.incident}), "opened", "triage", ()
        )[1]
    )
    stage.incidents.add_steps(other.incident, [other], Actor(name="plan", request="p"), START)
    joined = stage.incidents.steps(other.incident)[0]
    assert stage.ledger.baseline(stage.instance, "network") is not None
    stage.execute.handle(
        other.incident, joined.id, "respond", "run", Actor(name="execute", request="other"), lambda: 60.0
    )
    assert stage.settle(step.id, mode="undo").status == "undone"
    assert stage.isolated()
    stage.execute.handle(other.incident, joined.id, "undo", "run", Actor(name="execute", request="last"), lambda: 60.0)
    assert not stage.isolated()


def test_too_little_time_left_begins_no_change_and_gives_the_lease_back(stage: Stage) -> None:
    step = stage.plan(ISOLATE)
    stage.left = 5.0
    with pytest.raises(Retriable, match="5 s left"):
        stage.run(step.id)
    assert not stage.isolated()
    stage.left = 60.0
    assert stage.run(step.id).outcome == "verified"


def test_snapshots_are_verified_and_leave_no_before_state(stage: Stage) -> None:
    step = stage.plan("ebs.snapshot_volumes")
    assert stage.settle(step.id).status == "verified"
    assert stage.ledger.baseline(stage.instance, "evidence") is None
    assert stage.settle(step.id, mode="undo").status == "verified"
