"""What units reach the world through. Both sides raise the errors of `firebreak.core.errors` and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from firebreak.core.model import Json


class Aws(Protocol):
    """A boto3 client under the right role, in the target's region.

    Its methods are boto3's (`describe_instances(InstanceIds=[…])`). Errors come as ours: what is not found as
    TargetMissing, throttling as Throttled, missing rights as Denied, other client errors as AwsError, the rest as
    Retriable.
    """

    def __getattr__(self, operation: str) -> Callable[..., Any]: ...

    def pages(self, operation: str, member: str, **arguments: Json) -> Iterator[Any]:
        """Yield the items under `member` of every page of `operation` (its boto3 method name)."""
        ...


class Kubernetes(Protocol):
    """A Kubernetes API server of one cluster."""

    def call(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        body: Json = None,
        content_type: str = "application/json",
    ) -> Any:
        """Make one request and return the parsed answer.

        Raises:
            TargetMissing: 404 that names an object.
            KubernetesError: any other refusal, by code, reason and causes.
            Throttled, Conflict, Denied, Retriable: as the status code and the causes say.
        """
        ...


class Clients(Protocol):
    """The clients of one step: one role, one account, one region."""

    def aws(self, service: str) -> Aws:
        """Return the client of an AWS service ("ec2") for the target's account and region."""
        ...

    def kubernetes(self, cluster: str) -> Kubernetes:
        """Return the client of the API server of an EKS cluster in the target's account and region."""
        ...
