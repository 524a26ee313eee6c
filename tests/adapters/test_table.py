"""The lowest layer of the table: conditions, transactions, and answers that were lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws

from firebreak.adapters.table import ConditionFailed, Table
from firebreak.adapters.writes import ABSENT, PRESENT, When, check, delete, pack, put, unpack, update
from firebreak.core.errors import Conflict
from tests.world import make_table


@pytest.fixture
def table() -> Iterator[Table]:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-west-1")
        make_table(client, "t")
        yield Table(client, "t", pause=lambda seconds: None)


def test_an_item_comes_back_as_it_was_put(table: Table) -> None:
    item = {
        "pk": "a",
        "sk": "b",
        "number": 7,
        "text": "ä€😀",
        "yes": True,
        "none": None,
        "list": [1, "x"],
        "map": {"k": 2},
    }
    table.write(put(item))
    assert table.get("a", "b") == item
    assert table.get("a", "other") is None


def test_a_failed_condition_says_what_was_found(table: Table) -> None:
    table.write(put({"pk": "a", "sk": "b", "owner": "first"}))
    with pytest.raises(ConditionFailed) as failure:
        table.write(put({"pk": "a", "sk": "b", "owner": "second"}))
    assert failure.value.found == ({"pk": "a", "sk": "b", "owner": "first"},)
    assert table.get("a", "b") == {"pk": "a", "sk": "b", "owner": "first"}


def test_update_sets_adds_and_removes_in_one_write(table: Table) -> None:
    table.write(put({"pk": "a", "sk": "b", "count": 1, "old": "x", "status": "new"}))
    row = table.write(
        update(
            "a", "b", When("#status = :was", {"was": "new"}), put={"status": "seen"}, add={"count": 2}, remove=("old",)
        )
    )
    assert row == {"pk": "a", "sk": "b", "count": 3, "status": "seen"}


def test_a_transaction_writes_all_or_nothing_and_says_which_condition_failed(table: Table) -> None:
    table.write(put({"pk": "lock", "sk": "x", "owner": "other"}))
    with pytest.raises(ConditionFailed) as failure:
        table.write_all(put({"pk": "new", "sk": "x"}), put({"pk": "lock", "sk": "x", "owner": "me"}))
    assert failure.value.failed == (False, True)
    assert failure.value.found[1] == {"pk": "lock", "sk": "x", "owner": "other"}
    assert table.get("new", "x") is None
    table.write_all(put({"pk": "new", "sk": "x"}), check("lock", "x", PRESENT), put({"pk": "more", "sk": "x"}, ABSENT))
    assert table.get("new", "x") is not None


def test_a_check_alone_is_refused(table: Table) -> None:
    with pytest.raises(ValueError, match="transaction"):
        table.write(check("a", "b", PRESENT))


def test_a_deleted_item_is_gone_and_cannot_be_deleted_again(table: Table) -> None:
    table.write(put({"pk": "a", "sk": "b"}))
    table.write(delete("a", "b"))
    with pytest.raises(ConditionFailed):
        table.write(delete("a", "b"))


def test_query_and_listing_give_items_in_order(table: Table) -> None:
    for number in (3, 1, 2):
        table.write(put({"pk": "p", "sk": f"S#{number}", "listing": "all", "listed_at": str(number)}))
    table.write(put({"pk": "p", "sk": "OTHER"}))
    assert [row["sk"] for row in table.query("p", "S#")] == ["S#1", "S#2", "S#3"]
    assert [row["sk"] for row in table.listing("all", newest_first=True)] == ["S#3", "S#2", "S#1"]
    assert [row["sk"] for row in table.listing("all", before="2")] == ["S#1", "S#2"]


def test_get_all_finds_what_is_there(table: Table) -> None:
    table.write(put({"pk": "a", "sk": "1"}))
    assert table.get_all(("a", "1"), ("a", "2")) == {("a", "1"): {"pk": "a", "sk": "1"}}


class Conflicting:
    """A client whose transactions meet others so many times."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.calls = 0

    def transact_write_items(self, **_: Any) -> None:
        self.calls += 1
        if self.calls <= self.times:
            reasons = [{"Code": "TransactionConflict"}]
            error = {
                "Error": {"Code": "TransactionCanceledException", "Message": "conflict"},
                "CancellationReasons": reasons,
            }
            raise ClientError(error, "TransactWriteItems")


@pytest.mark.parametrize(("times", "outcome"), [(0, 1), (3, 4), (5, 6)])
def test_a_transaction_that_meets_others_is_tried_again_with_pauses(times: int, outcome: int) -> None:
    client, pauses = Conflicting(times), list[float]()
    Table(client, "t", pause=pauses.append).write_all(put({"pk": "a", "sk": "b"}))
    assert client.calls == outcome
    assert len(pauses) == times


def test_a_transaction_that_always_meets_others_goes_back_as_a_conflict() -> None:
    client = Conflicting(99)
    with pytest.raises(Conflict, match="deliver again"):
        Table(client, "t", pause=lambda seconds: None).write_all(put({"pk": "a", "sk": "b"}))
    assert client.calls == 6


names = st.text(min_size=1, max_size=20).filter(lambda text: text.isprintable())
values = st.one_of(
    st.text(max_size=50), st.integers(-(2**63), 2**63), st.booleans(), st.none(), st.lists(st.text(max_size=5))
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(names.filter(lambda name: name not in ("pk", "sk")), values, max_size=5))
def test_whatever_is_packed_comes_back(item: dict[str, Any]) -> None:
    assert unpack(pack(item)) == item
