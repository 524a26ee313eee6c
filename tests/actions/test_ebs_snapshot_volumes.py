"""What is special about snapshots: one moment, tags, states, and evidence that outlives the instance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.ec2.models import ec2_backends

from firebreak.actions.ebs_snapshot_volumes import PLAN_TAG, TAGS_ALLOWED, SnapshotVolumes
from firebreak.adapters.aws import SessionClients
from firebreak.core.action import NoParameters
from firebreak.core.errors import AwsError, FirebreakError, PlanStale, Retriable, TargetMissing
from firebreak.core.grant import Grant
from firebreak.core.plan import Done, Plan
from firebreak.core.target import Instance
from tests.contract.bench import CachedSession, bind
from tests.contract.scenes import ACCOUNT, REGION
from tests.ec2_world import attach_volume, cured_moto, launch, vpc

ACTION = SnapshotVolumes()
SESSION = CachedSession()


@pytest.fixture(autouse=True)
def aws() -> Iterator[None]:
    with cured_moto():
        yield


class World:
    """An instance with a root volume and a data volume."""

    def __init__(self) -> None:
        self.ec2 = SESSION.client("ec2")
        self.clients = SessionClients(SESSION, REGION)
        _, subnet = vpc(self.ec2)
        self.instance, _ = launch(self.ec2, subnet, [])
        self.data = attach_volume(self.ec2, self.instance, "/dev/sdf", Size=500, Encrypted=True)
        self.target = Instance(account=ACCOUNT, region=REGION, instance_id=self.instance)

    def plan(self) -> Plan:
        return bind(ACTION, ACTION.plan(self.clients, self.target, NoParameters()), self.target, NoParameters())

    def snapshots(self) -> list[Any]:
        return list(self.ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"])

    def state(self, state: str, volume: str | None = None) -> None:
        """Put the snapshots into a state that no call makes in moto."""
        for snapshot in ec2_backends[ACCOUNT][REGION].snapshots.values():
            if snapshot.volume_id == (volume or snapshot.volume_id):
                snapshot.status = state


def tags(entry: Any) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in entry.get("Tags", ())}


def test_a_plan_names_each_volume_its_size_and_what_it_costs() -> None:
    world = World()
    plan = world.plan()
    assert len(plan.changes) == 2
    data = next(change for change in plan.changes if world.data in change.resource)
    assert data.resource == f"{world.data} (/dev/sdf, 500 GiB)"
    assert data.after.endswith("encrypted")
    assert plan.effects == ("508 GiB at most are stored and billed until deleted",)
    assert "instance store" in plan.residual[0]


def test_an_instance_without_volumes_has_no_changes() -> None:
    world = World()
    for attached in ec2_backends[ACCOUNT][REGION].volumes.values():
        attached.attachment = None
    plan = world.plan()
    assert (plan.changes, plan.resources, plan.effects) == ((), (), ())
    assert "instance store" in plan.residual[0]


def test_one_call_takes_all_volumes_with_our_tags_and_theirs() -> None:
    world = World()
    world.ec2.create_tags(Resources=[world.data], Tags=[{"Key": "owner", "Value": "payments"}])
    plan = world.plan()
    assert ACTION.apply(world.clients, plan) == Done()
    snapshots = world.snapshots()
    assert len(snapshots) == 2
    for snapshot in snapshots:
        ours = {PLAN_TAG: plan.digest, "firebreak:incident": plan.incident, "firebreak:instance": world.instance}
        assert tags(snapshot).items() >= ours.items()
        assert snapshot["Description"] == f"Firebreak {plan.incident}: {world.instance}"
    data = next(snapshot for snapshot in snapshots if snapshot["VolumeId"] == world.data)
    assert tags(data)["owner"] == "payments"


@pytest.mark.parametrize(
    ("keys", "copied"),
    [
        (["owner"], True),
        ([f"key-{number}" for number in range(TAGS_ALLOWED - 3)], True),
        ([f"key-{number}" for number in range(TAGS_ALLOWED - 2)], False),  # the call would fail, the evidence be lost
        (["firebreak:plan"], False),  # a volume made from evidence; one tag cannot be given and copied
    ],
)
def test_the_volumes_tags_are_copied_where_they_fit_beside_ours(keys: list[str], copied: bool) -> None:
    world = World()
    world.ec2.create_tags(Resources=[world.data], Tags=[{"Key": key, "Value": "x"} for key in keys])
    plan = world.plan()
    assert plan.before["copy_tags"] is copied
    ACTION.apply(world.clients, plan)
    data = next(snapshot for snapshot in world.snapshots() if snapshot["VolumeId"] == world.data)
    assert tags(data)[PLAN_TAG] == plan.digest
    assert len(tags(data)) == 3 + (len(keys) if copied else 0)


def test_tags_of_aws_are_not_counted_for_they_are_not_copied() -> None:
    world = World()
    ours = {f"key-{number}": "x" for number in range(TAGS_ALLOWED - 3)}
    ec2_backends[ACCOUNT][REGION].volumes[world.data].add_tags(ours | {"aws:ec2launchtemplate:id": "lt-0a"})
    assert world.plan().before["copy_tags"] is True


def test_another_plans_snapshots_do_not_count() -> None:
    world = World()
    plan = world.plan()
    ACTION.apply(world.clients, plan)
    other = plan.model_copy(update={"incident": "inc-ba9876543210"})
    assert not ACTION.verify(world.clients, other).ok
    ACTION.apply(world.clients, other)
    assert len(world.snapshots()) == 4


def test_pending_is_not_verified_and_looked_at_again_later() -> None:
    world = World()
    plan = world.plan()
    ACTION.apply(world.clients, plan)
    world.state("pending", world.data)
    assert ACTION.apply(world.clients, plan) == Done()
    verification = ACTION.verify(world.clients, plan)
    assert not verification.ok
    assert verification.after == 60
    assert any(world.data in line and "pending" in line for line in verification.saw)
    world.state("completed")
    assert ACTION.verify(world.clients, plan).ok
    assert len(world.snapshots()) == 2


def test_a_snapshot_that_failed_is_taken_again_with_all_others() -> None:
    world = World()
    plan = world.plan()
    ACTION.apply(world.clients, plan)
    world.state("error", world.data)
    verification = ACTION.verify(world.clients, plan)
    assert not verification.ok
    assert any("error" in line for line in verification.saw)
    ACTION.apply(world.clients, plan)
    assert len(world.snapshots()) == 4, "snapshots of another moment would not be consistent with the rest"
    assert ACTION.verify(world.clients, plan).ok


def test_evidence_outlives_the_instance() -> None:
    world = World()
    plan = world.plan()
    ACTION.apply(world.clients, plan)
    world.ec2.terminate_instances(InstanceIds=[world.instance])
    assert ACTION.apply(world.clients, plan) == Done()
    assert ACTION.verify(world.clients, plan).ok


def test_a_terminated_instance_has_nothing_to_take() -> None:
    world = World()
    plan = world.plan()
    world.ec2.terminate_instances(InstanceIds=[world.instance])
    with pytest.raises(TargetMissing):
        ACTION.apply(world.clients, plan)


@pytest.mark.parametrize("change", ["attached", "detached"])
def test_volumes_that_come_or_go_make_the_plan_stale_and_are_named(change: str) -> None:
    world = World()
    plan = world.plan()
    if change == "attached":
        volume = attach_volume(world.ec2, world.instance, "/dev/sdg")
    else:
        volume = world.data
        world.ec2.detach_volume(VolumeId=volume, InstanceId=world.instance)
    with pytest.raises(PlanStale, match=volume):
        ACTION.apply(world.clients, plan)
    assert world.snapshots() == []


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("ConcurrentSnapshotLimitExceeded", Retriable),
        ("SnapshotCreationPerVolumeRateExceeded", Retriable),
        ("IncorrectState", Retriable),
        ("RequestLimitExceeded", Retriable),
        ("TagLimitExceeded", AwsError),
    ],
)
def test_what_may_pass_by_itself_is_tried_again(code: str, expected: type[FirebreakError]) -> None:
    world = World()
    plan = world.plan()
    client = boto3.Session(region_name=REGION).client("ec2")

    def fail(**_: Any) -> None:
        raise ClientError({"Error": {"Code": code, "Message": "not now"}}, "CreateSnapshots")

    client.meta.events.register("before-call.ec2.CreateSnapshots", fail)

    class Session:
        def client(self, *_: Any, **__: Any) -> Any:
            return client

    with pytest.raises(expected, match=code):
        ACTION.apply(SessionClients(Session(), REGION), plan)
    assert ACTION.apply(world.clients, plan) == Done()


def test_the_role_may_create_snapshots_of_one_moment_and_tag_nothing_else() -> None:
    grants = {grant.action: grant for grant in ACTION.writes if isinstance(grant, Grant)}
    assert "ec2:CreateSnapshot" not in grants, "IAM knows CreateSnapshots as an action of its own"
    assert grants["ec2:CreateTags"].conditions == {"StringEquals": {"ec2:CreateAction": "CreateSnapshots"}}
    assert grants["ec2:CreateTags"].resources == ("arn:{partition}:ec2:{region}::snapshot/*",)
