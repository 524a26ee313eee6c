"""What calls of EC2 need: every resource that a request names or makes, with its tags.

Source: Service Authorization Reference, "Amazon EC2"; IAM User Guide, "Grant permission to tag Amazon EC2 resources
during creation".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from sandbox import wire
from sandbox.judge_facts import Facts
from sandbox.judge_policies import Asked, Unjudged

WITHOUT_RESOURCES = frozenset(
    {
        "DescribeImages",
        "DescribeInstances",
        "DescribeInstanceStatus",
        "DescribeNetworkInterfaces",
        "DescribeRouteTables",
        "DescribeSecurityGroupRules",
        "DescribeSecurityGroups",
        "DescribeSnapshots",
        "DescribeSubnets",
        "DescribeTags",
        "DescribeVolumes",
        "DescribeVpcs",
    }
)
_KINDS = {
    "ami": "image",
    "eni": "network-interface",
    "i": "instance",
    "sg": "security-group",
    "snap": "snapshot",
    "subnet": "subnet",
    "vol": "volume",
    "vpc": "vpc",
}
_WITHOUT_ACCOUNT = ("image", "snapshot")
"""Kinds whose ARNs name no account."""


def ec2(request: wire.Request, facts: Facts) -> Iterable[Asked]:
    """Return what a call needs.

    Raises:
        Unjudged: an operation that is not known here.
    """
    operation = request.operation
    if operation in WITHOUT_RESOURCES:
        return [Asked(f"ec2:{operation}")]
    if operation not in _NAMED:
        raise Unjudged(f"the judge does not know ec2:{operation}; teach it in judge_ec2.py")
    return _asked(operation, {name: str(value) for name, value in request.parameters.items()}, facts)


def _asked(operation: str, parameters: Mapping[str, str], facts: Facts) -> Iterator[Asked]:
    wanted = _request_tags(parameters)
    made = _MADE.get(operation)
    for resource in (*_NAMED[operation](parameters, facts), *((_arn(made, "*", facts),) if made else ())):
        id = resource.rpartition("/")[2]
        tags = facts.tags(id) if id != "*" else {}
        context = {f"{prefix}:ResourceTag/{key}": value for key, value in tags.items() for prefix in ("aws", "ec2")}
        yield Asked(f"ec2:{operation}", resource, {**context, **wanted})
    if made and wanted:
        # Tagging what is being made is a permission of its own.
        yield Asked("ec2:CreateTags", _arn(made, "*", facts), {**wanted, "ec2:CreateAction": operation})


def _ids(*patterns: str) -> Callable[[Mapping[str, str], Facts], list[str]]:
    """Reads the ids in parameters whose names match: "SecurityGroupId.1"."""

    def read(parameters: Mapping[str, str], facts: Facts) -> list[str]:
        named = [value for name, value in parameters.items() if any(re.fullmatch(p, name) for p in patterns)]
        if not named:
            raise Unjudged(f"the judge finds no resource in {', '.join(sorted(parameters))}; teach it in judge_ec2.py")
        return [_of(id, facts) for id in named]

    return read


def _snapshots(parameters: Mapping[str, str], facts: Facts) -> list[str]:
    """The instance, and those of its volumes that are snapshotted."""
    instance = parameters["InstanceSpecification.InstanceId"]
    volumes = dict(facts.volumes(instance))
    left_out = {value for name, value in parameters.items() if ".ExcludeDataVolumeId." in name}
    if volumes and parameters.get("InstanceSpecification.ExcludeBootVolume") == "true":
        left_out |= {id for id, device in volumes.items() if device == facts.root_device(instance)}
    return [_of(id, facts) for id in (instance, *(id for id in volumes if id not in left_out))]


_RULES = _ids("GroupId")
_NAMED: dict[str, Callable[[Mapping[str, str], Facts], list[str]]] = {
    "AuthorizeSecurityGroupEgress": _RULES,
    "AuthorizeSecurityGroupIngress": _RULES,
    "CreateSecurityGroup": _ids("VpcId"),
    "CreateSnapshot": _ids("VolumeId"),
    "CreateSnapshots": _snapshots,
    "CreateTags": _ids(r"ResourceId\.\d+"),
    "DeleteSecurityGroup": _RULES,
    "DeleteSnapshot": _ids("SnapshotId"),
    "DeleteTags": _ids(r"ResourceId\.\d+"),
    "ModifyInstanceAttribute": _ids("InstanceId", r"GroupId\.\d+"),
    "ModifyInstanceMetadataOptions": _ids("InstanceId"),
    "ModifyNetworkInterfaceAttribute": _ids("NetworkInterfaceId", r"SecurityGroupId\.\d+"),
    "ModifySnapshotAttribute": _ids("SnapshotId"),
    "RebootInstances": _ids(r"InstanceId\.\d+"),
    "RevokeSecurityGroupEgress": _RULES,
    "RevokeSecurityGroupIngress": _RULES,
    "StartInstances": _ids(r"InstanceId\.\d+"),
    "StopInstances": _ids(r"InstanceId\.\d+"),
    "TerminateInstances": _ids(r"InstanceId\.\d+"),
}
"""The existing resources that each operation names, by operation."""

_MADE = {"CreateSecurityGroup": "security-group", "CreateSnapshot": "snapshot", "CreateSnapshots": "snapshot"}
"""What each operation makes; its id is not known yet, and IAM asks for "*"."""


def _of(id: str, facts: Facts) -> str:
    kind = _KINDS.get(id.partition("-")[0])
    if kind is None:
        raise Unjudged(f"the judge does not know what {id!r} is; teach it in judge_ec2.py")
    return _arn(kind, id, facts)


def _arn(kind: str, id: str, facts: Facts) -> str:
    account = "" if kind in _WITHOUT_ACCOUNT else facts.account
    return f"arn:aws:ec2:{facts.region}:{account}:{kind}/{id}"


def _request_tags(parameters: Mapping[str, str]) -> dict[str, str]:
    """The tags that a request sets, of all the things it tags (TagSpecification.1.Tag.1.Key, or Tag.1.Key)."""
    return {
        f"aws:RequestTag/{key}": parameters.get(f"{name.removesuffix('.Key')}.Value", "")
        for name, key in parameters.items()
        if re.fullmatch(r"(TagSpecification\.\d+\.)?Tag\.\d+\.Key", name)
    }
