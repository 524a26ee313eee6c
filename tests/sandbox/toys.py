"""Toy handlers for the sandbox's own tests, in the shape of ours: `build(environment, clock)` returns the handler.

One module serves every toy function; which part it plays is in its own settings.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import boto3
import urllib3
from botocore.config import Config


class Throttled(Exception):
    """An error that a machine retries by name."""


def build(environment: Mapping[str, str], clock: Callable[[], datetime]) -> Callable[[Any, Any], Any]:
    session = boto3.Session(
        environment["AWS_ACCESS_KEY_ID"],
        environment["AWS_SECRET_ACCESS_KEY"],
        region_name=environment["AWS_REGION"],
    )

    def client(service: str) -> Any:
        config = Config(retries={"max_attempts": 2, "mode": "standard"})
        return session.client(service, endpoint_url=environment["AWS_ENDPOINT_URL"], config=config)

    parts = {"triage": triage, "work": work, "decide": decide, "echo": echo, "outside": outside}
    part = parts[environment["PART"]]
    warm = {"runs": 0}

    def handler(event: Any, context: Any) -> Any:
        warm["runs"] += 1
        return part(event, context, environment, client, clock, warm)

    return handler


def triage(event: Any, context: Any, environment: Any, client: Any, clock: Any, warm: Any) -> Any:
    """Write a row per message and start an execution; a body that is no JSON fails by itself."""
    failed = []
    table, states = client("dynamodb"), client("stepfunctions")
    for record in event["Records"]:
        try:
            body = json.loads(record["body"])
        except (ValueError, RecursionError):
            failed.append({"itemIdentifier": record["messageId"]})
            continue
        name = str(body["detail"]["id"])
        with contextlib.suppress(table.exceptions.ConditionalCheckFailedException):
            table.put_item(
                TableName=environment["TABLE"],
                Item={"pk": {"S": f"FINDING#{name}"}, "sk": {"S": "FINDING"}, "at": {"S": clock().isoformat()}},
                ConditionExpression="attribute_not_exists(pk)",
            )
        with contextlib.suppress(states.exceptions.ExecutionAlreadyExists):
            states.start_execution(
                stateMachineArn=environment["MACHINE"], name=name, input=json.dumps({"finding": name})
            )
    return {"batchItemFailures": failed}


def work(event: Any, context: Any, environment: Any, client: Any, clock: Any, warm: Any) -> Any:
    """With a token: keep it in the table. Without: fail as told, else say what came."""
    if "token" in event:
        item = {"pk": {"S": f"TOKEN#{event['finding']}"}, "sk": {"S": "TOKEN"}, "token": {"S": event["token"]}}
        client("dynamodb").put_item(TableName=environment["TABLE"], Item=item)
        return None
    if event.get("fail", 0) >= warm["runs"]:
        raise Throttled(f"run {warm['runs']}")
    return {"status": "settled", "runs": warm["runs"]}


def decide(event: Any, context: Any, environment: Any, client: Any, clock: Any, warm: Any) -> Any:
    """Redeem the token of each vote in the stream."""
    for record in event["Records"]:
        finding = record["dynamodb"]["Keys"]["pk"]["S"].removeprefix("VOTE#")
        key = {"pk": {"S": f"TOKEN#{finding}"}, "sk": {"S": "TOKEN"}}
        token = client("dynamodb").get_item(TableName=environment["TABLE"], Key=key)["Item"]["token"]["S"]
        client("stepfunctions").send_task_success(taskToken=token, output=json.dumps({"approved": True}))


def echo(event: Any, context: Any, environment: Any, client: Any, clock: Any, warm: Any) -> Any:
    """Say what came."""
    if isinstance(event, dict) and event.get("boom"):
        raise Throttled("boom")
    return {"event": event, "runs": warm["runs"], "left": context.get_remaining_time_in_millis()}


def outside(event: Any, context: Any, environment: Any, client: Any, clock: Any, warm: Any) -> Any:
    """Try to reach the world."""
    return urllib3.PoolManager(retries=False).request("GET", "http://198.51.100.7/").status
