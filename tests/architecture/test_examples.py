"""The worked examples in docs/adding-an-action.md and docs/adding-a-source.md keep what they teach."""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest

import firebreak.actions
import firebreak.sources
import tests.contract.scenes
from firebreak.core import registry
from firebreak.core.action import Action
from firebreak.core.errors import FindingError, NotForFirebreak
from firebreak.core.intake import normalise
from firebreak.core.lanes import bulk_pattern, urgent_pattern
from firebreak.core.source import Origin, Source
from sandbox.patterns import matches
from tests.architecture.tree import ROOT
from tests.contract import test_actions as suite
from tests.ec2_world import cured_moto

BLOCK = re.compile(r"^`(?P<path>[\w/.]+)`:\n\n```\w+\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
ACTION = "ec2.mark_instance"
STRIKES = ["crash", "throttle"]


@cache
def files(page: str) -> dict[str, str]:
    """Return the files that a page shows, by their path."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return {found["path"]: found["text"] for found in BLOCK.finditer(text)}


def load(monkeypatch: pytest.MonkeyPatch, page: str, path: str, package: ModuleType | None) -> Any:
    """Return the module that a page shows, imported as if the file were there."""
    name = Path(path).stem if package is None else f"{package.__name__}.{Path(path).stem}"
    module = ModuleType(name)
    module.__file__ = str(ROOT / path)
    monkeypatch.setitem(sys.modules, name, module)
    exec(compile(files(page)[path], path, "exec"), vars(module))  # our own page
    return module


@pytest.fixture
def action(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    page = "adding-an-action.md"
    module = load(monkeypatch, page, "lambdas/firebreak/actions/ec2_mark_instance.py", firebreak.actions)
    load(monkeypatch, page, "tests/contract/scenes/ec2_mark_instance.py", tests.contract.scenes)
    (tmp_path / "actions").mkdir()
    (tmp_path / "actions" / "test_ec2_mark_instance.py").touch()
    monkeypatch.setattr(suite, "TESTS", tmp_path)
    monkeypatch.setattr(registry, "actions", lambda: {ACTION: module.MarkInstance()})
    with cured_moto():
        yield module


def checks() -> list[tuple[str, dict[str, str]]]:
    """Return every check of the contract suite with every way to call it for the example."""
    values = {"name": [ACTION], "case": ["defaults", "a value of its own"], "fault": STRIKES}
    found = []
    for name, check in vars(suite).items():
        if not name.startswith("test_") or not isinstance(check, FunctionType) or "secure" in name:
            continue
        wanted = list(inspect.signature(check).parameters)
        found += [
            (name, dict(zip(wanted, chosen, strict=True))) for chosen in product(*(values[each] for each in wanted))
        ]
    return found


@pytest.mark.parametrize(("check", "arguments"), checks(), ids=lambda each: each if isinstance(each, str) else "")
def test_the_example_action_keeps_the_contract(action: Any, check: str, arguments: dict[str, str]) -> None:
    assert not action.MarkInstance().can_secure, "then the checks of securing are for it, too"
    vars(suite)[check](**arguments)


def test_the_example_action_is_one_that_the_registry_takes(action: Any) -> None:
    found = registry._unit("firebreak.actions", "ec2_mark_instance", Action)  # type: ignore[type-abstract]
    assert found.name == ACTION
    assert len(files("adding-an-action.md")["lambdas/firebreak/actions/ec2_mark_instance.py"].splitlines()) < 150


def test_the_example_test_passes(action: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = load(monkeypatch, "adding-an-action.md", "tests/actions/test_ec2_mark_instance.py", None)
    shown.test_a_mark_that_was_there_before_comes_back()


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Source:
    module = load(monkeypatch, "adding-a-source.md", "lambdas/firebreak/sources/signin.py", firebreak.sources)
    found = registry._unit("firebreak.sources", "signin", Source)  # type: ignore[type-abstract]
    assert type(found) is module.Signin
    return found


@pytest.fixture
def event() -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(files("adding-a-source.md")["tests/fixtures/findings/signin/root.json"])
    return shown


def test_the_example_event_becomes_its_golden_finding(source: Source, event: dict[str, Any]) -> None:
    golden = json.loads(files("adding-a-source.md")["tests/fixtures/findings/signin/root.golden.json"])
    found = normalise(event, Origin(), {**registry.sources(), source.name: source})
    assert [finding.model_dump(mode="json", exclude_none=True) for finding in found] == golden


def test_no_other_source_claims_the_example_event(source: Source, event: dict[str, Any]) -> None:
    assert source.claims(event)
    assert not any(other.claims(event) for other in registry.sources().values())


@pytest.mark.parametrize("field", ["userIdentity", "eventTime", "eventID", "responseElements"])
@pytest.mark.parametrize("value", [None, [], {}, "?", 10**400])
def test_an_odd_event_is_named_and_nothing_else_happens(
    source: Source, event: dict[str, Any], field: str, value: Any
) -> None:
    event["detail"][field] = value
    if field == "eventID" and value == "?":
        assert source.normalise(event, Origin())
        return
    with pytest.raises((FindingError, NotForFirebreak)):
        source.normalise(event, Origin())


@pytest.mark.parametrize("kind", ["Root", "IAMUser", None, 7, [], {}, ...])
def test_every_event_of_the_example_takes_exactly_one_lane(source: Source, event: dict[str, Any], kind: Any) -> None:
    event["detail"]["userIdentity"] = {} if kind is ... else {"type": kind}
    lanes = [*urgent_pattern(source), *bulk_pattern(source)]
    assert [matches(pattern, event) for pattern in lanes].count(True) == 1
    assert matches(lanes[0], event) is (kind == "Root")
