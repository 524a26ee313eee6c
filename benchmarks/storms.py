"""Triage under load: news, repeats, and a storm of identical Falco alerts, through the real handler and real botocore.

Behind it is moto in this process. What moto itself spends is measured and taken off: it stands for AWS, which spends
nothing of ours.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from moto import mock_aws
from moto.core.botocore_stubber import BotocoreStubber

import sandbox.moto_cures
from benchmarks.events import falco, guardduty
from benchmarks.figure import Figure
from benchmarks.probe import ENVIRONMENT
from firebreak.handlers import triage

BATCH = 10
START = datetime(2026, 11, 2, 10, 0, tzinfo=UTC)
ACCOUNT, REGION = "123456789012", "us-east-1"
WRITES = ("PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems")


@dataclass
class Spent:
    """What a load took.

    Attributes:
        ours: CPU seconds outside moto.
        parsing: CPU seconds that parsing the same bodies alone takes.
        calls: AWS calls, by operation.
        events: how many events.
    """

    ours: float = 0.0
    parsing: float = 0.0
    calls: Counter[str] = field(default_factory=Counter)
    events: int = 0

    @property
    def writes(self) -> int:
        """Conditional writes."""
        return sum(self.calls[name] for name in WRITES)


def figures(config: Path, alerts: int, findings: int, tick: Callable[[], None]) -> Iterator[Figure]:
    """Measure the three loads.

    Args:
        config: folder of `playbooks.json` and `deployment.json`.
        alerts: size of the storm.
        findings: how many news, and how many repeats.
        tick: called after each batch.
    """
    news = [guardduty(ACCOUNT, REGION, f"i-{number:017x}", number, START) for number in range(findings)]
    later = [
        guardduty(ACCOUNT, REGION, f"i-{number:017x}", number, START.replace(minute=5)) for number in range(findings)
    ]
    storm = [falco(ACCOUNT, REGION, number, START) for number in range(alerts)]
    with _aws(config) as handle:
        yield from _told("news, no two about one target", _run(handle, news, tick), None)
        yield from _told("repeats of findings whose incidents are open", _run(handle, later, tick), None)
    with _aws(config) as handle:
        yield from _told(f"a storm of {alerts:,} identical Falco alerts", _run(handle, storm, tick), 0.15)


def _told(name: str, spent: Spent, aim: float | None) -> Iterator[Figure]:
    yield Figure(
        f"conditional writes: {name}",
        "events",
        (spent.writes / spent.events,),
        f"{spent.writes:,} over {spent.events:,}",
        aim,
    )
    per_core = spent.events / spent.ours
    yield Figure(
        f"Triage's CPU: {name}",
        "parsing the same bodies as JSON",
        (spent.ours / spent.parsing,),
        f"{spent.ours / spent.events * 1e6:.0f} µs over {spent.parsing / spent.events * 1e6:.0f} µs an event, "
        f"{per_core:,.0f} events a second and core",
    )


def _run(handle: Callable[[Any], Any], events: Sequence[Any], tick: Callable[[], None]) -> Spent:
    spent = Spent(events=len(events))
    for first in range(0, len(events), BATCH):
        batch = _batch(events[first : first + BATCH], first)
        begun = time.process_time()
        for record in batch["Records"]:
            json.loads(record["body"])
        spent.parsing += time.process_time() - begun
        with _counted() as moto:
            begun = time.process_time()
            answer = handle(batch)
            spent.ours += time.process_time() - begun - moto.seconds
        if answer["batchItemFailures"]:
            raise RuntimeError(f"triage gave back {answer}")
        spent.calls += moto.calls
        tick()
    return spent


def _batch(events: Sequence[Any], first: int) -> dict[str, Any]:
    return {
        "Records": [
            {
                "messageId": f"message-{first + number}",
                "body": json.dumps(event),
                "eventSourceARN": "arn:aws:sqs:us-east-1:111122223333:urgent",
            }
            for number, event in enumerate(events)
        ]
    }


@dataclass
class _Moto:
    """What moto took."""

    seconds: float = 0.0
    calls: Counter[str] = field(default_factory=Counter)


@contextmanager
def _counted() -> Iterator[_Moto]:
    moto, original = _Moto(), BotocoreStubber.__call__

    def call(self: BotocoreStubber, event_name: str, request: Any, **named: Any) -> Any:
        moto.calls[event_name.rpartition(".")[2]] += 1
        begun = time.process_time()
        try:
            return original(self, event_name, request, **named)
        finally:
            moto.seconds += time.process_time() - begun

    BotocoreStubber.__call__ = call  # type: ignore[method-assign]
    try:
        yield moto
    finally:
        BotocoreStubber.__call__ = original  # type: ignore[method-assign]


class _Context:
    aws_request_id = "benchmark"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


@contextmanager
def _aws(config: Path) -> Iterator[Callable[[Any], Any]]:
    """Stand up what triage touches, and yield what invokes it."""
    sandbox.moto_cures.install()
    with mock_aws():
        session = boto3.Session("benchmark", "benchmark", region_name=REGION)
        texts = ("pk", "sk", "listing", "listed_at")
        session.client("dynamodb").create_table(
            TableName="firebreak",
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
        session.client("s3").create_bucket(Bucket="raw-events")
        topic = session.client("sns").create_topic(Name="firebreak-notices")["TopicArn"]
        machine = session.client("stepfunctions").create_state_machine(
            name="firebreak-respond",
            definition=json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}),
            roleArn=f"arn:aws:iam::{ACCOUNT}:role/respond",
        )["stateMachineArn"]
        environment = {
            **ENVIRONMENT,
            "FIREBREAK_CONFIG": str(config),
            "FIREBREAK_NOTICE_TOPIC_ARN": topic,
            "FIREBREAK_STATE_MACHINE_ARN": machine,
        }
        handle = triage.build(environment, lambda: START)
        yield lambda event: handle(event, _Context())
