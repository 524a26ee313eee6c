"""The pipeline seated in a memory world: the handlers as deployed, on clients that are ours and actions that are
scripted."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import firebreak.adapters.sts
import firebreak.entry
import firebreak.wiring
from firebreak.adapters import incident_table
from firebreak.adapters.table import Table
from firebreak.core import registry
from firebreak.settings import Settings
from firebreak.wiring import Wiring
from reliability.scripted import SCRIPTED, Names

LOG = logging.getLogger(firebreak.entry.logger.service)

Serve = Callable[[str, str, Mapping[str, Any], str], Any]
"""Answers one call: service, operation, request, and the role it is made under."""


@dataclass(frozen=True)
class Session:
    """A boto3 session without AWS behind it.

    Attributes:
        serve: answers its calls.
        role: the name of the role; an access key id of ours is one.
    """

    serve: Serve
    role: str

    def client(self, service: str, **_: Any) -> Client:
        """Return a client."""
        return Client(self, service)

    def get_partition_for_region(self, region: str) -> str:
        """Return the one partition."""
        return "aws"


@dataclass(frozen=True)
class Client:
    """A client whose every operation is answered by the world."""

    session: Session
    service: str

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        if operation.startswith("_"):
            raise AttributeError(operation)
        return lambda **request: self.session.serve(self.service, operation, request, self.session.role)


@contextmanager
def seated(
    serve: Serve, pause: Callable[[float], None], looks_up: Callable[[], bool] = lambda: False
) -> Iterator[None]:
    """Seat every handler that is built inside.

    Args:
        serve: answers the calls of their clients.
        pause: what they sleep by.
        looks_up: whether a target is looked up, asked as a handler starts.
    """

    def session(
        access: str = "", *_: Any, aws_access_key_id: str = "", **__: Any
    ) -> Session:  # as boto3.Session takes it
        return Session(serve, aws_access_key_id or access)

    core = SimpleNamespace(
        session=SimpleNamespace(
            Session=lambda: SimpleNamespace(
                get_component=lambda name: None, register_component=lambda name, component: None
            )
        )
    )
    boto3 = SimpleNamespace(Session=session)
    with ExitStack() as stack:
        stack.callback(LOG.setLevel, LOG.level)
        LOG.setLevel(logging.CRITICAL)  # a log of every run would cost more than the runs
        for module in (firebreak.wiring, firebreak.adapters.sts):
            stack.enter_context(patch.object(module, "boto3", boto3))
        stack.enter_context(patch.object(firebreak.wiring, "botocore", core))
        stack.enter_context(
            patch.object(
                firebreak.adapters.sts,
                "botocore",
                SimpleNamespace(session=core.session, loaders=SimpleNamespace(create_loader=lambda: None)),
            )
        )
        stack.enter_context(patch.object(Table.__init__, "__defaults__", (pause,)))
        stack.enter_context(patch.object(Wiring, "deployment", _once(Wiring.deployment)))
        stack.enter_context(patch.object(Wiring, "playbooks", _once(Wiring.playbooks)))
        stack.enter_context(patch.object(registry, "action", SCRIPTED.__getitem__))
        stack.enter_context(patch.object(registry, "actions", lambda: SCRIPTED))
        names = Names()
        stack.enter_context(patch.object(registry, "enrichers", lambda: {names.name: names} if looks_up() else {}))
        stack.enter_context(patch.object(incident_table, "TOGETHER", 1))  # more than one step needs a second batch
        yield


def _once(read: Callable[[Wiring], Any]) -> Callable[[Wiring], Any]:
    """Read a file of settings once a folder, not once a cold start: what comes of it is frozen, and every kill starts
    a function anew."""
    return lambda wiring: _read(read, wiring.settings.environment["FIREBREAK_CONFIG"])


@cache
def _read(read: Callable[[Any], Any], folder: str) -> Any:
    return read(SimpleNamespace(settings=Settings({"FIREBREAK_CONFIG": folder})))
