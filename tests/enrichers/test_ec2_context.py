"""An instance in its surroundings, and what may not be looked up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from firebreak.adapters.aws import SessionClients
from firebreak.core.enricher import Enrichment
from firebreak.core.errors import TargetMissing, Throttled
from firebreak.core.target import Host, Instance
from firebreak.enrichers.ec2_context import LOOKED_INTO, Ec2Context
from tests.contract.bench import CachedSession, Recorder, Tape, permissions
from tests.contract.scenes import ACCOUNT, REGION
from tests.ec2_world import attach, cured_moto, group, launch, vpc

ENRICHER = Ec2Context()
RECORDER = Recorder()
RECORDED, ARRANGING = CachedSession(RECORDER), CachedSession()


@pytest.fixture(autouse=True)
def aws() -> Iterator[None]:
    with cured_moto():
        RECORDER.tape = Tape()
        yield


class World:
    """An instance with two interfaces in a VPC of two zones."""

    def __init__(self, **launched: Any) -> None:
        self.ec2, self.elbv2 = ARRANGING.client("ec2"), ARRANGING.client("elbv2")
        self.vpc, self.subnet = vpc(self.ec2)
        self.web = group(self.ec2, self.vpc, "web")
        self.instance, self.first = launch(self.ec2, self.subnet, [self.web], **launched)
        self.target = Instance(account=ACCOUNT, region=REGION, instance_id=self.instance)

    def look(self) -> Enrichment:
        return ENRICHER.enrich(SessionClients(RECORDED, REGION), self.target)

    def facts(self) -> dict[str, Any]:
        return {fact.name: fact.value for fact in self.look().facts}

    def target_group(self, name: str, kind: str = "instance", **more: Any) -> str:
        made = self.elbv2.create_target_group(
            **({"Name": name, "Protocol": "HTTP", "Port": 80, "VpcId": self.vpc, "TargetType": kind} | more)
        )
        return str(made["TargetGroups"][0]["TargetGroupArn"])

    def balancer(self, name: str, target_group: str) -> None:
        other = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock="10.0.1.0/24", AvailabilityZone=f"{REGION}b")
        subnets = [self.subnet, other["Subnet"]["SubnetId"]]
        arn = self.elbv2.create_load_balancer(Name=name, Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
        action = [{"Type": "forward", "TargetGroupArn": target_group}]
        self.elbv2.create_listener(LoadBalancerArn=arn, Protocol="HTTP", Port=80, DefaultActions=action)


def test_a_lone_instance_is_described_and_what_it_lacks_is_said() -> None:
    world = World()
    world.ec2.create_tags(Resources=[world.instance], Tags=[{"Key": "environment", "Value": "production"}])
    enrichment, facts = world.look(), world.facts()
    assert enrichment.tags == {"environment": "production"}
    assert all(fact.about == world.target.key for fact in enrichment.facts)
    assert facts["instance.state"] == "running"
    assert facts["instance.type"] == "t3.micro"
    assert facts["instance.vpc"] == world.vpc
    assert facts["instance.interfaces"] == (world.first,)
    assert facts["instance.security_groups"] == (world.web,)
    assert facts["instance.spot"] is False
    assert facts["instance.scaled"] is False
    assert facts["instance.balanced"] is False
    assert facts["instance.load_balancers"] == ()
    assert facts["instance.load_balancers_complete"] is True
    assert facts["instance.not_looked_up"] == ()
    assert "instance.profile" not in facts
    assert "instance.scaling_group" not in facts


def test_it_calls_exactly_what_it_declares() -> None:
    world = World()
    world.target_group("web")
    _scale(world)
    world.look()
    assert RECORDER.tape.permissions == permissions(ENRICHER.reads)


def test_every_interface_counts_whatever_its_vpc() -> None:
    world = World()
    elsewhere, subnet = vpc(world.ec2, "10.1.0.0/16")
    second = attach(world.ec2, subnet, world.instance, [group(world.ec2, elsewhere, "app")], index=1)
    facts = world.facts()
    assert facts["instance.interfaces"] == tuple(sorted([world.first, second]))
    assert set(facts["instance.vpcs"]) == {world.vpc, elsewhere}
    assert len(facts["instance.security_groups"]) == len(facts["instance.private_ips"]) == 2


def test_a_public_spot_instance_with_a_role_in_a_cluster() -> None:
    world = World(InstanceMarketOptions={"MarketType": "spot"})
    address = world.ec2.allocate_address(Domain="vpc")
    world.ec2.associate_address(AllocationId=address["AllocationId"], NetworkInterfaceId=world.first)
    arn = ARRANGING.client("iam").create_instance_profile(InstanceProfileName="web")["InstanceProfile"]["Arn"]
    world.ec2.associate_iam_instance_profile(IamInstanceProfile={"Name": "web"}, InstanceId=world.instance)
    world.ec2.create_tags(Resources=[world.instance], Tags=[{"Key": "eks:cluster-name", "Value": "prod"}])
    facts = world.facts()
    assert facts["instance.spot"] is True
    assert facts["instance.public"] is True
    assert facts["instance.public_ips"] == (address["PublicIp"],)
    assert facts["instance.profile"] == arn
    assert facts["instance.cluster"] == "prod"


@pytest.mark.parametrize(
    ("key", "value"),
    [("eks:cluster-name", "prod"), ("aws:eks:cluster-name", "prod"), ("kubernetes.io/cluster/prod", "owned")],
)
def test_a_node_is_known_by_whichever_tag_its_cluster_gave_it(key: str, value: str) -> None:
    world = World()
    assert "instance.cluster" not in world.facts()
    world.ec2.create_tags(Resources=[world.instance], Tags=[{"Key": key, "Value": value}])
    assert world.facts()["instance.cluster"] == "prod"


@pytest.mark.parametrize("kind", ["instance", "ip"])
def test_a_load_balancer_is_found_by_instance_and_by_address(kind: str) -> None:
    world = World()
    serving, idle = world.target_group("serving", kind), world.target_group("idle", kind)
    world.balancer("shop", serving)
    address = world.facts()["instance.private_ips"][0]
    world.elbv2.register_targets(
        TargetGroupArn=serving, Targets=[{"Id": world.instance if kind == "instance" else address, "Port": 80}]
    )
    other = launch(world.ec2, world.subnet, [])[0]
    world.elbv2.register_targets(
        TargetGroupArn=idle, Targets=[{"Id": other if kind == "instance" else "10.0.0.250", "Port": 80}]
    )
    facts = world.facts()
    assert facts["instance.target_groups"] == ("serving",)
    assert facts["instance.load_balancers"] == ("shop",)
    assert facts["instance.balanced"] is True


def test_a_classic_load_balancer_is_found() -> None:
    world = World()
    elb = ARRANGING.client("elb")
    for name in ("old-shop", "unrelated"):
        listener = {"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 80}
        elb.create_load_balancer(LoadBalancerName=name, Listeners=[listener], Subnets=[world.subnet])
    elb.register_instances_with_load_balancer(LoadBalancerName="old-shop", Instances=[{"InstanceId": world.instance}])
    facts = world.facts()
    assert facts["instance.load_balancers"] == ("old-shop",)
    assert facts["instance.balanced"] is True


def _scale(world: World, **more: Any) -> None:
    autoscaling = ARRANGING.client("autoscaling")
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName="web",
        InstanceId=world.instance,
        MinSize=0,
        MaxSize=3,
        DesiredCapacity=0,
        VPCZoneIdentifier=world.subnet,
        **more,
    )
    autoscaling.attach_instances(AutoScalingGroupName="web", InstanceIds=[world.instance])
    autoscaling.suspend_processes(AutoScalingGroupName="web", ScalingProcesses=["ReplaceUnhealthy"])


def test_membership_of_a_scaling_group_is_told_with_what_replaces_it() -> None:
    world = World()
    _scale(world)
    facts = world.facts()
    assert facts["instance.scaled"] is True
    assert facts["instance.scaling_group"] == "web"
    assert facts["instance.scaling_state"] == "InService"
    assert facts["instance.scaling_protected"] is False
    assert facts["instance.scaling_min"] == 0
    assert facts["instance.scaling_desired"] == 1
    assert facts["instance.scaling_suspended"] == ("ReplaceUnhealthy",)


def test_the_number_of_calls_is_bounded_and_the_scaling_groups_target_groups_come_first() -> None:
    world = World()
    arns = [world.target_group(f"tg-{number:02}") for number in range(LOOKED_INTO + 5)]
    elsewhere, _ = vpc(world.ec2, "10.1.0.0/16")
    for number in range(3):
        world.target_group(f"far-{number}", VpcId=elsewhere)
    _scale(world, TargetGroupARNs=arns[-1:])
    RECORDER.tape = tape = Tape()
    facts = world.facts()
    looks = [call for call in tape.calls if call.permission.endswith("DescribeTargetHealth")]
    assert len(looks) == LOOKED_INTO
    assert facts["instance.load_balancers_complete"] is False
    assert facts["instance.target_groups"] == (f"tg-{LOOKED_INTO + 4}",)


def refusing(operation: str, code: str) -> SessionClients:
    """Clients of which one operation is refused."""
    session = boto3.Session(region_name=REGION)

    def refuse(model: Any, **_: Any) -> None:
        raise ClientError({"Error": {"Code": code, "Message": "no"}}, model.name)

    session.events.register(f"before-call.*.{operation}", refuse)
    return SessionClients(session, REGION)


@pytest.mark.parametrize(
    ("operation", "unknown", "missing", "kept"),
    [
        ("DescribeTargetGroups", "load balancers", "instance.balanced", "instance.scaled"),
        ("DescribeLoadBalancers", "load balancers", "instance.balanced", "instance.scaled"),
        ("DescribeAutoScalingInstances", "auto scaling", "instance.scaled", "instance.balanced"),
    ],
)
def test_what_may_not_be_looked_up_is_left_out_and_named(operation: str, unknown: str, missing: str, kept: str) -> None:
    world = World()
    enrichment = ENRICHER.enrich(refusing(operation, "AccessDenied"), world.target)
    facts = {fact.name: fact.value for fact in enrichment.facts}
    assert facts["instance.not_looked_up"] == (unknown,)
    assert missing not in facts
    assert kept in facts
    assert facts["instance.state"] == "running"


def test_throttling_is_not_taken_for_an_answer() -> None:
    world = World()
    with pytest.raises(Throttled):
        ENRICHER.enrich(refusing("DescribeTargetGroups", "Throttling"), world.target)


@pytest.mark.parametrize("gone", ["terminated", "never there"])
def test_an_instance_that_is_gone_is_missing(gone: str) -> None:
    world = World()
    if gone == "terminated":
        world.ec2.terminate_instances(InstanceIds=[world.instance])
    else:
        world.target = Instance(account=ACCOUNT, region=REGION, instance_id="i-0123456789abcdef0")
    with pytest.raises(TargetMissing):
        world.look()


def test_a_host_is_left_to_those_who_know_it() -> None:
    host = Host(account=ACCOUNT, region=REGION, name="ip-10-0-0-7.ec2.internal")
    assert ENRICHER.enrich(SessionClients(RECORDED, REGION), host) == Enrichment()
    assert not RECORDER.tape.calls
