"""One run of a state machine, and how AWS tells of it."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.clock import Timer
from sandbox.flow import Flow
from sandbox.machine import Event


@dataclass
class Execution:
    """One run of a state machine.

    Attributes:
        status: RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED.
        history: what happened, in order.
    """

    arn: str
    name: str
    machine: str
    input: Any
    started: datetime
    status: str = "RUNNING"
    stopped: datetime | None = None
    output: Any = None
    error: str = ""
    cause: str = ""
    history: list[Event] = field(default_factory=list)
    flow: Flow | None = None
    limit: Timer | None = None

    def entered(self) -> list[str]:
        """Return the names of the states it entered, in order."""
        return [event.state for event in self.history if event.kind == "entered"]


def status_change(execution: Execution) -> dict[str, Any]:
    """Return the event that Step Functions sends ("EventBridge event schema", Step Functions Developer Guide)."""
    _, _, _, region, account, _ = execution.arn.split(":", 5)
    stopped = execution.stopped or execution.started
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Step Functions Execution Status Change",
        "source": "aws.states",
        "account": account,
        "time": stopped.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": [execution.arn],
        "detail": {
            "executionArn": execution.arn,
            "stateMachineArn": execution.machine,
            "name": execution.name,
            "status": execution.status,
            "startDate": int(execution.started.timestamp() * 1000),
            "stopDate": int(stopped.timestamp() * 1000),
            "input": json.dumps(execution.input),
            "output": json.dumps(execution.output) if execution.status == "SUCCEEDED" else None,
            "error": execution.error or None,
            "cause": execution.cause or None,
        },
    }


def listed(execution: Execution) -> dict[str, Any]:
    """Return what a list of executions says of one."""
    told = {
        "executionArn": execution.arn,
        "stateMachineArn": execution.machine,
        "name": execution.name,
        "status": execution.status,
        "startDate": execution.started.timestamp(),
    }
    if execution.stopped is not None:
        told["stopDate"] = execution.stopped.timestamp()
    return told
