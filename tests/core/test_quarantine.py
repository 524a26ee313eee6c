"""The quarantine groups: their rules, and every way in which they can be other than they have to be."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firebreak.core.errors import Refused, Retriable
from firebreak.core.model import Json
from firebreak.core.quarantine import (
    DESCRIPTIONS,
    NAMES,
    RULES,
    TAG,
    Kind,
    as_permission,
    changed_groups,
    drift,
    is_half_made,
    is_ours,
    quarantine_groups,
    rules_of,
)

KINDS: tuple[Kind, ...] = ("sealed", "untrack")
EVERYONE_V4 = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
EVERYONE_V6 = {"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}
EVERYONE = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}], "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}


def group(kind: Kind, ingress: Json = (), egress: Json = (), **more: Any) -> Json:
    """A group as DescribeSecurityGroups answers it."""
    return {
        "GroupId": f"sg-0000000000000{kind[:3]}",
        "GroupName": NAMES[kind],
        "VpcId": "vpc-0a",
        "OwnerId": "111122223333",
        "IpPermissions": list(ingress),
        "IpPermissionsEgress": list(egress),
        "Tags": [{"Key": TAG, "Value": kind}],
    } | more


class Ec2:
    """Answers DescribeSecurityGroups with what it was given, filtered by name or id as AWS does."""

    def __init__(self, *groups: Json) -> None:
        self.groups = groups

    def pages(self, operation: str, member: str, **arguments: Any) -> list[Json]:
        assert (operation, member) == ("describe_security_groups", "SecurityGroups")
        keys = {"group-name": "GroupName", "group-id": "GroupId", "vpc-id": "VpcId", "owner-id": "OwnerId"}
        wanted = {keys[each["Name"]]: each["Values"] for each in arguments["Filters"]}
        assert all(wanted.values()), "EC2 refuses a filter without values"
        return [one for one in self.groups if all(one[key] in values for key, values in wanted.items())]


@pytest.mark.parametrize("kind", KINDS)
def test_names_and_descriptions_are_what_ec2_takes(kind: Kind) -> None:
    assert re.fullmatch(r"(?!sg-)[a-z-]{1,255}", NAMES[kind])
    # CreateSecurityGroup, GroupDescription: "a-z, A-Z, 0-9, spaces, and ._-:/()#,@[]+=&;{}!$*", up to 255 characters
    assert re.fullmatch(r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{1,255}", DESCRIPTIONS[kind])


def test_sealed_lets_nothing_pass_and_untrack_everything_both_ways_in_both_families() -> None:
    assert RULES["sealed"] == frozenset()
    assert {(rule[0], rule[4]) for rule in RULES["untrack"]} == {
        ("in", "0.0.0.0/0"),
        ("in", "::/0"),
        ("out", "0.0.0.0/0"),
        ("out", "::/0"),
    }
    assert {rule[1:4] for rule in RULES["untrack"]} == {("-1", -1, -1)}


@pytest.mark.parametrize(
    ("kind", "ingress", "egress"),
    [
        ("sealed", [], []),
        ("untrack", [EVERYONE], [EVERYONE]),
        ("untrack", [EVERYONE_V4, EVERYONE_V6], [EVERYONE_V6, EVERYONE_V4]),  # split or joined means the same
    ],
)
def test_a_group_as_it_was_made_has_no_drift(kind: Kind, ingress: Json, egress: Json) -> None:
    assert drift(kind, group(kind, ingress, egress)) == ""


@pytest.mark.parametrize(
    ("kind", "ingress", "egress", "said"),
    [
        ("sealed", [], [EVERYONE_V4], "has everything to 0.0.0.0/0"),
        ("sealed", [], [EVERYONE_V6], "has everything to ::/0"),
        (
            "sealed",
            [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "198.51.100.7/32"}]}],
            [],
            "has tcp 22-22 from 198.51.100.7/32",
        ),
        ("sealed", [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-0b"}]}], [], "has everything from sg-0b"),
        ("sealed", [], [{"IpProtocol": "-1", "PrefixListIds": [{"PrefixListId": "pl-0c"}]}], "to pl-0c"),
        ("untrack", [EVERYONE_V4], [EVERYONE], "lacks everything from ::/0"),
        ("untrack", [EVERYONE], [EVERYONE_V6], "lacks everything to 0.0.0.0/0"),
        (
            "untrack",
            [EVERYONE | {"IpProtocol": "tcp", "FromPort": 0, "ToPort": 65535}],
            [EVERYONE],
            "lacks everything from 0.0.0.0/0",
        ),
    ],
)
def test_drift_names_the_rule(kind: Kind, ingress: Json, egress: Json, said: str) -> None:
    assert said in drift(kind, group(kind, ingress, egress))


@given(
    st.sampled_from(KINDS),
    st.sampled_from(["IpPermissions", "IpPermissionsEgress"]),
    st.sampled_from(["tcp", "udp", "icmp", "47"]),
    st.integers(0, 65535),
    st.ip_addresses(),
)
def test_any_further_rule_is_drift(kind: Kind, side: str, protocol: str, port: int, address: Any) -> None:
    whole = group(kind, *([[EVERYONE], [EVERYONE]] if kind == "untrack" else []))
    assert drift(kind, whole) == ""
    ranges = {4: {"IpRanges": [{"CidrIp": f"{address}/32"}]}, 6: {"Ipv6Ranges": [{"CidrIpv6": f"{address}/128"}]}}
    further = {"IpProtocol": protocol, "FromPort": port, "ToPort": port, **ranges[address.version]}
    assert drift(kind, whole | {side: [*whole[side], further]})


@given(st.sampled_from(KINDS), st.sets(st.sampled_from(sorted(RULES["untrack"]))))
def test_what_a_prepare_run_can_leave_is_half_made_and_nothing_else_is(kind: Kind, rules: set[Any]) -> None:
    sides: dict[str, list[Json]] = {"in": [], "out": []}
    for rule in rules:
        sides[rule[0]].append(as_permission(rule))
    found = group(kind, sides["in"], sides["out"])
    assert rules_of(found) == rules
    on_the_way = rules < RULES["untrack"] if kind == "untrack" else bool(rules) and not sides["in"]
    assert is_half_made(kind, found) == on_the_way
    assert not is_half_made(kind, found | {"Tags": []}), "a group that someone else made is not ours to finish"


def test_a_group_is_ours_by_its_name_alone() -> None:
    assert is_ours({"GroupName": "firebreak-sealed", "GroupId": "sg-0d"})
    assert is_ours({"GroupName": "firebreak-untrack", "GroupId": "sg-0d"})
    assert not is_ours({"GroupName": "firebreak-sealed-2", "GroupId": "sg-0d"})
    assert not is_ours({"GroupId": "sg-0d"})


def test_the_group_of_each_vpc_is_found_and_another_accounts_is_not() -> None:
    mine, theirs = group("sealed"), group("sealed", GroupId="sg-0e", VpcId="vpc-0b", OwnerId="444455556666")
    ec2: Any = Ec2(mine, theirs)
    assert quarantine_groups(ec2, "111122223333", ["vpc-0a", "vpc-0a"], "sealed") == {"vpc-0a": mine}
    assert quarantine_groups(ec2, "111122223333", [], "sealed") == {}
    with pytest.raises(Retriable, match=r"vpc-0b has no security group firebreak-sealed\. Prepare makes it"):
        quarantine_groups(ec2, "111122223333", ["vpc-0a", "vpc-0b"], "sealed")


def test_a_changed_group_is_refused_by_name() -> None:
    ec2: Any = Ec2(group("sealed", [EVERYONE_V4]))
    with pytest.raises(Refused, match=r"firebreak-sealed \(sg-0000000000000sea\) in vpc-0a .* from 0.0.0.0/0"):
        quarantine_groups(ec2, "111122223333", ["vpc-0a"], "sealed")


def test_groups_that_changed_or_went_away_since_are_named() -> None:
    sealed, untrack = group("sealed", [EVERYONE_V6]), group("untrack", [EVERYONE], [EVERYONE])
    ec2: Any = Ec2(sealed, untrack)
    expected: dict[str, Kind] = {sealed["GroupId"]: "sealed", untrack["GroupId"]: "untrack", "sg-0f": "sealed"}
    said = changed_groups(ec2, expected)
    assert len(said) == 2
    assert "firebreak-sealed (sg-0000000000000sea)" in said[0]
    assert "sg-0f (firebreak-sealed) was deleted" in said[1]
    assert changed_groups(ec2, {untrack["GroupId"]: "untrack"}) == ()
