"""One unit, one file, one test; one function, one handler."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Mapping

import pytest

import firebreak
from firebreak import handlers
from firebreak.core import registry
from firebreak.core.errors import FirebreakError
from tests.architecture.tree import FIREBREAK, ROOT, modules

UNITS: dict[str, Callable[[], Mapping[str, object]]] = {
    "actions": registry.actions,
    "sources": registry.sources,
    "enrichers": registry.enrichers,
}
FUNCTIONS = ("triage", "plan", "ask", "answer", "decide", "execute", "close", "sweep", "prepare")


@pytest.mark.parametrize("kind", UNITS)
def test_a_unit_is_a_file_and_a_test(kind: str) -> None:
    units = UNITS[kind]()
    files = {path.stem for path in modules(FIREBREAK / kind) if path.stem != "__init__"}
    assert units
    assert {name.replace(".", "_") for name in units} == files
    untested = [name for name in files if not (ROOT / "tests" / kind / f"test_{name}.py").exists()]
    assert not untested, "\n".join(untested)


def test_every_function_has_its_handler_and_its_use_case() -> None:
    assert {module.name for module in pkgutil.iter_modules(handlers.__path__)} == set(FUNCTIONS)
    without = [name for name in FUNCTIONS if not (FIREBREAK / "pipeline" / f"{name}.py").exists()]
    assert not without, "\n".join(without)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_handler_is_built_from_its_environment(name: str) -> None:
    module = importlib.import_module(f"firebreak.handlers.{name}")
    assert next(iter(inspect.signature(module.build).parameters)) == "environment"
    assert callable(module.handler)


def test_every_function_is_in_the_architecture() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([A-Z][A-Za-z, ]+) \|.*\|.*\|$", page.split("## Environment")[0], re.MULTILINE)
    told = {word.lower() for row in rows for word in row.split(", ")} - {"function", "executedestructive"}
    assert told == set(FUNCTIONS)


def test_every_error_is_of_one_tree() -> None:
    strays = {
        f"{found.__module__}.{found.__name__}"
        for entry in pkgutil.walk_packages(firebreak.__path__, "firebreak.")
        for found in vars(importlib.import_module(entry.name)).values()
        if inspect.isclass(found) and issubclass(found, Exception) and found.__module__.startswith("firebreak.")
        # a validator of pydantic may raise ValueErrors alone
        if not issubclass(found, (FirebreakError, ValueError))
    }
    assert not strays, "\n".join(sorted(strays))
