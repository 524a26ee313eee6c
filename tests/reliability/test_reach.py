"""Every short history: each state once, nothing that does not hold, and wrong versions that show."""

from __future__ import annotations

from itertools import product

import pytest

from reliability.mutants import MUTANTS
from reliability.reach import LETTERS, reached
from reliability.run import play


def test_every_history_is_played_that_goes_on_from_a_new_state(folder: str) -> None:
    played = {tuple(misfortune.story.split()[1:]): new for misfortune, _, new in reached(folder, 2, ("a", ",", "y"))}
    assert {words for words in played if len(words) == 1} == {("a",), (",",), ("y",)}
    assert {words for words in played if len(words) == 2} == set(product("a,", "a,y")), "nothing happened after y"
    assert played["a", "y"] is False
    assert played["a", ","] is True


def test_in_every_short_history_everything_holds(folder: str) -> None:
    runs = list(reached(folder, 3))
    assert len(runs) > len(LETTERS) ** 2
    assert [f"{outcome.violations}: {misfortune}" for misfortune, outcome, _ in runs if outcome.violations] == []


@pytest.mark.parametrize("name", ["no-consent", "before-state-again", "effect-first"])
def test_a_wrong_version_shows_and_its_plan_replays(folder: str, name: str) -> None:
    with MUTANTS[name].put_in():
        bad = next((misfortune for misfortune, outcome, _ in reached(folder, 3) if outcome.violations), None)
        assert bad is not None
        assert play(bad, folder).violations
    assert play(bad, folder).violations == ()
