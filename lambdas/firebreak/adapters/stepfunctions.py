"""Executions of the state machine, and the tasks in it that wait for a token."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from firebreak.adapters.aws import translate
from firebreak.core.errors import TargetMissing
from firebreak.ports import Execution

_GONE = ("TaskTimedOut", "TaskDoesNotExist", "InvalidToken")


class StateMachine:
    """`firebreak.ports.Executions` and `firebreak.ports_approval.Tasks` on Step Functions.

    Args:
        client: a boto3 Step Functions client.
        arn: the state machine's ARN; "" where only tokens are answered.
    """

    def __init__(self, client: Any, arn: str = "") -> None:
        self._client = client
        self._arn = arn

    def start(self, execution: Execution) -> bool:
        """Start one; True where it exists now, False where its name was used and closed.

        A running execution of the same name and input answers as if it had just been started (StartExecution, Step
        Functions API Reference), so that starting twice is starting once.
        """
        try:
            self._client.start_execution(
                stateMachineArn=self._arn, name=execution.name, input=json.dumps(execution.input)
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ExecutionAlreadyExists":
                return False
            raise translate(error, "start_execution") from error
        except BotoCoreError as error:
            raise translate(error, "start_execution") from error
        return True

    def status(self, execution: Execution) -> str:
        """Return where an execution stands: RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED.

        Raises:
            TargetMissing: it was never started, or ended more than 90 days ago.
        """
        arn = f"{self._arn.replace(':stateMachine:', ':execution:')}:{execution.name}"
        try:
            return str(self._client.describe_execution(executionArn=arn)["status"])
        except ClientError as error:
            if error.response["Error"]["Code"] == "ExecutionDoesNotExist":
                raise TargetMissing(f"execution {execution.name} does not exist") from None
            raise translate(error, "describe_execution") from error
        except BotoCoreError as error:
            raise translate(error, "describe_execution") from error

    def succeed(self, token: str, output: dict[str, Any]) -> bool:
        """Let a task go on; False where nobody waits with this token any more."""
        try:
            self._client.send_task_success(taskToken=token, output=json.dumps(output))
        except ClientError as error:
            if error.response["Error"]["Code"] in _GONE:
                return False
            raise translate(error, "send_task_success") from error
        except BotoCoreError as error:
            raise translate(error, "send_task_success") from error
        return True
