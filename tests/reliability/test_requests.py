"""What a request comes to that is refused or lost, as the real clients read it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import boto3
import pytest
import urllib3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from firebreak.adapters.aws import translate
from firebreak.core.errors import Denied, FirebreakError, Retriable, Throttled
from reliability.fault import Kind
from reliability.requests import Asked
from sandbox.invocation import Sent

CALLS: dict[str, Callable[[Any], Any]] = {
    "ec2": lambda client: client.describe_instances(),
    "s3": lambda client: client.put_object(Bucket="bucket", Key="key", Body=b"{}"),
    "sts": lambda client: client.assume_role(RoleArn="arn:aws:iam::111122223333:role/x", RoleSessionName="session"),
    "sns": lambda client: client.publish(TopicArn="arn:aws:sns:us-east-1:111122223333:topic", Message="said"),
    "dynamodb": lambda client: client.get_item(TableName="table", Key={"pk": {"S": "key"}}),
    "stepfunctions": lambda client: client.list_state_machines(),
    "secretsmanager": lambda client: client.get_secret_value(SecretId="secret"),
    "eks": lambda client: client.describe_cluster(name="prod"),
    "autoscaling": lambda client: client.describe_auto_scaling_groups(),
    "elbv2": lambda client: client.describe_target_groups(),
}
NAMES = {
    "ec2": "ec2:DescribeInstances",
    "s3": "s3:PutObject",
    "sts": "sts:AssumeRole",
    "sns": "sns:Publish",
    "dynamodb": "dynamodb:GetItem",
    "stepfunctions": "states:ListStateMachines",
    "secretsmanager": "secretsmanager:GetSecretValue",
    "eks": "eks:DescribeCluster",
    "autoscaling": "autoscaling:DescribeAutoScalingGroups",
    "elbv2": "elasticloadbalancing:DescribeTargetGroups",
}
MEANT: dict[Kind, type[FirebreakError]] = {
    "reject": Throttled,
    "deny": Denied,
    "conn_before": Retriable,
    "timeout_after": Retriable,
}


def met(monkeypatch: pytest.MonkeyPatch, service: str, kind: Kind) -> tuple[list[str], Exception]:
    """Have every request of one call refused; return their names, and what the client makes of it."""
    names: list[str] = []

    def urlopen(pool: Any, method: str, url: str, body: Any = None, headers: Any = None, **more: Any) -> Any:
        asked = Asked.of(Sent(pool.host, method, url, body, headers or {}, more.get("preload_content", True)))
        names.append(asked.name)
        return asked.refused(kind)

    monkeypatch.setattr(urllib3.HTTPConnectionPool, "urlopen", urlopen)
    session = boto3.Session("AKIAIOSFODNN7EXAMPLE", "sandbox", region_name="us-east-1")
    client = session.client(
        service, endpoint_url="http://127.0.0.1:1", config=Config(retries={"total_max_attempts": 1})
    )
    with pytest.raises((ClientError, BotoCoreError)) as raised:
        CALLS[service](client)
    return names, raised.value


@pytest.mark.parametrize("kind", MEANT)
@pytest.mark.parametrize("service", CALLS)
def test_a_client_takes_a_refusal_for_what_it_is(monkeypatch: pytest.MonkeyPatch, service: str, kind: Kind) -> None:
    names, error = met(monkeypatch, service, kind)
    assert names == [NAMES[service]]
    assert type(translate(error, "call")) is MEANT[kind]


@pytest.mark.parametrize(
    ("method", "path", "name", "reads"),
    [
        ("GET", "/kubernetes/prod/api/v1/nodes/n", "kubernetes:GET", True),
        ("PATCH", "/kubernetes/prod/api/v1/nodes/n", "kubernetes:PATCH", False),
        ("POST", "/slack/api/chat.postMessage", "slack:chat.postMessage", False),
    ],
)
def test_what_is_not_aws_is_known_by_its_path(method: str, path: str, name: str, reads: bool) -> None:
    asked = Asked.of(Sent("127.0.0.1", method, path, None, {}))
    assert (asked.name, asked.reads, asked.again) == (name, reads, "")


@pytest.mark.parametrize(
    ("path", "kind", "status", "said"),
    [
        ("/kubernetes/prod/api/v1/nodes/n", "reject", 429, b"TooManyRequests"),
        ("/kubernetes/prod/api/v1/nodes/n", "deny", 403, b"Forbidden"),
        ("/slack/api/chat.postMessage", "reject", 429, b"ratelimited"),
        ("/slack/api/chat.postMessage", "deny", 200, b'"ok": false'),
    ],
)
def test_kubernetes_and_slack_refuse_in_their_own_words(path: str, kind: Kind, status: int, said: bytes) -> None:
    answer = Asked.of(Sent("127.0.0.1", "POST", path, None, {})).refused(kind)
    assert answer.status == status
    assert said in answer.data


def test_every_kind_that_refuses_has_its_meaning() -> None:
    rest = {"kill_before", "kill_after", "reject_once", "stale_read", "slow", "freeze", "freeze_after"}
    assert set(MEANT) | rest == set(get_args(Kind))
