"""What moto answers otherwise than AWS documents, set right: as few patches as the sandbox and the tests need.

Each cure names what real AWS does and where that is written. moto is pinned exactly, because these touch its private
names; `tests/sandbox/test_moto_cures.py` holds each of them.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from functools import wraps
from typing import Any, cast

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table
from moto.ec2.exceptions import DependencyViolationError, EC2ClientError, InvalidSecurityGroupNotFoundError
from moto.ec2.models.elastic_block_store import Snapshot
from moto.ec2.models.elastic_network_interfaces import NetworkInterface, NetworkInterfaceBackend
from moto.ec2.models.instances import Instance, InstanceBackend
from moto.ec2.models.security_groups import SecurityGroupBackend
from moto.ec2.responses.elastic_block_store import ElasticBlockStore

from sandbox import moto_s3, moto_speed

_installed = False


def install() -> None:
    """Apply every cure to this process; once is enough, twice changes nothing. Call before any backend exists."""
    global _installed  # noqa: PLW0603  patches of a third party's classes are process-wide by nature
    if _installed:
        return
    _installed = True
    moto_speed.install()
    for cure in (
        _interface_groups,
        _launch_groups,
        _used_groups,
        _terminated,
        _snapshots,
        _transactions,
        _metadata_options,
        moto_s3.owners,
        moto_s3.public_policies,
    ):
        cure()


def _replace(owner: object, name: str, value: Any) -> None:
    setattr(owner, name, value)


def _interface_groups() -> None:
    """An interface carries its own groups and no others; those of an instance are those of its primary interface.

    Amazon EC2 API Reference, ModifyNetworkInterfaceAttribute: the groups given replace the current set; they have to
    exist (InvalidGroup.NotFound) and to be of the interface's VPC. ModifyInstanceAttribute: refused for an instance
    with more than one interface (InvalidInstanceID). moto shows the union of the interface's and the instance's groups,
    accepts anything, and keeps the two apart.
    """
    _replace(NetworkInterface, "group_set", property(lambda self: self._group_set))
    original = NetworkInterfaceBackend.modify_network_interface_attribute

    @wraps(original)
    def modify_interface(self: Any, eni_id: str, group_ids: list[str], *args: Any, **kwargs: Any) -> None:
        eni = self.get_network_interface(eni_id)
        for group_id in group_ids:
            group = self.get_security_group_from_id(group_id)
            if group is None:
                raise InvalidSecurityGroupNotFoundError(group_id)
            if group.vpc_id != eni.vpc_id:
                raise EC2ClientError("InvalidParameterValue", f"{group_id} and {eni_id} belong to different networks")
        original(self, eni_id, group_ids, *args, **kwargs)
        if group_ids and eni.instance and eni.instance.nics.get(0) is eni:
            eni.instance.security_groups = list(eni._group_set)

    def modify_instance(self: Any, instance_id: str, new_group_id_list: list[str]) -> Any:
        instance = self.get_instance(instance_id)
        if len(instance.nics) > 1:
            raise EC2ClientError(
                "InvalidInstanceID",
                f"There are multiple interfaces attached to instance '{instance_id}'. Please specify an interface ID"
                " for the operation instead.",
            )
        self.modify_network_interface_attribute(instance.nics[0].id, new_group_id_list)
        return instance

    _replace(NetworkInterfaceBackend, "modify_network_interface_attribute", modify_interface)
    _replace(InstanceBackend, "modify_instance_security_groups", modify_instance)


def _launch_groups() -> None:
    """An instance lists the groups of its primary interface from its launch on.

    Amazon EC2 API Reference, Instance: "The security groups for the instance". moto lists none for one launched without
    groups (which gets the VPC's default group) or with its groups given per interface.
    """
    original = InstanceBackend.run_instances

    @wraps(original)
    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        reservation = original(self, *args, **kwargs)
        for instance in reservation.instances:
            if instance.nics.get(0) is not None:
                instance.security_groups = list(instance.nics[0]._group_set)
        return reservation

    _replace(InstanceBackend, "run_instances", run)


def _used_groups() -> None:
    """A security group that an interface carries cannot be deleted.

    Amazon EC2 API Reference, DeleteSecurityGroup: fails with DependencyViolation in that case. moto deletes it.
    """
    original = SecurityGroupBackend._delete_security_group

    @wraps(original)
    def delete(self: Any, vpc_id: str | None, group_id: str) -> None:
        if any(group.id == group_id for eni in self.enis.values() for group in eni._group_set):
            raise DependencyViolationError(f"resource {group_id} has a dependent object")
        original(self, vpc_id, group_id)

    _replace(SecurityGroupBackend, "_delete_security_group", delete)


def _terminated() -> None:
    """Termination deletes the primary interface and detaches the others.

    Amazon EC2 User Guide, "Terminate Amazon EC2 instances": the primary interface is deleted with the instance by
    default, those attached later are kept. moto leaves them attached to the terminated instance.
    """
    original = Instance.terminate

    @wraps(original)
    def terminate(self: Any) -> Any:
        state = original(self)
        for index, eni in list(self.nics.items()):
            if index:
                self.detach_eni(eni)
            elif eni.id in self.ec2_backend.enis:
                eni.delete()  # moto describes the terminated instance by it, so that the instance keeps it
        return state

    _replace(Instance, "terminate", terminate)


def _snapshots() -> None:
    """CreateSnapshots answers each snapshot's state and, where asked, copies the volumes' tags.

    Amazon EC2 API Reference, CreateSnapshots and SnapshotInfo. moto answers no state and ignores CopyTagsFromSource.
    """
    _replace(Snapshot, "state", property(lambda self: self.status))
    original = ElasticBlockStore.create_snapshots

    @wraps(original)
    def create(self: Any) -> Any:
        answer = original(self)
        if self._get_param("CopyTagsFromSource") == "volume":
            for snapshot in cast(dict[str, Any], answer.result)["Snapshots"]:
                given = {tag["key"] for tag in snapshot.get_tags()}
                snapshot.add_tags(
                    {
                        tag["key"]: tag["value"]
                        for tag in snapshot.volume.get_tags()
                        if tag["key"] not in given and not tag["key"].startswith("aws:")
                    }
                )
        return answer

    _replace(ElasticBlockStore, "create_snapshots", create)


def _transactions() -> None:
    """moto copies the whole table, with all its stream, for each item of a transaction, to be able to take it back.

    That was most of the time of a sandbox in which a few incidents had been played. What a transaction can change is
    enough: the items it names, and what is in the stream.
    """
    original = DynamoDBBackend.transact_write_items

    @wraps(original)
    def write(self: Any, transact_items: list[dict[str, Any]]) -> None:
        named: dict[str, list[Any]] = {}
        for item in transact_items:
            for request in item.values():
                named.setdefault(request.get("TableName", ""), []).append(request.get("Item") or request.get("Key", {}))
        tables = [(self.tables[name], keys) for name, keys in named.items() if name in self.tables]
        for table, keys in tables:
            before = _before(table, keys)
            table.__deepcopy__ = lambda memo, before=before: before
        try:
            original(self, transact_items)
        finally:
            for table, _ in tables:
                del table.__deepcopy__

    _replace(DynamoDBBackend, "transact_write_items", write)


def _before(table: Any, keys: Sequence[Mapping[str, Any]]) -> Table:
    before = copy.copy(table)
    before.items = type(table.items)(dict, {part: copy.copy(rows) for part, rows in table.items.items()})
    for key in keys:
        part = DynamoType(key.get(table.hash_key_attr, {"NULL": True}))
        if not table.has_range_key:
            rows, place = before.items, part
        else:
            rows, place = before.items.get(part, {}), DynamoType(key.get(table.range_key_attr, {"NULL": True}))
        if place in rows:
            rows[place] = copy.deepcopy(rows[place])
    if table.stream_shard is not None:
        before.stream_shard = copy.copy(table.stream_shard)
        before.stream_shard.items, before.stream_shard.table = list(table.stream_shard.items), before
    return cast(Table, before)


def _metadata_options() -> None:
    """What is not given stays as it is.

    Amazon EC2 API Reference, ModifyInstanceMetadataOptions: a parameter that is not specified keeps its existing value.
    moto takes it for its default.
    """
    original = InstanceBackend.modify_instance_metadata_options

    @wraps(original)
    def modify(self: Any, instance_id: str, **given: Any) -> Any:
        kept = self.get_instance(instance_id).metadata_options
        names = {
            "http_tokens": kept.http_tokens,
            "hop_limit": kept.http_put_response_hop_limit,
            "http_endpoint": kept.http_endpoint,
            "http_protocol": kept.http_protocol_ipv6,
            "metadata_tags": kept.instance_metadata_tags,
        }
        said = {name: value for name, value in given.items() if value is not None}
        return original(self, instance_id, **{**names, **said})

    _replace(InstanceBackend, "modify_instance_metadata_options", modify)
