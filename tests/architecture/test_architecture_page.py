"""docs/architecture.md says what the code does, where a test can tell."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import get_args

from firebreak.core.errors import Retriable
from firebreak.core.evidence import EVENTS, MANIFESTS
from firebreak.core.guard import OUTCOMES
from firebreak.core.incident import IncidentStatus, StepStatus
from firebreak.core.plan import STAGES
from firebreak.core.quarantine import NAMES
from tests.architecture.tree import FIREBREAK, ROOT, tree

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
KEY = re.compile(r"[A-Z]{4,}#?")
NO_KEYS = {"NEVER"}


def section(heading: str) -> str:
    """Return what stands under a heading."""
    return PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table under a heading, without its head."""
    lines = [line for line in section(heading).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def keys_of(path: Path) -> set[str]:
    """Return what keys of the table start with, as a module spells them: "STEP#", "LEASE"."""
    words = {
        node.value for node in ast.walk(tree(path)) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return {found[0] for word in words if (found := KEY.match(word)) and (found[0] == word or found[0].endswith("#"))}


def test_every_key_in_the_table_is_on_the_page() -> None:
    code = {
        key
        for path in sorted((FIREBREAK / "adapters").glob("*_*.py"))
        if path.stem.endswith(("_reader", "_rows", "_table"))
        for key in keys_of(path) - NO_KEYS
    }
    page = {found[0] for row in rows("The table") for cell in row[1:] if (found := KEY.match(cell.strip("`")))}
    assert code == page


def test_keys_are_read_from_names_and_patterns(tmp_path: Path) -> None:
    module = tmp_path / "some_table.py"
    module.write_text('a = f"STEP#{x}"\nb = ("GUARD", "MODE")\nc = "SET x"\nd = "Upper"\n', encoding="utf-8")
    assert keys_of(module) == {"STEP#", "GUARD", "MODE"}


def test_every_variable_that_is_read_is_on_the_page() -> None:
    read = set(re.findall(r'"(FIREBREAK_\w+)"', (FIREBREAK / "settings.py").read_text(encoding="utf-8")))
    assert read <= {row[0].strip("`") for row in rows("Environment of the functions")}


def test_every_object_of_the_vaults_is_on_the_page() -> None:
    assert {row[0].strip("`").split("<")[0] for row in rows("The vaults")} == {EVENTS, MANIFESTS}


def test_the_errors_that_are_retried_are_errors_of_ours() -> None:
    retried = set(re.findall(r"`(\w+)`", section("The state machine").split("| Calls |")[1].split("\n\n")[0]))
    assert retried == {Retriable.__name__, *(error.__name__ for error in Retriable.__subclasses__())}


def test_every_status_is_on_the_page() -> None:
    said = set(re.findall(r"\w+", section("The life of an incident")))
    assert {*get_args(StepStatus), *get_args(IncidentStatus)} <= said


def test_stages_outcomes_and_groups_are_named_as_in_the_code() -> None:
    assert ", ".join(STAGES) in section("The state machine")
    assert " < ".join(OUTCOMES) in section("The guard")
    for group in NAMES.values():
        assert f"`{group}`" in section("Names")


def test_the_contents_are_the_headings() -> None:
    linked = re.findall(r"\]\(#([\w-]+)\)", PAGE.split("Contents:", 1)[1].split("\n")[0])
    headings = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
    assert linked == [heading.lower().replace(" ", "-") for heading in headings]
