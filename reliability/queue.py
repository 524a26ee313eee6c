"""Queues and a stream in memory, as the sandbox's readers take them from its backend."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from reliability.blueprint import Lane

Record = dict[str, Any]


@dataclass
class Message:
    """A message in a queue."""

    id: str
    body: str
    visible: datetime
    received: int = 0
    receipt: str = ""


@dataclass
class Backend:
    """Where `sandbox.delivery` reads.

    Attributes:
        lanes: the queues, by ARN.
        messages: what is in each, in order.
        laid: what was received too often, by queue.
        records: the table's stream.
        sent: every message so far, as it was sent.
    """

    clock: Callable[[], datetime]
    lanes: Mapping[str, Lane]
    messages: dict[str, list[Message]] = field(default_factory=dict)
    laid: dict[str, list[Message]] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)

    def send(self, arn: str, body: str) -> None:
        """Put a message into a queue."""
        self.sent.append(body)
        self.messages.setdefault(arn, []).append(Message(f"message-{len(self.sent)}", body, self.clock()))

    def receive(self, arn: str, count: int) -> list[Record]:
        """Receive messages; those that were received too often are laid aside."""
        lane, now = self.lanes[arn], self.clock()
        found: list[Record] = []
        for message in list(self.messages.get(arn, ())):
            if message.visible > now or len(found) == count:
                continue
            if message.received >= lane.receives:
                self.messages[arn].remove(message)
                self.laid.setdefault(arn, []).append(message)
                continue
            message.received += 1
            message.visible = now + timedelta(seconds=lane.hidden)
            message.receipt = f"{message.id}/{message.received}"
            found.append(_record(message, arn))
        return found

    def delete(self, arn: str, receipt: str) -> None:
        """Delete a message by its newest receipt; an old one deletes nothing."""
        self.messages[arn] = [message for message in self.messages[arn] if message.receipt != receipt]

    def next_visible(self, arn: str) -> float | None:
        """Return in how many seconds the next message can be received; None if there is none."""
        due = [max(0.0, (message.visible - self.clock()).total_seconds()) for message in self.messages.get(arn, ())]
        return min(due, default=None)

    def stream(self, table: str, start: int) -> list[Record]:
        """Return the records of the stream from a position on."""
        return self.records[start:]

    def changed(self, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> None:
        """Note a change of the table."""
        event = "INSERT" if before is None else "REMOVE" if after is None else "MODIFY"
        row = after or before or {}
        images = {"NewImage": after} if after else {}
        self.records.append(
            {
                "eventName": event,
                "eventSource": "aws:dynamodb",
                "dynamodb": {
                    "Keys": {"pk": row["pk"], "sk": row["sk"]},
                    **images,
                    "SequenceNumber": str(len(self.records) + 1),
                    "ApproximateCreationDateTime": self.clock().timestamp(),
                },
            }
        )


def _record(message: Message, arn: str) -> Record:
    return {
        "messageId": message.id,
        "receiptHandle": message.receipt,
        "body": message.body,
        "attributes": {"ApproximateReceiveCount": str(message.received)},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": arn.split(":")[3],
    }
