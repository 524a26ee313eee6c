"""Each cure does what AWS documents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.core.common_models import BaseModel
from moto.dynamodb.models import dynamodb_backends

from sandbox import moto_cures
from tests.contract.bench import CachedSession
from tests.ec2_world import attach, attach_volume, cured_moto, group, groups_of, launch, vpc

SESSION = CachedSession()


@pytest.fixture
def ec2() -> Iterator[Any]:
    with cured_moto():
        yield SESSION.client("ec2")


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def instance_groups(ec2: Any, instance: str) -> list[str]:
    found = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    return sorted(entry["GroupId"] for entry in found["SecurityGroups"])


def test_installing_twice_changes_nothing() -> None:
    moto_cures.install()
    once = BaseModel.__new__
    moto_cures.install()
    assert BaseModel.__new__ is once


def test_a_swap_replaces_the_groups_of_that_interface_and_of_no_other(ec2: Any) -> None:
    network, subnet = vpc(ec2)
    old, other, new = (group(ec2, network, name) for name in ("old", "other", "new"))
    instance, first = launch(ec2, subnet, [old])
    second = attach(ec2, subnet, instance, [other], index=1)
    ec2.modify_network_interface_attribute(NetworkInterfaceId=first, Groups=[new])
    assert groups_of(ec2, first) == [new]
    assert groups_of(ec2, second) == [other]
    assert instance_groups(ec2, instance) == [new], "an instance's groups are those of its primary interface"
    ec2.modify_network_interface_attribute(NetworkInterfaceId=second, Groups=[old, new])
    assert groups_of(ec2, second) == sorted([old, new])
    assert instance_groups(ec2, instance) == [new]
    assert groups_of(ec2, first) == [new]


@pytest.mark.parametrize("which", ["unknown", "of another VPC"])
def test_a_group_that_cannot_be_given_is_refused(ec2: Any, which: str) -> None:
    network, subnet = vpc(ec2)
    elsewhere, _ = vpc(ec2, "10.1.0.0/16")
    old = group(ec2, network, "old")
    _, eni = launch(ec2, subnet, [old])
    wrong = "sg-00000000000000000" if which == "unknown" else group(ec2, elsewhere, "theirs")
    with pytest.raises(ClientError) as error:
        ec2.modify_network_interface_attribute(NetworkInterfaceId=eni, Groups=[wrong])
    assert code(error) == ("InvalidGroup.NotFound" if which == "unknown" else "InvalidParameterValue")
    assert groups_of(ec2, eni) == [old]


def test_changing_an_instances_groups_changes_its_only_interface_and_is_refused_with_two(ec2: Any) -> None:
    network, subnet = vpc(ec2)
    old, new = group(ec2, network, "old"), group(ec2, network, "new")
    instance, first = launch(ec2, subnet, [old])
    ec2.modify_instance_attribute(InstanceId=instance, Groups=[new])
    assert groups_of(ec2, first) == [new]
    second = attach(ec2, subnet, instance, [old], index=1)
    with pytest.raises(ClientError, match="multiple interfaces") as error:
        ec2.modify_instance_attribute(InstanceId=instance, Groups=[old])
    assert code(error) == "InvalidInstanceID"
    assert (groups_of(ec2, first), groups_of(ec2, second)) == ([new], [old])


def test_an_instance_lists_its_groups_however_they_were_given(ec2: Any) -> None:
    network, subnet = vpc(ec2)
    web = group(ec2, network, "web")
    spec = {"DeviceIndex": 0, "SubnetId": subnet, "Groups": [web]}
    launched = ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1, NetworkInterfaces=[spec])
    assert instance_groups(ec2, launched["Instances"][0]["InstanceId"]) == [web]
    instance, eni = launch(ec2, subnet, [])
    assert instance_groups(ec2, instance) == groups_of(ec2, eni) != []


def test_a_group_in_use_cannot_be_deleted(ec2: Any) -> None:
    network, subnet = vpc(ec2)
    used, unused = group(ec2, network, "used"), group(ec2, network, "unused")
    launch(ec2, subnet, [used])
    with pytest.raises(ClientError) as error:
        ec2.delete_security_group(GroupId=used)
    assert code(error) == "DependencyViolation"
    ec2.delete_security_group(GroupId=unused)
    left = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [network]}])["SecurityGroups"]
    assert used in [entry["GroupId"] for entry in left]
    assert unused not in [entry["GroupId"] for entry in left]


def test_termination_deletes_the_primary_interface_and_detaches_the_others(ec2: Any) -> None:
    network, subnet = vpc(ec2)
    web = group(ec2, network, "web")
    instance, first = launch(ec2, subnet, [web])
    second = attach(ec2, subnet, instance, [web], index=1)
    ec2.terminate_instances(InstanceIds=[instance])
    attached = ec2.describe_network_interfaces(Filters=[{"Name": "attachment.instance-id", "Values": [instance]}])
    assert attached["NetworkInterfaces"] == []
    assert groups_of(ec2, first) == []
    kept = ec2.describe_network_interfaces(NetworkInterfaceIds=[second])["NetworkInterfaces"][0]
    assert kept["Status"] == "available"
    found = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    assert found["State"]["Name"] == "terminated"


@pytest.mark.parametrize("copy", [True, False])
def test_snapshots_of_an_instance_tell_their_state_and_copy_tags_where_asked(ec2: Any, copy: bool) -> None:
    _, subnet = vpc(ec2)
    instance, _ = launch(ec2, subnet, [])
    volume = attach_volume(ec2, instance, "/dev/sdf")
    ec2.create_tags(Resources=[volume], Tags=[{"Key": "owner", "Value": "them"}, {"Key": "case", "Value": "theirs"}])
    answer = ec2.create_snapshots(
        InstanceSpecification={"InstanceId": instance},
        TagSpecifications=[{"ResourceType": "snapshot", "Tags": [{"Key": "case", "Value": "ours"}]}],
        **({"CopyTagsFromSource": "volume"} if copy else {}),
    )["Snapshots"]
    assert [snapshot["State"] for snapshot in answer] == ["completed", "completed"]
    data = next(snapshot for snapshot in answer if snapshot["VolumeId"] == volume)
    found = ec2.describe_snapshots(SnapshotIds=[data["SnapshotId"]])["Snapshots"][0]["Tags"]
    tags = {tag["Key"]: tag["Value"] for tag in found}
    assert tags == ({"case": "ours", "owner": "them"} if copy else {"case": "ours"})


def test_an_option_of_the_metadata_service_that_is_not_given_stays(ec2: Any) -> None:
    home, subnet = vpc(ec2)
    options = {"HttpTokens": "required", "HttpPutResponseHopLimit": 2, "InstanceMetadataTags": "enabled"}
    instance, _ = launch(ec2, subnet, [group(ec2, home, "web")], MetadataOptions=options)
    changed = ec2.modify_instance_metadata_options(InstanceId=instance, HttpEndpoint="disabled")
    assert options.items() < changed["InstanceMetadataOptions"].items()
    found = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]["MetadataOptions"]
    assert (options | {"HttpEndpoint": "disabled"}).items() < found.items()


def test_a_transaction_that_is_refused_leaves_no_trace_in_the_table_or_its_stream() -> None:
    with cured_moto():
        dynamodb = SESSION.client("dynamodb")
        dynamodb.create_table(
            TableName="t",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )

        def key(sort: str) -> dict[str, Any]:
            return {"pk": {"S": "a"}, "sk": {"S": sort}}

        for sort in ("changed", "deleted", "other"):
            dynamodb.put_item(TableName="t", Item={**key(sort), "n": {"L": [{"N": "1"}]}})
        before = dynamodb.scan(TableName="t")["Items"]
        change = {
            "Update": {
                "TableName": "t",
                "Key": key("changed"),
                "UpdateExpression": "SET n[0] = :n",
                "ExpressionAttributeValues": {":n": {"N": "2"}},
            }
        }
        others = [
            {"Delete": {"TableName": "t", "Key": key("deleted")}},
            {"Put": {"TableName": "t", "Item": {**key("new"), "n": {"N": "2"}}}},
        ]
        refused = {
            "ConditionCheck": {
                "TableName": "t",
                "Key": key("other"),
                "ConditionExpression": "attribute_not_exists(pk)",
            }
        }
        with pytest.raises(ClientError) as error:
            dynamodb.transact_write_items(TransactItems=[change, *others, refused])
        assert code(error) == "TransactionCanceledException"
        assert dynamodb.scan(TableName="t")["Items"] == before
        assert records() == 3

        dynamodb.transact_write_items(TransactItems=[change, *others])
        after = {item["sk"]["S"]: item["n"] for item in dynamodb.scan(TableName="t")["Items"]}
        assert after == {"changed": {"L": [{"N": "2"}]}, "other": {"L": [{"N": "1"}]}, "new": {"N": "2"}}
        assert records() == 6


def records() -> int:
    shard = dynamodb_backends["123456789012"]["us-east-1"].tables["t"].stream_shard
    assert shard is not None
    return len(shard.items)
