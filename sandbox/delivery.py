"""Who reads queues and streams: Lambda's event source mappings, and pipes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sandbox.backend import Backend
from sandbox.clock import Clock, Timer
from sandbox.functions import Functions
from sandbox.invocation import Result
from sandbox.patterns import matches

Record = dict[str, Any]
Consume = Callable[[list[Record], Callable[[set[str]], None]], None]
"""Handles a batch of messages and then calls back with the ids of those that failed."""

STREAM_AGE = 86_400
"""Seconds that a stream keeps a record."""


class QueueReader:
    """Reads a queue in the order of arrival and has each batch consumed.

    What fails stays hidden until its visibility timeout has passed, and comes again until the queue lays it aside.

    Args:
        queue: ARN.
        batch: messages per batch.
        concurrency: batches at once.
        consume: handles a batch.
    """

    def __init__(
        self, clock: Clock, backend: Backend, queue: str, batch: int, concurrency: int, consume: Consume
    ) -> None:
        self.queue = queue
        self._clock = clock
        self._backend = backend
        self._batch = batch
        self._concurrency = concurrency
        self._consume = consume
        self._active = 0
        self._timer: Timer | None = None

    def poll(self) -> None:
        """Take what can be taken now, and come back when more can."""
        while self._active < self._concurrency:
            records = self._backend.receive(self.queue, self._batch)
            if not records:
                break
            self._active += 1
            self._consume(records, lambda failed, records=records: self._settle(records, failed))  # type: ignore[misc]
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self._backend.next_visible(self.queue)
        if due is not None and self._active < self._concurrency:
            self._timer = self._clock.after(due, self.poll)

    def _settle(self, records: list[Record], failed: set[str]) -> None:
        self._active -= 1
        for record in records:
            if record["messageId"] not in failed:
                self._backend.delete(self.queue, record["receiptHandle"])
        self.poll()


def function_consumer(
    clock: Clock, functions: Functions, function: str, partial: bool, filters: Sequence[Mapping[str, Any]]
) -> Consume:
    """Consume messages by a function ("Using Lambda with Amazon SQS").

    Args:
        function: ARN.
        partial: whether its answer may name single failures.
        filters: patterns of the records it wants; the others are dropped.
    """

    def consume(records: list[Record], settle: Callable[[set[str]], None]) -> None:
        wanted = [record for record in records if _wanted(_with_parsed_body(record), filters)]
        if not wanted:
            settle(set())
            return
        everything = {record["messageId"] for record in wanted}

        def done(result: Result) -> None:
            settle(everything if result.failed else failures(result.payload, everything) if partial else set())

        clock.submit(lambda: functions.invoke(function, {"Records": wanted}), done)

    return consume


class StreamReader:
    """Hands a table's changes to a function, in order ("Using Lambda with Amazon DynamoDB").

    Args:
        table: ARN of the table.
        function: ARN of the function.
        batch: records per batch.
        filters: patterns of the records it wants.
        partial: whether its answer may name where it got stuck.
        bisect: whether a failing batch is split.
        retries: how often a batch is tried again; -1: until its records are too old.
        age: seconds after which a record is too old; -1: as long as the stream keeps it.
        failures: ARN of what gets the whereabouts of records that were given up, None if nothing.
        dead_letter: sends a text there.
    """

    def __init__(
        self,
        clock: Clock,
        backend: Backend,
        functions: Functions,
        table: str,
        function: str,
        *,
        batch: int = 100,
        filters: Sequence[Mapping[str, Any]] = (),
        partial: bool = False,
        bisect: bool = False,
        retries: int = -1,
        age: float = -1,
        failures: str | None = None,
        dead_letter: Callable[[str, str], None] = lambda arn, text: None,
    ) -> None:
        self._clock = clock
        self._backend = backend
        self._functions = functions
        self._table = table
        self._function = function
        self._batch = self._size = batch
        self._filters = filters
        self._partial = partial
        self._bisect = bisect
        self._retries = retries
        self._age = STREAM_AGE if age < 0 else age
        self._failures = failures
        self._dead_letter = dead_letter
        self._position = 0
        self._tried = 0
        self._busy = False

    def poll(self) -> None:
        """Hand on what is new, a batch after the other."""
        while not self._busy:
            records = self._backend.stream(self._table, self._position)[: self._size]
            if not records:
                return
            wanted = [record for record in records if _wanted(record, self._filters)]
            if wanted:
                self._hand_over(records, wanted)
            else:
                self._move(len(records))

    def _hand_over(self, records: list[Record], wanted: list[Record]) -> None:
        self._busy = True
        everything = {record["dynamodb"]["SequenceNumber"] for record in wanted}

        def done(result: Result) -> None:
            self._busy = False
            failed = everything if result.failed else set()
            if self._partial and not result.failed:
                failed = failures(result.payload, everything)
            if not failed:
                self._move(len(records))
            else:
                self._again(records, failed)
            self.poll()

        self._clock.submit(lambda: self._functions.invoke(self._function, {"Records": wanted}), done)

    def _again(self, records: list[Record], failed: set[str]) -> None:
        first = next(n for n, record in enumerate(records) if record["dynamodb"]["SequenceNumber"] in failed)
        if first > 0 and self._partial:
            self._move(first)
        self._tried += 1
        age = self._clock.now().timestamp() - records[first]["dynamodb"]["ApproximateCreationDateTime"]
        if age > self._age or -1 < self._retries < self._tried:
            if self._failures:
                self._dead_letter(self._failures, json.dumps({"DDBStreamBatchInfo": {"streamArn": self._table}}))
            self._move(len(records) - (first if self._partial else 0))
            return
        if self._bisect and self._size > 1:
            self._size = max(1, len(records) // 2)
        self._busy = True
        self._clock.after(min(60.0, 2.0 ** (self._tried - 1)), self._resume)

    def _resume(self) -> None:
        self._busy = False
        self.poll()

    def _move(self, by: int) -> None:
        self._position += by
        self._tried = 0
        self._size = self._batch


def failures(answer: Any, everything: set[str]) -> set[str]:
    """Return the ids that a partial batch answer reports; all of them where it is not such an answer."""
    if answer is None or answer == {}:
        return set()
    try:
        reported = {item["itemIdentifier"] for item in answer["batchItemFailures"] or ()}
    except (TypeError, KeyError):
        return everything
    return reported if reported <= everything else everything


def filters_of(properties: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the patterns of a declared FilterCriteria."""
    return [json.loads(one["Pattern"]) for one in properties.get("FilterCriteria", {}).get("Filters", ())]


def _wanted(record: Record, filters: Sequence[Mapping[str, Any]]) -> bool:
    return not filters or any(matches(pattern, record) for pattern in filters)


def _with_parsed_body(record: Record) -> Record:
    try:
        return {**record, "body": json.loads(record["body"])}
    except (ValueError, RecursionError):  # the latter is what a body of ten thousand brackets raises
        return record
