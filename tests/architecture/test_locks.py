"""What is installed is what was locked, and the functions get the versions that were tested."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.architecture.tree import LAMBDAS, ROOT, shown

PIN = re.compile(r"^([a-z0-9._-]+)==(\S+)(.*?)\\?$", re.MULTILINE)
LOCKS = (ROOT / "requirements.txt", LAMBDAS / "requirements.txt")


def _pins(text: str) -> set[tuple[str, str]]:
    return {(name, version) for name, version, _ in PIN.findall(text)}


@pytest.mark.parametrize("lock", LOCKS, ids=shown)
def test_every_package_is_pinned_with_its_hashes(lock: Path) -> None:
    entries = re.split(r"\n(?=\S)", lock.read_text(encoding="utf-8").strip())
    assert len(entries) > 3
    assert [entry for entry in entries if not PIN.match(entry) or "--hash=sha256:" not in entry] == []


def test_the_functions_get_the_versions_that_are_tested() -> None:
    tested, deployed = (_pins(lock.read_text(encoding="utf-8")) for lock in LOCKS)
    assert deployed
    assert deployed - tested == set()


@pytest.mark.parametrize("lock", LOCKS, ids=shown)
def test_what_is_wanted_is_pinned_has_a_reason_and_is_locked(lock: Path) -> None:
    wanted = lock.with_suffix(".in").read_text(encoding="utf-8").splitlines()
    lines = [line for line in wanted if line and not line.startswith(("#", "-r"))]
    locked = _pins(lock.read_text(encoding="utf-8"))
    assert lines
    for line in lines:
        match = re.fullmatch(r"([A-Za-z0-9._-]+)(?:\[\w+\])?==(\S+)\s+# \S.*", line)
        assert match, f"{line!r} wants name==version  # reason"
        assert (match[1].lower(), match[2]) in locked, f"run `make lock` for {line!r}"


def test_the_cdk_command_line_is_pinned_exactly() -> None:
    package = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    version = package["devDependencies"]["aws-cdk"]
    # 3.0.0, npm's "latest", was published by accident and cannot read what the library writes
    assert re.fullmatch(r"2\.\d+\.\d+", version)
    assert lock["packages"]["node_modules/aws-cdk"]["version"] == version
    assert "integrity" in lock["packages"]["node_modules/aws-cdk"]
