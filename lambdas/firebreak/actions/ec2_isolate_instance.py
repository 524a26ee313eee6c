"""Isolate an EC2 instance from the network."""

from __future__ import annotations

from pydantic import Field

from firebreak.core.action import Action
from firebreak.core.clients import Aws, Clients
from firebreak.core.errors import FirebreakError, Permanent, PlanStale, Refused, Retriable
from firebreak.core.grant import Grant
from firebreak.core.instances import living_instance
from firebreak.core.interfaces import (
    Interface,
    Interfaces,
    attached_interfaces,
    group_ids,
    interfaces_by_id,
    is_changeable,
    members_of_groups,
    move,
    name_of,
    out_of_reach,
    positions_now,
    refuse_foreign,
    refuse_quarantined,
)
from firebreak.core.model import Json, Model
from firebreak.core.plan import Again, Change, Done, Draft, Plan, Progress, Verification
from firebreak.core.quarantine import changed_groups, group_name, groups_by_id, quarantine_groups
from firebreak.core.target import Instance
from firebreak.core.tracking import always_tracked


class Parameters(Model):
    """How to isolate.

    Attributes:
        cut_tracked: go by way of the untracking group, so that open connections are cut too. It opens the host to
            everyone for the wait.
        untrack_seconds: how long to stay there. A connection loses its tracking only when a packet of it passes.
    """

    cut_tracked: bool = False
    untrack_seconds: int = Field(default=60, ge=5, le=600)


