"""A fault plan is a text that can be played again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reliability.fault import KINDS, Fault, Misfortune, pairs, singles

FAULTS = st.builds(Fault, st.integers(1, 999), st.sampled_from(KINDS))


@given(st.text(), st.lists(FAULTS).map(tuple), st.integers(), st.text())
def test_a_plan_is_read_as_it_was_written(story: str, faults: tuple[Fault, ...], seed: int, mutant: str) -> None:
    plan = Misfortune(story, faults, seed, mutant)
    assert Misfortune.read(str(plan)) == plan


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "7", '{"story":"only"}', '{"story":"only","faults":[{"call":1,"kind":"flood"}]}']
)
def test_what_is_no_plan_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever the reader trips over is a ValueError
        Misfortune.read(text)


def test_singles_and_pairs_are_all_there_are() -> None:
    assert len(singles(5)) == 5 * len(KINDS)
    both = pairs(4, ("reject", "slow"))
    assert len(both) == len(set(both)) == 6 * 4
    assert all(first.call < second.call for first, second in both)
