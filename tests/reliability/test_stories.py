"""Every story in calm, and the core ones with every fault at every call."""

from __future__ import annotations

import pytest

from reliability.fault import Misfortune
from reliability.run import play
from reliability.stories import STORIES
from reliability.suites import close_faults, run, single_faults

COLLECT, CONTAIN, DESTROY = "scripted.collect", "scripted.contain", "scripted.destroy"
ENDS: dict[str, tuple[list[str], list[tuple[str, str]]]] = {
    "contain": (["contained"], [(COLLECT, "verified"), (CONTAIN, "verified")]),
    "only": (["contained"], [(CONTAIN, "verified")]),
    "undo": (["closed"], [(CONTAIN, "undone")]),
    "twice": (["contained"], [(COLLECT, "verified"), (CONTAIN, "verified")]),
    "ask": (["closed"], [(CONTAIN, "undone")]),
    "deny": (["open"], [(CONTAIN, "denied")]),
    "expire": (["open"], [(CONTAIN, "expired")]),
    "destroy": (["eradicated"], [(COLLECT, "verified"), (DESTROY, "verified")]),
    "hasty": (["eradicated"], [(COLLECT, "verified"), (DESTROY, "verified")]),
    "drift": (["contained"], [(CONTAIN, "undo_failed")]),
    "both": (["closed"], [(COLLECT, "verified"), (CONTAIN, "undone")]),
    "interrupted": (["closed"], [(CONTAIN, "undone")]),
    "halted": (["open"], [(CONTAIN, "failed")]),
    "raced": (["open"], [(CONTAIN, "refused")]),
    "switched": (["open"], [(CONTAIN, "observed")]),
    "tightened": (["open"], [(CONTAIN, "observed")]),
    "protected": (["open"], [(CONTAIN, "refused")]),
    "spent": (["contained"], [(CONTAIN, "verified")]),
    "crowded": (["closed", "closed"], [(CONTAIN, "undone")] * 2),
    "sample": ([], []),
    "told": ([], []),
    "untold": ([], []),
    "poison": (["closed"], [(CONTAIN, "undone")]),
    "again": (["closed", "closed"], [(CONTAIN, "undone")] * 2),
    "ordered": (["closed"], [(CONTAIN, "undone")]),
    "ordered amid": (["closed"], [(COLLECT, "verified"), (CONTAIN, "undone")]),
    "merged": (["closed", "merged"], [(CONTAIN, "undone")] * 2 + [(CONTAIN, "unneeded")]),
    "merged back": (["closed", "merged"], [(CONTAIN, "undone")] * 2),
}
"""How each incident and each step ends."""


@pytest.mark.parametrize("story", STORIES)
def test_a_story_ends_as_it_is_told(folder: str, story: str) -> None:
    outcome = play(Misfortune(story), folder)
    assert outcome.violations == ()
    steps = sorted((action, status) for action, _, status in outcome.converged["steps"])
    assert (sorted(status for status, _, _ in outcome.state["incidents"]), steps) == ENDS[story]


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
