"""What is done once gives the answers that were given when it was done each time."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import boto3
import pytest
from boto3.dynamodb.conditions import Key
from moto import backends, mock_aws
from moto.core import responses
from moto.core.common_models import BaseModel

from sandbox import moto_cures


@pytest.fixture
def table() -> Any:
    moto_cures.install()
    with mock_aws():
        resource = boto3.resource("dynamodb", region_name="us-east-1")
        yield resource.create_table(
            TableName="table",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "due", "group")
            ],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "by-due",
                    "KeySchema": [
                        {"AttributeName": "group", "KeyType": "HASH"},
                        {"AttributeName": "due", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
            BillingMode="PAY_PER_REQUEST",
        )


def filled(table: Any) -> Any:
    for pk, sk, due in (("b", "2", "1"), ("a", "10", "3"), ("a", "2", "2"), ("a", "1", "4")):
        table.put_item(Item={"pk": pk, "sk": sk, "group": "g", "due": due})
    return table


def test_a_query_returns_its_partition_in_order(table: Any) -> None:
    found = filled(table).query(KeyConditionExpression=Key("pk").eq("a"))["Items"]
    assert [item["sk"] for item in found] == ["1", "10", "2"]
    assert table.query(KeyConditionExpression=Key("pk").eq("c"))["Items"] == []


def test_a_query_goes_on_where_its_page_ended(table: Any) -> None:
    filled(table)
    first = table.query(KeyConditionExpression=Key("pk").eq("a"), Limit=2)
    rest = table.query(KeyConditionExpression=Key("pk").eq("a"), ExclusiveStartKey=first["LastEvaluatedKey"])
    assert [item["sk"] for item in (*first["Items"], *rest["Items"])] == ["1", "10", "2"]


def test_a_query_of_an_index_sees_every_partition_in_the_order_of_the_index(table: Any) -> None:
    found = filled(table).query(IndexName="by-due", KeyConditionExpression=Key("group").eq("g"))["Items"]
    assert [item["due"] for item in found] == ["1", "2", "3", "4"]


def test_a_query_that_found_nothing_leaves_no_partition_behind(table: Any) -> None:
    filled(table).query(KeyConditionExpression=Key("pk").eq("c"))
    assert sorted({item["pk"] for item in table.scan()["Items"]}) == ["a", "b"]


def test_a_model_nobody_holds_is_freed() -> None:
    moto_cures.install()

    class Thing(BaseModel):
        def __init__(self, name: str) -> None:
            self.name = name

    thing = Thing("x")
    assert thing.name == "x"
    gone = weakref.ref(thing)
    del thing
    gc.collect()
    assert gone() is None


def test_the_methods_of_a_class_are_listed_once() -> None:
    moto_cures.install()

    class Answers:
        def describe_things(self) -> None: ...

    names = vars(responses)["method_names_from_class"]
    assert names(Answers) == ["describe_things"]
    assert names(Answers) is names(Answers)


def test_clients_of_one_service_share_their_class_and_not_their_handlers() -> None:
    moto_cures.install()
    first, second = (boto3.Session("x", "x").client("ec2", region_name="us-east-1") for _ in range(2))
    assert type(first) is type(second)
    seen: list[str] = []
    first.meta.events.register("provide-client-params.ec2.*", lambda **_: seen.append("first"))
    with mock_aws():
        second.describe_regions()
        assert seen == []
        first.describe_regions()
    assert seen == ["first"]


def test_the_modules_of_moto_can_be_listed_more_than_once() -> None:
    moto_cures.install()
    assert "ec2" in backends.list_of_moto_modules()
    assert "ec2" in backends.list_of_moto_modules()
