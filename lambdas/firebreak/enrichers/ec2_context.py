"""What an instance is, where it stands and what depends on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from firebreak.core.clients import Clients
from firebreak.core.enricher import Enricher, Enrichment, Fact
from firebreak.core.errors import Permanent
from firebreak.core.grant import Grant
from firebreak.core.instances import living_instance
from firebreak.core.model import Json, Scalar
from firebreak.core.target import Instance, Target

LOOKED_INTO = 20
"""Target groups of the instance's VPCs that are asked for their targets: AWS answers no question the other way round,
and an account may have thousands. Those of its Auto Scaling group come first."""

CLASSIC = 400
"""Classic load balancers that are looked at, a page of the API."""

_CLUSTER_TAGS = ("aws:eks:cluster-name", "eks:cluster-name")
_CLUSTER_PREFIX = "kubernetes.io/cluster/"


class Ec2Context(Enricher):
    """Looks up an instance, its network, its Auto Scaling group and the load balancers it serves.

    Facts that a look-up would have to tell and could not are left out and named in `instance.not_looked_up`: a missing
    right to see load balancers does not keep an instance from being contained.
    """

    name = "ec2_context"
    kinds = ("instance",)
    reads = (
        Grant(action="ec2:DescribeInstances"),
        Grant(action="autoscaling:DescribeAutoScalingInstances"),
        Grant(action="autoscaling:DescribeAutoScalingGroups"),
        Grant(action="elasticloadbalancing:DescribeTargetGroups"),
        Grant(action="elasticloadbalancing:DescribeTargetHealth"),
        Grant(action="elasticloadbalancing:DescribeLoadBalancers"),
    )

    def enrich(self, clients: Clients, target: Target) -> Enrichment:
        if not isinstance(target, Instance):
            return Enrichment()
        instance = living_instance(clients.aws("ec2"), target.instance_id)
        facts, unknown = _of_instance(instance), list[str]()
        scaling: Json = None
        try:
            scaling = _scaling_group(clients, target.instance_id)
            facts |= _of_scaling_group(scaling)
        except Permanent:
            unknown.append("auto scaling")
        try:
            facts |= _of_load_balancers(clients, instance, scaling)
        except Permanent:
            unknown.append("load balancers")
        facts["instance.not_looked_up"] = tuple(unknown)
        return Enrichment(
            facts=tuple(
                Fact(name=name, value=value, about=target.key) for name, value in facts.items() if value is not None
            ),
            tags=_tags(instance),
        )


Facts = dict[str, Scalar | tuple[Scalar, ...]]


def _of_instance(instance: Json) -> Facts:
    enis = sorted(instance.get("NetworkInterfaces", ()), key=lambda eni: str(eni["NetworkInterfaceId"]))
    public = {eni["Association"]["PublicIp"] for eni in enis if eni.get("Association", {}).get("PublicIp")}
    if instance.get("PublicIpAddress"):
        public.add(instance["PublicIpAddress"])
    tags = _tags(instance)
    return {
        "instance.state": instance["State"]["Name"],
        "instance.type": instance.get("InstanceType"),
        "instance.image": instance.get("ImageId"),
        "instance.vpc": instance.get("VpcId"),
        "instance.vpcs": _sorted(eni.get("VpcId") for eni in enis),
        "instance.subnets": _sorted(eni.get("SubnetId") for eni in enis),
        "instance.interfaces": tuple(eni["NetworkInterfaceId"] for eni in enis),
        "instance.security_groups": _sorted(group["GroupId"] for eni in enis for group in eni.get("Groups", ())),
        "instance.private_ips": _sorted(_private_ips(enis)),
        "instance.public_ips": _sorted(public),
        "instance.public": bool(public) or any(eni.get("Ipv6Addresses") for eni in enis),
        "instance.spot": instance.get("InstanceLifecycle") == "spot",
        "instance.profile": instance.get("IamInstanceProfile", {}).get("Arn"),
        "instance.cluster": _cluster(tags),
    }


def _cluster(tags: Mapping[str, str]) -> str | None:
    """The cluster whose node an instance is, by its tags; self-managed nodes bear its name in the key of one."""
    named = [tags[name] for name in _CLUSTER_TAGS if name in tags]
    owned = [key.removeprefix(_CLUSTER_PREFIX) for key in sorted(tags) if key.startswith(_CLUSTER_PREFIX)]
    return next(iter((*named, *owned)), None)


def _scaling_group(clients: Clients, instance_id: str) -> Json:
    autoscaling = clients.aws("autoscaling")
    members = autoscaling.describe_auto_scaling_instances(InstanceIds=[instance_id])["AutoScalingInstances"]
    if not members:
        return None
    name = members[0]["AutoScalingGroupName"]
    groups = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
    return {"member": members[0], "group": groups[0] if groups else {}}


def _of_scaling_group(scaling: Json) -> Facts:
    if scaling is None:
        return {"instance.scaled": False}
    member, group = scaling["member"], scaling["group"]
    return {
        "instance.scaled": True,
        "instance.scaling_group": member["AutoScalingGroupName"],
        "instance.scaling_state": member.get("LifecycleState"),
        "instance.scaling_protected": member.get("ProtectedFromScaleIn", False),
        "instance.scaling_min": group.get("MinSize"),
        "instance.scaling_desired": group.get("DesiredCapacity"),
        "instance.scaling_suspended": _sorted(
            process["ProcessName"] for process in group.get("SuspendedProcesses", ())
        ),
    }


def _of_load_balancers(clients: Clients, instance: Json, scaling: Json) -> Facts:
    enis = instance.get("NetworkInterfaces", ())
    names = {instance["InstanceId"], *_private_ips(enis), *_ipv6(enis)}
    vpcs = {instance.get("VpcId"), *(eni.get("VpcId") for eni in enis)}
    first = scaling["group"].get("TargetGroupARNs", ()) if scaling else ()
    elbv2 = clients.aws("elbv2")
    candidates = [
        group
        for group in elbv2.pages("describe_target_groups", "TargetGroups")
        if group.get("TargetType") in ("instance", "ip") and group.get("VpcId") in vpcs
    ]
    candidates.sort(key=lambda group: (group["TargetGroupArn"] not in first, not group.get("LoadBalancerArns")))
    serving = [
        group
        for group in candidates[:LOOKED_INTO]
        if any(
            health["Target"]["Id"] in names
            for health in elbv2.describe_target_health(TargetGroupArn=group["TargetGroupArn"])[
                "TargetHealthDescriptions"
            ]
        )
    ]
    classic = [
        balancer["LoadBalancerName"]
        for balancer in islice(clients.aws("elb").pages("describe_load_balancers", "LoadBalancerDescriptions"), CLASSIC)
        if any(member["InstanceId"] == instance["InstanceId"] for member in balancer.get("Instances", ()))
    ]
    balancers = {arn.split("/")[-2] for group in serving for arn in group.get("LoadBalancerArns", ())}
    return {
        "instance.target_groups": _sorted(group["TargetGroupName"] for group in serving),
        "instance.load_balancers": _sorted({*balancers, *classic}),
        "instance.balanced": bool(serving or classic),
        "instance.load_balancers_complete": len(candidates) <= LOOKED_INTO,
    }


def _private_ips(enis: Json) -> Iterator[str]:
    for eni in enis:
        yield from (address["PrivateIpAddress"] for address in eni.get("PrivateIpAddresses", ()))


def _ipv6(enis: Json) -> Iterator[str]:
    for eni in enis:
        yield from (address["Ipv6Address"] for address in eni.get("Ipv6Addresses", ()))


def _tags(instance: Json) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in instance.get("Tags", ())}


def _sorted(values: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(sorted({value for value in values if value}))
