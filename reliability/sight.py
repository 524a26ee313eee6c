"""What the sandbox world is held against: the estate before and after, and what became of an incident."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from firebreak.adapters.incident_table import IncidentTable
from firebreak.core.audit import AuditRecord, broken_link
from firebreak.core.incident import StepRecord
from reliability.shape import Shape
from sandbox.kubernetes_kinds import BY_PATH
from sandbox.lab import Lab


def estate(lab: Lab) -> dict[str, Any]:
    """Return what an undo has to restore, by what it belongs to."""
    ec2, balancers, scaling = (lab.sandbox.client(name) for name in ("ec2", "elbv2", "autoscaling"))
    seen: dict[str, Any] = {}
    for each in ec2.describe_network_interfaces()["NetworkInterfaces"]:
        seen[each["NetworkInterfaceId"]] = sorted(group["GroupId"] for group in each["Groups"])
    for reservation in ec2.describe_instances()["Reservations"]:
        for each in reservation["Instances"]:
            tags = sorted(tag.items() for tag in each.get("Tags", ()))
            seen[each["InstanceId"]] = (each["State"]["Name"], tags, each["MetadataOptions"])
    for each in ec2.describe_volumes()["Volumes"]:
        seen[each["VolumeId"]] = sorted(held["InstanceId"] for held in each["Attachments"])
    targets = balancers.describe_target_health(TargetGroupArn=lab.estate.target_group)["TargetHealthDescriptions"]
    seen["targets"] = sorted(each["Target"]["Id"] for each in targets)
    for group in scaling.describe_auto_scaling_groups()["AutoScalingGroups"]:
        members = sorted((each["InstanceId"], each["LifecycleState"]) for each in group["Instances"])
        seen[group["AutoScalingGroupName"]] = (group["DesiredCapacity"], members)
    return {**seen, **_nodes(lab), **_bucket(lab), **_function(lab), **_keys(lab)}


def _bucket(lab: Lab) -> dict[str, Any]:
    s3, bucket = lab.sandbox.client("s3"), lab.estate.bucket
    block = _set(lambda: s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"])
    policy = _set(lambda: s3.get_bucket_policy(Bucket=bucket)["Policy"])
    return {bucket: {"public access block": block, "policy": policy}}


def _function(lab: Lab) -> dict[str, Any]:
    functions, name = lab.sandbox.client("lambda"), lab.estate.function
    reserved = functions.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions")
    polls = {each["UUID"]: each["State"] for each in functions.list_event_source_mappings()["EventSourceMappings"]}
    return {f"function {name}": (reserved, polls)}


def _keys(lab: Lab) -> dict[str, Any]:
    listed = lab.sandbox.client("iam").list_access_keys(UserName=lab.estate.user)["AccessKeyMetadata"]
    return {f"keys of {lab.estate.user}": {key["AccessKeyId"]: key["Status"] for key in listed}}


def _set(read: Callable[[], Any]) -> Any:
    """What a read answers, None where S3 says that nothing of the kind is set."""
    try:
        return read()
    except ClientError as error:
        if not error.response["Error"]["Code"].startswith("NoSuch"):
            raise
        return None


def _nodes(lab: Lab) -> dict[str, Any]:
    if lab.estate.cluster is None:
        return {}
    nodes: dict[str, Any] = {}
    for stored in lab.estate.cluster.store.all(BY_PATH["", "v1", "nodes"]):
        metadata = stored.item["metadata"]
        kept = {key: dict(metadata.get(key, {})) for key in ("annotations", "labels")}
        nodes[metadata["name"]] = {**kept, "spec": dict(stored.item.get("spec", {}))}
    return nodes


def apart(now: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    """Say in what two sights of an estate differ, "" where they do not."""
    names = [name for name in {**now, **before} if now.get(name) != before.get(name)]
    return "; ".join(f"{name} is {now.get(name)}, and was {before.get(name)}" for name in names)


def judged(lab: Lab, store: IncidentTable, incident: str, *, denied: bool, shape: Shape) -> Iterator[str]:
    """Say what does not hold of an incident, once all is quiet.

    Args:
        denied: whether a call was refused for good: its step may have failed then, if people were told.
    """
    steps = store.steps(incident)
    if len(steps) != len(shape.playbook.steps) and not denied:
        yield f"I3 {incident} has {len(steps)} steps, and its playbook {len(shape.playbook.steps)}"
    notices = lab.sandbox.notices()
    for step in steps:
        told = any(step.action in notice for notice in notices)
        if not step.settled or (step.status not in shape.scene.ends and not denied):
            yield f"I3 {step.action} ends {step.status}: {step.error}"
        elif step.status != "verified" and not told:
            yield f"I3 {step.action} ends {step.status} and nobody was told"
    if running := [execution.name for execution in lab.sandbox.executions("RUNNING")]:
        yield f"I7 still running: {', '.join(running)}"
    yield from _copies(lab, incident, steps)
    yield from _trails(store, incident, steps)


def _copies(lab: Lab, incident: str, steps: Sequence[StepRecord]) -> Iterator[str]:
    found = lab.sandbox.client("ec2").describe_snapshots(
        OwnerIds=["self"], Filters=[{"Name": "tag:firebreak:incident", "Values": [incident]}]
    )["Snapshots"]
    volumes = [snapshot["VolumeId"] for snapshot in found]
    if len(volumes) != len(set(volumes)):
        yield f"I4 {len(volumes)} snapshots of {len(set(volumes))} volumes"
    done = any(step.action == "ebs.snapshot_volumes" and step.status == "verified" for step in steps)
    if done and not volumes:
        yield "I3 the snapshots are verified, and there are none"


def _trails(store: IncidentTable, incident: str, steps: Sequence[StepRecord]) -> Iterator[str]:
    chains: dict[str, list[AuditRecord]] = {}
    for record in store.trail(incident):
        chains.setdefault(record.chain, []).append(record)
    for chain, records in chains.items():
        if (link := broken_link(records)) is not None:
            yield f"I9 the trail {chain} of {incident} breaks at {link}"
    for step in steps:
        if chains[step.id][-1].hash != step.head:
            yield f"I9 {step.id} of {incident} is not where its trail ends"
