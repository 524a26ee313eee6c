"""Finds the units by looking into their package: one unit a module, the file named after it. No list to keep."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from functools import cache
from typing import TypeVar

from firebreak.core.action import Action, AnyAction
from firebreak.core.enricher import Enricher
from firebreak.core.source import Source

U = TypeVar("U", Source, Enricher, AnyAction)


def _units(package: str, base: type[U]) -> dict[str, U]:
    found: dict[str, U] = {}
    for module in sorted(entry.name for entry in pkgutil.iter_modules(importlib.import_module(package).__path__)):
        found |= {unit.name: unit for unit in (_unit(package, module, base),)}
    return found


def _unit(package: str, module: str, base: type[U]) -> U:
    members = vars(importlib.import_module(f"{package}.{module}")).values()
    classes = [
        member
        for member in members
        if inspect.isclass(member)
        and issubclass(member, base)
        and not inspect.isabstract(member)
        and member.__module__ == f"{package}.{module}"
    ]
    if len(classes) != 1:
        raise TypeError(f"{package}/{module}.py defines {len(classes)} units; it takes exactly one")
    unit = classes[0]()
    if unit.name.replace(".", "_") != module:
        raise TypeError(f"{package}/{module}.py defines {unit.name}; the file is named after the unit")
    return unit


@cache
def sources() -> dict[str, Source]:
    """Return every source by name."""
    return _units("firebreak.sources", Source)  # type: ignore[type-abstract]


@cache
def enrichers() -> dict[str, Enricher]:
    """Return every enricher by name."""
    return _units("firebreak.enrichers", Enricher)  # type: ignore[type-abstract]


@cache
def actions() -> dict[str, AnyAction]:
    """Return every action by name. Importing them pulls in neither boto3 nor the CDK."""
    return _units("firebreak.actions", Action)  # type: ignore[type-abstract]


@cache
def action(name: str) -> AnyAction:
    """Return one action, importing its module and no other.

    Raises:
        KeyError: no such action.
    """
    try:
        return _unit("firebreak.actions", name.replace(".", "_"), Action)  # type: ignore[type-abstract]
    except ModuleNotFoundError:
        raise KeyError(f"there is no action {name!r}; `firebreak actions list` names them") from None
