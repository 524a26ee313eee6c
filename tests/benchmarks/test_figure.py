"""What the benchmarks count with. No figure is asserted: a slow machine is no failure."""

from __future__ import annotations

import pytest

from benchmarks.figure import Figure, ratios


def test_pairs_are_divided_pair_by_pair() -> None:
    assert ratios([2.0, 9.0], [1.0, 3.0]) == (2.0, 3.0)


@pytest.mark.parametrize(("ours", "theirs"), [([1.0], []), ([1.0], [0.0])])
def test_a_measurement_without_its_other_side_is_refused(ours: list[float], theirs: list[float]) -> None:
    with pytest.raises(ValueError, match="divided"):
        ratios(ours, theirs)


@pytest.mark.parametrize(("aim", "missed"), [(None, False), (2.0, False), (1.9, True)])
def test_a_figure_misses_its_aim_by_its_median(aim: float | None, missed: bool) -> None:
    figure = Figure("f", "g", (1.0, 2.0, 9.0), "", aim)
    assert (figure.value, figure.spread, figure.missed) == (2.0, "1.00–9.00", missed)
