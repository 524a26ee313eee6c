"""Snapshot every volume of an EC2 instance."""

from __future__ import annotations

from firebreak.core.action import Action, NoParameters
from firebreak.core.clients import Aws, Clients
from firebreak.core.errors import AwsError, PlanStale, Retriable
from firebreak.core.grant import Grant
from firebreak.core.instances import living_instance
from firebreak.core.model import Json, Model
from firebreak.core.plan import Change, Done, Draft, Plan, Progress, Verification
from firebreak.core.target import Instance

PLAN_TAG = "firebreak:plan"
"""Its value is the plan's digest: CreateSnapshots takes no client token, so a retry finds by it what was made."""

TAGS_ALLOWED = 50
"""Tags on one resource (Amazon EC2 User Guide, "Tag restrictions"); those copied from a volume and ours have to fit."""

_LATER = 60
"""Seconds until a pending snapshot is looked at again. Large or busy volumes take minutes to hours."""


class Volume(Model):
    """A volume as found."""

    id: str
    device: str
    gib: int
    encrypted: bool


class Before(Model):
    """The attached volumes.

    Attributes:
        volumes: sorted by id.
        copy_tags: whether the volumes' own tags fit beside ours.
    """

    volumes: tuple[Volume, ...]
    copy_tags: bool


class SnapshotVolumes(Action[Instance, NoParameters, Before]):
    """Snapshot every volume of an EC2 instance.

    One call over the whole instance, so that the snapshots of all volumes are of the same moment (crash-consistent).
    They carry the incident, the instance and the plan as tags, beside the tags of their volumes.

    Does not stop: anything; it only takes evidence. Memory, instance store volumes and tmpfs are in no snapshot, nor is
    what the operating system has not written yet.

    Next: copy the snapshots under the evidence key into the forensic account and lock them.
    """

    name = "ebs.snapshot_volumes"
    effect = "collect"
    target = Instance
    aspect = "evidence"
    before = Before
    reads = (
        Grant(action="ec2:DescribeInstances"),
        Grant(action="ec2:DescribeVolumes"),
    )
    writes = (
        Grant(
            action="ec2:CreateSnapshots",
            resources=(
                "arn:{partition}:ec2:{region}:{account}:instance/*",
                "arn:{partition}:ec2:{region}:{account}:volume/*",
                "arn:{partition}:ec2:{region}::snapshot/*",
            ),
        ),
        Grant(
            action="ec2:CreateTags",
            resources=("arn:{partition}:ec2:{region}::snapshot/*",),
            conditions={"StringEquals": {"ec2:CreateAction": "CreateSnapshots"}},
            implied_by="ec2:CreateSnapshots",
        ),
        Grant(action="ec2:DescribeSnapshots", reason="a Describe call; IAM knows no resources for it"),
    )

    def plan(self, clients: Clients, target: Instance, parameters: NoParameters) -> Draft:
        ec2 = clients.aws("ec2")
        living_instance(ec2, target.instance_id)
        found = _attached(ec2, target.instance_id)
        volumes = tuple(
            Volume(
                id=volume["VolumeId"],
                device=_device(volume, target.instance_id),
                gib=volume["Size"],
                encrypted=volume.get("Encrypted", False),
            )
            for volume in found
        )
        prefix = target.arn.removesuffix(f"{target.account}:instance/{target.instance_id}")
        return Draft(
            before=Before(volumes=volumes, copy_tags=all(map(_tags_fit, found))).model_dump(mode="json"),
            changes=tuple(
                Change(
                    resource=f"{volume.id} ({volume.device}, {volume.gib} GiB)",
                    what="snapshots",
                    before="none for this incident",
                    after=f"one, of the same moment as the others{', encrypted' if volume.encrypted else ''}",
                )
                for volume in volumes
            ),
            resources=(
                target.arn,
                *(f"{prefix}{target.account}:volume/{volume.id}" for volume in volumes),
                f"{prefix}:snapshot/*",
            )
            if volumes
            else (),
            effects=(f"{sum(volume.gib for volume in volumes)} GiB at most are stored and billed until deleted",)
            if volumes
            else (),
            residual=("memory, instance store volumes and tmpfs are in no snapshot",),
        )

    def apply(self, clients: Clients, plan: Plan) -> Progress:
        ec2 = clients.aws("ec2")
        before = Before.model_validate(plan.before)
        wanted = {volume.id for volume in before.volumes}
        if wanted <= {snapshot["VolumeId"] for snapshot in _taken(ec2, plan) if snapshot["State"] != "error"}:
            return Done()
        living_instance(ec2, plan.target.label)
        if (attached := {volume["VolumeId"] for volume in _attached(ec2, plan.target.label)}) != wanted:
            raise PlanStale(
                f"the volumes of {plan.target.label} are not those of the plan any more (now {_list(attached)}, then"
                f" {_list(wanted)}); no snapshot was taken. Plan again"
            )
        tags = {PLAN_TAG: plan.digest, "firebreak:incident": plan.incident, "firebreak:instance": plan.target.label}
        request = {
            "InstanceSpecification": {"InstanceId": plan.target.label, "ExcludeBootVolume": False},
            "Description": f"Firebreak {plan.incident}: {plan.target.label}",
            "TagSpecifications": [
                {"ResourceType": "snapshot", "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
            ],
        }
        try:
            ec2.create_snapshots(**request, **({"CopyTagsFromSource": "volume"} if before.copy_tags else {}))
        except AwsError as error:
            if error.code == "IncorrectState":  # a volume is being made, modified or detached just now
                raise Retriable(str(error)) from error
            raise
        return Done()

    def verify(self, clients: Clients, plan: Plan) -> Verification:
        before = Before.model_validate(plan.before)
        states: dict[str, list[Json]] = {volume.id: [] for volume in before.volumes}
        for snapshot in _taken(clients.aws("ec2"), plan):
            states.setdefault(snapshot["VolumeId"], []).append(snapshot)
        return Verification(
            ok=all(any(snapshot["State"] == "completed" for snapshot in taken) for taken in states.values()),
            saw=tuple(_words(volume, taken) for volume, taken in sorted(states.items())),
            after=_LATER,
        )


def _attached(ec2: Aws, instance_id: str) -> list[Json]:
    filters = [{"Name": "attachment.instance-id", "Values": [instance_id]}]
    return sorted(ec2.pages("describe_volumes", "Volumes", Filters=filters), key=lambda volume: str(volume["VolumeId"]))


def _taken(ec2: Aws, plan: Plan) -> list[Json]:
    filters = [{"Name": f"tag:{PLAN_TAG}", "Values": [plan.digest]}]
    return list(ec2.pages("describe_snapshots", "Snapshots", OwnerIds=["self"], Filters=filters))


def _device(volume: Json, instance_id: str) -> str:
    devices = [str(at["Device"]) for at in volume["Attachments"] if at["InstanceId"] == instance_id]
    return devices[0] if devices else "?"


def _tags_fit(volume: Json) -> bool:
    keys = [tag["Key"] for tag in volume.get("Tags", ()) if not tag["Key"].startswith("aws:")]  # those are not copied
    return len(keys) + 3 <= TAGS_ALLOWED and not any(key.startswith("firebreak:") for key in keys)


def _words(volume: str, taken: list[Json]) -> str:
    if not taken:
        return f"{volume} has no snapshot of this plan"
    return f"{volume}: " + ", ".join(
        f"{snapshot['SnapshotId']} {snapshot['State']} {snapshot.get('Progress', '')}".rstrip() for snapshot in taken
    )


def _list(ids: set[str]) -> str:
    return ", ".join(sorted(ids)) or "none"
