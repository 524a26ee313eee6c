"""Execute: called by the state machine to bring one step as far as it goes now, or to secure it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from firebreak.clock import Clock, system_clock
from firebreak.entry import Handler, lazily, logger
from firebreak.ports import Actor
from firebreak.wiring import Wiring


def build(environment: Mapping[str, str], clock: Clock = system_clock) -> Handler:
    """Build the function."""
    execute = Wiring(environment, clock).execute()

    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
        answer = execute.handle(
            event["incident"],
            event["step"],
            event["mode"],
            event["operation"],
            Actor(name="execute", request=context.aws_request_id),
            lambda: float(context.get_remaining_time_in_millis()) / 1000,
        )
        if answer.outcome:
            logger.info("step", incident=event["incident"], step=event["step"], outcome=answer.outcome)
        return answer.model_dump(exclude={"outcome"})

    return handle


handler = lazily(build)
