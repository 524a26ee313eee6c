"""Another function of ours, woken without waiting for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from firebreak.adapters.aws import translate


class PrepareFunction:
    """`firebreak.ports.Preparation` on Lambda.

    Args:
        client: makes a boto3 Lambda client; called when something is missing, which is rare.
        name: the function.
    """

    def __init__(self, client: Callable[[], Any], name: str) -> None:
        self._make = client
        self._name = name

    def request(self, account: str, region: str) -> None:
        """Have an account's region prepared, soon."""
        place = json.dumps({"account": account, "region": region}).encode()
        try:
            self._make().invoke(FunctionName=self._name, InvocationType="Event", Payload=place)
        except (ClientError, BotoCoreError) as error:
            raise translate(error, "invoke") from error
