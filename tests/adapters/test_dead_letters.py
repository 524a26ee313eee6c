"""Dead letters are looked into without taking any out, and leave only for a lane that has them."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from firebreak.adapters.dead_letters import NOT_RECORDED, QUIET, DeadLetters
from firebreak.adapters.table import Table
from firebreak.core.console import LaneQueues
from firebreak.core.errors import FirebreakError

QUEUES = LaneQueues(queue="lane", dead_letters="dead")


@dataclass
class Queues:
    """SQS as it is: gives out what is not hidden, sometimes only a part of it, sometimes nothing.

    Attributes:
        dead: bodies of the dead letters, by id.
        hidden: ids of those that someone looks at.
        silences: answers that are empty although there is something.
        fails: the operation that is refused from now on.
    """

    dead: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, dict[str, Any]] = field(default_factory=dict)
    lane: list[str] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)
    silences: list[bool] = field(default_factory=list)
    fails: str = ""

    def _refuse(self, operation: str) -> None:
        if operation == self.fails:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, operation)

    def receive_message(self, *, QueueUrl: str, MaxNumberOfMessages: int, **more: Any) -> dict[str, Any]:
        assert QueueUrl == "dead"
        assert 1 <= MaxNumberOfMessages <= 10
        if self.silences and self.silences.pop():
            return {}
        found = [id for id in self.dead if id not in self.hidden][:MaxNumberOfMessages]
        self.hidden |= set(found)
        return {
            "Messages": [
                {
                    "MessageId": id,
                    "ReceiptHandle": f"receipt {id}",
                    "Body": self.dead[id],
                    "Attributes": {"SentTimestamp": "1793613600000"},
                    "MessageAttributes": self.attributes.get(id, {}),
                }
                for id in found
            ]
        }

    def send_message(self, *, QueueUrl: str, MessageBody: str) -> None:
        assert QueueUrl == "lane"
        self._refuse("send_message")
        self.lane.append(MessageBody)

    def delete_message(self, *, QueueUrl: str, ReceiptHandle: str) -> None:
        self._refuse("delete_message")
        del self.dead[ReceiptHandle.removeprefix("receipt ")]

    def change_message_visibility(self, *, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int) -> None:
        assert VisibilityTimeout == 0
        self.hidden.discard(ReceiptHandle.removeprefix("receipt "))


class Rejected:
    """The table, with an error for message m0 alone."""

    def get(self, pk: str, sk: str) -> dict[str, str] | None:
        return {"error": "detail.id: missing"} if (pk, sk) == ("REJECTED#urgent", "m0") else None


def letters(queues: Queues) -> DeadLetters:
    return DeadLetters(queues, cast(Table, Rejected()), "urgent", QUEUES)


def full(count: int) -> Queues:
    return Queues({f"m{number}": f"body {number}" for number in range(count)})


@given(st.integers(0, 35), st.integers(1, 40), st.lists(st.booleans(), max_size=QUIET - 1))
def test_looking_shows_up_to_the_limit_and_leaves_all(count: int, limit: int, silences: list[bool]) -> None:
    queues = full(count)
    queues.silences = silences
    seen = letters(queues).look(limit)
    assert len(seen) == len({letter.id for letter in seen}) == min(count, limit)
    assert len(queues.dead) == count
    assert queues.hidden == set()


@given(st.integers(0, 35), st.lists(st.booleans(), max_size=QUIET - 1))
def test_redriving_sends_each_once(count: int, silences: list[bool]) -> None:
    queues = full(count)
    queues.silences = silences
    sent = list(letters(queues).redrive())
    assert sorted(queues.lane) == sorted(letter.body for letter in sent) == sorted(full(count).dead.values())
    assert queues.dead == {}


def test_only_the_chosen_ones_are_sent_and_the_rest_is_given_back() -> None:
    queues = full(25)
    assert [letter.id for letter in letters(queues).redrive(frozenset({"m12"}))] == ["m12"]
    assert queues.lane == ["body 12"]
    assert len(queues.dead) == 24
    assert queues.hidden <= {"m12"}
    assert list(letters(queues).redrive(frozenset({"none-such"}))) == []
    assert len(queues.dead) == 24


@pytest.mark.parametrize(("fails", "in_lane"), [("send_message", 0), ("delete_message", 1)])
def test_no_failure_loses_a_message(fails: str, in_lane: int) -> None:
    queues = full(3)
    queues.fails = fails
    with pytest.raises(FirebreakError):
        list(letters(queues).redrive())
    assert len(queues.dead) == 3
    assert len(queues.lane) == in_lane
    queues.hidden.clear()  # after a while
    queues.fails = ""
    list(letters(queues).redrive())
    assert set(queues.lane) == {"body 0", "body 1", "body 2"}


def test_who_stops_half_way_leaves_the_rest_visible() -> None:
    queues = full(5)
    stopped = letters(queues).redrive()
    assert [letter.id for letter in islice(stopped, 2)] == ["m0", "m1"]
    stopped.close()  # type: ignore[attr-defined]  # a generator, which its port does not tell
    assert set(queues.dead) == {"m2", "m3", "m4"}
    assert not queues.hidden & set(queues.dead)


def test_each_error_is_told_by_whoever_recorded_it() -> None:
    queues = full(3)
    queues.attributes["m1"] = {
        "ERROR_CODE": {"StringValue": "NO_PERMISSIONS"},
        "ERROR_MESSAGE": {"StringValue": "not allowed"},
    }
    assert [letter.error for letter in letters(queues).look(3)] == [
        "detail.id: missing",
        "NO_PERMISSIONS: not allowed",
        NOT_RECORDED,
    ]
