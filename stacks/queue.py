"""Queues: encrypted, TLS only, and with another queue behind them for what cannot be handled."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.nag import acknowledge

RECEIVES = 5
"""Deliveries before a message is laid aside."""


def dead_letters(scope: Construct, id: str) -> sqs.Queue:
    """Return a queue for what could not be handled, kept as long as SQS can: 14 days."""
    dead = sqs.Queue(
        scope,
        id,
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        retention_period=cdk.Duration.days(14),
    )
    acknowledge(dead, "it is a dead letter queue itself, with an alarm on its depth", "SQS3")
    return dead


def queue(scope: Construct, id: str, *, visibility: int, name: str | None = None) -> tuple[sqs.Queue, sqs.Queue]:
    """Return a queue and its dead letter queue.

    Args:
        scope, id: where it belongs.
        visibility: seconds a message is hidden once received.
        name: its name, where others have to know it beforehand.
    """
    dead = dead_letters(scope, f"{id}DeadLetters")
    return (
        sqs.Queue(
            scope,
            id,
            queue_name=name,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=cdk.Duration.days(4),  # less than the dead letter queue: age counts from the first arrival
            visibility_timeout=cdk.Duration.seconds(visibility),
            dead_letter_queue=sqs.DeadLetterQueue(queue=dead, max_receive_count=RECEIVES),
        ),
        dead,
    )
