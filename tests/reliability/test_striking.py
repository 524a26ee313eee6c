"""How faults meet requests, the SDK's own tries included, and which reads can lag."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest

from reliability.fault import Fault, Kind
from reliability.injector import Injector
from reliability.striking import Striking, may_lag
from sandbox import wire
from sandbox.clock import Clock
from sandbox.invocation import Invocation, Sent

SIGNED = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261031/us-east-1/ec2/aws4_request, Signature=x"


class Counter:
    """A server whose every answer is a number: how many changes there were."""

    def __init__(self) -> None:
        self.changes = 0

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        self.changes += b"Modify" in environ["wsgi.input"].read()
        start("200 OK", [])
        return [str(self.changes).encode()]


@pytest.fixture
def striking() -> Striking:
    return Striking(Injector(Clock()), Counter())


def send(striking: Striking, operation: str, again: str = "") -> Any:
    headers = {
        "Authorization": SIGNED,
        "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
        "amz-sdk-invocation-id": again,
    }
    now = striking.injector.clock.now
    invocation = Invocation("execute", "arn", "id", 128, {}, now() + timedelta(hours=1), now)
    sent = Sent("127.0.0.1", "POST", "/", f"Action={operation}".encode(), headers)
    return striking.strike(invocation, sent, lambda: pytest.fail("nothing goes over a socket"))


@pytest.mark.parametrize(("kind", "statuses"), [("reject", [503, 503, 200]), ("reject_once", [503, 200, 200])])
def test_throttling_lasts_for_the_tries_of_the_call_it_meets(
    striking: Striking, kind: Kind, statuses: list[int]
) -> None:
    striking.injector.plan([Fault(1, kind)])
    answers = [send(striking, "DescribeInstances", again) for again in ("first", "first", "second")]
    assert [answer.status for answer in answers] == statuses


def test_a_read_that_lags_answers_as_before_the_last_change(striking: Striking) -> None:
    striking.injector.plan([Fault(3, "stale_read"), Fault(4, "stale_read")])
    told = [
        send(striking, operation).data
        for operation in (
            "DescribeInstances",
            "ModifyInstanceAttribute",
            "DescribeInstances",
            "DescribeVolumes",
            "DescribeInstances",
        )
    ]
    assert told == [b"0", b"1", b"0", b"1", b"1"], "what nobody asked before the change cannot lag"
    assert [call.number for call in striking.injector.calls if call.lags] == [3, 5]


@pytest.mark.parametrize(
    ("method", "url", "lags"),
    [
        ("GET", "/customers?publicAccessBlock", True),
        ("PUT", "/customers?policy", True),
        ("GET", "/customers?list-type=2", False),
        ("GET", "/customers/report.csv", False),
        ("PUT", "/customers/report.csv", False),
    ],
)
def test_of_s3_only_how_a_bucket_is_configured_lags(method: str, url: str, lags: bool) -> None:
    path, _, query = url.partition("?")
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query}
    environ["HTTP_AUTHORIZATION"] = SIGNED.replace("/ec2/", "/s3/")
    assert may_lag(wire.read(environ, b"")) == lags
