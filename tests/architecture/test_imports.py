"""Who may import whom: the contracts of pyproject.toml, each shown to catch what it forbids."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.architecture.tree import FIREBREAK, ROOT, SANDBOX, STACKS

PLANTED = {
    "imports point inwards, towards core, and every module has its place": ("core/target.py", "firebreak.ports"),
    "core is the standard library and pydantic": ("core/target.py", "boto3"),
    "units do not know each other": ("actions/ec2_isolate_instance.py", "firebreak.actions.ebs_snapshot_volumes"),
    "units are found by the registry, never by name": ("pipeline/plan.py", "firebreak.actions.ec2_isolate_instance"),
    "the pipeline reaches the world through ports": ("pipeline/plan.py", "botocore.client"),
    "adapters are chosen in wiring alone": ("handlers/plan.py", "firebreak.adapters.table"),
    "functions and commands reach AWS through wiring": ("handlers/plan.py", "boto3"),
    "functions read JSON that was checked at synth": ("settings.py", "yaml"),
    "the product knows neither its stacks nor its sandbox": ("cli/__init__.py", "sandbox"),
    "stacks read declarations and run nothing": ("../../stacks/names.py", "firebreak.wiring"),
}
"""By contract: a module, from `lambdas/firebreak`, and an import that breaks the contract there."""


def test_every_import_keeps_the_contracts() -> None:
    verdict = _lint(ROOT)
    assert verdict.returncode == 0, verdict.stdout


def test_every_contract_has_an_import_planted_against_it() -> None:
    assert set(PLANTED) == set(_contracts())


def test_every_contract_catches_what_it_forbids(tmp_path: Path) -> None:
    _copy_product(tmp_path)
    for module, planted in PLANTED.values():
        with (tmp_path / "lambdas" / "firebreak" / module).open("a", encoding="utf-8") as source:
            source.write(f"\nimport {planted}\n")

    verdict = _lint(tmp_path)

    assert verdict.returncode == 1
    assert [name for name in PLANTED if f"{name} BROKEN" not in verdict.stdout] == []


def test_a_module_without_a_place_is_noticed(tmp_path: Path) -> None:
    _copy_product(tmp_path)
    assert _lint(tmp_path).returncode == 0
    (tmp_path / "lambdas" / "firebreak" / "helpers.py").write_text('"""Nowhere."""\n', encoding="utf-8")

    assert _lint(tmp_path).returncode == 1


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("from firebreak.core import registry; assert registry.actions()", {"boto3", "botocore", "urllib3", "aws_cdk"}),
        ("import firebreak.handlers.triage", {"aws_cdk", "yaml", "click", "rich", "werkzeug"}),
        ("import firebreak.handlers.answer", {"pydantic", "firebreak.core.registry"}),
    ],
)
def test_what_a_function_imports_is_no_more_than_it_needs(statement: str, absent: set[str]) -> None:
    verdict = _python(ROOT, "-c", f"{statement}\nimport sys\nprint(*sys.modules)")
    assert verdict.returncode == 0, verdict.stderr
    loaded = set(verdict.stdout.split())
    assert "firebreak" in loaded
    assert absent & loaded == set()


def _copy_product(to: Path) -> None:
    for package in (FIREBREAK, STACKS, SANDBOX):
        shutil.copytree(package, to / package.relative_to(ROOT), ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", to)


def _contracts() -> list[str]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return [contract["name"] for contract in settings["tool"]["importlinter"]["contracts"]]


def _lint(root: Path) -> subprocess.CompletedProcess[str]:
    # a process of its own: the linter's graph and its settings are global
    return _python(root, "-c", "from importlinter.cli import lint_imports; exit(lint_imports(no_cache=True))")


def _python(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=root,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(root / "lambdas"), str(root)])},
        capture_output=True,
        text=True,
        check=False,
    )
