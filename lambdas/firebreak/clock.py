"""The time, as a function that can be replaced."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

Clock: TypeAlias = Callable[[], datetime]
"""Returns the time now, in UTC."""


def system_clock() -> datetime:
    """The real time, in UTC."""
    return datetime.now(UTC)
