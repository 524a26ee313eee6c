"""The settings that the stories are played with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reliability.run import blueprint, config


@pytest.fixture(scope="session")
def folder() -> Iterator[str]:
    blueprint()
    with config() as made:
        yield made
