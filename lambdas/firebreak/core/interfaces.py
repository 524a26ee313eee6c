"""Network interfaces of an instance: read, told apart, moved to other security groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

from firebreak.core.clients import Aws
from firebreak.core.errors import PlanStale, Refused, Retriable, TargetMissing
from firebreak.core.instances import living_instance
from firebreak.core.model import Json, Model
from firebreak.core.quarantine import Kind, group_name, is_ours

Position: TypeAlias = Literal["before", "untrack", "sealed", "foreign"]


class Interface(Model):
    """A network interface as it was found, and the quarantine groups of its VPC.

    Attributes:
        id: "eni-…".
        vpc: its own VPC, which need not be the instance's.
        groups: its security groups, sorted.
        sealed: the group it ends in.
        untrack: the group it passes through, where tracked flows are to be cut.
    """

    id: str
    vpc: str
    groups: tuple[str, ...]
    sealed: str
    untrack: str | None = None

    def position(self, eni: Json) -> Position:
        """Say where the interface stands now; "foreign" where someone else has put it."""
        groups = group_ids(eni)
        if groups == (self.sealed,):
            return "sealed"
        if groups == (self.untrack,):
            return "untrack"
        return "before" if groups == self.groups else "foreign"


class Interfaces(Model):
    """The interfaces of an instance as they were found: what isolation changes and undo restores."""

    interfaces: tuple[Interface, ...]

    @property
    def by_id(self) -> dict[str, Interface]:
        return {interface.id: interface for interface in self.interfaces}

    @property
    def quarantine(self) -> dict[str, Kind]:
        """The quarantine groups that the plan uses."""
        untrack: dict[str, Kind] = {i.untrack: "untrack" for i in self.interfaces if i.untrack}
        return untrack | {i.sealed: "sealed" for i in self.interfaces}


def attached_interfaces(ec2: Aws, instance_id: str) -> dict[str, Json]:
    """Return every interface attached to an instance by id, as DescribeNetworkInterfaces answers them.

    DescribeInstances would not do: it does not say which are requester-managed.
    """
    filters = [{"Name": "attachment.instance-id", "Values": [instance_id]}]
    found = ec2.pages("describe_network_interfaces", "NetworkInterfaces", Filters=filters)
    return {eni["NetworkInterfaceId"]: eni for eni in found}


def interfaces_by_id(ec2: Aws, ids: Iterable[str]) -> dict[str, Json]:
    """Return those of some interfaces that exist, attached or not. As a filter, because an unknown id is no error."""
    if not (wanted := sorted(ids)):
        return {}
    filters = [{"Name": "network-interface-id", "Values": wanted}]
    found = ec2.pages("describe_network_interfaces", "NetworkInterfaces", Filters=filters)
    return {eni["NetworkInterfaceId"]: eni for eni in found}


def group_ids(eni: Json) -> tuple[str, ...]:
    """Return an interface's security groups, sorted."""
    return tuple(sorted(group["GroupId"] for group in eni["Groups"]))


def is_changeable(eni: Json) -> bool:
    """Tell whether an interface's groups can be changed at all: of a requester-managed one only its tags can be."""
    return not eni.get("RequesterManaged", False)


def name_of(eni: Json) -> str:
    """Return what a person calls an interface: its id and addresses."""
    v6 = [address["Ipv6Address"] for address in eni.get("Ipv6Addresses", ())]
    addresses = [address for address in (eni.get("PrivateIpAddress"), *v6) if address]
    return f"{eni['NetworkInterfaceId']} ({', '.join(addresses) or 'no address'})"


def out_of_reach(enis: Iterable[Json]) -> tuple[str, ...]:
    """Return in words what keeps its own way although every changeable interface is isolated."""
    said = []
    for eni in enis:
        if not is_changeable(eni):
            owner = eni.get("RequesterId", "another service")
            said.append(f"{name_of(eni)} is managed by {owner}: its security groups cannot be changed")
        elif eni.get("InterfaceType") == "trunk":
            said.append(f"{name_of(eni)} is a trunk: its branch interfaces (pods) keep their own security groups")
        elif eni.get("InterfaceType", "").startswith("efa"):
            said.append(f"{name_of(eni)} is an Elastic Fabric Adapter: traffic that bypasses the system may live on")
    return tuple(sorted(said))


def move(ec2: Aws, eni: str, groups: Iterable[str]) -> None:
    """Replace an interface's security groups; the same call again changes nothing.

    Raises:
        Retriable: the interface or a group vanished since it was read; the next run sees which.
    """
    wanted = sorted(groups)
    try:
        ec2.modify_network_interface_attribute(NetworkInterfaceId=eni, Groups=wanted)
    except TargetMissing as gone:
        raise Retriable(f"{eni} could not be moved to {', '.join(wanted)}: {gone}. Run again") from gone


def refuse_foreign(positions: Mapping[str, Position], found: Mapping[str, Json]) -> None:
    """Refuse to go on where an interface stands where the plan neither found it nor leaves it.

    Raises:
        PlanStale: names each such interface with its groups.
    """
    if foreign := sorted(eni for eni, position in positions.items() if position == "foreign"):
        said = "; ".join(f"{name_of(found[eni])} carries {', '.join(group_ids(found[eni]))}" for eni in foreign)
        raise PlanStale(f"someone else changed security groups: {said}. They were left as they are")


def refuse_quarantined(enis: Iterable[Json]) -> None:
    """Refuse to take an isolation that is in force for the state before.

    Raises:
        Refused: names the first interface that carries a quarantine group.
    """
    for eni in enis:
        if any(is_ours(group) for group in eni["Groups"]):
            raise Refused(
                f"{name_of(eni)} carries {', '.join(group_name(group) for group in eni['Groups'])}: it is isolated"
                " already, and that must not become the state before. Undo the incident that isolated it, or give it"
                " its own groups back by hand"
            )


def positions_now(ec2: Aws, instance_id: str, found: Interfaces) -> dict[str, Position]:
    """Return where each planned interface stands that is attached, or was detached while it let everything pass.

    Raises:
        TargetMissing: the instance is gone.
        PlanStale: one stands elsewhere, or an interface was attached that is not in the plan.
    """
    planned = found.by_id
    attached = attached_interfaces(ec2, instance_id)
    if not attached:
        living_instance(ec2, instance_id)
    if strangers := [name_of(eni) for eni_id, eni in attached.items() if eni_id not in planned and is_changeable(eni)]:
        raise PlanStale(
            f"nothing was written: {', '.join(strangers)} was attached to {instance_id} after the plan was made. Plan"
            " again, so that it is isolated and can be restored like the others"
        )
    positions = {eni_id: planned[eni_id].position(eni) for eni_id, eni in attached.items() if eni_id in planned}
    refuse_foreign(positions, attached)
    away = interfaces_by_id(ec2, planned.keys() - attached.keys())
    return positions | {i: "untrack" for i, eni in away.items() if planned[i].position(eni) == "untrack"}


def members_of_groups(enis: Iterable[Json]) -> dict[str, list[str]]:
    """Return, by what a person calls each security group, which of some interfaces are in it."""
    members: dict[str, list[str]] = {}
    for eni in enis:
        for group in eni["Groups"]:
            members.setdefault(group_name(group), []).append(eni["NetworkInterfaceId"])
    return dict(sorted(members.items()))
