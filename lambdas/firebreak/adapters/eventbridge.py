"""The bus, as a person's command puts something onto it."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from firebreak.adapters.aws import translate
from firebreak.core.errors import Retriable
from firebreak.core.model import Json


class EventBus:
    """An EventBridge bus.

    Args:
        client: boto3 EventBridge client.
        name: the bus.
    """

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    def put(self, event: dict[str, Json]) -> None:
        """Put one event onto the bus; its account, region and time are EventBridge's to say.

        Raises:
            Denied: the caller may not.
            Retriable: it was not taken; the same event may be put again.
        """
        entry = {
            "EventBusName": self._name,
            "Source": event["source"],
            "DetailType": event["detail-type"],
            "Detail": json.dumps(event["detail"]),
        }
        try:
            answer = self._client.put_events(Entries=[entry])
        except (ClientError, BotoCoreError) as error:
            raise translate(error, "put_events") from error
        if answer["FailedEntryCount"]:
            failed = answer["Entries"][0]
            raise Retriable(f"put_events: {failed.get('ErrorCode')}: {failed.get('ErrorMessage')}; run it again")
