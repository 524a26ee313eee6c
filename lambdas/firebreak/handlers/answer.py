"""Answer: called by the HTTP API, for Slack's signed requests and for the command line's under IAM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from firebreak.clock import Clock, system_clock
from firebreak.entry import Handler, lazily
from firebreak.wiring import Wiring


def build(environment: Mapping[str, str], clock: Clock = system_clock) -> Handler:
    """Build the function."""
    answer = Wiring(environment, clock).answer()

    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
        return answer.handle(event)

    return handle


handler = lazily(build)
