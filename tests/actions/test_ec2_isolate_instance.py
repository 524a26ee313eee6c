"""What is special about isolation: every interface, every state half-way, and what comes and goes meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.ec2.models import ec2_backends

from firebreak.actions.ec2_isolate_instance import IsolateInstance, Parameters
from firebreak.adapters.aws import SessionClients
from firebreak.core.errors import Denied, FirebreakError, Permanent, PlanStale, Refused, Retriable, TargetMissing
from firebreak.core.plan import Again, Done, Plan
from firebreak.core.quarantine import Kind
from firebreak.core.target import Instance
from tests.contract.bench import CachedSession, bind
from tests.contract.scenes import ACCOUNT, REGION
from tests.ec2_world import EVERYONE, attach, cured_moto, group, groups_of, launch, quarantine, vpc

ACTION = IsolateInstance()
SESSION = CachedSession()
CUT = Parameters(cut_tracked=True)


@pytest.fixture(autouse=True)
def aws() -> Iterator[None]:
    with cured_moto():
        yield


class World:
    """An instance with two interfaces, in a VPC with quarantine groups."""

    def __init__(self) -> None:
        self.ec2 = SESSION.client("ec2")
        self.clients = SessionClients(SESSION, REGION)
        self.vpc, self.subnet = vpc(self.ec2)
        self.quarantine = quarantine(self.ec2, self.vpc)
        self.web, self.db = group(self.ec2, self.vpc, "web"), group(self.ec2, self.vpc, "db")
        self.instance, self.first = launch(self.ec2, self.subnet, [self.web, self.db])
        self.second = attach(self.ec2, self.subnet, self.instance, [self.db], index=1)
        self.before = self.groups()

    @property
    def target(self) -> Instance:
        return Instance(account=ACCOUNT, region=REGION, instance_id=self.instance)

    def plan(self, parameters: Parameters = Parameters()) -> Plan:  # noqa: B008  frozen
        return bind(ACTION, ACTION.plan(self.clients, self.target, parameters), self.target, parameters)

    def apply(self, plan: Plan) -> Done | Again:
        return ACTION.apply(self.clients, plan)

    def undo(self, plan: Plan) -> Done:
        done = ACTION.undo(self.clients, plan)
        assert isinstance(done, Done)
        return done

    def groups(self) -> dict[str, list[str]]:
        return {eni: groups_of(self.ec2, eni) for eni in (self.first, self.second)}

    def move(self, eni: str, *groups: str) -> None:
        self.ec2.modify_network_interface_attribute(NetworkInterfaceId=eni, Groups=list(groups))

    def put(self, eni: str, position: str) -> None:
        kinds: dict[str, list[str]] = {kind: [group_id] for kind, group_id in self.quarantine.items()}
        self.move(eni, *(kinds | {"before": self.before[eni]})[position])

    def all_are(self, kind: Kind) -> bool:
        return set(map(tuple, self.groups().values())) == {(self.quarantine[kind],)}

    def model(self, eni: str) -> Any:
        """moto's own object, for states that no call makes."""
        return ec2_backends[ACCOUNT][REGION].enis[eni]

    def detach(self, eni: str) -> None:
        found = self.ec2.describe_network_interfaces(NetworkInterfaceIds=[eni])["NetworkInterfaces"][0]
        self.ec2.detach_network_interface(AttachmentId=found["Attachment"]["AttachmentId"])


# --- the plan


def test_a_plan_names_each_interface_with_its_groups_and_where_they_go() -> None:
    world = World()
    plan = world.plan()
    assert len(plan.changes) == 2
    first = next(change for change in plan.changes if change.resource.startswith(world.first))
    assert f"web ({world.web})" in first.before
    assert f"db ({world.db})" in first.before
    assert first.after == f"firebreak-sealed ({world.quarantine['sealed']})"
    assert any(f"db ({world.db}) loses" in effect and world.second in effect for effect in plan.effects)


def test_a_plan_that_cuts_connections_says_how_long_the_host_is_open() -> None:
    plan = World().plan(Parameters(cut_tracked=True, untrack_seconds=90))
    assert all("firebreak-untrack" in change.after and "for 90 s, then" in change.after for change in plan.changes)
    assert any("quiet for the 90 s" in line for line in plan.residual)


def test_an_interface_in_another_vpc_gets_the_group_of_its_own_vpc() -> None:
    world = World()
    elsewhere, subnet = vpc(world.ec2, "10.1.0.0/16")
    theirs = quarantine(world.ec2, elsewhere)
    third = attach(world.ec2, subnet, world.instance, [group(world.ec2, elsewhere, "app")], index=2)
    plan = world.plan()
    assert isinstance(world.apply(plan), Done)
    assert groups_of(world.ec2, third) == [theirs["sealed"]]
    assert world.all_are("sealed")


