"""Slots of the bulk lane: so many and no more, and what waits, waits in the order in which it came."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from firebreak.adapters.admission_table import AdmissionTable
from firebreak.ports import Execution
from tests.approvals import approvals_world, table_of
from tests.world import START, World


@pytest.fixture
def place(tmp_path: Path) -> Iterator[World]:
    with approvals_world(tmp_path) as place:
        yield place


def execution(letter: str) -> Execution:
    return Execution(incident=f"inc-{letter * 12}", revision=1, mode="respond", attempt=1, lane="bulk")


def full(place: World) -> AdmissionTable:
    """Its one slot is taken."""
    admission = AdmissionTable(table_of(place))
    assert admission.enter(execution("f"), 1, START)
    return admission


def test_what_waits_comes_oldest_first_whatever_its_name(place: World) -> None:
    admission = full(place)
    for minute, letter in enumerate("cab"):
        assert not admission.enter(execution(letter), 1, START + timedelta(minutes=minute))
    assert [waiting.incident[-1] for waiting in admission.waiting()] == ["c", "a", "b"]


def test_who_asks_again_keeps_its_place_in_the_queue(place: World) -> None:
    admission = full(place)
    for minute, letter in enumerate("cac"):
        assert not admission.enter(execution(letter), 1, START + timedelta(minutes=minute))
    assert [waiting.incident[-1] for waiting in admission.waiting()] == ["c", "a"]


def test_what_was_started_waits_no_more_and_the_others_do(place: World) -> None:
    admission = full(place)
    for letter in "ab":
        assert not admission.enter(execution(letter), 1, START)
    admission.started(execution("a"))
    admission.started(execution("a"))
    assert [waiting.incident[-1] for waiting in admission.waiting()] == ["b"]


def test_a_slot_given_back_twice_is_one_slot(place: World) -> None:
    admission = AdmissionTable(table_of(place))
    assert admission.enter(execution("a"), 1, START)
    assert admission.enter(execution("a"), 1, START)
    assert not admission.enter(execution("b"), 1, START)
    admission.leave(execution("a").name)
    admission.leave(execution("a").name)
    assert admission.enter(execution("b"), 1, START)
    assert not admission.enter(execution("c"), 1, START)
