"""One figure: what was measured, over what, and how far it spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Figure:
    """A ratio.

    Attributes:
        name: what it is about.
        over: what it is divided by.
        samples: the ratio of each pair of measurements.
        aim: what it should not exceed; None where it only informs.
        detail: the two sides in their own units.
    """

    name: str
    over: str
    samples: tuple[float, ...]
    detail: str
    aim: float | None = None

    @property
    def value(self) -> float:
        """The median."""
        return median(self.samples)

    @property
    def spread(self) -> str:
        """Least and greatest, where there are several."""
        return f"{min(self.samples):.2f}–{max(self.samples):.2f}" if len(self.samples) > 1 else ""

    @property
    def missed(self) -> bool:
        """Whether the aim is missed."""
        return self.aim is not None and self.value > self.aim


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, ...]:
    """Divide pair by pair: what slows the machine down slows both sides of a pair.

    Raises:
        ValueError: the sides are of different length, or one of theirs is zero.
    """
    if len(ours) != len(theirs) or not all(theirs):
        raise ValueError("each measurement needs another one to be divided by")
    return tuple(one / other for one, other in zip(ours, theirs, strict=True))