def test_an_interface_that_a_service_manages_is_skipped_and_told() -> None:
    world = World()
    world.model(world.second).requester_managed = True
    plan = world.plan()
    assert [change.resource.split()[0] for change in plan.changes] == [world.first]
    assert any(world.second in line and "cannot be changed" in line for line in plan.residual)
    world.apply(plan)
    assert groups_of(world.ec2, world.second) == world.before[world.second]
    verification = ACTION.verify(world.clients, plan)
    assert verification.ok
    assert any(world.second in line for line in verification.residual)


def test_an_instance_of_which_every_interface_is_managed_has_no_changes() -> None:
    world = World()
    for eni in (world.first, world.second):
        world.model(eni).requester_managed = True
    plan = world.plan(CUT)
    assert (plan.changes, plan.resources) == ((), ())
    assert len(plan.residual) == 2


@pytest.mark.parametrize(
    ("kind", "said"),
    [("trunk", "branch interfaces (pods)"), ("efa", "Elastic Fabric Adapter"), ("efa-only", "Elastic")],
)
def test_an_interface_with_traffic_of_its_own_is_isolated_and_told(kind: str, said: str) -> None:
    world = World()
    world.model(world.second).interface_type = kind
    plan = world.plan()
    assert len(plan.changes) == 2
    assert any(world.second in line and said in line for line in plan.residual)


@pytest.mark.parametrize("kind", ["sealed", "untrack"])
def test_an_isolation_that_is_in_force_never_becomes_the_state_before(kind: Kind) -> None:
    world = World()
    world.move(world.second, world.quarantine[kind], world.db)
    with pytest.raises(Refused, match=rf"{world.second}.* is isolated already"):
        world.plan()


@pytest.mark.parametrize("kind", ["sealed", "untrack"])
def test_a_vpc_without_quarantine_groups_is_told_and_may_be_tried_again(kind: Kind) -> None:
    world = World()
    world.ec2.delete_security_group(GroupId=world.quarantine[kind])
    with pytest.raises(Retriable, match=rf"{world.vpc} has no security group firebreak-{kind}.*Prepare"):
        world.plan(CUT)


def test_a_missing_untracking_group_does_not_matter_where_it_is_not_used() -> None:
    world = World()
    world.ec2.delete_security_group(GroupId=world.quarantine["untrack"])
    assert world.plan().changes


def test_a_changed_quarantine_group_is_refused_by_plan_and_by_apply() -> None:
    world = World()
    plan = world.plan()
    world.ec2.authorize_security_group_egress(GroupId=world.quarantine["sealed"], IpPermissions=EVERYONE[1:])
    with pytest.raises(Refused, match=rf"{world.quarantine['sealed']}.*to ::/0"):
        world.plan()
    with pytest.raises(Refused, match=rf"nothing was written.*{world.quarantine['sealed']}"):
        world.apply(plan)
    assert world.groups() == world.before


def test_a_group_that_changes_after_sealing_fails_verification() -> None:
    world = World()
    plan = world.plan()
    world.apply(plan)
    assert ACTION.verify(world.clients, plan).ok
    world.ec2.authorize_security_group_ingress(GroupId=world.quarantine["sealed"], IpPermissions=EVERYONE[:1])
    assert not ACTION.verify(world.clients, plan).ok


@pytest.mark.parametrize("state", ["terminated", "shutting-down"])
def test_an_instance_that_is_on_its_way_out_is_gone(state: str) -> None:
    world = World()
    backend = ec2_backends[ACCOUNT][REGION]
    backend.get_instance(world.instance)._state.name = state
    with pytest.raises(TargetMissing, match=state):
        world.plan()


def test_a_stopped_instance_is_isolated_for_when_it_starts() -> None:
    world = World()
    world.ec2.stop_instances(InstanceIds=[world.instance])
    world.apply(world.plan())
    assert world.all_are("sealed")


def test_what_isolation_does_not_cut_is_listed() -> None:
    world = World()
    gateway = world.ec2.create_nat_gateway(SubnetId=world.subnet, ConnectivityType="private")["NatGateway"][
        "NatGatewayId"
    ]
    tables = world.ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [world.vpc]}])["RouteTables"]
    world.ec2.create_route(
        RouteTableId=tables[0]["RouteTableId"], DestinationCidrBlock="0.0.0.0/0", NatGatewayId=gateway
    )
    residual = "\n".join(world.plan().residual)
    for word in ("tracked already", f"NAT gateway {gateway}", "ICMP", "resolver", "metadata service"):
        assert word in residual
    assert "credentials" not in residual


