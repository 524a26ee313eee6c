"""Ask: one question for one plan, one message for one question, whatever crashes, comes twice or late."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from firebreak.adapters.incident_rows import incident_key
from firebreak.adapters.writes import PRESENT, update
from firebreak.core.approval import NOBODY, approval_id
from firebreak.core.errors import Refused
from firebreak.core.incident import StepStatus
from firebreak.core.plan import Change
from firebreak.core.tally import count
from firebreak.ports import Actor
from sandbox.slack import Fault, Slack
from tests.approvals import EXECUTION, INCIDENT, STEP, approvals_world, incidents, plan, question, table_of, vote
from tests.faults import Killed, counted
from tests.pipeline.channel import Channel
from tests.world import START

SECOND = EXECUTION.replace("-a1", "-a2")


@pytest.fixture
def channel(tmp_path: Path) -> Iterator[Channel]:
    with approvals_world(tmp_path) as place:
        yield Channel(place)


def change_step(channel: Channel, **changes: Any) -> None:
    before = channel.step()
    actor = Actor(name="plan", request="request-0")
    incidents(channel.world).change_step(before, before.model_copy(update=changes), actor, START)


def test_a_question_is_open_posted_and_named_by_its_step(channel: Channel) -> None:
    asked = channel.ask()
    assert asked.id == approval_id(EXECUTION, STEP, plan().digest)
    found = channel.now(asked)
    assert (found.status, found.digest, found.quorum) == ("pending", plan().digest, 1)
    assert (found.effect, found.environment, found.excluded) == ("reversible", "production", frozenset({NOBODY}))
    assert (found.expires_at, found.exec_deadline) == (START + timedelta(minutes=60), START + timedelta(minutes=90))
    assert (channel.step().status, channel.step().approval) == ("asking", asked.id)
    (message,) = channel.open_messages()
    assert found.post is not None
    assert found.post.ts == message.ts
    assert channel.approvals.token(asked.id) == "token-1"


def test_the_token_is_in_its_row_and_nowhere_else(channel: Channel, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "firebreak")
    token = "AAAAKgAAAAIAAAAAAAAAAf-a-task-token"
    asked = channel.ask(token)
    holding = [key for key, row in channel.world.rows().items() if token in str(row)]
    assert holding == [(f"TOKEN#{asked.id}", "TOKEN")]
    assert token not in json.dumps([message.blocks for message in channel.slack.messages])
    assert token not in caplog.text


def test_asking_again_asks_nothing_new_and_the_newest_token_waits(channel: Channel) -> None:
    first = channel.ask("token-1")
    channel.world.pass_time(minutes=1)
    again = channel.ask("token-2")
    assert (again.id, again.created_at) == (first.id, first.created_at)
    assert len(channel.slack.messages) == 1
    assert channel.approvals.token(first.id) == "token-2"


def test_another_execution_joins_the_question_that_is_open(channel: Channel) -> None:
    first = channel.ask("token-1")
    assert channel.ask("token-2", SECOND).id == first.id
    assert len(channel.slack.messages) == 1
    assert channel.approvals.token(first.id) == "token-2"


@pytest.mark.parametrize("choice", ["approve", "deny"])
def test_there_is_nothing_to_wait_for_once_it_is_decided(channel: Channel, choice: Any) -> None:
    first = channel.ask("token-1")
    given = vote(choice=choice, approval=first.id, digest=first.digest)
    channel.approvals.move(first, count(channel.now(first), [given], START), START)
    with pytest.raises(Refused, match="already"):
        channel.ask("token-2")
    assert channel.approvals.token(first.id) == "token-1"
    assert len(channel.slack.messages) == 1


def test_a_question_that_was_denied_or_not_answered_can_be_asked_anew_by_another_execution(channel: Channel) -> None:
    first = channel.ask()
    channel.world.pass_time(minutes=61)
    second = channel.ask("token-2", SECOND)
    assert second.id != first.id
    assert channel.now(first).status == "superseded"
    assert channel.now(second).status == "pending"
    assert channel.step().approval == second.id
    given = vote(choice="deny", approval=second.id, digest=second.digest, at=channel.world.moment)
    channel.approvals.move(second, count(channel.now(second), [given], channel.world.moment), channel.world.moment)
    third = channel.ask("token-3", EXECUTION.replace("-a1", "-a3"))
    assert len({first.id, second.id, third.id}) == 3
    assert channel.now(second).status == "denied"


def test_another_plan_is_another_question_and_supersedes_the_first(channel: Channel) -> None:
    first = channel.ask()
    other = plan(changes=(Change(resource="eni-2", what="security groups", before="sg-0a", after="sg-0b"),))
    change_step(channel, status="planned", plan=other)
    second = channel.ask("token-2")
    assert (second.id != first.id, second.digest) == (True, other.digest)
    assert channel.now(first).status == "superseded"
    channel.telling.expire_due(channel.world.moment)
    assert [message.text.split(":")[0] for message in channel.slack.messages] == ["Withdrawn", "Firebreak asks"]
    assert ("token-1", {"approval": first.id}) in channel.tasks.told


def test_consent_that_is_not_spent_is_withdrawn_when_the_plan_changes(channel: Channel) -> None:
    first = channel.ask()
    given = vote(approval=first.id, digest=first.digest)
    channel.approvals.move(first, count(channel.now(first), [given], START), START)
    change_step(channel, status="planned", plan=plan(policy="q" * 64))
    channel.ask("token-2")
    assert channel.now(first).status == "superseded"


@pytest.mark.parametrize("status", ["running", "verified", "refused", "denied", "undone", "decided"])
def test_a_step_that_is_past_asking_or_not_planned_is_not_asked_about(channel: Channel, status: StepStatus) -> None:
    change_step(channel, status=status)
    before = channel.world.rows()
    with pytest.raises(Refused, match=status):
        channel.ask()
    assert channel.world.rows() == before
    assert channel.slack.messages == []


@pytest.mark.parametrize("change", [{"fenced": 1}, {"status": "closed"}])
def test_nothing_is_asked_for_an_incident_that_is_being_undone_or_is_over(channel: Channel, change: Any) -> None:
    table_of(channel.world).write(update(*incident_key(INCIDENT), PRESENT, put=change))
    with pytest.raises(Refused, match="released"):
        channel.ask()
    assert channel.slack.messages == []


def test_nobody_to_ask_is_a_refusal_and_never_everyone(channel: Channel) -> None:
    channel.settings = {**channel.settings, "approvers": [{"people": ["ana"], "environments": ["other"]}]}
    with pytest.raises(Refused, match="nobody may approve"):
        channel.ask()
    assert channel.step().status == "planned"
    channel.settings = {**channel.settings, "approvers": [{"people": ["ana", "ben"], "quorum": 2}]}
    assert channel.ask().quorum == 2


@pytest.mark.parametrize("fault", [Fault("chat.postMessage", status=429), Fault("chat.postMessage", status=503)])
def test_short_trouble_with_slack_is_waited_out(channel: Channel, fault: Fault) -> None:
    channel.slack.faults = [fault, fault]
    asked = channel.ask()
    assert len(channel.open_messages()) == 1
    assert channel.now(asked).post is not None
    assert channel.pauses == [1.0, 3.0]


def test_an_answer_that_was_lost_does_not_post_twice(channel: Channel) -> None:
    channel.slack.faults = [Fault("chat.postMessage", lost=True)]
    asked = channel.ask()
    (message,) = channel.slack.messages
    post = channel.now(asked).post
    assert post is not None
    assert post.ts == message.ts
    assert channel.slack.calls == ["chat.postMessage", "conversations.history"]


def test_where_the_channel_cannot_be_searched_a_question_is_rather_posted_twice_than_never(channel: Channel) -> None:
    channel.slack.faults = [
        Fault("chat.postMessage", lost=True),
        Fault("conversations.history", error="missing_scope"),
    ]
    asked = channel.ask()
    first, second = channel.slack.messages
    post = channel.now(asked).post
    assert post is not None
    assert post.ts == second.ts != first.ts  # the first one's buttons are refused by the door


def test_slack_down_loses_no_question_and_a_later_sweep_posts_it(channel: Channel) -> None:
    down = [Fault("chat.postMessage", status=500)] * 3
    channel.slack.faults = list(down)
    asked = channel.ask()
    assert (channel.now(asked).status, channel.slack.messages) == ("pending", [])
    channel.world.pass_time(minutes=2)
    assert channel.telling.expire_due(channel.world.moment) == 0
    assert len(channel.open_messages()) == 1
    assert channel.now(asked).post is not None
    channel.telling.expire_due(channel.world.moment)
    assert len(channel.slack.messages) == 1


@pytest.mark.parametrize("error", ["invalid_auth", "channel_not_found", "is_archived"])
def test_a_channel_that_refuses_does_not_fail_the_question(channel: Channel, error: str) -> None:
    channel.slack.faults = [Fault("chat.postMessage", error=error)]
    assert channel.now(channel.ask()).status == "pending"
    assert channel.pauses == []


def test_a_deployment_without_a_channel_asks_all_the_same(channel: Channel) -> None:
    channel.silent = True
    asked = channel.ask()
    assert channel.now(asked).status == "pending"
    assert channel.slack.calls == []


def test_of_two_that_post_at_the_same_time_one_message_counts_and_the_other_is_retired(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second Ask runs whole while the first is frozen between its mark and the arrival of its post."""
    serve = Slack._api
    second: list[Any] = []

    def api(self: Slack, request: Any) -> Any:
        if not second:
            second.append(None)
            second.append(channel.ask("token-2"))
        return serve(self, request)

    monkeypatch.setattr(Slack, "_api", api)
    asked = channel.ask("token-1")
    assert second[1].id == asked.id
    assert [message.text.split(" ")[0] for message in channel.slack.messages] == ["Firebreak", "Asked"]
    bound = channel.now(asked).post
    assert bound is not None
    assert [message.ts for message in channel.open_messages()] == [bound.ts]


