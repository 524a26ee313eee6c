"""AWS clients whose errors are ours, and which stop in time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from firebreak.core.errors import AwsError, Denied, FirebreakError, OutOfTime, Retriable, TargetMissing, Throttled

if TYPE_CHECKING:
    import boto3

    from firebreak.core.clients import Kubernetes

Remaining = Callable[[], float]
"""Seconds left in this invocation."""

WORST_CASE_CALL = 11.0
"""Seconds a change may take: to connect, and to be answered. A call is not begun with less left: an invocation that is
frozen and thawed, or killed at its timeout, must not leave a change behind that nobody waits for."""

_READS = ("describe_", "get_", "list_")
_MISSING = (".NotFound", "NoSuchEntity", "NoSuchBucket", "NoSuchKey", "ResourceNotFoundException", ".Malformed")
_THROTTLED = ("Throttl", "RequestLimitExceeded", "TooManyRequests", "SlowDown", "ProvisionedThroughputExceeded")
_DENIED = (
    "AccessDenied",
    "UnauthorizedOperation",
    "AuthorizationError",
    "Forbidden",
    "InvalidClientTokenId",
    "ExpiredToken",
)
_LATER = (
    "ConcurrentSnapshotLimitExceeded",  # Amazon EBS User Guide, quotas: as many snapshots pending as allowed
    "SnapshotCreationPerVolumeRateExceeded",
    "InternalError",
    "InternalFailure",
    "ServiceUnavailable",
    "Unavailable",
    "RequestTimeout",
)


def translate(error: Exception, operation: str) -> FirebreakError:
    """Return our error for one of botocore's.

    Args:
        error: what botocore raised.
        operation: the API operation, for the message.
    """
    if isinstance(error, ClientError):
        code = str(error.response.get("Error", {}).get("Code", ""))
        message = str(error.response.get("Error", {}).get("Message", ""))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        said = f"{operation}: {code}: {message}"
        if any(word in code for word in _THROTTLED):
            return Throttled(said)
        if any(word in code for word in _DENIED):
            return Denied(f"{said}. docs/permissions.md lists what each role and policy needs.")
        if code.endswith(_MISSING):
            return TargetMissing(said)
        if code in _LATER or status >= 500:
            return Retriable(said)
        return AwsError(code, operation, message)
    if isinstance(error, NoCredentialsError):
        return Denied(f"{operation}: no AWS credentials; set a profile or a role")
    return Retriable(f"{operation}: {error}")


class AwsClient:
    """A boto3 client behind `firebreak.core.clients.Aws`.

    A change is sent once. Where its answer is lost the SDK would send it again, and what is made without an idempotency
    token (`CreateSnapshots` takes none) would be made twice; who asked reads what came of it before asking again.

    Args:
        client: tries again by itself, for what only reads.
        remaining: seconds left in this invocation.
        once: makes a client that does not; left out, the first serves changes too.
    """

    def __init__(self, client: Any, remaining: Remaining, once: Callable[[], Any] | None = None) -> None:
        self._client = client
        self._remaining = remaining
        self._once: Callable[[], Any] = cache(once) if once else lambda: client

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        method = getattr(self._client if operation.startswith(_READS) else self._once(), operation)

        def call(**arguments: Any) -> Any:
            self._in_time(operation)
            try:
                return method(**arguments)
            except (ClientError, BotoCoreError) as error:
                raise translate(error, operation) from error

        return call

    def pages(self, operation: str, member: str, **arguments: Any) -> Iterator[Any]:
        """Yield the items under `member` of every page of `operation`."""
        self._in_time(operation)
        try:
            for page in self._client.get_paginator(operation).paginate(**arguments):
                yield from page.get(member, ())
                self._in_time(operation)
        except (ClientError, BotoCoreError) as error:
            raise translate(error, operation) from error

    def _in_time(self, operation: str) -> None:
        if (left := self._remaining()) < WORST_CASE_CALL:
            raise OutOfTime(f"{operation}: {left:.0f} s left, a call may take {WORST_CASE_CALL:.0f} s; run again")


class SessionClients:
    """The clients of one step: one boto3 session (one role, one account), one region.

    Args:
        session: carries the role's credentials.
        region: the target's region.
        remaining: seconds left in this invocation.
        kubernetes: makes the client of a cluster's API server.
        config: botocore settings (retries, timeouts).
        endpoint: where AWS is, if not at AWS (sandbox).
    """

    def __init__(
        self,
        session: boto3.Session,
        region: str,
        *,
        remaining: Remaining = lambda: float("inf"),
        kubernetes: Callable[[SessionClients, str], Kubernetes] | None = None,
        config: Config | None = None,
        endpoint: str | None = None,
    ) -> None:
        self.session = session
        self.region = region
        self.remaining = remaining
        self._kubernetes = kubernetes
        self._config = config
        self._endpoint = endpoint
        self._clients: dict[str, AwsClient] = {}
        self._clusters: dict[str, Kubernetes] = {}

    def aws(self, service: str) -> AwsClient:
        """Return the client of an AWS service, made once."""
        if service not in self._clients:
            once = (self._config or Config()).merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))
            self._clients[service] = AwsClient(
                self._client(service, self._config), self._left, lambda: self._client(service, once)
            )
        return self._clients[service]

    def _client(self, service: str, config: Config | None) -> Any:
        return self.session.client(service, region_name=self.region, config=config, endpoint_url=self._endpoint)

    def _left(self) -> float:
        """Asked anew at each call: clients are kept longer than the invocation they were made in."""
        return self.remaining()

    def kubernetes(self, cluster: str) -> Kubernetes:
        """Return the client of a cluster's API server, made once."""
        if self._kubernetes is None:
            raise Denied(f"cluster {cluster}: this process has no way to reach Kubernetes")
        if cluster not in self._clusters:
            self._clusters[cluster] = self._kubernetes(self, cluster)
        return self._clusters[cluster]
