"""The quarantine groups that containment needs in every VPC: what they are called and which rules they have.

`sealed` lets nothing in or out. `untrack` lets everything in and out: under it flows are not tracked, so that they die
when the interface moves on to `sealed` (Amazon EC2 User Guide, "Security group connection tracking"). Both are made
beforehand by `prepare` and never edited, so that isolating an interface is one idempotent call, and incidents cannot
get into each other's way. A group whose rules are not exactly these is not used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

from firebreak.core.clients import Aws
from firebreak.core.errors import Refused, Unprepared
from firebreak.core.model import Json

Kind: TypeAlias = Literal["sealed", "untrack"]
Rule: TypeAlias = tuple[str, str, int, int, str]
"""Direction, protocol, first port, last port, other end. Ports are -1 where the protocol has none."""

NAMES: dict[Kind, str] = {"sealed": "firebreak-sealed", "untrack": "firebreak-untrack"}
"""Names of the groups in every VPC. Constant, so that an action knows them without asking for a setting."""

TAG = "firebreak:quarantine"
"""Tag that Prepare gives the groups it makes; its value is the kind. Its role may change rules of no others."""

DESCRIPTIONS: dict[Kind, str] = {
    "sealed": "Firebreak quarantine: nothing in, nothing out. Do not edit.",
    "untrack": "Firebreak quarantine: everything passes untracked, for the moment before sealing. Do not edit.",
}

RULES: dict[Kind, frozenset[Rule]] = {
    "sealed": frozenset(),
    "untrack": frozenset(
        (direction, "-1", -1, -1, everyone) for direction in ("in", "out") for everyone in ("0.0.0.0/0", "::/0")
    ),
}


OF_A_NEW_GROUP: frozenset[Rule] = frozenset({("out", "-1", -1, -1, "0.0.0.0/0"), ("out", "-1", -1, -1, "::/0")})
"""Rules that AWS gives a new group, the second in a VPC with IPv6 (CreateSecurityGroup, Amazon EC2 API Reference)."""


def rules_of(group: Json) -> frozenset[Rule]:
    """Return the rules of a group as DescribeSecurityGroups answers them."""
    return frozenset(
        (direction, entry["IpProtocol"], entry.get("FromPort", -1), entry.get("ToPort", -1), other)
        for direction, member in (("in", "IpPermissions"), ("out", "IpPermissionsEgress"))
        for entry in group.get(member, ())
        for other in _other_ends(entry)
    )


def surplus_rules(kind: Kind, group: Json) -> frozenset[Rule]:
    """Return the rules that a quarantine group has and must not have."""
    return rules_of(group) - RULES[kind]


def missing_rules(kind: Kind, group: Json) -> frozenset[Rule]:
    """Return the rules that a quarantine group must have and lacks."""
    return RULES[kind] - rules_of(group)


def drift(kind: Kind, group: Json) -> str:
    """Say how a quarantine group's rules differ from what they have to be; empty where they do not."""
    has = [f"has {_words(rule)}" for rule in sorted(surplus_rules(kind, group))]
    lacks = [f"lacks {_words(rule)}" for rule in sorted(missing_rules(kind, group))]
    return "; ".join([*has, *lacks])


def is_half_made(kind: Kind, group: Json) -> bool:
    """Tell whether a group is one of ours on its way from what AWS makes of a new group to what it has to be."""
    ours = any(tag["Key"] == TAG and tag["Value"] == kind for tag in group.get("Tags", ()))
    return ours and surplus_rules(kind, group) <= OF_A_NEW_GROUP and bool(drift(kind, group))


def as_permission(rule: Rule) -> Json:
    """Return a rule for all protocols as the EC2 API takes it."""
    _, protocol, _, _, everyone = rule
    ranges = {"Ipv6Ranges": [{"CidrIpv6": everyone}]} if ":" in everyone else {"IpRanges": [{"CidrIp": everyone}]}
    return {"IpProtocol": protocol} | ranges


def group_name(group: Json) -> str:
    """Return what a person calls a group: `web (sg-0a1b…)`."""
    return f"{group['GroupName']} ({group['GroupId']})" if group.get("GroupName") else str(group["GroupId"])


def is_ours(group: Json) -> bool:
    """Tell whether a security group is one of the quarantine groups, by its name."""
    return group.get("GroupName") in NAMES.values()


def quarantine_groups(ec2: Aws, account: str, vpcs: Iterable[str], kind: Kind) -> dict[str, Json]:
    """Return the quarantine group of each VPC, as DescribeSecurityGroups answers it.

    Args:
        account: whose group it has to be: in a shared VPC the owner may have groups of the same names.

    Raises:
        Unprepared: a VPC has none yet; says who makes it.
        Refused: the rules of one are not as they have to be.
    """
    if not (wanted := sorted(set(vpcs))):
        return {}
    filters = [
        {"Name": "vpc-id", "Values": wanted},
        {"Name": "group-name", "Values": [NAMES[kind]]},
        {"Name": "owner-id", "Values": [account]},
    ]
    found = {
        group["VpcId"]: group for group in ec2.pages("describe_security_groups", "SecurityGroups", Filters=filters)
    }
    for vpc in wanted:
        if vpc not in found:
            raise Unprepared(
                f"{vpc} has no security group {NAMES[kind]}. Prepare makes it at deployment, daily and when a VPC"
                " appears; run Prepare, then try again"
            )
        if drift(kind, found[vpc]):
            raise Refused(changed(kind, found[vpc]))
    return found


def changed_groups(ec2: Aws, expected: Mapping[str, Kind]) -> tuple[str, ...]:
    """Say in words which quarantine groups are not what a plan took them for.

    Args:
        expected: which kind each group id has to be.
    """
    found = groups_by_id(ec2, expected)
    said = []
    for group_id, kind in sorted(expected.items()):
        if group_id not in found:
            said.append(f"security group {group_id} ({NAMES[kind]}) was deleted; run Prepare, then plan again")
        elif drift(kind, found[group_id]):
            said.append(changed(kind, found[group_id]))
    return tuple(said)


def changed(kind: Kind, group: Json) -> str:
    """Say that a quarantine group is not what it has to be, and what to do."""
    return (
        f"security group {group_name(group)} in {group['VpcId']} is not as Firebreak made it: it {drift(kind, group)}."
        " Find out who changed it, delete it, and let Prepare make it again"
    )


def groups_by_id(ec2: Aws, ids: Iterable[str]) -> dict[str, Json]:
    """Return those of some security groups that exist. As a filter, because an unknown id is no error there."""
    if not (wanted := sorted(ids)):
        return {}
    filters = [{"Name": "group-id", "Values": wanted}]
    return {
        group["GroupId"]: group for group in ec2.pages("describe_security_groups", "SecurityGroups", Filters=filters)
    }


def _other_ends(entry: Json) -> list[str]:
    return [
        *(item["CidrIp"] for item in entry.get("IpRanges", ())),
        *(item["CidrIpv6"] for item in entry.get("Ipv6Ranges", ())),
        *(item["PrefixListId"] for item in entry.get("PrefixListIds", ())),
        *(item.get("GroupId") or item.get("GroupName", "?") for item in entry.get("UserIdGroupPairs", ())),
    ]


def _words(rule: Rule) -> str:
    direction, protocol, first, last, other = rule
    kind = "everything" if protocol == "-1" else f"{protocol} {first}-{last}"
    return f"{kind} {'from' if direction == 'in' else 'to'} {other}"
