"""Ask: called by the state machine with the token of a task that waits for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from firebreak.clock import Clock, system_clock
from firebreak.entry import Handler, lazily
from firebreak.ports import Actor
from firebreak.wiring import Wiring


def build(environment: Mapping[str, str], clock: Clock = system_clock) -> Handler:
    """Build the function."""
    ask = Wiring(environment, clock).ask()

    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
        actor = Actor(name="ask", request=context.aws_request_id)
        asked = ask.handle(event["incident"], event["step"], event["execution"], event["token"], actor)
        return {"approval": asked.id}

    return handle


handler = lazily(build)
