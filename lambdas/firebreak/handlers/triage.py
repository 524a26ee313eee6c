"""Triage: SQS batches from the two lanes, with partial batch failures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from firebreak.clock import Clock, system_clock
from firebreak.core.errors import InputError
from firebreak.entry import Handler, lazily, logger
from firebreak.pipeline.triage import Message
from firebreak.wiring import Wiring


def build(environment: Mapping[str, str], clock: Clock = system_clock) -> Handler:
    """Build the function."""
    wiring = Wiring(environment, clock)
    triage, bulk = wiring.triage(), wiring.settings.bulk_queue

    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
        failed = triage.handle(_messages(event["Records"], bulk))
        for message, error in failed.items():
            logger.warning("not handled", message_id=message, error=type(error).__name__, reason=str(error))
        return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}

    return handle


def _messages(records: list[dict[str, Any]], bulk: str) -> Iterator[Message]:
    for record in records:
        yield Message(
            id=record["messageId"],
            lane="bulk" if record["eventSourceARN"] == bulk else "urgent",
            event=_parsed(record["body"]),
        )


def _parsed(body: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        return InputError(f"the message is not JSON: {error}")


handler = lazily(build)