def test_credentials_of_a_role_are_residual() -> None:
    world = World()
    iam = boto3.client("iam", region_name=REGION)
    arn = iam.create_instance_profile(InstanceProfileName="web")["InstanceProfile"]["Arn"]
    world.ec2.associate_iam_instance_profile(IamInstanceProfile={"Name": "web"}, InstanceId=world.instance)
    assert any(arn in line and "stay valid" in line for line in world.plan().residual)


def test_a_scaling_group_that_may_replace_it_is_an_effect() -> None:
    world = World()
    assert not any("Auto Scaling" in effect for effect in world.plan().effects)
    ec2_backends[ACCOUNT][REGION].create_tags([world.instance], {"aws:autoscaling:groupName": "web"})
    assert any("Auto Scaling group web" in effect for effect in world.plan().effects)


def test_a_vpc_without_ipv6_is_isolated_like_any() -> None:
    world = World()
    plain, subnet = vpc(world.ec2, "10.2.0.0/16", ipv6=False)
    theirs = quarantine(world.ec2, plain, ipv6=False)
    world.instance, world.first = launch(world.ec2, subnet, [])
    world.apply(world.plan(CUT))
    assert groups_of(world.ec2, world.first) == [theirs["untrack"]]


@pytest.mark.parametrize("seconds", [-1, 0, 4, 601, 86_400])
def test_the_wait_is_bounded(seconds: int) -> None:
    with pytest.raises(ValueError, match="untrack_seconds"):
        Parameters(untrack_seconds=seconds)


# --- by way of the untracking group


def test_connections_are_cut_in_two_phases() -> None:
    world = World()
    plan = world.plan(CUT)
    again = world.apply(plan)
    assert isinstance(again, Again)
    assert again.after == 60
    assert world.all_are("untrack")
    assert not ACTION.verify(world.clients, plan).ok
    assert isinstance(world.apply(plan), Done)
    assert world.all_are("sealed")


@pytest.mark.parametrize("cut", [False, True])
@pytest.mark.parametrize(("one", "other"), list(product(["before", "untrack", "sealed"], repeat=2)))
def test_from_every_state_half_way_the_same_end(one: str, other: str, cut: bool) -> None:
    """Apply ends sealed, never opens again once one is sealed; secure ends sealed; undo ends as before."""
    world = World()
    plan = world.plan(Parameters(cut_tracked=cut))

    def put() -> None:
        world.put(world.first, one)
        world.put(world.second, other)

    put()
    if not cut and "untrack" in (one, other):
        with pytest.raises(PlanStale):
            world.apply(plan)
        return
    progress = world.apply(plan)
    opened = cut and "before" in (one, other) and "sealed" not in (one, other)
    assert isinstance(progress, Again) == opened == world.all_are("untrack")
    if opened:
        assert isinstance(world.apply(plan), Done)
    assert world.all_are("sealed")

    put()
    ACTION.secure(world.clients, plan)
    assert world.all_are("sealed") or (one, other) == ("before", "before")

    put()
    world.undo(plan)
    assert world.groups() == world.before


def test_the_untracking_group_is_a_strangers_where_the_plan_does_not_use_it() -> None:
    world = World()
    plan = world.plan()
    world.put(world.second, "untrack")
    with pytest.raises(PlanStale, match=world.second):
        world.apply(plan)
    assert groups_of(world.ec2, world.first) == world.before[world.first]


# --- interfaces that come and go


@pytest.mark.parametrize("parameters", [Parameters(), CUT])
def test_an_interface_attached_since_the_plan_makes_it_stale_before_anything_is_written(parameters: Parameters) -> None:
    world = World()
    plan = world.plan(parameters)
    third = attach(world.ec2, world.subnet, world.instance, [world.web], index=2)
    with pytest.raises(PlanStale, match=rf"{third}.* was attached"):
        world.apply(plan)
    assert world.groups() == world.before
    again = world.plan(parameters)
    while isinstance(world.apply(again), Again):
        pass
    assert groups_of(world.ec2, third) == [world.quarantine["sealed"]], "planned again, it does not get away"


def test_an_interface_attached_while_the_host_is_open_stops_apply_and_secure_seals() -> None:
    world = World()
    plan = world.plan(CUT)
    world.apply(plan)
    attach(world.ec2, world.subnet, world.instance, [world.web], index=2)
    with pytest.raises(PlanStale):
        world.apply(plan)
    ACTION.secure(world.clients, plan)
    assert world.all_are("sealed")


def test_an_interface_attached_after_sealing_fails_verification() -> None:
    world = World()
    plan = world.plan()
    world.apply(plan)
    third = attach(world.ec2, world.subnet, world.instance, [world.web], index=2)
    verification = ACTION.verify(world.clients, plan)
    assert not verification.ok
    assert any(third in line and "attached after the plan" in line for line in verification.saw)


