"""Kills of real processes: they end as they stand in for, and what is left is taken up."""

from __future__ import annotations

from reliability.fault import Fault, Misfortune
from reliability.honest import PREFIX, SHAPES, play_all

FAULTS = (Fault(13, "kill_before"), Fault(45, "kill_after"), Fault(10_000, "kill_after"))


def test_whatever_call_a_process_ends_at_everything_holds_and_one_that_lives_on_is_told() -> None:
    plans = [Misfortune(PREFIX + SHAPES[1], (fault,)) for fault in FAULTS]
    first, second, never = (outcome for _, outcome in play_all(plans))
    assert [(outcome.violations, outcome.struck) for outcome in (first, second)] == [((), 1)] * 2
    assert never.violations == ("I7 call 10000 was never reached",)
