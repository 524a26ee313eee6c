"""What a GuardDuty finding points at: `resource` by its `resourceType`, never by which details happen to be there.

Member names: Amazon GuardDuty API Reference, "Resource", in the camelCase form that EventBridge delivers. Details of
an instance also come with findings about keys, buckets and clusters; it is a target only where the finding is about
something that runs on it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from firebreak.core import target
from firebreak.core.model import Json
from firebreak.core.target import GLOBAL, Target
from firebreak.wire.read import arn_resource, last, member, name, objects, texts

MOST = 200
"""Targets of one finding. More than any cap of the guard, so that a person is asked; bounded, so that it fits."""

INSTANCE_ID = re.compile(r"i-[0-9a-f]{8,17}\Z")
KEY_ID = re.compile(r"(AKIA|ASIA)[A-Z0-9]{12,124}\Z")


@dataclass(frozen=True)
class Owner:
    """Whose resources they are, unless one says otherwise."""

    partition: str
    account: str
    region: str

    def place(self, region: str | None = None) -> dict[str, str]:
        return {"partition": self.partition, "account": self.account, "region": region or self.region}


def instance(owner: Owner, value: Json) -> list[Target]:
    """Return the instance of an id or ARN; what cannot be an id is kept by name, and nothing can act on it."""
    found = last(name(value))
    if found is None:
        return []
    if INSTANCE_ID.match(found):
        return [target.Instance(instance_id=found, **owner.place())]
    return [target.Resource(type="Instance", id=found, **owner.place())]


def other(owner: Owner, kind: str, value: Json) -> list[Target]:
    """Return anything that has no kind of its own among targets."""
    found = name(value)
    return [] if found is None else [target.Resource(type=kind, id=found, **owner.place())]


def bucket_object(owner: Owner, bucket: str, key: Json, version: Json) -> list[Target]:
    """Return an object of a bucket. Keys are up to 1,024 bytes of anything."""
    encoded = key.encode("utf-8", "replace") if isinstance(key, str) else b""
    if not 0 < len(encoded) <= 1024 or encoded.decode() != key:
        return []
    return [target.S3Object(bucket=bucket, object_key=key, version_id=name(version), **owner.place())]


def _instance(owner: Owner, resource: Json, _: str) -> list[Target]:
    return instance(owner, member(resource, "instanceDetails", "instanceId"))


def _access_key(owner: Owner, resource: Json, finding_type: str) -> list[Target]:
    details = member(resource, "accessKeyDetails")
    principal = name(member(details, "principalId"))
    who = {"user_name": name(member(details, "userName")), "user_type": name(member(details, "userType"))}
    found: list[Target] = []
    if key := name(member(details, "accessKeyId")):
        found.append(target.AccessKey(access_key_id=key, principal_id=principal, **who, **owner.place(GLOBAL)))
    elif principal:
        found.append(target.Principal(principal_id=principal, **who, **owner.place(GLOBAL)))
    if "InstanceCredentialExfiltration" in finding_type:
        # only here GuardDuty itself says that these are an instance's keys; elsewhere whoever assumes the role
        # chooses the session name, and could point at any instance
        session = (principal or "").partition(":")[2]
        found += instance(owner, session) if INSTANCE_ID.match(session) else _instance(owner, resource, "")
    guardrail = member(resource, "bedrockGuardrailDetails", "guardrailArn")
    models = (member(model, "modelId") for model in objects(member(resource, "modelDetails")))
    found += other(owner, "BedrockGuardrail", guardrail)
    return found + [each for model in models for each in other(owner, "BedrockModel", model)]


def _buckets(owner: Owner, resource: Json, _: str) -> list[Target]:
    found: list[Target] = []
    for details in objects(member(resource, "s3BucketDetails")):
        if bucket := _bucket_name(details):
            found.append(target.Bucket(name=bucket, **owner.place()))
    return found


def _bucket_name(details: Json) -> str | None:
    return name(member(details, "name")) or arn_resource(member(details, "arn"), "s3")


def _objects(owner: Owner, resource: Json, finding_type: str) -> list[Target]:
    found: list[Target] = []
    for details in objects(member(resource, "s3BucketDetails")):
        if bucket := _bucket_name(details):
            for item in objects(member(details, "s3ObjectDetails")):
                found += bucket_object(owner, bucket, member(item, "key"), member(item, "versionId"))
    return found + _buckets(owner, resource, finding_type)


def _eks(owner: Owner, resource: Json, finding_type: str) -> list[Target]:
    details = member(resource, "eksClusterDetails")
    cluster = name(member(details, "name")) or last(arn_resource(member(details, "arn"), "eks"))
    node = _instance(owner, resource, "") if _runs_inside(finding_type) else []
    if cluster is None or len(cluster) > 100:
        return node
    found: list[Target] = []
    workload = member(resource, "kubernetesDetails", "kubernetesWorkloadDetails")
    namespace, pod = name(member(workload, "namespace")), name(member(workload, "name"))
    if namespace and pod and len(namespace) <= 63 and len(pod) <= 253:
        kind = name(member(workload, "type")) or "pods"
        uid = name(member(workload, "uid"))
        found.append(
            target.Pod(cluster=cluster, namespace=namespace, name=pod, uid=uid, workload=kind.lower(), **owner.place())
        )
    found += node
    found.append(target.Cluster(name=cluster, **owner.place()))
    if user := name(member(resource, "kubernetesDetails", "kubernetesUserDetails", "username")):
        found.append(target.KubernetesUser(cluster=cluster, name=user, **owner.place()))
    return found


def _ecs(owner: Owner, resource: Json, finding_type: str) -> list[Target]:
    details = member(resource, "ecsClusterDetails")
    cluster = last(arn_resource(member(details, "arn"), "ecs")) or name(member(details, "name"))
    task = last(arn_resource(member(details, "taskDetails", "arn"), "ecs"))
    found: list[Target] = []
    if task:
        found.append(target.EcsTask(cluster=cluster or "", name=task, **owner.place()))
    if _runs_inside(finding_type):
        found += _instance(owner, resource, "")
    if cluster:
        found.append(target.EcsCluster(name=cluster, **owner.place()))
    return found


def _container(owner: Owner, resource: Json, _: str) -> list[Target]:
    found: list[Target] = []
    if container := name(member(resource, "containerDetails", "id")):
        found.append(target.Container(container_id=container, **owner.place()))
    return found + _instance(owner, resource, "")


def _lambda(owner: Owner, resource: Json, _: str) -> list[Target]:
    details = member(resource, "lambdaDetails")
    arn = (arn_resource(member(details, "functionArn"), "lambda") or "").split(":")  # function:name:version
    function = name(member(details, "functionName")) or (arn[1] if len(arn) > 1 else None)
    return [target.LambdaFunction(name=function, **owner.place())] if function else []


def _database(owner: Owner, resource: Json, _: str) -> list[Target]:
    found: list[Target] = []
    for details, identifier, arn in (
        ("rdsDbInstanceDetails", "dbInstanceIdentifier", "dbInstanceArn"),
        ("rdsLimitlessDbDetails", "dbShardGroupIdentifier", "dbShardGroupArn"),
    ):
        for database in objects(member(resource, details)):
            if known := name(member(database, identifier)) or last(arn_resource(member(database, arn), "rds")):
                found.append(target.Database(name=known, **owner.place()))
    return found


def _backup(owner: Owner, resource: Json, _: str) -> list[Target]:
    return [
        *other(owner, "EBSSnapshot", member(resource, "ebsSnapshotDetails", "snapshotArn")),
        *other(owner, "EC2Image", member(resource, "ec2ImageDetails", "imageArn")),
        *other(owner, "RecoveryPoint", member(resource, "recoveryPointDetails", "recoveryPointArn")),
    ]


def _runs_inside(finding_type: str) -> bool:
    """Tell whether what was found runs or lies on the machine, so that the machine is what it points at too."""
    return ":Runtime/" in finding_type or "/MaliciousFile" in finding_type or "/SuspiciousFile" in finding_type


Reader = Callable[[Owner, Json, str], list[Target]]

BY_RESOURCE_TYPE: dict[str, Reader] = {
    "Instance": _instance,
    "AccessKey": _access_key,
    "S3Bucket": _buckets,
    "AWSS3Bucket": _buckets,  # seen in hand-made events, as the next but one
    "S3Object": _objects,
    "DBInstance": _database,
    "RDSDBInstance": _database,
    "RDSLimitlessDB": _database,
    "EKSCluster": _eks,
    "ECSCluster": _ecs,
    "Container": _container,
    "Lambda": _lambda,
}

BY_TYPE_SEGMENT: dict[str, Reader] = {
    "EC2": _instance,
    "IAMUser": _access_key,
    "S3": _buckets,
    "Kubernetes": _eks,
    "ECS": _ecs,
    "Container": _container,
    "Lambda": _lambda,
    "RDS": _database,
}
"""Where `resourceType` is absent: the word between ":" and "/" of the type."""


def targets(owner: Owner, resource: Json, finding_type: str) -> list[Target]:
    """Return what a finding's `resource` names, the primary first; empty where it names nothing we know.

    The names of the backup types are not documented, so their details, which come with nothing else, tell them.
    """
    backup = _backup(owner, resource, finding_type)
    if backup:
        return backup
    kind = member(resource, "resourceType")
    if isinstance(kind, str) and kind:
        read = BY_RESOURCE_TYPE.get(kind)
    else:
        read = BY_TYPE_SEGMENT.get(finding_type.partition(":")[2].partition("/")[0])
    return read(owner, resource, finding_type) if read else []


def distinct(found: Iterable[Target]) -> list[Target]:
    """Return targets without repeats, in order; of two that are the same, the first."""
    kept: dict[str, Target] = {}
    for each in found:
        kept.setdefault(each.key, each)
    return list(kept.values())


def actor_names(resource: Json) -> Iterable[tuple[str | None, str | None, str | None]]:
    """Return principal id, key id and name of each user that the resource part names."""
    key, user = member(resource, "accessKeyDetails"), member(resource, "kubernetesDetails", "kubernetesUserDetails")
    login = member(resource, "rdsDbUserDetails")
    yield name(member(key, "principalId")), name(member(key, "accessKeyId")), name(member(key, "userName"))
    yield name(member(user, "uid")), None, name(member(user, "username"))
    for database_user in texts(member(login, "user")):
        yield None, None, database_user
