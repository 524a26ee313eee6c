"""What moto and botocore do again at every call though nothing of it changes: done once, with the same answers.

moto is pinned exactly, because these touch its private names; `tests/sandbox/test_moto_speed.py` holds each of them.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cache, wraps
from typing import Any

import botocore.session
from botocore import hooks
from botocore.client import ClientCreator
from moto import backends
from moto.core import responses, serialize
from moto.core.common_models import BaseModel
from moto.core.utils import method_names_from_class
from moto.dynamodb.models.table import Table


def install() -> None:
    """Apply all of it to this process, once."""
    for speed in (
        _models,
        _method_names,
        _service_models,
        _client_classes,
        _event_names,
        _modules,
        _partitions,
        _aliases,
    ):
        speed()


def _replace(owner: object, name: str, value: Any) -> None:
    setattr(owner, name, value)


def _models() -> None:
    """moto keeps every model it ever made in a list for its dashboard, and so never frees one."""

    def new(cls: Any, *_: Any, **__: Any) -> Any:
        return object.__new__(cls)

    _replace(BaseModel, "__new__", new)


def _method_names() -> None:
    """moto lists the methods of a class of 700 anew at every call, a fifth of its time."""
    _replace(responses, "method_names_from_class", cache(method_names_from_class))


def _service_models() -> None:
    """Parse each service's model once in this process, though every function has a session of its own as in Lambda.

    botocore keeps what it has parsed per session, and parsing costs more than everything else a test does.
    """
    _replace(botocore.session, "create_loader", cache(botocore.session.create_loader))


def _client_classes() -> None:
    """botocore makes a class of several hundred methods for each client; those of one service are all alike."""
    make, known = ClientCreator._create_client_class, {}

    def made(self: Any, service_name: str, service_model: Any) -> Any:
        key = service_name, service_model.api_version
        if key not in known:
            known[key] = make(self, service_name, service_model)
        return known[key]

    _replace(ClientCreator, "_create_client_class", made)


def _event_names() -> None:
    """Each session of botocore works out anew how its 200 handlers are called, and how some events were once named."""
    alias = hooks.EventAliaser._alias_event_name
    known: dict[str, str] = {}

    def aliased(self: Any, event_name: str) -> str:
        if event_name not in known:
            known[event_name] = alias(self, event_name)
        return known[event_name]

    accepts = cache(hooks.accepts_kwargs)
    _replace(hooks, "accepts_kwargs", lambda handler: accepts(getattr(handler, "__func__", handler)))
    _replace(hooks.EventAliaser, "_alias_event_name", aliased)


def _modules() -> None:
    """moto looks through its own folders for each request, to see whether a host is one of its modules."""
    _replace(backends, "list_of_moto_modules", cache(lambda: tuple(_list_of_moto_modules())))


_list_of_moto_modules = backends.list_of_moto_modules


def _partitions() -> None:
    """A query goes through the whole table to find one partition of it, and compares keys by their parsed values."""
    query = Table.query

    @wraps(query)
    def partition(self: Any, hash_key: Any, *args: Any, **kwargs: Any) -> Any:
        index = kwargs.get("index_name") or (args[_INDEX] if len(args) > _INDEX else None)
        if index is not None:
            return query(self, hash_key, *args, **kwargs)
        table = copy.copy(self)
        table.items = {hash_key: self.items[hash_key]} if hash_key in self.items else {}
        return query(table, hash_key, *args, **kwargs)

    def all_items(self: Any) -> list[Any]:
        if not self.range_key_attr:
            return sorted(self.items.values(), key=lambda item: item.hash_key.cast_value)
        items = [item for partition in self.items.values() for item in partition.values()]
        return sorted(items, key=lambda item: (item.hash_key.cast_value, item.range_key.cast_value))

    _replace(Table, "query", partition)
    _replace(Table, "all_items", all_items)


_INDEX = 6
"""Where `Table.query` takes the index, counted after the hash key."""


def _aliases() -> None:
    """moto works out anew, for each member of each answer, under which names an object may hold it."""
    known: dict[tuple[Any, ...], tuple[str, ...]] = {}

    def keys(possible: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(possible)
        def remembered(self: Any, context: Any) -> tuple[str, ...]:
            key = (type(self), type(context.obj), context.key, context.shape)
            if key not in known:
                known[key] = tuple(possible(self, context))
            return known[key]

        return remembered

    for picker in (serialize.AttributePicker, serialize.XFormedAttributePicker):
        _replace(picker, "get_possible_keys", keys(picker.get_possible_keys))
