"""Ways out of a subnet that always track."""

from __future__ import annotations

import pytest

from firebreak.core.model import Json
from firebreak.core.tracking import always_tracked

ENI = {"VpcId": "vpc-0a", "SubnetId": "subnet-0a"}


def table(*routes: Json, subnet: str | None = None, vpc: str = "vpc-0a") -> Json:
    """A route table as DescribeRouteTables answers it; the main one where no subnet is named."""
    association = {"SubnetId": subnet, "Main": False} if subnet else {"Main": True}
    return {"VpcId": vpc, "Associations": [association], "Routes": list(routes)}


@pytest.mark.parametrize(
    ("route", "way"),
    [
        ({"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-0a"}, "NAT gateway nat-0a (to 0.0.0.0/0)"),
        (
            {"DestinationCidrBlock": "10.8.0.0/13", "TransitGatewayId": "tgw-0a"},
            "transit gateway tgw-0a (to 10.8.0.0/13)",
        ),
        (
            {"DestinationIpv6CidrBlock": "::/0", "EgressOnlyInternetGatewayId": "eigw-0a"},
            "egress-only internet gateway eigw-0a (to ::/0)",
        ),
        ({"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "vpce-0a"}, "endpoint vpce-0a (to 0.0.0.0/0)"),
        ({"DestinationPrefixListId": "pl-0a", "NatGatewayId": "nat-0a"}, "NAT gateway nat-0a (to pl-0a)"),
    ],
)
def test_a_way_that_always_tracks_is_named(route: Json, way: str) -> None:
    assert always_tracked([table(route)], [ENI]) == (way,)
    assert always_tracked([table(route | {"State": "blackhole"})], [ENI]) == ()


@pytest.mark.parametrize(
    "route",
    [
        {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local"},
        {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-0a"},
        {"DestinationPrefixListId": "pl-0a", "GatewayId": "vpce-0a"},  # a gateway endpoint, of S3 or DynamoDB
        {"DestinationCidrBlock": "10.9.0.0/16", "VpcPeeringConnectionId": "pcx-0a"},
    ],
)
def test_a_way_that_need_not_track_is_not_named(route: Json) -> None:
    assert always_tracked([table(route)], [ENI]) == ()


def test_a_subnets_own_table_wins_over_the_main_one_and_other_vpcs_do_not_count() -> None:
    nat, igw = (
        {"DestinationCidrBlock": "0.0.0.0/0", key: value}
        for key, value in (("NatGatewayId", "nat-0a"), ("GatewayId", "igw-0a"))
    )
    assert always_tracked([table(nat), table(igw, subnet="subnet-0a")], [ENI]) == ()
    assert always_tracked([table(igw), table(nat, subnet="subnet-0a")], [ENI])
    assert always_tracked([table(nat, vpc="vpc-0b")], [ENI]) == ()
    assert always_tracked([], [ENI]) == ()


def test_each_way_is_named_once() -> None:
    nat = {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-0a"}
    assert len(always_tracked([table(nat)], [ENI, ENI | {"SubnetId": "subnet-0b"}])) == 1
