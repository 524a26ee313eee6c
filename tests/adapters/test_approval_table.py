"""Approvals, votes and tokens in the table: the item decides, whoever comes in whatever order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from firebreak.adapters.approval_rows import audit_row, stamp
from firebreak.adapters.approval_table import _GUARDS
from firebreak.adapters.incident_rows import incident_key
from firebreak.adapters.writes import PRESENT, update
from firebreak.core.approval import MOVES, NOBODY, Approval, Post, redeem, withdraw
from firebreak.core.audit import AuditRecord, broken_link
from firebreak.core.errors import Refused
from firebreak.core.tally import count
from tests.approvals import INCIDENT, POST, approvals_world, asked, incidents, question, store, table_of, vote
from tests.faults import Killed, counted
from tests.world import START, World

LATER, OVER = START + timedelta(minutes=5), START + timedelta(minutes=60)
ID = question().id


@pytest.fixture
def place(tmp_path: Path) -> Iterator[World]:
    with approvals_world(tmp_path) as place:
        yield place


def row(place: World, key: str, sort: str) -> dict[str, Any]:
    return place.rows()[(key, sort)]


def edit(place: World, **changes: Any) -> None:
    table_of(place).write(update(f"APPROVAL#{ID}", "APPROVAL", PRESENT, put=changes))


def chain(place: World, prefix: str) -> list[AuditRecord]:
    return [record for record in incidents(place).trail(INCIDENT) if record.chain.startswith(prefix)]


def test_a_question_comes_back_as_it_was_written(place: World) -> None:
    full = question(quorum=2, excluded=frozenset({NOBODY, "eve"}))
    stored = store(place).open(full, "token-1")
    assert store(place).get(ID) == stored == replace(full, version=1, head=stored.head)
    assert store(place).token(ID) == "token-1"
    assert store(place).get("f" * 32) is None


def test_a_moment_compares_as_text_as_it_does_as_time() -> None:
    moments = [START + timedelta(microseconds=step) for step in (0, 1, 999_999, 1_000_000, 60_000_000)]
    assert sorted(map(stamp, moments)) == list(map(stamp, moments))


def test_an_audit_row_is_the_record_that_the_rest_of_the_pipeline_reads() -> None:
    for words in ((), ("grün\n", "😀")):
        record = AuditRecord(
            incident="inc-1", chain="c", sequence=3, at=LATER, event="e", actor="a", words=words, previous="p"
        )
        written = audit_row("inc-1", "c", 3, LATER, "e", "a", words, "p")
        assert written["hash"] == record.hash
        assert AuditRecord.model_validate_json(written["body"]) == record


def test_opening_again_changes_nothing_but_the_token_that_waits(place: World) -> None:
    first = asked(place, token="token-1")
    again = store(place).open(question(created_at=LATER), "token-2")
    assert replace(again, posting=None, post=None) == replace(first, posting=None, post=None)
    assert again.post == POST
    assert store(place).token(ID) == "token-2"


def test_no_token_waits_for_what_is_decided(place: World) -> None:
    first = asked(place, token="token-1")
    store(place).move(first, count(first, [vote()], LATER), LATER)
    assert store(place).open(question(), "token-2").status == "approved"
    assert store(place).token(ID) == "token-1"


@pytest.mark.parametrize("change", [{"fenced": 1}, {"status": "closed"}, {"status": "merged"}])
def test_nothing_is_asked_for_an_incident_that_was_fenced_or_is_over(place: World, change: dict[str, Any]) -> None:
    table_of(place).write(update(*incident_key(INCIDENT), PRESENT, put=change))
    with pytest.raises(Refused, match="released"):
        store(place).open(question(), "token-1")
    assert not any(key.startswith(("APPROVAL#", "TOKEN#")) for key, _ in place.rows())


def test_a_question_that_is_open_is_not_joined_once_the_incident_is_fenced(place: World) -> None:
    asked(place)
    table_of(place).write(update(*incident_key(INCIDENT), PRESENT, put={"fenced": 1}))
    with pytest.raises(Refused, match="released"):
        store(place).open(question(), "token-2")
    assert store(place).token(ID) == "token-1"


def test_a_message_is_bound_once(place: World) -> None:
    asked(place, post=None)
    assert store(place).mark_posting(ID, START)
    assert not store(place).mark_posting(ID, LATER)
    assert store(place).set_post(ID, POST)
    assert store(place).set_post(ID, POST)
    assert not store(place).set_post(ID, Post(POST.channel, "1.2"))
    found = store(place).get(ID)
    assert found is not None
    assert (found.posting, found.post) == (START, POST)
    assert not store(place).mark_posting("f" * 32, START)
    assert not store(place).set_post("f" * 32, POST)


def test_a_vote_its_mark_and_its_audit_record_come_together(place: World) -> None:
    approval = asked(place)
    assert store(place).cast(approval, vote(reason="I saw it"), "a" * 64) == "taken"
    assert store(place).votes(ID) == [vote(reason="I saw it")]
    assert int(row(place, f"REPLAY#{'a' * 64}", "REPLAY")["ttl"]) > LATER.timestamp() + 300
    (record,) = chain(place, "ballot-")
    assert (record.event, record.actor) == ("vote_approve", "T0HOME/ana")
    assert record.words == (f"approval {ID}", "approve by ana", "I saw it")


@pytest.mark.parametrize(
    ("change", "given"),
    [
        ({"status": "approved"}, vote()),
        ({"status": "denied"}, vote()),
        ({"expires_at": stamp(LATER)}, vote()),
        ({"digest": "e" * 64}, vote()),
        ({"excluded": {NOBODY, "ana"}}, vote()),
    ],
)
def test_the_item_itself_refuses_a_vote_whatever_the_caller_believes(
    place: World, change: dict[str, Any], given: Any
) -> None:
    approval = asked(place)
    edit(place, **change)
    assert store(place).cast(approval, given, "a" * 64) == "refused"
    assert store(place).votes(ID) == []
    assert chain(place, "ballot-") == []
    assert ("REPLAY#" + "a" * 64, "REPLAY") not in place.rows()


def test_an_item_without_excluded_persons_takes_no_vote(place: World) -> None:
    approval = asked(place)
    table_of(place).write(update(f"APPROVAL#{ID}", "APPROVAL", PRESENT, remove=("excluded",)))
    assert store(place).cast(approval, vote(), "a" * 64) == "refused"


def test_the_last_moment_counts_and_the_moment_of_expiry_does_not(place: World) -> None:
    approval = asked(place)
    assert store(place).cast(approval, vote(at=OVER), "a" * 64) == "refused"
    assert store(place).cast(approval, vote(at=OVER - timedelta(microseconds=1)), "a" * 64) == "taken"


def test_a_request_a_person_and_a_refusal_count_once(place: World) -> None:
    approval, table = asked(place), store(place)
    assert table.cast(approval, vote(), "a" * 64) == "taken"
    assert table.cast(approval, vote(), "a" * 64) == "replayed"
    assert table.cast(approval, vote(at=LATER + timedelta(minutes=1)), "b" * 64) == "repeated"
    assert table.cast(approval, vote(choice="deny"), "c" * 64) == "refused"
    assert table.votes(ID) == [vote()]
    for _ in range(2):
        table.refuse(approval, "T0HOME/U0EVE", "eve may not", "d" * 64, LATER)
    assert [record.event for record in chain(place, "ballot-")].count("vote_refused") == 1
    table.move(approval, count(approval, table.votes(ID), LATER), LATER)
    assert table.cast(approval, vote(), "e" * 64) == "repeated"  # a second click after the decision


def test_every_move_is_recorded_in_one_chain(place: World) -> None:
    table = store(place)
    first = asked(place)
    approved = table.move(first, count(first, [vote()], LATER), LATER)
    spent = table.move(approved, redeem(approved, first.digest, "holder", LATER), LATER)
    assert table.get(ID) == spent
    records = chain(place, f"approval-{ID}")
    assert [record.event for record in records] == ["asked", "approved", "redeemed"]
    assert broken_link(records) is None
    assert records[-1].hash == spent.head
    assert records[-1].actor == "holder"


def moves(first: Approval) -> dict[str, Approval]:
    return {
        "approved": count(first, [vote()], LATER),
        "denied": count(first, [vote(choice="deny")], LATER),
        "expired": count(first, [], OVER),
        "cancelled": withdraw(first, "cancelled", "undo", "", LATER),
    }


@pytest.mark.parametrize("winner", ["approved", "denied", "expired", "cancelled"])
@pytest.mark.parametrize("loser", ["approved", "denied", "expired", "cancelled"])
def test_of_two_moves_from_the_same_state_the_first_stands(place: World, winner: str, loser: str) -> None:
    first = asked(place)
    won = store(place).move(first, moves(first)[winner], OVER)
    assert won.status == winner
    assert store(place).move(first, moves(first)[loser], OVER) == won
    assert len(chain(place, f"approval-{ID}")) == 2


@pytest.mark.parametrize(
    ("change", "after", "now"),
    [
        ({"status": "expired"}, "approved", LATER),
        ({"quorum": 2}, "approved", LATER),
        ({"digest": "e" * 64}, "approved", LATER),
        ({"status": "approved"}, "denied", LATER),
        ({"status": "approved"}, "expired", OVER),
        ({"expires_at": stamp(OVER + timedelta(seconds=1))}, "expired", OVER),
        ({"status": "redeemed"}, "cancelled", LATER),
    ],
)
def test_the_item_itself_refuses_a_move_whatever_the_caller_believes(
    place: World, change: dict[str, Any], after: str, now: Any
) -> None:
    first = asked(place)
    edit(place, **change)
    found = store(place).move(first, moves(first)[after], now)
    assert found.status == change.get("status", "pending")
    assert found.version == 1


@pytest.mark.parametrize(
    ("change", "now"),
    [
        ({"reason": "nothing that matters"}, START + timedelta(minutes=90)),
        ({"exec_deadline": stamp(OVER)}, OVER),
        ({"digest": "e" * 64}, LATER),
        ({"status": "cancelled"}, LATER),
    ],
)
def test_the_item_itself_refuses_to_be_spent(place: World, change: dict[str, Any], now: Any) -> None:
    first = asked(place)
    approved = store(place).move(first, count(first, [vote()], LATER), LATER)
    edit(place, **change)
    spent = redeem(approved, first.digest, "holder", LATER)
    assert store(place).move(approved, spent, now).holder is None
    edit(place, digest=first.digest, status="approved", exec_deadline=stamp(first.exec_deadline))
    assert store(place).move(approved, spent, LATER).holder == "holder"  # the control


def test_listings_tell_what_is_open_due_decided_and_done(place: World) -> None:
    table = store(place)
    first = asked(place)
    asked(place, question(2, expires_at=OVER + timedelta(minutes=9)), post=None)

    def listed(*arguments: Any) -> list[str]:
        return [approval.id[-1] for approval in table.listed(*arguments)]

    assert (listed("open"), listed("open", OVER), listed("decided")) == (["1", "2"], ["1"], [])
    expired = table.move(first, moves(first)["expired"], OVER)
    assert (listed("open"), listed("decided"), listed("closed")) == (["2"], ["1"], [])
    table.close(expired)
    table.close(expired)
    assert (listed("open"), listed("decided"), listed("closed")) == (["2"], [], ["1"])
    assert table.token(ID) is None
    assert table.token(f"{2:032x}") == "token-1"


def test_closing_what_was_withdrawn_meanwhile_leaves_it_to_be_told(place: World) -> None:
    table = store(place)
    first = asked(place)
    approved = table.move(first, moves(first)["approved"], LATER)
    table.move(approved, withdraw(approved, "cancelled", "undo", "", LATER), LATER)
    table.close(approved)
    assert [approval.status for approval in table.listed("decided")] == ["cancelled"]
    assert table.token(ID) == "token-1"


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", [1, 2, 3])
def test_a_crash_anywhere_in_opening_and_moving_then_again_ends_the_same(place: World, call: int, after: bool) -> None:
    def story() -> None:
        table = store(place)
        opened = table.open(question(), "token-1")
        if opened.status == "pending":
            opened = table.move(opened, count(opened, [vote()], LATER), LATER)
        table.move(opened, redeem(opened, opened.digest, "holder", LATER), LATER)

    with counted(call, after=after) as calls, pytest.raises(Killed):
        story()
    assert calls.reached
    story()
    found = store(place).get(ID)
    assert found is not None
    assert (found.status, found.holder, found.version) == ("redeemed", "holder", 3)
    assert broken_link(chain(place, f"approval-{ID}")) is None


def test_the_item_asks_for_every_move_that_there_is_and_for_no_other() -> None:
    asked = {to: set(re.findall(r":(pending|approved)\b", guard)) for to, guard in _GUARDS.items()}
    moves = {to: {status for status, after in MOVES.items() if to in after} for after in MOVES.values() for to in after}
    assert asked == moves
