"""Whole histories: some that once did not hold, some that are drawn, and wrong versions that show in them."""

from __future__ import annotations

import pytest

from reliability.fault import Misfortune
from reliability.histories import story
from reliability.mutants import MUTANTS
from reliability.run import play
from reliability.suites import histories

FOUND = {
    "history d ~ u b": "evidence of a second incident is no second copy",
    "history A ~ touch u d": "what cannot be taken back stays contained when a later revision contains nothing",
    "history A d sweep touch y u": "what was removed stays removed where something cannot be taken back",
    "history b - k u": "evidence under way ends when its incident is released",
    "history d , k n k , k": "an execution that was aborted as often as it may be tried is told of",
    "history o deny@40 - d u": "an undo that is refused leaves nothing half open",
    "history b ~ freeze_after@2 stale_read@15 A slow@26 u": "news amid an undo finds nothing contained any more",
    "history touch a hour touch d kill_before@6 b u": "what somebody else opened may be closed again",
}
"""Histories that once did not hold, and what was learnt from each."""


@pytest.mark.parametrize("name", FOUND)
def test_what_once_did_not_hold_holds(folder: str, name: str) -> None:
    outcome = play(Misfortune(name), folder)
    assert outcome.calls > 15
    assert outcome.violations == (), FOUND[name]


def test_histories_that_are_drawn_hold(folder: str) -> None:
    found = histories(150, 20, 20261126, folder)
    assert found.runs >= 150
    assert [f"{violation}: make replay PLAN='{plan}'" for violation, plan in found.violations] == []


@pytest.mark.parametrize("mutant", ["no-consent", "unprotected", "before-state-again", "overspent"])
def test_a_wrong_version_shows_and_is_told_as_short_as_can_be(folder: str, mutant: str) -> None:
    with MUTANTS[mutant].put_in():
        found = histories(150, 20, 20261126, folder)
        assert found.violations
        violation, plan = found.violations[0]
        assert len(plan.story.split()) <= 6, plan
        assert violation in play(plan, folder).violations
    assert play(plan, folder).violations == ()


@pytest.mark.parametrize("name", ["history a z", "history kill_after@0", "history kill_after@x", "history moon@3"])
def test_a_word_that_is_no_part_of_a_history_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no part of a history"):
        story(name)
