"""The files that are part of the project, and what their source says."""

from __future__ import annotations

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LAMBDAS = ROOT / "lambdas"
FIREBREAK = LAMBDAS / "firebreak"
STACKS = ROOT / "stacks"
SANDBOX = ROOT / "sandbox"


@cache
def project_files() -> tuple[Path, ...]:
    """Return every file of the project: all that git tracks, or would if it were added."""
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return tuple(path for path in (ROOT / name for name in sorted(set(names.split("\0"))) if name) if path.is_file())


@cache
def modules(*folders: Path) -> tuple[Path, ...]:
    """Return the Python files of the project, or those inside the given folders."""
    return tuple(
        path
        for path in project_files()
        if path.suffix == ".py" and (not folders or any(path.is_relative_to(folder) for folder in folders))
    )


@cache
def tree(path: Path) -> ast.Module:
    """Return the syntax tree of a Python file."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def shown(path: Path) -> str:
    """Return the path as a reader knows it, from the root of the checkout."""
    return path.relative_to(ROOT).as_posix()
