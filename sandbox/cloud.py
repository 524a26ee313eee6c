"""The parts of the sandbox that a resource is stood up in."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config

from sandbox.backend import Backend
from sandbox.clock import Clock
from sandbox.delivery import QueueReader, StreamReader
from sandbox.events import Events
from sandbox.executions import Executions
from sandbox.front import AwsFailure, Front
from sandbox.functions import Functions
from sandbox.http_api import HttpApi
from sandbox.identity import Caller, Identities, access_key


@dataclass
class RoleDocument:
    """What a role may do and who may take it on, as its templates say."""

    trust: Mapping[str, Any]
    policies: list[Mapping[str, Any]] = field(default_factory=list)
    managed: list[str] = field(default_factory=list)
    boundary: str = ""


@dataclass
class Cloud:
    """Everything that runs, and what has been stood up in it."""

    account: str
    region: str
    url: str
    clock: Clock
    backend: Backend
    front: Front
    identities: Identities
    functions: Functions
    events: Events
    executions: Executions
    queues: dict[str, str] = field(default_factory=dict)
    readers: list[QueueReader] = field(default_factory=list)
    streams: list[StreamReader] = field(default_factory=list)
    apis: dict[str, HttpApi] = field(default_factory=dict)
    roles: dict[str, RoleDocument] = field(default_factory=dict)
    access: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    schedules: dict[str, Callable[[], None]] = field(default_factory=dict)
    _clients: dict[tuple[str, str, str], Any] = field(default_factory=dict)

    def client(self, service: str, account: str | None = None, region: str | None = None) -> Any:
        """Return a boto3 client with every right, in an account and region (the home ones by default)."""
        place = (service, account or self.account, region or self.region)
        if place not in self._clients:
            key = access_key(f"administrator of {place[1]}")
            arn = f"arn:aws:iam::{place[1]}:user/administrator"
            self.identities.add(key, Caller(arn, place[1], administrator=True))
            self._clients[place] = boto3.client(
                service,
                region_name=place[2],
                endpoint_url=self.url,
                aws_access_key_id=key,
                aws_secret_access_key="sandbox",  # noqa: S106  nothing checks signatures
                config=Config(retries={"max_attempts": 0}, parameter_validation=True),
            )
        return self._clients[place]

    def close(self) -> None:
        """Close every client."""
        for client in self._clients.values():
            client.close()

    def deliver(self, target: Mapping[str, Any], arn: str, text: str) -> bool:
        """Hand a text to a queue, function, state machine or topic; False if there is none."""
        service = arn.split(":")[2]
        try:
            match service:
                case "sqs":
                    return self.send(arn, text)
                case "lambda":
                    self.functions.invoke_later(arn, json.loads(text))
                case "states":
                    self.executions.start(arn, json.loads(text))
                case "sns":
                    self.client("sns").publish(TopicArn=arn, Message=text)
                case _:
                    raise ValueError(f"the sandbox cannot deliver to {arn}")
        except AwsFailure:
            return False
        return True

    def send(self, arn: str, text: str, attributes: Mapping[str, str] | None = None) -> bool:
        """Put a text into a queue and have it read; False if there is no such queue."""
        sent = self.backend.send(arn, text, attributes)
        for reader in self.readers:
            if reader.queue == arn:
                self.clock.soon(reader.poll)
        return sent

    def poll(self) -> None:
        """Look at every queue and stream that somebody reads."""
        for reader in self.readers:
            reader.poll()
        for stream in self.streams:
            stream.poll()
