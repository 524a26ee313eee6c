"""How every function starts and ends: built at its first call, one log record per invocation, errors raised."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from aws_lambda_powertools import Logger

from firebreak.clock import Clock, system_clock

Handler: TypeAlias = Callable[[Any, Any], Any]
Build: TypeAlias = Callable[[Mapping[str, str], Clock], Handler]

IDENTIFIERS = ("incident", "revision", "mode", "operation", "stage", "step", "attempt")
"""What an event may be logged by. Never the event itself: command lines hold secrets, and tasks hold tokens."""

logger = Logger(service="firebreak")


def lazily(build: Build) -> Handler:
    """Return a Lambda entry point that builds its handler when it is first called and keeps it.

    A handler that raises ends the invocation as failed, so that Lambda, the queue or the state machine tries again;
    an answer that says "500" would count as success.
    """
    built: list[Handler] = []

    def handler(event: Any, context: Any) -> Any:
        begun = time.perf_counter()
        about = {name: event[name] for name in IDENTIFIERS if isinstance(event, dict) and name in event}
        try:
            if not built:
                built.append(build(os.environ, system_clock))
            answer = built[0](event, context)
        except Exception as error:
            # logged once, here, and raised: whoever called decides what becomes of it
            logger.error("failed", error=type(error).__name__, reason=str(error), **about)
            raise
        logger.info("done", seconds=round(time.perf_counter() - begun, 3), **about)
        return answer

    return handler
