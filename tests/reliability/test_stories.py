"""Every story in calm, and the core ones with every fault at every call."""

from __future__ import annotations

import pytest

from reliability.fault import Misfortune
from reliability.run import play
from reliability.stories import STORIES
from reliability.suites import close_faults, run, single_faults

ENDS = {
    "contain": ("contained", {"scripted.collect": "verified", "scripted.contain": "verified"}),
    "only": ("contained", {"scripted.contain": "verified"}),
    "undo": ("closed", {"scripted.contain": "undone"}),
    "twice": ("contained", {"scripted.collect": "verified", "scripted.contain": "verified"}),
    "ask": ("closed", {"scripted.contain": "undone"}),
    "deny": ("open", {"scripted.contain": "denied"}),
    "expire": ("open", {"scripted.contain": "expired"}),
    "destroy": ("eradicated", {"scripted.collect": "verified", "scripted.destroy": "verified"}),
    "hasty": ("eradicated", {"scripted.collect": "verified", "scripted.destroy": "verified"}),
    "drift": ("contained", {"scripted.contain": "undo_failed"}),
    "both": ("closed", {"scripted.collect": "verified", "scripted.contain": "undone"}),
    "interrupted": ("closed", {"scripted.contain": "undone"}),
    "halted": ("open", {"scripted.contain": "failed"}),
    "raced": ("open", {"scripted.contain": "refused"}),
    "switched": ("open", {"scripted.contain": "observed"}),
    "tightened": ("open", {"scripted.contain": "observed"}),
    "protected": ("open", {"scripted.contain": "refused"}),
    "spent": ("contained", {"scripted.contain": "verified"}),
}


@pytest.mark.parametrize("story", STORIES)
def test_a_story_ends_as_it_is_told(folder: str, story: str) -> None:
    outcome = play(Misfortune(story), folder)
    assert outcome.violations == ()
    ((status, _, _),) = outcome.state["incidents"]
    steps = {name.split()[0]: found for name, found in outcome.state["steps"].items()}
    assert (status, steps) == ENDS[story]


@pytest.mark.parametrize("story", ["only", "undo", "interrupted"])
def test_whatever_befalls_a_call_the_invariants_hold(folder: str, story: str) -> None:
    found = run(story, single_faults(folder, [story]), folder)
    assert found.struck > 400
    assert [f"{violation}: make replay PLAN='{plan}'" for violation, plan in found.violations] == []


@pytest.mark.parametrize("story", ["only", "destroy"])
def test_a_refusal_amid_what_is_not_known_or_not_closed_leaves_nothing_behind(folder: str, story: str) -> None:
    found = run(story, close_faults(folder, [story]), folder)
    assert found.struck > 600
    assert [f"{violation}: make replay PLAN='{plan}'" for violation, plan in found.violations] == []
