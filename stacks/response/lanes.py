"""The two lanes, so that a storm does not delay a critical finding, and the rules that fill them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.patterns import as_declared
from stacks.queue import queue

TRIAGE_TIMEOUT = 30
BATCH = 10
CONCURRENCY = {"urgent": 20, "bulk": 5}
"""How many batches of a lane are worked on at once."""


class Lanes(Construct):
    """The queues.

    Attributes:
        queues: by lane, "urgent" and "bulk".
        dead_letters: by lane.
    """

    def __init__(self, scope: Construct) -> None:
        super().__init__(scope, "Lanes")
        self.queues: dict[str, sqs.Queue] = {}
        self.dead_letters: dict[str, sqs.Queue] = {}
        for lane in CONCURRENCY:
            # Six times the function's timeout (AWS Lambda Developer Guide, "Using Lambda with Amazon SQS").
            self.queues[lane], self.dead_letters[lane] = queue(self, lane.capitalize(), visibility=6 * TRIAGE_TIMEOUT)

    def fill(self, bus: events.IEventBus, source: str, lane: str, number: int, pattern: Mapping[str, Any]) -> None:
        """Send the events that a pattern matches to a lane.

        Args:
            bus: where they are.
            source, lane, number: what the rule is called after; of a lane's patterns for a source no two match alike.
            pattern: as the source declares it.
        """
        rule = events.Rule(
            self,
            f"{source.capitalize()}{lane.capitalize()}{number or ''}",
            description=f"Firebreak: {source}, {lane} lane",
            event_bus=bus,
            event_pattern=events.EventPattern(source=pattern["source"]),
            targets=[targets.SqsQueue(self.queues[lane], dead_letter_queue=self.dead_letters[lane])],
        )
        as_declared(rule, pattern)

    def drain(self, triage: lambda_.Function) -> None:
        """Let a function handle what is in the lanes, message by message."""
        for lane, source in self.queues.items():
            triage.add_event_source(
                event_sources.SqsEventSource(
                    source,
                    batch_size=BATCH,
                    max_concurrency=CONCURRENCY[lane],
                    report_batch_item_failures=True,
                )
            )