def test_an_interface_detached_since_the_plan_is_left_alone() -> None:
    world = World()
    plan = world.plan()
    world.detach(world.second)
    assert isinstance(world.apply(plan), Done)
    assert groups_of(world.ec2, world.second) == world.before[world.second]
    assert ACTION.verify(world.clients, plan).ok


def test_an_interface_detached_while_open_is_sealed_nevertheless() -> None:
    world = World()
    plan = world.plan(CUT)
    world.apply(plan)
    world.detach(world.second)
    world.put(world.first, "sealed")
    verification = ACTION.verify(world.clients, plan)
    assert not verification.ok
    assert any(world.second in line and "let everything pass" in line for line in verification.saw)
    assert isinstance(world.apply(plan), Done)
    assert world.all_are("sealed")
    assert ACTION.verify(world.clients, plan).ok


# --- undo


def test_undo_restores_an_interface_that_was_detached_and_tells_of_one_that_is_gone() -> None:
    world = World()
    plan = world.plan()
    world.apply(plan)
    world.detach(world.second)
    assert world.undo(plan).notes == ()
    assert world.groups() == world.before
    world.apply(plan)
    world.ec2.delete_network_interface(NetworkInterfaceId=world.second)
    done = world.undo(plan)
    assert len(done.notes) == 1
    assert world.second in done.notes[0]
    assert groups_of(world.ec2, world.first) == world.before[world.first]


def test_undo_says_so_where_an_old_group_was_deleted_and_restores_nothing() -> None:
    world = World()
    plan = world.plan()
    world.apply(plan)
    world.ec2.delete_security_group(GroupId=world.web)
    with pytest.raises(PlanStale, match=rf"nothing was restored: security groups {world.web} were deleted"):
        world.undo(plan)
    assert world.all_are("sealed")


def test_an_interface_that_a_person_has_restored_counts_as_done_and_its_old_groups_are_not_asked_for() -> None:
    world = World()
    plan = world.plan()
    world.apply(plan)
    world.put(world.first, "before")
    world.undo(plan)
    assert world.groups() == world.before


def test_undo_of_nothing_leaves_new_interfaces_alone() -> None:
    world = World()
    plan = world.plan()
    world.apply(plan)
    third = attach(world.ec2, world.subnet, world.instance, [world.web], index=2)
    world.undo(plan)
    assert groups_of(world.ec2, third) == [world.web]


# --- secure


class Failing:
    """Clients whose group changes of one interface fail."""

    def __init__(self, world: World, eni: str, error: ClientError) -> None:
        client = boto3.Session(region_name=REGION).client("ec2")

        def fail(params: Any, **_: Any) -> None:
            if params["body"]["NetworkInterfaceId"] == eni:
                raise error

        client.meta.events.register("before-call.ec2.ModifyNetworkInterfaceAttribute", fail)
        self.client = lambda *_, **__: client


@pytest.mark.parametrize(
    ("code", "expected"),
    [("UnauthorizedOperation", Permanent), ("RequestLimitExceeded", Retriable), ("InvalidGroup.NotFound", Retriable)],
)
def test_secure_seals_the_others_where_one_fails_and_says_which(code: str, expected: type[FirebreakError]) -> None:
    world = World()
    plan = world.plan(CUT)
    world.apply(plan)
    error = ClientError({"Error": {"Code": code, "Message": "no"}}, "ModifyNetworkInterfaceAttribute")
    failing = SessionClients(Failing(world, min(world.first, world.second), error), REGION)
    with pytest.raises(expected, match=r"1 interfaces of i-\w+ are not sealed; seal them by hand"):
        ACTION.secure(failing, plan)
    assert groups_of(world.ec2, max(world.first, world.second)) == [world.quarantine["sealed"]]
    with pytest.raises(Denied if expected is Permanent else Retriable):
        ACTION.apply(failing, plan)


def test_secure_seals_what_is_ours_and_tells_of_what_is_not() -> None:
    world = World()
    plan = world.plan(CUT)
    world.apply(plan)
    world.move(world.second, world.web)
    with pytest.raises(PlanStale, match=world.second):
        ACTION.secure(world.clients, plan)
    assert groups_of(world.ec2, world.first) == [world.quarantine["sealed"]]
    assert groups_of(world.ec2, world.second) == [world.web]


def test_secure_does_not_ask_whether_the_group_changed_since_it_is_never_more_open() -> None:
    world = World()
    plan = world.plan(CUT)
    world.apply(plan)
    world.ec2.authorize_security_group_ingress(GroupId=world.quarantine["sealed"], IpPermissions=EVERYONE[:1])
    ACTION.secure(world.clients, plan)
    assert world.all_are("sealed")
