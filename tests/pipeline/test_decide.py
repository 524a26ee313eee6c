"""Decide, consent and the channel: one end, told to everybody, whatever crashes, comes twice or in any order."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from firebreak.core.approval import Approval, Vote
from firebreak.core.errors import FirebreakError, NoConsent, Retriable
from firebreak.ports import Actor
from sandbox.slack import Fault
from tests.approvals import INCIDENT, approvals_world, incidents, plan, question, vote
from tests.faults import Killed, counted
from tests.pipeline.channel import Channel
from tests.world import START


@pytest.fixture
def channel(tmp_path: Path) -> Iterator[Channel]:
    with approvals_world(tmp_path) as place:
        yield Channel(place)


def put(channel: Channel, asked: Approval, given: Vote) -> None:
    given = replace(given, approval=asked.id, digest=asked.digest, at=channel.world.moment)
    assert channel.approvals.cast(channel.now(asked), given, f"{given.person:0<64}") == "taken"


def settle(channel: Channel, asked: Approval) -> Approval:
    assert channel.decide.handle([("1", asked.id)]) == {}
    return channel.now(asked)


def listed(channel: Channel, stand: Any) -> list[str]:
    return [approval.id for approval in channel.approvals.listed(stand)]


@pytest.mark.parametrize(("choice", "status"), [("approve", "approved"), ("deny", "denied")])
def test_a_vote_decides_and_everybody_is_told(channel: Channel, choice: Any, status: str) -> None:
    asked = channel.ask("token-1")
    put(channel, asked, vote(choice=choice, reason="I know this host"))
    found = settle(channel, asked)
    assert (found.status, found.decider, found.reason) == (status, "ana", "I know this host")
    assert channel.tasks.told == [("token-1", {"approval": asked.id})]
    assert channel.open_messages() == []
    assert channel.slack.messages[0].text.startswith(status.capitalize())
    assert listed(channel, "closed") == [asked.id]
    assert channel.approvals.token(asked.id) is None


def test_one_of_two_decides_nothing_and_the_second_does(channel: Channel) -> None:
    channel.settings = {**channel.settings, "approvers": [{"people": ["ana", "ben"], "quorum": 2}]}
    asked = channel.ask()
    put(channel, asked, vote("ana"))
    assert settle(channel, asked).status == "pending"
    assert channel.tasks.told == []
    put(channel, asked, vote("ben"))
    assert settle(channel, asked).approvers == ("ana", "ben")
    assert len(channel.tasks.told) == 1


def test_a_delivery_that_comes_twice_tells_once(channel: Channel) -> None:
    asked = channel.ask()
    put(channel, asked, vote())
    assert channel.decide.handle([("1", asked.id), ("2", asked.id)]) == {}
    before = channel.world.rows()
    settle(channel, asked)
    assert channel.world.rows() == before
    assert len(channel.tasks.told) == 1


def test_a_vote_on_what_does_not_exist_is_no_failure(channel: Channel) -> None:
    assert channel.decide.handle([("1", "f" * 32)]) == {}


def test_a_task_that_nobody_waits_for_any_more_is_no_failure(channel: Channel) -> None:
    channel.tasks.waiting = False
    asked = channel.ask()
    put(channel, asked, vote())
    assert settle(channel, asked).status == "approved"
    assert listed(channel, "closed") == [asked.id]


def test_a_state_machine_out_of_reach_brings_the_delivery_back_and_the_others_go_on(channel: Channel) -> None:
    asked = channel.ask()
    other = channel.approvals.open(question(2), "token-2")
    put(channel, asked, vote())
    channel.tasks.outage = True
    failed = channel.decide.handle([("1", asked.id), ("2", other.id), ("3", asked.id)])
    assert set(failed) == {"1", "3"}
    assert channel.now(asked).status == "approved"  # the decision stands all the same
    channel.tasks.outage = False
    assert channel.decide.handle([("1", asked.id), ("3", asked.id)]) == {}
    assert channel.tasks.told == [("token-1", {"approval": asked.id})]


@pytest.mark.parametrize("fault", [Fault("chat.update", status=500), Fault("chat.update", status=429)])
def test_slack_down_holds_no_decision_up_and_sweep_updates_the_message(channel: Channel, fault: Fault) -> None:
    asked = channel.ask()
    put(channel, asked, vote())
    channel.slack.faults = [fault]
    settle(channel, asked)
    assert len(channel.tasks.told) == 1
    assert channel.pauses == []
    assert len(channel.open_messages()) == 1
    assert listed(channel, "decided") == [asked.id]
    channel.telling.expire_due(channel.world.moment)
    assert channel.open_messages() == []
    assert listed(channel, "closed") == [asked.id]


def test_a_message_that_was_deleted_is_let_go(channel: Channel) -> None:
    asked = channel.ask()
    channel.slack.messages.clear()
    put(channel, asked, vote())
    assert settle(channel, asked).status == "approved"
    assert listed(channel, "closed") == [asked.id]


def test_no_answer_in_time_is_a_no(channel: Channel) -> None:
    asked = channel.ask()
    channel.world.pass_time(minutes=59)
    assert channel.telling.expire_due(channel.world.moment) == 0
    assert channel.now(asked).status == "pending"
    channel.world.pass_time(minutes=1)
    assert channel.telling.expire_due(channel.world.moment) == 1
    assert channel.now(asked).status == "expired"
    assert channel.tasks.told == [("token-1", {"approval": asked.id})]
    assert channel.slack.messages[0].text.startswith("Expired")
    assert channel.telling.expire_due(channel.world.moment) == 0
    assert len(channel.tasks.told) == 1


def test_a_vote_in_time_counts_even_where_decide_never_ran(channel: Channel) -> None:
    asked = channel.ask()
    put(channel, asked, vote())
    channel.world.pass_time(minutes=61)
    channel.telling.expire_due(channel.world.moment)
    assert channel.now(asked).status == "approved"


def test_one_question_that_cannot_be_told_keeps_no_other_from_expiring(channel: Channel) -> None:
    for number in range(3):
        channel.approvals.open(question(number + 1), f"token-{number + 1}")
    refuse = channel.tasks.succeed

    def succeed(token: str, output: Any) -> bool:
        if token == "token-1":
            raise Retriable("not this one")
        return refuse(token, output)

    object.__setattr__(channel.tasks, "succeed", succeed)
    channel.world.pass_time(minutes=61)
    with pytest.raises(Retriable):
        channel.telling.expire_due(channel.world.moment)
    found = [channel.approvals.get(question(number + 1).id) for number in range(3)]
    assert [approval.status for approval in found if approval] == ["expired"] * 3
    assert [token for token, _ in channel.tasks.told] == ["token-2", "token-3"]


def spend(channel: Channel, holder: str = "inc/step") -> None:
    channel.consents.redeem(channel.step(), holder, channel.world.moment)


def refused(channel: Channel, holder: str = "inc/step") -> str:
    with pytest.raises(NoConsent) as refusal:
        spend(channel, holder)
    return refusal.value.because


def test_consent_is_spent_once_by_one_holder(channel: Channel) -> None:
    assert refused(channel) == "missing"
    asked = channel.ask()
    assert refused(channel) == "pending"
    put(channel, asked, vote())
    settle(channel, asked)
    spend(channel)
    spend(channel)
    assert refused(channel, "another") == "redeemed"
    channel.world.pass_time(days=2)
    spend(channel)
    assert channel.now(asked).holder == "inc/step"


def test_of_two_that_spend_at_the_same_time_one_is_refused(channel: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = channel.ask()
    put(channel, asked, vote())
    settle(channel, asked)
    move = type(channel.approvals).move

    def beaten(table: Any, before: Approval, after: Approval, now: Any) -> Approval:
        move(table, before, replace(after, holder="another"), now)
        return move(table, before, after, now)

    monkeypatch.setattr(type(channel.approvals), "move", beaten)
    assert refused(channel) == "redeemed"
    assert channel.now(asked).holder == "another"


def test_consent_is_spent_though_decide_never_ran(channel: Channel) -> None:
    asked = channel.ask()
    put(channel, asked, vote())
    spend(channel)
    assert channel.now(asked).status == "redeemed"
    channel.telling.expire_due(channel.world.moment)
    assert channel.slack.messages[0].text.startswith("Approved")
    assert channel.tasks.told == [("token-1", {"approval": asked.id})]


@pytest.mark.parametrize(
    ("minutes", "choice", "because"),
    [(0, "deny", "denied"), (60, None, "expired"), (90, "approve", "late"), (89, "approve", None)],
)
def test_what_execute_is_told_when_time_or_people_say_no(
    channel: Channel, minutes: int, choice: Any, because: str | None
) -> None:
    asked = channel.ask()
    if choice:
        put(channel, asked, vote(choice=choice))
    channel.world.pass_time(minutes=minutes)
    if because is None:
        spend(channel)
    else:
        assert refused(channel) == because


def test_consent_is_for_the_plan_that_was_shown(channel: Channel) -> None:
    asked = channel.ask()
    put(channel, asked, vote())
    settle(channel, asked)
    actor = Actor(name="plan", request="r")
    step = channel.step()
    swapped = step.model_copy(update={"plan": plan(parameters={"cut_tracked": True})})
    incidents(channel.world).change_step(step, swapped, actor, START)
    assert refused(channel) == "changed"
    assert channel.now(asked).status == "approved"


@pytest.mark.parametrize("approve_first", [False, True])
def test_a_release_withdraws_what_is_open_and_what_is_not_spent(channel: Channel, approve_first: bool) -> None:
    asked = channel.ask()
    if approve_first:
        put(channel, asked, vote())
        settle(channel, asked)
    channel.consents.cancel(INCIDENT, channel.world.moment)  # as Plan has it: it may tell nobody
    channel.consents.cancel(INCIDENT, channel.world.moment)
    assert channel.now(asked).status == "cancelled"
    assert refused(channel) == "cancelled"
    assert listed(channel, "decided") == [asked.id]
    channel.telling.expire_due(channel.world.moment)
    assert channel.slack.messages[0].text.startswith("Withdrawn")
    assert channel.tasks.told == [("token-1", {"approval": asked.id})]


def test_a_release_leaves_alone_what_was_spent_denied_or_never_asked(channel: Channel) -> None:
    channel.consents.cancel(INCIDENT, channel.world.moment)
    asked = channel.ask()
    put(channel, asked, vote())
    spend(channel)
    before = channel.now(asked)
    channel.consents.cancel(INCIDENT, channel.world.moment)
    assert channel.now(asked) == before


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("choice", ["approve", "deny"])
def test_a_crash_at_any_call_and_a_redelivery_end_in_one_decision_told_to_everybody(
    tmp_path: Path, choice: Any, after: bool
) -> None:
    number, reached = 0, True
    while reached:
        number += 1
        with approvals_world(tmp_path) as place:
            channel = Channel(place)
            asked = channel.ask()
            put(channel, asked, vote(choice=choice))
            with counted(number, after=after) as calls:
                with contextlib.suppress(Killed):
                    channel.decide.handle([("1", asked.id)])
                reached = calls.reached
            settle(channel, asked)
            assert channel.now(asked).status == {"approve": "approved", "deny": "denied"}[choice]
            assert ("token-1", {"approval": asked.id}) in channel.tasks.told
            assert channel.open_messages() == []
            assert listed(channel, "closed") == [asked.id]
    assert number > 5


def test_a_table_out_of_reach_brings_every_delivery_back(channel: Channel) -> None:
    asked = channel.ask()
    channel.world.client("dynamodb").delete_table(TableName="firebreak")
    failed = channel.decide.handle([("1", asked.id), ("2", asked.id)])
    assert set(failed) == {"1", "2"}
    assert all(isinstance(error, FirebreakError) for error in failed.values())