class IsolateInstance(Action[Instance, Parameters, Interfaces]):
    """Isolate an EC2 instance from the network.

    Replaces the security groups of every network interface by the sealed group of its VPC, which has no rules: nothing
    new gets in or out, over IPv4 or IPv6. With `cut_tracked` the interfaces first pass through a group that allows
    everything, under which open connections lose their tracking, so that they die when the interface is sealed. Undo
    gives every interface its own groups back.

    Does not stop: tracked connections that are open already, unless `cut_tracked`, and then still those that stay quiet
    meanwhile or are always tracked (ICMP; by way of NAT and transit gateways, Network Load Balancers, interface
    endpoints); DNS by the VPC's resolver; the metadata service; interfaces that a service manages; use elsewhere of the
    role's credentials. An interface that is attached between plan and apply makes the plan stale before anything is
    written, since its groups are not in the plan and undo could not restore them: plan again. One that is attached
    afterwards fails verification.

    Next: take evidence, revoke the role's sessions, take the instance out of its Auto Scaling group before that
    replaces it, and stop it only when its memory is not wanted.
    """

    name = "ec2.isolate_instance"
    effect = "reversible"
    target = Instance
    aspect = "network"
    parameters = Parameters
    before = Interfaces
    reads = (
        Grant(action="ec2:DescribeInstances"),
        Grant(action="ec2:DescribeNetworkInterfaces"),
        Grant(action="ec2:DescribeRouteTables"),
        Grant(action="ec2:DescribeSecurityGroups"),
    )
    writes = (
        Grant(
            action="ec2:ModifyNetworkInterfaceAttribute",
            resources=(
                "arn:{partition}:ec2:{region}:{account}:network-interface/*",
                "arn:{partition}:ec2:{region}:{account}:security-group/*",
                "arn:{partition}:ec2:{region}:{account}:instance/*",
            ),
        ),
    )

    def plan(self, clients: Clients, target: Instance, parameters: Parameters) -> Draft:
        ec2 = clients.aws("ec2")
        instance = living_instance(ec2, target.instance_id)
        attached = attached_interfaces(ec2, target.instance_id)
        enis = [eni for _, eni in sorted(attached.items()) if is_changeable(eni)]
        refuse_quarantined(enis)
        vpcs = {eni["VpcId"] for eni in enis}
        sealed = quarantine_groups(ec2, target.account, vpcs, "sealed")
        untrack = quarantine_groups(ec2, target.account, vpcs, "untrack") if parameters.cut_tracked else {}
        before = Interfaces(
            interfaces=tuple(
                Interface(
                    id=eni["NetworkInterfaceId"],
                    vpc=eni["VpcId"],
                    groups=group_ids(eni),
                    sealed=sealed[eni["VpcId"]]["GroupId"],
                    untrack=untrack[eni["VpcId"]]["GroupId"] if untrack else None,
                )
                for eni in enis
            )
        )
        return Draft(
            before=before.model_dump(mode="json"),
            changes=tuple(_change(eni, sealed[eni["VpcId"]], untrack.get(eni["VpcId"]), parameters) for eni in enis),
            resources=_resources(target, before),
            effects=_effects(instance, enis),
            residual=(*_residual(ec2, instance, enis, parameters), *out_of_reach(attached.values())),
        )

    def apply(self, clients: Clients, plan: Plan) -> Progress:
        ec2 = clients.aws("ec2")
        before, parameters = Interfaces.model_validate(plan.before), Parameters.model_validate(plan.parameters)
        positions = positions_now(ec2, plan.target.label, before)
        if set(positions.values()) <= {"sealed"}:
            return Done()
        if changed := changed_groups(ec2, before.quarantine):
            raise Refused(f"nothing was written: {'; '.join(changed)}")
        # Once one interface is sealed the others go straight there: what crashed while sealing never opens again.
        if parameters.cut_tracked and "before" in positions.values() and "sealed" not in positions.values():
            for interface in before.interfaces:
                if interface.untrack and positions.get(interface.id) == "before":
                    move(ec2, interface.id, [interface.untrack])
            # A crash right here is carried on by sealing at once. Too short a wait leaves flows tracked, which the plan
            # says; too long a wait leaves the host open.
            return Again(after=parameters.untrack_seconds, because="open connections lose their tracking")
        for interface in before.interfaces:
            if positions.get(interface.id) in ("before", "untrack"):
                move(ec2, interface.id, [interface.sealed])
        return Done()

    def verify(self, clients: Clients, plan: Plan) -> Verification:
        ec2 = clients.aws("ec2")
        planned = Interfaces.model_validate(plan.before).by_id
        attached = attached_interfaces(ec2, plan.target.label)
        if not attached:
            living_instance(ec2, plan.target.label)
        wrong = list(changed_groups(ec2, Interfaces.model_validate(plan.before).quarantine))
        sealed = []
        for eni_id, eni in sorted(attached.items()):
            carries = f"{name_of(eni)} carries {', '.join(group_name(group) for group in eni['Groups'])}"
            if eni_id in planned and planned[eni_id].position(eni) == "sealed":
                sealed.append(f"{carries} and nothing else")
            elif is_changeable(eni):
                wrong.append(carries if eni_id in planned else f"{carries}; it was attached after the plan was made")
        for eni_id, eni in sorted(interfaces_by_id(ec2, planned.keys() - attached.keys()).items()):
            if planned[eni_id].position(eni) == "untrack":
                wrong.append(f"{name_of(eni)} was detached while it let everything pass, and still does")
        return Verification(ok=not wrong, saw=(*wrong, *sealed), residual=out_of_reach(attached.values()))

    def undo(self, clients: Clients, plan: Plan) -> Progress:
        ec2 = clients.aws("ec2")
        planned = Interfaces.model_validate(plan.before).by_id
        found = interfaces_by_id(ec2, planned)
        if not found:
            living_instance(ec2, plan.target.label)
        positions = {eni_id: planned[eni_id].position(eni) for eni_id, eni in found.items()}
        refuse_foreign(positions, found)
        ours = [planned[eni_id] for eni_id, at in sorted(positions.items()) if at in ("sealed", "untrack")]
        wanted = {group for interface in ours for group in interface.groups}
        if deleted := sorted(wanted - groups_by_id(ec2, wanted).keys()):
            raise PlanStale(
                f"nothing was restored: security groups {', '.join(deleted)} were deleted since. Give"
                f" {', '.join(interface.id for interface in ours)} groups by hand"
            )
        for interface in ours:
            move(ec2, interface.id, interface.groups)
        gone = sorted(planned.keys() - found.keys())
        return Done(notes=tuple(f"{eni_id} does not exist any more; nothing to restore" for eni_id in gone))

    def secure(self, clients: Clients, plan: Plan) -> None:
        ec2 = clients.aws("ec2")
        planned = Interfaces.model_validate(plan.before).by_id
        found = interfaces_by_id(ec2, planned)
        positions = {eni_id: planned[eni_id].position(eni) for eni_id, eni in found.items()}
        if not {"untrack", "sealed"} & set(positions.values()):
            return  # nothing was begun, so nothing is half done
        failures: list[FirebreakError] = []
        for eni_id, position in sorted(positions.items()):
            if position in ("before", "untrack"):
                try:
                    move(ec2, eni_id, [planned[eni_id].sealed])
                except FirebreakError as error:
                    failures.append(error)
        if failures:
            kind = Retriable if any(isinstance(error, Retriable) for error in failures) else Permanent
            said = "; ".join(str(error) for error in failures)
            raise kind(f"{len(failures)} interfaces of {plan.target.label} are not sealed; seal them by hand: {said}")
        refuse_foreign(positions, found)


