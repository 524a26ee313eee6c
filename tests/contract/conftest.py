"""moto for the contract suite."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.ec2_world import cured_moto


@pytest.fixture(autouse=True)
def aws() -> Iterator[None]:
    with cured_moto():
        yield
