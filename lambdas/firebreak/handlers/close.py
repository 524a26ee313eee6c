"""Close: called by the state machine when an execution has done all it can."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from firebreak.clock import Clock, system_clock
from firebreak.entry import Handler, lazily
from firebreak.ports import Actor, Execution
from firebreak.wiring import Wiring


def build(environment: Mapping[str, str], clock: Clock = system_clock) -> Handler:
    """Build the function."""
    close = Wiring(environment, clock).close()

    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
        execution = Execution(
            incident=event["incident"], revision=event["revision"], mode=event["mode"], attempt=event["attempt"]
        )
        actor = Actor(name="close", request=context.aws_request_id)
        close.handle(execution.incident, execution.revision, execution.mode, execution.name, actor)
        return {}

    return handle


handler = lazily(build)
