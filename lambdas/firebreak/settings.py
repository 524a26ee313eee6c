"""The only reader of the environment and of the configuration that was built into the asset."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from firebreak.core.errors import SettingsError

CONFIG = Path(__file__).resolve().parent.parent / "config"
"""Where the asset keeps playbooks and settings: beside the code."""


@dataclass(frozen=True)
class Settings:
    """What one function was told. A value that is missing is an error when it is asked for: at the cold start, in
    `wiring`, never in the middle of an incident.

    Attributes:
        environment: the function's variables.
    """

    environment: Mapping[str, str]

    @property
    def table(self) -> str:
        return self._needed("FIREBREAK_TABLE")

    @property
    def state_machine(self) -> str:
        return self._needed("FIREBREAK_STATE_MACHINE_ARN")

    @property
    def notice_topic(self) -> str:
        return self._needed("FIREBREAK_NOTICE_TOPIC_ARN")

    @property
    def evidence_bucket(self) -> str:
        return self._needed("FIREBREAK_EVIDENCE_BUCKET")

    @property
    def raw_events_bucket(self) -> str:
        return self._needed("FIREBREAK_RAW_EVENTS_BUCKET")

    @property
    def bulk_queue(self) -> str:
        return self._needed("FIREBREAK_BULK_QUEUE_ARN")

    @property
    def slack_secret(self) -> str:
        return self._needed("FIREBREAK_SLACK_SECRET_ARN")

    @property
    def signing_secret(self) -> str:
        return self._needed("FIREBREAK_SIGNING_SECRET_ARN")

    @property
    def slack_api(self) -> str:
        """Where Slack's Web API is: at Slack, or on this machine, for the bot token goes there."""
        api = self.environment.get("FIREBREAK_SLACK_API", "https://slack.com/api")
        host = urlparse(api).hostname or ""
        if api != "https://slack.com/api" and host not in ("127.0.0.1", "localhost", "::1"):
            raise SettingsError(f"FIREBREAK_SLACK_API: {host} is not this machine; leave it unset to use Slack")
        return api

    @property
    def prepare_function(self) -> str:
        return self._needed("FIREBREAK_PREPARE_FUNCTION")

    @property
    def account(self) -> str:
        """The account this function runs in, as its topic's ARN says: Lambda tells a function only its region."""
        return self.notice_topic.split(":")[4]

    @property
    def region(self) -> str:
        return self._needed("AWS_REGION")

    @cached_property
    def deployment(self) -> dict[str, Any]:
        """The deployment's settings as JSON; `firebreak.core.deployment` gives them their types."""
        return self._config("deployment.json")

    @cached_property
    def playbooks(self) -> dict[str, Any]:
        """The playbooks as JSON; `firebreak.core.playbook` gives them their types."""
        return self._config("playbooks.json")

    @property
    def credentials(self) -> dict[str, str]:
        """Credentials, region and profile as boto3.Session takes them; in Lambda there is no profile."""
        named = {
            "aws_access_key_id": "AWS_ACCESS_KEY_ID",
            "aws_secret_access_key": "AWS_SECRET_ACCESS_KEY",
            "aws_session_token": "AWS_SESSION_TOKEN",
            "region_name": "AWS_REGION",
            "profile_name": "AWS_PROFILE",
        }
        return {name: self.environment[variable] for name, variable in named.items() if variable in self.environment}

    @property
    def endpoint(self) -> str | None:
        """Where AWS is, if not at AWS (sandbox)."""
        return self.environment.get("AWS_ENDPOINT_URL")

    def _needed(self, variable: str) -> str:
        if not (value := self.environment.get(variable, "")):
            raise SettingsError(f"{variable}: not set; the function's stack sets it")
        return value

    def _config(self, name: str) -> dict[str, Any]:
        path = Path(self.environment.get("FIREBREAK_CONFIG", CONFIG)) / name
        try:
            found = json.loads(path.read_bytes())
        except (OSError, ValueError) as error:
            raise SettingsError(f"{path.name}: {error}; the asset is built with it, build it again") from error
        if not isinstance(found, dict):
            raise SettingsError(f"{path.name}: not an object; the asset is built with it, build it again")
        return found
