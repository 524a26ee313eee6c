"""Reconcile: a difference is told once, its end too, and what cannot be read is no difference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import pytest

from firebreak.core.errors import Denied, Refused, Retriable, Throttled
from firebreak.core.incident import IncidentStatus
from firebreak.core.registry import action
from firebreak.pipeline import reconcile
from firebreak.pipeline.reconcile import SPARE, Reconcile
from firebreak.ports import Actor, Remaining
from tests.pipeline.stage import INCIDENT, Stage

ACTOR = Actor(name="sweep", request="request-s")
STEP = "ec2-isolate_instance-1"


@dataclass
class Closed:
    """Sessions that are not to be had."""

    error: Exception

    def observer(self, account: str, region: str, incident: str, remaining: Remaining) -> Any:
        raise self.error

    def action(self, plan: Any, remaining: Remaining) -> Any:
        raise AssertionError("a look never takes on the role of an action")


@pytest.fixture
def contained(stage: Stage) -> Stage:
    stage.plan("ec2.isolate_instance")
    assert stage.settle(STEP).status == "verified"
    move(stage, "contained")
    stage.notices.told.clear()
    return stage


def move(stage: Stage, status: IncidentStatus) -> None:
    before = stage.incidents.incident(INCIDENT)
    after = before.model_copy(update={"status": status})
    stage.incidents.change_incident(before, after, status, ACTOR, stage.world.clock())


def look(stage: Stage, sessions: Any = None, left: float = 60.0) -> dict[str, int]:
    looks = Reconcile(stage.incidents, sessions or stage.sessions, stage.notices, stage.world.clock, action)
    return looks.look(ACTOR, lambda: left)


def test_the_oldest_of_many_incidents_is_looked_at_too(contained: Stage) -> None:
    for number in range(100):
        contained.contained_later(number)
    with patch.object(reconcile, "INCIDENTS", 1_000):
        assert look(contained) == {"read": 1, "differ": 0, "news": 0, "unread": 0}


def carry(stage: Stage, group: str) -> None:
    """Put every interface into one group, by hand."""
    ec2 = stage.world.client("ec2")
    (found,) = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": [group]}])["SecurityGroups"]
    for eni in stage.groups():
        ec2.modify_network_interface_attribute(NetworkInterfaceId=eni, Groups=[found["GroupId"]])


def test_what_stands_as_recorded_is_read_and_nothing_is_told_or_written(contained: Stage) -> None:
    before = contained.step(STEP)
    assert look(contained) == {"read": 1, "differ": 0, "news": 0, "unread": 0}
    assert (contained.notices.told, contained.step(STEP)) == ([], before)


def test_a_difference_is_told_once_and_so_is_its_end_and_the_target_is_left_alone(contained: Stage) -> None:
    carry(contained, "web")
    opened = contained.groups()
    looks = [look(contained) for _ in range(3)]
    assert [(done["differ"], done["news"]) for done in looks] == [(1, 1), (1, 0), (1, 0)]
    assert len(contained.notices.told) == 1
    assert "differs from its record" in contained.notices.told[0]
    step = contained.step(STEP)
    assert step.status == "verified"
    assert any("web" in words for words in step.difference)
    assert contained.groups() == opened
    carry(contained, "firebreak-sealed")
    assert [look(contained)["news"] for _ in range(3)] == [1, 0, 0]
    assert len(contained.notices.told) == 2
    assert "as recorded again" in contained.notices.told[1]
    assert contained.step(STEP).difference == ()
    assert contained.chains()
    trail = contained.incidents.trail(INCIDENT)
    words = [record.words[0] for record in trail if record.actor == str(ACTOR) and record.chain == STEP]
    assert words == ["differs from its record", "is as recorded again"]


def test_a_target_that_is_gone_is_told_once_as_gone(contained: Stage) -> None:
    contained.world.client("ec2").terminate_instances(InstanceIds=[contained.instance.instance_id])
    assert [look(contained)["news"] for _ in range(2)] == [1, 0]
    assert contained.step(STEP).difference[0].startswith("gone: ")


@pytest.mark.parametrize(
    "error", [Denied("no observer role"), Throttled("slow down"), Retriable("timed out"), Refused("no")], ids=repr
)
def test_what_cannot_be_read_back_is_no_difference_and_is_logged(
    contained: Stage, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    carry(contained, "web")
    assert look(contained, Closed(error)) == {"read": 0, "differ": 0, "news": 0, "unread": 1}
    assert f"{STEP} of {INCIDENT} could not be read back: {type(error).__name__}: {error}" in caplog.messages
    assert (contained.notices.told, contained.step(STEP).difference) == ([], ())
    assert look(contained)["news"] == 1


@pytest.mark.parametrize(("status", "read"), [("contained", 1), ("acting", 0), ("closed", 0)])
def test_only_incidents_in_which_nothing_moves_are_looked_at(
    contained: Stage, status: IncidentStatus, read: int
) -> None:
    if status != "contained":
        move(contained, status)
    assert look(contained)["read"] == read


def test_an_incident_that_begins_to_move_while_it_is_read_is_not_told_of(contained: Stage) -> None:
    carry(contained, "web")

    class Moving(Closed):
        def observer(self, account: str, region: str, incident: str, remaining: Remaining) -> Any:
            move(contained, "acting")
            return contained.sessions.observer(account, region, incident, remaining)

    assert look(contained, Moving(Refused("unused"))) == {"read": 1, "differ": 0, "news": 0, "unread": 0}
    assert contained.notices.told == []


@pytest.mark.parametrize(("left", "read"), [(SPARE - 1, 0), (SPARE + 1, 1)])
def test_nothing_is_begun_that_may_not_be_finished(contained: Stage, left: float, read: int) -> None:
    assert look(contained, left=left)["read"] == read


def test_killed_between_telling_and_recording_it_is_told_again(
    contained: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry(contained, "web")

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(type(contained.incidents), "change_step", killed)
        with pytest.raises(KeyboardInterrupt):
            look(contained)
    assert [look(contained)["news"] for _ in range(2)] == [1, 0]
    assert len(contained.notices.told) == 2
