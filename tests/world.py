"""A function's surroundings in this process: the table, bucket, topic and state machine, and its environment."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
from boto3.dynamodb.types import TypeDeserializer
from moto import mock_aws

import sandbox.moto_cures
from firebreak.core.deployment import Deployment
from firebreak.core.playbook import Playbooks

sandbox.moto_cures.install()

REGION, ACCOUNT = "eu-west-1", "123456789012"
START = datetime(2026, 11, 2, 10, 0, tzinfo=UTC)
MACHINE = json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}})


@dataclass
class Context:
    """What Lambda gives beside the event."""

    aws_request_id: str = "request-1"
    left: float = 60.0

    def get_remaining_time_in_millis(self) -> int:
        return int(self.left * 1000)


@dataclass
class World:
    """AWS around one function, by moto, with a clock that stands still until it is moved."""

    environment: dict[str, str]
    folder: Path
    moment: datetime = START
    clients: dict[str, Any] = field(default_factory=dict)
    requests: int = 0

    def clock(self) -> datetime:
        return self.moment

    def pass_time(self, **duration: float) -> None:
        self.moment += timedelta(**duration)

    def client(self, service: str) -> Any:
        if service not in self.clients:
            self.clients[service] = boto3.client(service, region_name=REGION)
        return self.clients[service]

    def function(self, module: Any) -> Callable[[Any], Any]:
        """Start a function anew and return what invokes it."""
        handle = module.build(self.environment, self.clock)

        def invoke(event: Any) -> Any:
            self.requests += 1
            return handle(event, Context(aws_request_id=f"request-{self.requests}"))

        return invoke

    def configure(self, deployment: Deployment, playbooks: Playbooks) -> None:
        """Write what is built into the asset."""
        (self.folder / "deployment.json").write_text(deployment.model_dump_json())
        (self.folder / "playbooks.json").write_text(playbooks.model_dump_json())

    def rows(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Every item of the table, by key."""
        unpack = TypeDeserializer().deserialize
        items = self.client("dynamodb").scan(TableName="firebreak")["Items"]
        rows = ({name: unpack(value) for name, value in item.items()} for item in items)
        return {(row["pk"], row["sk"]): row for row in rows}

    def executions(self) -> list[str]:
        """Names of the executions that were started, in order of name."""
        found = self.client("stepfunctions").list_executions(
            stateMachineArn=self.environment["FIREBREAK_STATE_MACHINE_ARN"]
        )
        return sorted(execution["name"] for execution in found["executions"])

    def objects(self, bucket: str) -> list[str]:
        """Keys in a bucket, "evidence" or "raw-events"."""
        return [item["Key"] for item in self.client("s3").list_objects_v2(Bucket=bucket).get("Contents", ())]


@contextmanager
def world(folder: Path, more: Mapping[str, str] = {}) -> Iterator[World]:
    """Stand up the surroundings of a function."""
    with mock_aws():
        keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_REGION": REGION}
        place = World({**keys, "FIREBREAK_CONFIG": str(folder), **more}, folder)
        place.clients = {
            name: boto3.client(name, region_name=REGION, aws_access_key_id="testing", aws_secret_access_key="testing")
            for name in ("dynamodb", "s3", "sns", "stepfunctions")
        }
        make_table(place.client("dynamodb"), "firebreak")
        for bucket in ("evidence", "raw-events"):
            place.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        topic = place.client("sns").create_topic(Name="notices")["TopicArn"]
        machine = place.client("stepfunctions").create_state_machine(
            name="respond", definition=MACHINE, roleArn=f"arn:aws:iam::{ACCOUNT}:role/respond"
        )["stateMachineArn"]
        place.environment |= {
            "FIREBREAK_TABLE": "firebreak",
            "FIREBREAK_EVIDENCE_BUCKET": "evidence",
            "FIREBREAK_RAW_EVENTS_BUCKET": "raw-events",
            "FIREBREAK_NOTICE_TOPIC_ARN": topic,
            "FIREBREAK_STATE_MACHINE_ARN": machine,
            "FIREBREAK_BULK_QUEUE_ARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:bulk",
        }
        yield place


def make_table(dynamodb: Any, name: str) -> None:
    """Make the table as the stack declares it."""
    texts = ("pk", "sk", "listing", "listed_at")
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": text, "AttributeType": "S"} for text in texts],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "listing",
                "KeySchema": [
                    {"AttributeName": "listing", "KeyType": "HASH"},
                    {"AttributeName": "listed_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )


AUTOMATIC = Deployment.model_validate(
    {
        "mode": "auto",
        "people": [{"name": "ana", "iam": [f"arn:aws:iam::{ACCOUNT}:user/ana"]}],
        "approvers": [{"people": ["ana"]}],
    }
)
"""A deployment that follows its playbooks, with one person who may be asked."""
