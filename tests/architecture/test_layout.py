"""A new reader finds the file from the word, and each file is short enough to read."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.tree import FIREBREAK, LAMBDAS, ROOT, SANDBOX, STACKS, modules, project_files, shown, tree

LINES = 250
LONG: dict[str, str] = {
    "lambdas/firebreak/wiring.py": "one short function per handler; a second file would hide where adapters are chosen",
    "lambdas/firebreak/ports.py": "one port after another, most of it docstrings; they are read side by side",
}
"""Files that may be longer than LINES, each with its reason."""

FREE = ("architecture", "contract", "e2e", "stacks")
"""Test folders that are about the whole and mirror no folder."""

ABOUT_SEVERAL = {
    "tests/adapters/test_approval_orders.py": "every order of votes and deaths, over the tables of both functions",
    "tests/sources/test_fixtures.py": "every source over its fixtures and their golden findings",
}
"""Tests that mirror no single module, each with its reason."""

READERS_OF_THE_ENVIRONMENT = {"lambdas/firebreak/entry.py"}
"""It hands the process's environment to the handler's `build`, which hands it to `settings`; nobody else sees it."""

READERS_OF_WIRE_FORMS = {
    "lambdas/firebreak/pipeline/answer.py",  # reads a request of the public endpoint, which does without pydantic
}


def test_files_are_short_or_have_a_reason() -> None:
    long = {
        shown(path): lines
        for path in modules(FIREBREAK, STACKS, SANDBOX)
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LINES
    }
    unargued = [f"{name}: {lines} lines" for name, lines in long.items() if name not in LONG]
    assert not unargued, "\n".join(unargued)
    assert set(LONG) - set(long) == set(), "no longer long: take them off the list"


def test_every_module_says_what_it_is() -> None:
    silent = [shown(path) for path in modules() if tree(path).body and not ast.get_docstring(tree(path))]
    assert not silent, "\n".join(silent)


def test_every_test_mirrors_a_module() -> None:
    astray = [shown(path) for path in modules(ROOT / "tests") if path.stem.startswith("test_") and not _mirrored(path)]
    astray = sorted(set(astray) ^ set(ABOUT_SEVERAL))
    assert not astray, "\n".join(astray)


@pytest.mark.parametrize(
    ("test", "mirrored"),
    [
        ("core/test_grant.py", True),
        ("core/test_grant_rendering.py", True),
        ("core/test_grants.py", False),
        ("test_settings.py", True),
        ("nowhere/test_grant.py", False),
        ("contract/test_anything.py", True),
    ],
)
def test_a_test_mirrors_a_module_by_its_name_and_folder(test: str, mirrored: bool) -> None:
    assert _mirrored(ROOT / "tests" / test) is mirrored


def _mirrored(test: Path) -> bool:
    folder = test.parent.relative_to(ROOT / "tests")
    if folder.parts and folder.parts[0] in FREE:
        return True
    word = test.stem.removeprefix("test_")
    places = [(root / folder) for root in (FIREBREAK, ROOT)]
    found = {
        entry.stem
        for place in places
        if place.is_dir()
        for entry in place.iterdir()
        if entry.suffix in (".py", ".yaml", "")
    }
    return any(word == name or word.startswith(f"{name}_") for name in found)


def test_settings_alone_reads_the_environment() -> None:
    readers = {
        shown(path)
        for path in modules(FIREBREAK)
        for node in ast.walk(tree(path))
        if (isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "environb"))
        or (isinstance(node, ast.ImportFrom) and node.module == "os" and any("env" in name.name for name in node.names))
    }
    assert readers == READERS_OF_THE_ENVIRONMENT


def test_past_normalise_everything_has_a_type() -> None:
    untyped = [
        f"{shown(path)}:{node.lineno}"
        for path in modules(*(FIREBREAK / part for part in ("actions", "enrichers", "pipeline")))
        if shown(path) not in READERS_OF_WIRE_FORMS
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Subscript) and re.fullmatch(r"(dict|Mapping)\[str, (Any|object)\]", ast.unparse(node))
    ]
    assert not untyped, "\n".join(untyped)


def test_names_say_what_a_thing_is() -> None:
    vague = re.compile(r"(Manager|Helper|Helpers|Utils|Util|Data|Info)$|(^|_)(manager|helpers?|utils?|data|info)$")
    classes = [
        f"{shown(path)}: {node.name}"
        for path in modules()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef) and vague.search(node.name)
    ]
    files = [shown(path) for path in modules() if vague.search(path.stem)]
    assert not classes + files, "\n".join(classes + files)


def test_the_source_root_is_no_package() -> None:
    importers = [
        shown(path)
        for path in modules()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Import | ast.ImportFrom) and "lambdas" in ast.unparse(node).split()[1].split(".")[0]
    ]
    assert not importers, "\n".join(importers)
    assert not (LAMBDAS / "__init__.py").exists()


ELSEWHERE = re.compile(
    r"[/]work/\w|[.]{2}/shared"  # machines
    r"|pypi[.]org|pythonhosted[.]org|npmjs[.]org|deb[.]debian[.]org"  # package registries
    r"|TO[D]O|FIX[M]E"  # unfinished work
)


def test_nothing_names_a_machine_a_registry_or_unfinished_work() -> None:
    own = re.escape(str(ROOT)) + r"\b"
    named = [
        f"{shown(path)}: {match.group()}"
        for path in project_files()
        for match in re.finditer(f"{own}|{ELSEWHERE.pattern}", path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert not named, "\n".join(named)


def test_a_machine_a_registry_or_unfinished_work_would_be_noticed() -> None:
    for text in ("/wo rk/main", ".. /shared/x", "https://py pi.org/simple", "# TO DO: later"):
        assert not ELSEWHERE.search(text), text
        assert ELSEWHERE.search(text.replace(" ", "")), text
