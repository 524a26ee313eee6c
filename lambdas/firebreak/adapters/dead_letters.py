"""The dead-letter queue of a lane: looked into without taking anything out, and sent back message by message."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from firebreak.adapters.aws import translate
from firebreak.adapters.table import Table
from firebreak.core.console import LaneQueues
from firebreak.core.dead_letter import DeadLetter
from firebreak.core.incident import Lane

BATCH = 10  # the most that one call receives

HIDDEN = 30
"""Seconds for which a message that is looked at is hidden from everyone else, unless it is given back before."""

SENDING = 120
"""The same for a message that is being sent back."""

QUIET = 4
"""So many empty answers in a row mean that nothing is left: one says little, since SQS asks some of its servers only
(Amazon SQS Developer Guide, "Amazon SQS short and long polling")."""

NOT_RECORDED = "no error recorded"


class DeadLetters:
    """`firebreak.core.dead_letter.DeadLetters` on SQS, with the errors that the table has.

    Args:
        client: a boto3 SQS client.
        table: has the errors.
        lane: which lane.
        queues: its queues.
    """

    def __init__(self, client: Any, table: Table, lane: Lane, queues: LaneQueues) -> None:
        self._client = client
        self._table = table
        self._lane = lane
        self._queues = queues

    def count(self) -> int:
        """Return about how many messages there are."""
        answer = self._call(
            "get_queue_attributes",
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )
        return sum(int(number) for number in answer["Attributes"].values())

    def look(self, limit: int) -> list[DeadLetter]:
        """Return up to `limit` messages, the oldest first, and leave all of them where they are."""
        seen: dict[str, DeadLetter] = {}
        held: list[str] = []
        try:
            for batch in self._batches(HIDDEN, lambda: min(BATCH, limit - len(seen))):
                held += [message["ReceiptHandle"] for message in batch]
                seen.update({message["MessageId"]: self._letter(message) for message in batch})
                if len(seen) >= limit:
                    break
        finally:
            self._give_back(held)
        return sorted(seen.values(), key=lambda letter: (letter.sent_at, letter.id))

    def redrive(self, only: frozenset[str] | None = None) -> Iterator[DeadLetter]:
        """Send messages back into the lane, and yield each that was.

        A message leaves the dead letters only after the lane has taken it. A crash in between delivers it twice, which
        triage absorbs. Not SQS's own StartMessageMoveTask: it moves a whole queue, not one message, and tells
        nobody which ones it moved.

        Args:
            only: ids of the messages to send; None sends all.
        """
        held: dict[str, str] = {}
        sent: set[str] = set()
        try:
            for batch in self._batches(SENDING, lambda: BATCH):
                held |= {message["MessageId"]: message["ReceiptHandle"] for message in batch}
                for message in batch:
                    if only is None or message["MessageId"] in only:
                        letter = self._letter(message)
                        self._call("send_message", self._queues.queue, MessageBody=message["Body"])
                        self._call("delete_message", ReceiptHandle=held.pop(letter.id))
                        sent.add(letter.id)
                        yield letter
                if only is not None and only <= sent:
                    break
        finally:
            self._give_back(held.values())

    def _batches(self, hidden: int, wanted: Callable[[], int]) -> Iterator[list[dict[str, Any]]]:
        empty = 0
        while empty < QUIET:
            messages: list[dict[str, Any]] = self._call(
                "receive_message",
                MaxNumberOfMessages=wanted(),
                VisibilityTimeout=hidden,
                MessageSystemAttributeNames=["SentTimestamp"],
                MessageAttributeNames=["ERROR_CODE", "ERROR_MESSAGE"],
            ).get("Messages", [])
            empty = 0 if messages else empty + 1
            if messages:
                yield messages

    def _give_back(self, receipts: Iterable[str]) -> None:
        for receipt in receipts:
            self._call("change_message_visibility", ReceiptHandle=receipt, VisibilityTimeout=0)

    def _letter(self, message: dict[str, Any]) -> DeadLetter:
        return DeadLetter(
            id=message["MessageId"],
            lane=self._lane,
            error=self._error(message),
            sent_at=datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC),
            body=message["Body"],
        )

    def _error(self, message: dict[str, Any]) -> str:
        """Return why, by whoever laid it aside: triage writes a row; EventBridge, whose delivery failed, attributes."""
        row = self._table.get(f"REJECTED#{self._lane}", message["MessageId"])
        if row is not None:
            return str(row["error"])
        said = message.get("MessageAttributes", {})
        words = [said[name]["StringValue"] for name in ("ERROR_CODE", "ERROR_MESSAGE") if name in said]
        return ": ".join(words) or NOT_RECORDED

    def _call(self, operation: str, queue: str | None = None, **arguments: Any) -> Any:
        try:
            return getattr(self._client, operation)(QueueUrl=queue or self._queues.dead_letters, **arguments)
        except (ClientError, BotoCoreError) as error:
            raise translate(error, operation) from error
