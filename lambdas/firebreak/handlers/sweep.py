"""Sweep: woken by a schedule, and by executions that ended badly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from firebreak.clock import Clock, system_clock
from firebreak.core.errors import InputError
from firebreak.entry import Handler, lazily, logger
from firebreak.ports import Actor
from firebreak.wiring import Wiring

ENDED = "Step Functions Execution Status Change"


def build(environment: Mapping[str, str], clock: Clock = system_clock) -> Handler:
    """Build the function."""
    sweep = Wiring(environment, clock).sweep()

    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
        actor = Actor(name="sweep", request=context.aws_request_id)
        if event.get("detail-type") == ENDED:
            return {"started": sweep.ended(*_ended(event), actor)}
        done = sweep.scheduled(actor, lambda: float(context.get_remaining_time_in_millis()) / 1000)
        logger.info("swept", extra=done)
        return done

    return handle


def _ended(event: dict[str, Any]) -> tuple[str, str]:
    try:
        return str(event["detail"]["name"]), str(event["detail"]["status"])
    except (KeyError, TypeError):
        raise InputError(f"{ENDED}: detail.name and detail.status are missing") from None


handler = lazily(build)
