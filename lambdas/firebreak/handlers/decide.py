"""Decide: woken by the table's stream when votes were put, with partial batch failures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from firebreak.clock import Clock, system_clock
from firebreak.entry import Handler, lazily, logger
from firebreak.wiring import Wiring

VOTES = "VOTE#"


def build(environment: Mapping[str, str], clock: Clock = system_clock) -> Handler:
    """Build the function."""
    decide = Wiring(environment, clock).decide()

    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
        failed = decide.handle(_votes(event["Records"]))
        for delivery, error in failed.items():
            logger.warning("not handled", sequence=delivery, error=type(error).__name__, reason=str(error))
        return {"batchItemFailures": [{"itemIdentifier": delivery} for delivery in failed]}

    return handle


def _votes(records: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for record in records:
        change = record["dynamodb"]
        partition = change["Keys"]["pk"]["S"]
        if record["eventName"] == "INSERT" and partition.startswith(VOTES):
            yield change["SequenceNumber"], partition.removeprefix(VOTES)


handler = lazily(build)
