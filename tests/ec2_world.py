"""Small pieces of an EC2 world on moto, for tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from moto import mock_aws

from firebreak.core.quarantine import DESCRIPTIONS, NAMES, TAG, Kind
from sandbox import moto_cures

EVERYONE = [
    {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
    {"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "::/0"}]},
]


@contextmanager
def cured_moto() -> Iterator[None]:
    """An empty moto in this process, with its cures and without the hundreds of images it would load."""
    moto_cures.install()
    with patch.dict(os.environ, {"MOTO_EC2_LOAD_DEFAULT_AMIS": "false"}), mock_aws():
        yield


def vpc(ec2: Any, cidr: str = "10.0.0.0/16", *, ipv6: bool = True) -> tuple[str, str]:
    """Make a VPC with one subnet, dual-stack unless told otherwise; return both ids."""
    made = ec2.create_vpc(CidrBlock=cidr, AmazonProvidedIpv6CidrBlock=ipv6)["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=made, CidrBlock=cidr.replace("/16", "/24"))["Subnet"]["SubnetId"]
    return made, subnet


def group(ec2: Any, vpc_id: str, name: str) -> str:
    """Make a security group with the rules AWS gives a new one; return its id."""
    return str(ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc_id)["GroupId"])


def quarantine(ec2: Any, vpc_id: str, *, ipv6: bool = True) -> dict[Kind, str]:
    """Make the two quarantine groups of a VPC by hand, dual-stack unless told otherwise; return their ids."""
    made: dict[Kind, str] = {}
    for kind, name in NAMES.items():
        tags = [{"ResourceType": "security-group", "Tags": [{"Key": TAG, "Value": kind}]}]
        answer = ec2.create_security_group(
            GroupName=name, Description=DESCRIPTIONS[kind], VpcId=vpc_id, TagSpecifications=tags
        )
        made[kind] = answer["GroupId"]
    ec2.revoke_security_group_egress(GroupId=made["sealed"], IpPermissions=EVERYONE[: 1 + ipv6])
    if not ipv6:
        ec2.authorize_security_group_egress(GroupId=made["untrack"], IpPermissions=EVERYONE[1:])
    ec2.authorize_security_group_ingress(GroupId=made["untrack"], IpPermissions=EVERYONE)
    return made


def launch(ec2: Any, subnet: str, groups: list[str], **more: Any) -> tuple[str, str]:
    """Launch an instance; return its id and that of its primary interface."""
    made = ec2.run_instances(
        ImageId="ami-12345678",
        InstanceType="t3.micro",
        MinCount=1,
        MaxCount=1,
        **({"SubnetId": subnet, "SecurityGroupIds": groups} | more),
    )["Instances"][0]
    return made["InstanceId"], made["NetworkInterfaces"][0]["NetworkInterfaceId"]


def attach(ec2: Any, subnet: str, instance: str, groups: list[str], *, index: int) -> str:
    """Make a further interface and attach it; return its id."""
    eni = ec2.create_network_interface(SubnetId=subnet, Groups=groups)["NetworkInterface"]["NetworkInterfaceId"]
    ec2.attach_network_interface(NetworkInterfaceId=eni, InstanceId=instance, DeviceIndex=index)
    return str(eni)


def attach_volume(ec2: Any, instance: str, device: str, **more: Any) -> str:
    """Make a further volume and attach it; return its id."""
    zone = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]["Placement"]
    volume = ec2.create_volume(AvailabilityZone=zone["AvailabilityZone"], **({"Size": 8} | more))["VolumeId"]
    ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device=device)
    return str(volume)


def groups_of(ec2: Any, eni: str) -> list[str]:
    """Return the ids of an interface's security groups, sorted; none where the interface is gone."""
    found = ec2.describe_network_interfaces(Filters=[{"Name": "network-interface-id", "Values": [eni]}])
    return sorted(entry["GroupId"] for one in found["NetworkInterfaces"] for entry in one["Groups"])
