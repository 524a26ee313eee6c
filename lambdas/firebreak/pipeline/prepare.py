"""Prepare: makes, before anything happens, the quarantine groups that containment needs in every VPC.

A group that exists is left alone: where its rules are not as they have to be, people are told and the run fails. The
one exception is a group of ours that an earlier run left half made, since nothing else would ever finish it: its rules
are then between those AWS gives a new group and those it has to have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from firebreak.core.clients import Aws, Clients
from firebreak.core.errors import AwsError, FirebreakError, Refused, Retriable, TargetMissing
from firebreak.core.model import Json
from firebreak.core.quarantine import (
    DESCRIPTIONS,
    NAMES,
    OF_A_NEW_GROUP,
    TAG,
    Kind,
    as_permission,
    changed,
    drift,
    groups_by_id,
    is_half_made,
    missing_rules,
    surplus_rules,
)
from firebreak.ports import Messenger


@dataclass
class Prepared:
    """What a run found and did.

    Attributes:
        intact: how many groups were as they have to be.
        made, finished: names and VPCs of groups that are new, or were half made before.
        problems: what stays in the way of containment.
    """

    intact: int = 0
    made: list[str] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)
    problems: list[FirebreakError] = field(default_factory=list)


@dataclass(frozen=True)
class Prepare:
    """The use case.

    Args:
        clients: gives clients under the prepare role of an account, in a region.
        messenger: tells people what stays in the way of containment.
    """

    clients: Callable[[str, str], Clients]
    messenger: Messenger

    def handle(self, places: Iterable[tuple[str, str]]) -> Prepared:
        """Prepare every VPC of some (account, region). One that fails does not keep the others from it.

        Raises:
            Retriable: some are not prepared yet, and running again may help.
            Refused: some cannot be prepared before a person has looked.
        """
        done, lines = Prepared(), list[str]()
        for account, region in places:
            place = Prepared()
            try:
                prepare_vpcs(self.clients(account, region), account, place)
            except FirebreakError as error:
                place.problems.append(error)
            done.intact += place.intact
            done.made += place.made
            done.finished += place.finished
            done.problems += place.problems
            lines += [f"{account} {region}: {problem}" for problem in place.problems]
        if lines:
            self.messenger.tell("Instances of some networks cannot be isolated", lines)
            kind = Retriable if any(isinstance(problem, Retriable) for problem in done.problems) else Refused
            raise kind("; ".join(lines))
        return done


def prepare_vpcs(clients: Clients, account: str, done: Prepared) -> None:
    """Make what is missing in every VPC of one account and region, shared ones included, and note it in `done`."""
    ec2 = clients.aws("ec2")
    vpcs = sorted(vpc["VpcId"] for vpc in ec2.pages("describe_vpcs", "Vpcs"))
    found = {(group["VpcId"], group["GroupName"]): group for group in _ours(ec2, account)}
    for vpc in vpcs:
        for kind, name in NAMES.items():
            group = found.get((vpc, name))
            try:
                if group is None:
                    _finish(ec2, kind, _make(ec2, account, kind, vpc))
                    done.made.append(f"{name} in {vpc}")
                elif not drift(kind, group):
                    done.intact += 1
                elif is_half_made(kind, group):
                    _finish(ec2, kind, group["GroupId"])
                    done.finished.append(f"{name} in {vpc}")
                else:
                    raise Refused(changed(kind, group))
            except FirebreakError as error:
                done.problems.append(error)


def _ours(ec2: Aws, account: str, vpcs: Sequence[str] = ()) -> list[Json]:
    filters = [
        {"Name": "group-name", "Values": sorted(NAMES.values())},
        {"Name": "owner-id", "Values": [account]},
        *({"Name": "vpc-id", "Values": list(vpcs)} for _ in vpcs[:1]),
    ]
    return list(ec2.pages("describe_security_groups", "SecurityGroups", Filters=filters))


def _make(ec2: Aws, account: str, kind: Kind, vpc: str) -> str:
    tags = [{"ResourceType": "security-group", "Tags": [{"Key": TAG, "Value": kind}]}]
    try:
        made = ec2.create_security_group(
            GroupName=NAMES[kind], Description=DESCRIPTIONS[kind], VpcId=vpc, TagSpecifications=tags
        )
    except AwsError as error:
        if error.code != "InvalidGroup.Duplicate":
            raise
        # Another run makes it right now, or the answer to our own call was lost: both are carried on.
        for group in _ours(ec2, account, [vpc]):
            if group["GroupName"] == NAMES[kind] and (not drift(kind, group) or is_half_made(kind, group)):
                return str(group["GroupId"])
        raise Retriable(f"{NAMES[kind]} in {vpc} exists and does not show yet; run again") from error
    return str(made["GroupId"])


def _finish(ec2: Aws, kind: Kind, group_id: str) -> None:
    """Give a group that is new or half made its rules: one call a rule, since one that fails must not hide another."""
    group = _read(ec2, group_id)
    for rule in sorted(surplus_rules(kind, group) & OF_A_NEW_GROUP):
        try:
            ec2.revoke_security_group_egress(GroupId=group_id, IpPermissions=[as_permission(rule)])
        except TargetMissing:  # InvalidPermission.NotFound: another run was faster
            continue
    for rule in sorted(missing_rules(kind, group)):
        allow = ec2.authorize_security_group_ingress if rule[0] == "in" else ec2.authorize_security_group_egress
        try:
            allow(GroupId=group_id, IpPermissions=[as_permission(rule)])
        except AwsError as error:
            if error.code != "InvalidPermission.Duplicate":  # another run was faster
                raise
    if difference := drift(kind, group := _read(ec2, group_id)):
        raise Retriable(f"{NAMES[kind]} ({group_id}) in {group['VpcId']} is not finished: it {difference}; run again")


def _read(ec2: Aws, group_id: str) -> Json:
    if group := groups_by_id(ec2, [group_id]).get(group_id):
        return group
    raise Retriable(f"security group {group_id} was made and does not show yet; run again")
