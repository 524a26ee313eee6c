"""The synthesized application in its sandbox, once per test; synthesized once per process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from firebreak.operator_files import load_playbooks
from sandbox.lab import DEPLOYMENT, Lab, lab
from sandbox.synthesis import Application, synthesize
from tests.e2e.story import Story

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def application() -> Application:
    return synthesize(DEPLOYMENT, load_playbooks(ROOT / "playbooks"))


@pytest.fixture
def laboratory(application: Application) -> Iterator[Lab]:
    with lab(application) as standing:
        yield standing


@pytest.fixture
def story(laboratory: Lab) -> Story:
    return Story(laboratory)
