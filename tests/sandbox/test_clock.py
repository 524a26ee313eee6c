"""The clock: order, jumps and deadlines in virtual time; skipping idle waits in wall time."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import clock as clock_module
from sandbox.clock import Clock, NeverIdle

START = datetime(2026, 11, 25, 12, tzinfo=UTC)


@given(st.lists(st.integers(0, 20), max_size=12))
def test_timers_run_in_the_order_of_their_time_and_then_of_their_making(delays: list[int]) -> None:
    clock, ran = Clock(START), []
    for number, delay in enumerate(delays):
        clock.after(delay, lambda number=number, delay=delay: ran.append((delay, number)))  # type: ignore[misc]
    clock.run_until_idle()
    assert ran == sorted((delay, number) for number, delay in enumerate(delays))
    assert (clock.now() - START).total_seconds() == max(delays, default=0)


@given(st.lists(st.integers(1, 20), max_size=8), st.lists(st.integers(1, 20), max_size=8))
def test_advancing_in_steps_equals_advancing_at_once(delays: list[int], steps: list[int]) -> None:
    def run(amounts: list[int]) -> list[float]:
        clock, ran = Clock(START), []
        for delay in delays:
            clock.after(delay, lambda: ran.append((clock.now() - START).total_seconds()), deadline=True)
        for amount in amounts:
            clock.advance(amount)
        return ran

    assert run(steps) == run([sum(steps)])


def test_idle_does_not_jump_to_a_deadline_but_takes_it_on_the_way() -> None:
    clock, ran = Clock(START), []
    clock.after(5, lambda: ran.append("deadline"), deadline=True)
    clock.run_until_idle()
    assert ran == []
    clock.after(10, lambda: ran.append("work"))
    clock.run_until_idle(within=9)
    assert ran == []
    clock.run_until_idle(within=10)
    assert ran == ["deadline", "work"]


def test_a_cancelled_timer_never_runs() -> None:
    clock, ran = Clock(START), []
    clock.after(1, lambda: ran.append(1)).cancel()
    clock.run_until_idle()
    assert ran == []
    assert clock.now() == START


def test_what_never_comes_to_rest_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock_module, "_MOST_STEPS", 50)
    clock = Clock(START)

    def again() -> None:
        clock.soon(again)

    again()
    with pytest.raises(NeverIdle):
        clock.run_until_idle()


def test_wall_time_works_in_the_background_and_skips_idle_waits() -> None:
    clock, ran = Clock(wall=True, patience=0.01), threading.Event()
    clock.start()
    began, before = time.monotonic(), clock.now()
    clock.after(3600, ran.set)
    clock.after(7200, lambda: None, deadline=True)
    clock.run_until_idle()
    assert ran.is_set()
    assert time.monotonic() - began < 60
    assert 3600 <= (clock.now() - before).total_seconds() < 7200
    clock.stop()


def test_wall_time_hands_work_to_other_threads() -> None:
    clock, done = Clock(wall=True), list[bool]()
    clock.start()
    gate = threading.Barrier(2)
    for _ in range(2):
        clock.submit(lambda: gate.wait(timeout=30) >= 0, done.append)
    clock.run_until_idle()
    assert done == [True, True]
    clock.stop()
