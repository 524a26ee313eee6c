"""Approvals: which moves there are, in every order people and time can come in."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from firebreak.core.approval import (
    NOBODY,
    Approval,
    Vote,
    approval_id,
    objection,
    open_for,
    redeem,
    withdraw,
)
from firebreak.core.errors import NoConsent
from firebreak.core.tally import count
from tests.approvals import question, vote
from tests.world import START

BEFORE, AT, AFTER = (START + timedelta(minutes=minutes) for minutes in (5, 60, 61))
DEADLINE = START + timedelta(minutes=90)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"quorum": 0}, "quorum"),
        ({"excluded": frozenset()}, "excluded"),
        ({"expires_at": START}, "follow"),
        ({"exec_deadline": BEFORE}, "follow"),
    ],
)
def test_an_approval_that_would_approve_by_itself_cannot_be_made(changes: dict[str, Any], why: str) -> None:
    assert question().quorum == 1
    with pytest.raises(ValueError, match=why):
        question(**changes)


def test_the_id_is_the_same_for_the_same_question_and_another_for_any_other() -> None:
    first = approval_id("inc-1-r1-respond-a1", "step", "digest")
    assert first == approval_id("inc-1-r1-respond-a1", "step", "digest")
    others = {
        approval_id("inc-1-r1-respond-a2", "step", "digest"),
        approval_id("inc-1-r1-respond-a1", "other", "digest"),
        approval_id("inc-1-r1-respond-a1", "step", "another"),
        approval_id("inc-1-r1-respond-a1step", "", "digest"),
    }
    assert len(others) == 4
    assert first not in others
    assert len(first) == 32


@pytest.mark.parametrize(
    ("approval", "given", "cause"),
    [
        (question(), vote(), None),
        (question(), vote(at=AT - timedelta(microseconds=1)), None),
        (question(), vote(at=AT), "expired"),
        (question(), vote(at=AFTER), "expired"),
        (question(status="approved"), vote(), "approved"),
        (question(status="denied"), vote(), "denied"),
        (question(status="superseded"), vote(), "superseded"),
        (question(), vote(digest="e" * 64), "another"),
        (question(excluded=frozenset({NOBODY, "ana"})), vote(), "excluded"),
        (question(excluded=frozenset({NOBODY, "ana"})), vote("ben"), None),
    ],
)
def test_a_vote_is_taken_while_the_question_is_open_for_that_person_and_plan(
    approval: Approval, given: Vote, cause: str | None
) -> None:
    said = objection(approval, given)
    assert (said is None) == (cause is None)
    assert cause is None or cause in str(said)


@pytest.mark.parametrize(
    ("quorum", "votes", "now", "status"),
    [
        (1, [], BEFORE, "pending"),
        (1, [], AT, "expired"),
        (1, [vote()], BEFORE, "approved"),
        (1, [vote()], AFTER, "approved"),  # in time; counted late
        (2, [vote()], BEFORE, "pending"),
        (2, [vote()], AT, "expired"),
        (2, [vote(), vote("ben")], BEFORE, "approved"),
        (2, [vote(), vote()], BEFORE, "pending"),
        (1, [vote(choice="deny")], BEFORE, "denied"),
        (1, [vote(), vote("ben", "deny")], BEFORE, "denied"),
        (2, [vote(), vote("ben"), vote("eve", "deny")], AFTER, "denied"),
        (1, [vote(at=AT)], AFTER, "expired"),
        (1, [vote(digest="e" * 64)], BEFORE, "pending"),
        (1, [vote(approval="f" * 32)], BEFORE, "pending"),
    ],
)
def test_votes_decide_by_quorum_and_a_single_denial(quorum: int, votes: list[Vote], now: Any, status: str) -> None:
    for order in permutations(votes):
        counted = count(question(quorum=quorum), order, now)
        assert counted.status == status
        assert counted.decided_at == (None if status == "pending" else now)


def test_an_excluded_persons_vote_never_counts_even_if_it_lies_in_the_table() -> None:
    excluded = question(excluded=frozenset({NOBODY, "ana"}))
    assert count(excluded, [vote()], BEFORE).status == "pending"
    assert count(excluded, [vote(choice="deny")], BEFORE).status == "pending"
    assert count(excluded, [vote("ben")], BEFORE).status == "approved"


@pytest.mark.parametrize("status", ["approved", "denied", "expired", "redeemed", "cancelled", "superseded"])
def test_counting_never_moves_what_is_decided(status: Any) -> None:
    decided = question(status=status)
    assert count(decided, [vote(choice="deny")], AFTER) is decided


def test_consent_is_spent_once_per_holder_and_for_its_plan_before_its_deadline() -> None:
    approved = question(status="approved")
    spent = redeem(approved, "d" * 64, "a", AFTER)
    assert (spent.status, spent.holder) == ("redeemed", "a")
    assert redeem(spent, "d" * 64, "a", DEADLINE + timedelta(days=1)) is spent
    for approval, digest, holder, now, because in (
        (spent, "d" * 64, "b", AFTER, "redeemed"),
        (spent, "e" * 64, "a", AFTER, "changed"),
        (approved, "e" * 64, "a", AFTER, "changed"),
        (approved, "d" * 64, "a", DEADLINE, "late"),
        (question(), "d" * 64, "a", BEFORE, "pending"),
        (question(status="denied"), "d" * 64, "a", BEFORE, "denied"),
        (question(status="expired"), "d" * 64, "a", AFTER, "expired"),
        (question(status="cancelled"), "d" * 64, "a", BEFORE, "cancelled"),
    ):
        with pytest.raises(NoConsent) as refusal:
            redeem(approval, digest, holder, now)
        assert refusal.value.because == because


@pytest.mark.parametrize("status", ["denied", "expired", "redeemed", "cancelled", "superseded"])
def test_withdrawing_moves_neither_what_is_spent_nor_what_is_closed(status: Any) -> None:
    closed = question(status=status)
    assert withdraw(closed, "cancelled", "firebreak", "undo", BEFORE) is closed
    for still in ("pending", "approved"):
        moved = withdraw(replace(closed, status=still), "cancelled", "firebreak", "undo", BEFORE)
        assert moved.status == "cancelled"


@pytest.mark.parametrize(
    ("approval", "now", "good"),
    [
        (question(), BEFORE, True),
        (question(), AT, False),
        (question(status="approved"), AFTER, True),
        (question(status="approved"), DEADLINE, False),
        (question(status="denied"), BEFORE, False),
        (question(status="redeemed"), BEFORE, False),
        (question(digest="e" * 64), BEFORE, False),
    ],
)
def test_a_question_is_joined_while_its_answer_can_still_be_used(approval: Approval, now: Any, good: bool) -> None:
    assert open_for(approval, "d" * 64, now) is good


PEOPLE = ("ana", "ben", "cleo", "dan")
HOLDERS = ("first", "second")
FOLLOWS = {
    "pending": {"approved", "denied", "expired", "cancelled", "superseded"},
    "approved": {"redeemed", "cancelled", "superseded"},
}


class Orders(RuleBasedStateMachine):
    """One question of quorum two, from which Dan is excluded, under every order of what can happen to it.

    Counting and spending work on a copy that may be old, and write only where nothing moved since: as the table does.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stored = question(quorum=2, excluded=frozenset({NOBODY, "dan"}))
        self.old = self.stored
        self.now = START
        self.votes: dict[str, Vote] = {}
        self.history = [self.stored.status]
        self.runs: list[str] = []

    def _write(self, before: Approval, after: Approval) -> bool:
        if before.version != self.stored.version or after is before:
            return False
        self.stored = replace(after, version=before.version + 1)
        self.history.append(self.stored.status)
        return True

    @rule(minutes=st.sampled_from([0, 1, 29, 30, 31, 60]))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule()
    def somebody_reads(self) -> None:
        self.old = self.stored

    @rule(
        person=st.sampled_from(PEOPLE),
        choice=st.sampled_from(["approve", "approve", "deny"]),
        digest=st.sampled_from(["d" * 64, "d" * 64, "e" * 64]),
    )
    def somebody_votes(self, person: str, choice: Any, digest: str) -> None:
        given = vote(person, choice, digest=digest, at=self.now)
        if objection(self.stored, given) is None and person not in self.votes:
            self.votes[person] = given

    @rule(stale=st.booleans())
    def votes_are_counted(self, stale: bool) -> None:
        before = self.old if stale else self.stored
        self._write(before, count(before, self.votes.values(), self.now))

    @rule(stale=st.booleans(), to=st.sampled_from(["cancelled", "superseded"]))
    def it_is_withdrawn(self, stale: bool, to: Any) -> None:
        before = self.old if stale else self.stored
        self._write(before, withdraw(before, to, "firebreak", "", self.now))

    @rule(stale=st.booleans(), holder=st.sampled_from(HOLDERS), digest=st.sampled_from(["d" * 64, "e" * 64]))
    def somebody_spends_it(self, stale: bool, holder: str, digest: str) -> None:
        before = self.old if stale else self.stored
        try:
            after = redeem(before, digest, holder, self.now)
        except NoConsent:
            return
        if self._write(before, after) or (self.stored.holder == holder and self.stored.digest == digest):
            self.runs.append(holder)

    @precondition(lambda self: self.runs)
    @invariant()
    def nothing_runs_without_two_people_who_may(self) -> None:
        agreed = {person for person, given in self.votes.items() if given.choice == "approve"}
        assert len(agreed) >= 2
        assert "dan" not in agreed
        assert set(self.stored.approvers) <= agreed
        assert all(given.at < self.stored.expires_at and given.digest == "d" * 64 for given in self.votes.values())

    @invariant()
    def only_one_execution_runs(self) -> None:
        assert len(set(self.runs)) <= 1

    @invariant()
    def every_move_is_one_of_those_drawn(self) -> None:
        for before, after in zip(self.history, self.history[1:], strict=False):
            assert after in FOLLOWS.get(before, set())


TestEveryOrder = Orders.TestCase
