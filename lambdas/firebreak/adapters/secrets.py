"""Secrets from Secrets Manager, read when they are needed and kept for minutes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from firebreak.adapters.aws import translate
from firebreak.core.errors import SettingsError

KEPT = 300.0
"""Seconds a secret is kept: a rotated one works everywhere after five minutes."""


class Secret:
    """One secret, a JSON object.

    Args:
        client: makes a boto3 Secrets Manager client; called when the secret is first read.
        arn: the secret.
        elapsed: seconds of a clock that never goes back.
    """

    def __init__(self, client: Callable[[], Any], arn: str, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._make = client
        self._arn = arn
        self._elapsed = elapsed
        self._client: Any = None
        self._content: Mapping[str, Any] = {}
        self._read_at = float("-inf")

    def signing_secrets(self) -> tuple[str, ...]:
        """Return Slack's signing secrets that hold now: the current one and, during a rotation, the previous."""
        content = self._read()
        previous = content.get("previous")
        return (self._member("signing_secret"), *((previous,) if isinstance(previous, str) and previous else ()))

    def bot_token(self) -> str:
        """Return the token under which Firebreak writes to Slack."""
        return self._member("bot_token")

    def _member(self, name: str) -> str:
        value = self._read().get(name)
        if not isinstance(value, str) or not value:
            raise SettingsError(f'{self._arn}: no "{name}"; put the secret as {{"{name}": …}}')
        return value

    def _read(self) -> Mapping[str, Any]:
        if self._elapsed() - self._read_at < KEPT:
            return self._content
        if self._client is None:
            self._client = self._make()
        try:
            text = self._client.get_secret_value(SecretId=self._arn)["SecretString"]
        except (ClientError, BotoCoreError) as error:
            raise translate(error, "get_secret_value") from error
        try:
            content = json.loads(text)
        except (ValueError, RecursionError):
            content = None
        if not isinstance(content, dict):
            # from None: the error's text would quote the secret
            raise SettingsError(f"{self._arn}: not a JSON object; put the secret as one") from None
        self._content, self._read_at = content, self._elapsed()
        return self._content
