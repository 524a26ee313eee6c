"""A client of ours: what it sends, and how often."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from firebreak.adapters.aws import WORST_CASE_CALL, SessionClients, translate
from firebreak.core.errors import AwsError, Denied, FirebreakError, Retriable, Throttled
from firebreak.wiring import CONFIG


@pytest.fixture
def lost(monkeypatch: pytest.MonkeyPatch) -> tuple[SessionClients, list[str]]:
    """Clients whose every answer is lost, and what they send."""
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda seconds: None)
    sent: list[str] = []

    def lose(request: Any, event_name: str, **_: Any) -> None:
        sent.append(event_name.rpartition(".")[2])
        raise ReadTimeoutError(endpoint_url=request.url)

    session = boto3.Session("AKIAIOSFODNN7EXAMPLE", "sandbox")
    session.events.register("before-send.*.*", lose)
    return SessionClients(session, "us-east-1", config=CONFIG), sent


@pytest.mark.parametrize(
    ("operation", "name", "arguments"),
    [
        (
            "create_snapshots",
            "CreateSnapshots",
            {"InstanceSpecification": {"InstanceId": "i-0123456789abcdef0"}},
        ),
        (
            "modify_network_interface_attribute",
            "ModifyNetworkInterfaceAttribute",
            {"NetworkInterfaceId": "eni-0123456789abcdef0", "Groups": ["sg-0123456789abcdef0"]},
        ),
    ],
)
def test_a_change_whose_answer_is_lost_is_not_sent_again_by_the_sdk(
    lost: tuple[SessionClients, list[str]], operation: str, name: str, arguments: dict[str, Any]
) -> None:
    clients, sent = lost
    with pytest.raises(Retriable):
        getattr(clients.aws("ec2"), operation)(**arguments)
    assert sent == [name]


def test_a_read_whose_answer_is_lost_is_sent_again(lost: tuple[SessionClients, list[str]]) -> None:
    clients, sent = lost
    with pytest.raises(Retriable):
        clients.aws("ec2").describe_instances()
    with pytest.raises(Retriable):
        list(clients.aws("ec2").pages("describe_volumes", "Volumes"))
    assert sent == ["DescribeInstances"] * 4 + ["DescribeVolumes"] * 4


def test_a_change_takes_no_longer_than_what_has_to_be_left_for_it() -> None:
    limits = vars(CONFIG)
    assert limits["connect_timeout"] + limits["read_timeout"] <= WORST_CASE_CALL


@pytest.mark.parametrize(
    ("code", "meant"),
    [
        ("UnauthorizedOperation", Denied),  # Amazon EC2
        ("AuthorizationError", Denied),  # Amazon SNS
        ("AccessDeniedException", Denied),
        ("Throttled", Throttled),
        ("InternalFailure", Retriable),
        ("InvalidParameter", AwsError),
    ],
)
def test_a_code_means_what_its_service_means_by_it(code: str, meant: type[FirebreakError]) -> None:
    assert type(translate(ClientError({"Error": {"Code": code}}, "Call"), "call")) is meant
