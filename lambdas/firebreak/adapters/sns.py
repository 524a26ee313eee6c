"""Notices to people by the notice topic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from firebreak.adapters.aws import translate
from firebreak.core.display import clean

SUBJECT_LIMIT = 100  # Amazon SNS API Reference, Publish: printable ASCII, below 100 characters
MESSAGE_LIMIT = 200_000  # of 262,144 bytes, after encoding


class Topic:
    """`firebreak.ports.Messenger` on SNS.

    Args:
        client: makes a boto3 SNS client; called when something is told, which most invocations do not.
        arn: the topic.
    """

    def __init__(self, client: Callable[[], Any], arn: str) -> None:
        self._make = client
        self._arn = arn
        self._client: Any = None

    def tell(self, subject: str, lines: Sequence[str], *, incident: str | None = None) -> None:
        """Publish a notice. Text that an attacker may have written is shown, never interpreted."""
        if self._client is None:
            self._client = self._make()
        head = "".join(char if " " <= char <= "~" else "?" for char in f"Firebreak: {subject}")[: SUBJECT_LIMIT - 1]
        text = (
            "\n".join(clean(line, 2_000) for line in (subject, *lines)).encode()[:MESSAGE_LIMIT].decode(errors="ignore")
        )
        attributes = {"incident": {"DataType": "String", "StringValue": incident}} if incident else {}
        try:
            self._client.publish(TopicArn=self._arn, Subject=head, Message=text, MessageAttributes=attributes)
        except (ClientError, BotoCoreError) as error:
            raise translate(error, "publish") from error
