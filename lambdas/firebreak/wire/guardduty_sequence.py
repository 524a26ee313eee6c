"""The inside of an attack sequence, `service.detection.sequence`: what, who, and the other ends.

Member names: Amazon GuardDuty API Reference, "Sequence", in the camelCase form that EventBridge delivers. The words
for resource types are others than those of `resource.resourceType`, and a resource is named by ARN or bare id.
"""

from __future__ import annotations

from collections.abc import Iterator

from firebreak.core import target
from firebreak.core.finding import Actor, Remote
from firebreak.core.model import Json
from firebreak.core.target import GLOBAL, Target
from firebreak.wire import read
from firebreak.wire.guardduty_targets import KEY_ID, Owner, bucket_object, instance, other
from firebreak.wire.read import arn_resource, last, member, name, objects, texts

GROUPS = frozenset(
    {
        "AUTOSCALING_AUTO_SCALING_GROUP",
        "CLOUDFORMATION_STACK",
        "EC2_IMAGE",
        "EC2_LAUNCH_TEMPLATE",
        "EC2_VPC",
        "IAM_INSTANCE_PROFILE",
    }
)


def targets(owner: Owner, sequence: Json) -> list[Target]:
    """Return what a sequence points at: its resources in order, then the keys that its actors used.

    The members of a group (an Auto Scaling group, a VPC) are targets only where the sequence names no instance
    itself: otherwise they have done nothing but live beside one that did.
    """
    resources = objects(member(sequence, "resources"))
    clusters = {cluster for item in resources if (cluster := _cluster(item))}
    cluster = clusters.pop() if len(clusters) == 1 else None
    found = [each for item in resources for each in _resource(_owner_of(item, owner), item, cluster)]
    if not any(isinstance(each, target.Instance) for each in found):
        found += [each for item in resources for each in _members(_owner_of(item, owner), item)]
    return found + list(_keys(owner, sequence))


def actors(sequence: Json) -> Iterator[Actor]:
    """Return who acted."""
    for actor in objects(member(sequence, "actors")):
        user = member(actor, "user")
        yield Actor(
            principal_id=name(member(user, "uid")),
            access_key_id=name(member(user, "credentialUid")),
            name=name(member(user, "name")),
        )


def remotes(sequence: Json) -> Iterator[Remote]:
    """Return the other ends."""
    for end in objects(member(sequence, "endpoints")):
        yield Remote(
            ip=read.ip(member(end, "ip")),
            domain=read.domain(member(end, "domain")),
            port=read.whole(member(end, "port"), 1, 65535),
        )


def _owner_of(item: Json, owner: Owner) -> Owner:
    return Owner(
        partition=read.partition(member(item, "cloudPartition")) or owner.partition,
        account=read.account(member(item, "accountId")) or owner.account,
        region=read.region(member(item, "region")) or owner.region,
    )


def _resource(owner: Owner, item: Json, cluster: str | None) -> list[Target]:
    kind, uid = name(member(item, "resourceType")), name(member(item, "uid")) or name(member(item, "name"))
    if kind is None or uid is None:
        return []
    details = member(item, "data", _camel(kind))
    match kind:
        case "EC2_INSTANCE":
            return instance(owner, uid)
        case "S3_BUCKET":
            return [target.Bucket(name=arn_resource(uid, "s3") or uid, **owner.place())]
        case "S3_OBJECT":
            return _object(owner, uid, details)
        case "ACCESS_KEY":
            key = target.AccessKey(
                access_key_id=last(uid) or uid,
                principal_id=name(member(details, "principalId")),
                user_name=name(member(details, "userName")),
                user_type=name(member(details, "userType")),
                **owner.place(GLOBAL),
            )
            return [key]
        case "EKS_CLUSTER" if found := _cluster(item):
            return [target.Cluster(name=found, **owner.place())]
        case "KUBERNETES_WORKLOAD" if pods := _workload(owner, item, details, cluster):
            return pods
        case "CONTAINER":
            return [target.Container(container_id=last(uid) or uid, **owner.place())]
        case "ECS_CLUSTER":
            return [target.EcsCluster(name=last(uid) or uid, **owner.place())]
        case "ECS_TASK":
            parts = (arn_resource(uid, "ecs") or "").split("/")  # task/cluster/id
            return [target.EcsTask(cluster=parts[1] if len(parts) == 3 else "", name=last(uid) or uid, **owner.place())]
    return other(owner, kind, uid)


def _cluster(item: Json) -> str | None:
    if member(item, "resourceType") != "EKS_CLUSTER":
        return None
    arns = (member(item, "data", "eksCluster", "arn"), member(item, "uid"))
    from_arn = next((found for arn in arns if (found := last(arn_resource(arn, "eks")))), None)
    found = from_arn or name(member(item, "name")) or last(name(member(item, "uid")))
    return found if found and len(found) <= 100 else None


def _workload(owner: Owner, item: Json, details: Json, cluster: str | None) -> list[Target]:
    namespace = name(member(details, "namespace"))
    workload = name(member(item, "name")) or last(name(member(item, "uid")))
    if not cluster or not namespace or not workload or len(namespace) > 63 or len(workload) > 253:
        return []
    kind = (name(member(details, "type")) or "pods").lower()
    return [target.Pod(cluster=cluster, namespace=namespace, name=workload, workload=kind, **owner.place())]


def _object(owner: Owner, uid: str, details: Json) -> list[Target]:
    bucket, _, key = (arn_resource(uid, "s3") or uid).partition("/")
    found = bucket_object(owner, bucket, key or member(details, "key"), member(details, "versionId")) if bucket else []
    return found or other(owner, "S3_OBJECT", uid)


def _members(owner: Owner, item: Json) -> list[Target]:
    kind = name(member(item, "resourceType"))
    if kind not in GROUPS:
        return []
    uids = texts(member(item, "data", _camel(kind), "ec2InstanceUids"))
    return [each for uid in uids for each in instance(owner, uid)]


def _keys(owner: Owner, sequence: Json) -> Iterator[Target]:
    for actor in actors(sequence):
        if actor.access_key_id and KEY_ID.match(actor.access_key_id):
            yield target.AccessKey(
                access_key_id=actor.access_key_id,
                principal_id=actor.principal_id,
                user_name=actor.name,
                **owner.place(GLOBAL),
            )


def _camel(kind: str) -> str:
    """Return the name of a resource type's details: EC2_INSTANCE has `ec2Instance`."""
    first, *rest = kind.lower().split("_")
    return first + "".join(word.capitalize() for word in rest)
