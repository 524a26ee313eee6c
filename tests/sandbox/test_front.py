"""The front: the journal, injected faults, what nobody serves, and the lock."""

from __future__ import annotations

import threading
import time
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from sandbox.journal import Fault
from sandbox.world import Sandbox

ITEM = {"pk": {"S": "a"}, "sk": {"S": "b"}}


def client(sandbox: Sandbox, service: str, attempts: int) -> Any:
    return boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url=sandbox.url,
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="x",
        config=Config(retries={"total_max_attempts": attempts, "mode": "standard"}),
    )


def test_the_journal_tells_what_was_asked_and_how_it_ended(sandbox: Sandbox) -> None:
    with pytest.raises(ClientError):
        sandbox.client("dynamodb").get_item(TableName="nowhere", Key=ITEM)
    sandbox.client("s3").list_buckets()
    sandbox.client("ec2").describe_instances()
    assert [(call.name, call.status, call.code) for call in sandbox.journal] == [
        ("dynamodb:GetItem", 400, "ResourceNotFoundException"),
        ("s3:ListBuckets", 200, ""),
        ("ec2:DescribeInstances", 200, ""),
    ]
    assert next(iter(sandbox.journal)).parameters["TableName"] == "nowhere"


def test_the_sdk_absorbs_one_throttle_and_reports_one_too_many(sandbox: Sandbox) -> None:
    dynamodb = client(sandbox, "dynamodb", 2)
    fault = sandbox.faults.add(Fault("dynamodb:PutItem", code="ThrottlingException", count=3))
    answer = None
    with pytest.raises(ClientError, match="ThrottlingException"):
        dynamodb.put_item(TableName="toy", Item=ITEM)
    answer = dynamodb.put_item(TableName="toy", Item=ITEM)
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1
    assert fault.met == 3
    dynamodb.close()


@pytest.mark.parametrize("service", ["ec2", "s3", "sqs", "iam", "eks"])
def test_a_fault_reads_as_the_services_own_error(sandbox: Sandbox, service: str) -> None:
    calls = {
        "ec2": lambda c: c.describe_instances(),
        "s3": lambda c: c.list_buckets(),
        "sqs": lambda c: c.list_queues(),
        "iam": lambda c: c.list_roles(),
        "eks": lambda c: c.list_clusters(),
    }
    sandbox.faults.add(Fault(f"{service}:*", code="AccessDenied", status=403))
    with pytest.raises(ClientError) as denied:
        calls[service](sandbox.client(service))
    assert denied.value.response["Error"]["Code"] == "AccessDenied"
    assert denied.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    calls[service](sandbox.client(service))


def test_a_lost_answer_was_a_done_call_and_the_retry_finds_that_out(sandbox: Sandbox) -> None:
    once = client(sandbox, "dynamodb", 1)
    sandbox.faults.add(Fault("dynamodb:PutItem", lost=True))
    with pytest.raises(ConnectionClosedError):
        once.put_item(TableName="toy", Item=ITEM, ConditionExpression="attribute_not_exists(pk)")
    assert len(sandbox.table_items("toy")) == 1
    retrying = client(sandbox, "dynamodb", 3)
    sandbox.faults.add(Fault("dynamodb:PutItem", lost=True))
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        retrying.put_item(
            TableName="toy", Item={**ITEM, "sk": {"S": "c"}}, ConditionExpression="attribute_not_exists(pk)"
        )
    assert len(sandbox.table_items("toy")) == 2
    once.close()
    retrying.close()


def test_a_fault_can_skip_calls_pick_a_function_and_take_virtual_time(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault("dynamodb:PutItem", code="InternalServerError", skip=1))
    sandbox.faults.add(Fault("dynamodb:*", code="AccessDeniedException", function="toy-triage", count=9))
    slow = sandbox.faults.add(Fault("sqs:ListQueues", delay=90))
    before = sandbox.clock.now()
    sandbox.client("sqs").list_queues()
    assert (sandbox.clock.now() - before).total_seconds() == 90
    assert slow.met == 1
    sandbox.client("dynamodb").put_item(TableName="toy", Item=ITEM)
    with pytest.raises(ClientError, match="InternalServerError"):
        sandbox.client("dynamodb").put_item(TableName="toy", Item=ITEM)


@pytest.mark.parametrize(
    ("service", "operation", "arguments"),
    [
        ("ec2", "lock_snapshot", {"SnapshotId": "snap-0123456789abcdef0", "LockMode": "governance", "LockDuration": 1}),
        ("eks", "list_access_entries", {"clusterName": "x"}),
        ("guardduty", "list_findings", {"DetectorId": "d"}),
        ("securityhub", "batch_update_findings", {"FindingIdentifiers": [{"Id": "a", "ProductArn": "b"}]}),
        ("iam", "simulate_principal_policy", {"PolicySourceArn": "arn:aws:iam::1:role/x", "ActionNames": ["a:B"]}),
    ],
)
def test_what_nobody_serves_says_so(sandbox: Sandbox, service: str, operation: str, arguments: Any) -> None:
    with pytest.raises(ClientError) as missing:
        getattr(sandbox.client(service), operation)(**arguments)
    assert missing.value.response["Error"]["Code"] == "NotImplementedLocally"
    assert missing.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_an_object_that_is_missing_is_not_taken_for_an_operation_that_is(sandbox: Sandbox) -> None:
    with pytest.raises(ClientError) as missing:
        sandbox.client("eks").describe_cluster(name="x")
    assert missing.value.response["Error"]["Code"] == "ResourceNotFoundException"
    with pytest.raises(ClientError) as missing:
        sandbox.client("s3").get_object(Bucket="nobody", Key="k")
    assert missing.value.response["Error"]["Code"] == "NoSuchBucket"


def test_one_of_many_conditional_writers_wins(sandbox: Sandbox) -> None:
    won: list[int] = []

    def write(number: int) -> None:
        mine = client(sandbox, "dynamodb", 1)
        for key in range(10):
            try:
                mine.put_item(
                    TableName="toy",
                    Item={"pk": {"S": str(key)}, "sk": {"S": "x"}},
                    ConditionExpression="attribute_not_exists(pk)",
                )
                won.append(key)
            except mine.exceptions.ConditionalCheckFailedException:
                pass
        mine.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == list(range(10))


def test_a_long_poll_holds_nobody_up() -> None:
    with Sandbox(wall=True) as sandbox:
        sqs = sandbox.client("sqs")
        url = sqs.create_queue(QueueName="q", Attributes={"ReceiveMessageWaitTimeSeconds": "20"})["QueueUrl"]
        got: list[Any] = []
        waiting = client(sandbox, "sqs", 1)
        thread = threading.Thread(
            target=lambda: got.append(waiting.receive_message(QueueUrl=url, WaitTimeSeconds=10).get("Messages"))
        )
        began = time.monotonic()
        thread.start()
        sqs.send_message(QueueUrl=url, MessageBody="hello")
        thread.join()
        assert [message["Body"] for message in got[0]] == ["hello"]
        assert time.monotonic() - began < 8
        waiting.close()


def test_latency_is_added_to_every_call(sandbox: Sandbox) -> None:
    sandbox.client("sqs").list_queues()
    sandbox.front.latency = 0.05
    began = time.monotonic()
    sandbox.client("sqs").list_queues()
    assert time.monotonic() - began >= 0.05
