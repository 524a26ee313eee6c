"""The synthesized application in its sandbox, once per test; synthesized once and kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import synthesis_cache
from sandbox.lab import DEPLOYMENT, Lab, lab
from sandbox.synthesis import Application
from tests.e2e.story import Story

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def application() -> Application:
    return synthesis_cache.application(DEPLOYMENT, ROOT / "playbooks")[0]


@pytest.fixture
def laboratory(application: Application) -> Iterator[Lab]:
    with lab(application) as standing:
        yield standing


@pytest.fixture
def story(laboratory: Lab) -> Story:
    return Story(laboratory)