def _change(eni: Json, sealed: Json, untrack: Json | None, parameters: Parameters) -> Change:
    by_way = f"{group_name(untrack)} for {parameters.untrack_seconds} s, then " if untrack else ""
    return Change(
        resource=name_of(eni),
        what="security groups",
        before=", ".join(sorted(group_name(group) for group in eni["Groups"])),
        after=by_way + group_name(sealed),
    )


def _resources(target: Instance, before: Interfaces) -> tuple[str, ...]:
    if not before.interfaces:
        return ()
    prefix = target.arn.removesuffix(f"instance/{target.instance_id}")
    groups = before.quarantine.keys() | {group for interface in before.interfaces for group in interface.groups}
    return (
        target.arn,
        *(f"{prefix}network-interface/{interface.id}" for interface in before.interfaces),
        *(f"{prefix}security-group/{group}" for group in sorted(groups)),
    )


def _effects(instance: Json, enis: list[Json]) -> tuple[str, ...]:
    scaling = [tag["Value"] for tag in instance.get("Tags", ()) if tag["Key"] == "aws:autoscaling:groupName"]
    return (
        *(
            f"security group {group} loses {', '.join(ids)}: rules elsewhere that name it stop matching"
            for group, ids in members_of_groups(enis).items()
        ),
        *(f"Auto Scaling group {group} may find it unhealthy and replace it" for group in scaling),
    )


def _residual(ec2: Aws, instance: Json, enis: list[Json], parameters: Parameters) -> tuple[str, ...]:
    if not enis:
        return ()
    filters = [{"Name": "vpc-id", "Values": sorted({eni["VpcId"] for eni in enis})}]
    tables = ec2.pages("describe_route_tables", "RouteTables", Filters=filters)
    quiet = f"connections quiet for the {parameters.untrack_seconds} s of untracking, and always-tracked ones,"
    tracked = quiet if parameters.cut_tracked else "connections that are open and tracked already"
    profile = instance.get("IamInstanceProfile", {}).get("Arn")
    return (
        f"{tracked} live on until they end or idle out (TCP: up to five days)",
        *(f"flows through {way} are always tracked" for way in always_tracked(tables, enis)),
        "ICMP and flows through a Network Load Balancer, interface endpoint or Global Accelerator are always tracked",
        "DNS by the VPC's resolver, the metadata service, time and DHCP are not filtered by security groups",
        *(f"credentials already given to {role} stay valid, here and elsewhere" for role in (profile,) if role),
    )
