"""The services of a memory world besides its table: what the pipeline calls, answered as AWS answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from sandbox.executions import Executions
from sandbox.front import AwsFailure

READS = ("describe_", "get_", "list_", "query", "batch_get_")
"""Beginnings of the operations that change nothing."""

_STATES = {
    "start_execution": "states:StartExecution",
    "describe_execution": "states:DescribeExecution",
    "send_task_success": "states:SendTaskSuccess",
    "stop_execution": "states:StopExecution",
}


@dataclass
class Services:
    """Step Functions, SNS, S3, STS and Lambda.

    Attributes:
        notices: what was published: subject and text.
        objects: what is kept in buckets, by bucket and key.
    """

    machines: Executions
    notices: list[str] = field(default_factory=list)
    objects: dict[tuple[str, str], bytes] = field(default_factory=dict)
    _states: dict[str, Callable[[Any, Any], Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.machines.serve(self)  # type: ignore[arg-type]  # registers its operations here, as it does with a front

    def serve(self, name: str, operation: Callable[[Any, Any], Any]) -> None:
        """Take an operation of the state machines."""
        self._states[name] = operation

    def call(self, service: str, operation: str, request: Mapping[str, Any]) -> Any:
        """Answer one call.

        Raises:
            ClientError: as AWS answers.
            NotImplementedError: nothing here knows it.
        """
        match service, operation:
            case "stepfunctions", _ if operation in _STATES:
                return self._state(_STATES[operation], request)
            case "sns", "publish":
                self.notices.append(f"{request['Subject']}\n{request['Message']}")
                return {}
            case "s3", "put_object":
                return self._put(request)
            case "sts", "assume_role":
                held = {"AccessKeyId": request["RoleArn"], "SecretAccessKey": "", "SessionToken": ""}
                return {"Credentials": held}
        raise NotImplementedError(f"{service}:{operation}: no service of the memory world knows it")

    def _state(self, name: str, request: Mapping[str, Any]) -> Any:
        try:
            return self._states[name](SimpleNamespace(parameters=request), None)
        except AwsFailure as failure:
            raise _error(failure.code, failure.message) from None

    def _put(self, request: Mapping[str, Any]) -> dict[str, Any]:
        key = request["Bucket"], request["Key"]
        if request.get("IfNoneMatch") == "*" and key in self.objects:
            raise _error("PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
        self.objects[key] = request["Body"]
        return {}


def _error(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, code)