def test_a_question_decided_while_it_was_posted_has_no_buttons(channel: Channel) -> None:
    asked = channel.approvals.open(question(digest=plan().digest), "token-1")
    given = vote(digest=asked.digest)

    class Quick(type(channel.approvals)):  # type: ignore[misc]
        """Somebody answers on the command line between the post and its binding."""

        def set_post(self, approval: str, post: Any) -> bool:
            current = self.get(approval)
            assert current is not None
            self.move(current, count(current, [given], START), START)
            return bool(super().set_post(approval, post))

    posting = channel.posting
    object.__setattr__(posting, "approvals", Quick(table_of(channel.world)))
    assert posting.show(asked)
    assert channel.open_messages() == []
    assert channel.slack.messages[0].text.startswith("Approved")


def calls_of_ask(tmp_path: Path) -> int:
    with approvals_world(tmp_path) as place, counted() as calls:
        Channel(place).ask()
        return len(calls.seen)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("execution", [EXECUTION, SECOND], ids=["same execution", "next attempt"])
def test_a_crash_at_any_call_and_another_try_end_in_one_question_and_one_message(
    tmp_path: Path, after: bool, execution: str
) -> None:
    for number in range(1, calls_of_ask(tmp_path) + 1):
        with approvals_world(tmp_path) as place:
            channel = Channel(place)
            with counted(number, after=after) as calls, pytest.raises(Killed):
                channel.ask("token-1")
            assert calls.reached
            asked = channel.ask("token-2", execution)
            found = channel.now(asked)
            assert found.status == "pending", number
            assert channel.approvals.token(asked.id) == "token-2"
            assert (channel.step().status, channel.step().approval) == ("asking", asked.id)
            (message,) = channel.open_messages()
            assert found.post is not None
            assert found.post.ts == message.ts
            assert len([key for key, _ in place.rows() if key.startswith("APPROVAL#")]) == 1
