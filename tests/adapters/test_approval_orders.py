"""Every order of votes, expiry and spending, against the table itself."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firebreak.adapters.incident_rows import new_incident
from firebreak.core.approval import redeem
from firebreak.core.errors import NoConsent
from firebreak.core.tally import count
from tests.approvals import approvals_world, incident, question, store, table_of, vote
from tests.world import START, World, make_table

LATER, OVER = START + timedelta(minutes=5), START + timedelta(minutes=60)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with approvals_world(tmp_path_factory.mktemp("orders")) as place:
        yield place


@given(order=st.permutations(["ana", "ben", "ben", "deny", "expire", "spend"]))
@settings(max_examples=20)
def test_in_every_order_there_is_one_end_and_no_run_without_quorum(order: list[str], place: World) -> None:
    table = store(place)
    dynamodb = place.client("dynamodb")
    dynamodb.delete_table(TableName="firebreak")  # every transaction of moto's copies the table
    make_table(dynamodb, "firebreak")
    table_of(place).write_all(*new_incident(incident(), "opened", "triage/1", ())[1])
    approval = table.open(question(quorum=2), "token")
    now, spent = LATER, []
    statuses = ["pending"]
    for position, event in enumerate(order):
        mark = f"{position:064x}"
        current = table.get(approval.id)
        assert current is not None
        if event == "expire":
            now = OVER
        elif event == "spend":
            with contextlib.suppress(NoConsent):
                spent.append(table.move(current, redeem(current, current.digest, "holder", now), now).holder)
        else:
            person, choice = ("eve", "deny") if event == "deny" else (event, "approve")
            table.cast(current, vote(person, choice, approval=approval.id, at=now), mark)
        current = table.get(approval.id)
        assert current is not None
        counted_now = count(current, table.votes(approval.id), now)
        if counted_now is not current:
            current = table.move(current, counted_now, now)
        if current.status != statuses[-1]:
            statuses.append(current.status)
    people = {given.person for given in table.votes(approval.id) if given.choice == "approve"}
    assert len(statuses) <= 3
    assert statuses in (
        ["pending", "approved"],
        ["pending", "approved", "redeemed"],
        ["pending", "denied"],
        ["pending", "expired"],
    )
    assert spent in ([], ["holder"])
    assert not spent or people == {"ana", "ben"}
