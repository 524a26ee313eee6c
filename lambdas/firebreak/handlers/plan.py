"""Plan: called by the state machine to decide, to plan a stage, and to begin an undo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from firebreak.clock import Clock, system_clock
from firebreak.core.errors import InputError
from firebreak.entry import Handler, lazily
from firebreak.ports import Actor
from firebreak.wiring import Wiring


def build(environment: Mapping[str, str], clock: Clock = system_clock) -> Handler:
    """Build the function."""
    planner = Wiring(environment, clock).plan()

    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
        actor = Actor(name="plan", request=context.aws_request_id)
        incident, revision = event["incident"], event["revision"]

        def remaining() -> float:
            return float(context.get_remaining_time_in_millis()) / 1000

        match event["operation"]:
            case "decide":
                return {"proceed": planner.decide(incident, revision, actor, remaining)}
            case "stage":
                steps = planner.stage(incident, revision, event["stage"], actor, remaining)
            case "undo":
                steps = planner.undo(incident, actor)
            case other:
                raise InputError(f"operation {other!r}: plan knows decide, stage and undo")
        return {"steps": [step.model_dump() for step in steps]}

    return handle


handler = lazily(build)
