"""A small application, running."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.world import Sandbox
from tests.sandbox.app import STACKS


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """The toy application in a sandbox of its own."""
    with Sandbox(STACKS) as running:
        yield running
