"""What is special about stopping a function: no reservation is not 0, mappings that take their time, others' limits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.awslambda.models import EventSourceMapping, lambda_backends

from firebreak.actions.lambda_stop_function import SETTLING, StopFunction
from firebreak.adapters.aws import SessionClients
from firebreak.core.action import NoParameters
from firebreak.core.errors import AwsError, Conflict, PlanStale, Refused, TargetMissing
from firebreak.core.plan import Again, Done, Draft, Plan
from firebreak.core.target import LambdaFunction
from tests.contract.bench import CachedSession, bind
from tests.contract.scenes import ACCOUNT, REGION
from tests.ec2_world import cured_moto
from tests.lambda_world import NAME, function, mapping

ACTION = StopFunction()
SESSION = CachedSession()


@pytest.fixture(autouse=True)
def aws() -> Iterator[None]:
    with cured_moto():
        yield


class World:
    """A function that polls one queue, has left off polling another, and has so many executions reserved."""

    def __init__(self, reserved: int | None = None) -> None:
        self.aws = SESSION.client("lambda")
        self.clients = SessionClients(SESSION, REGION)
        self.target = LambdaFunction(account=ACCOUNT, region=REGION, name=NAME)
        function(SESSION.client)
        self.polled = mapping(SESSION.client, "polled")
        self.left = mapping(SESSION.client, "left", enabled=False)
        if reserved is not None:
            self.reserve(reserved)

    def reserve(self, executions: int) -> None:
        self.aws.put_function_concurrency(FunctionName=NAME, ReservedConcurrentExecutions=executions)

    def turn(self, uuid: str, *, on: bool) -> None:
        self.aws.update_event_source_mapping(UUID=uuid, Enabled=on)

    def draft(self) -> Draft:
        return ACTION.plan(self.clients, self.target, NoParameters())

    def plan(self) -> Plan:
        return bind(ACTION, self.draft(), self.target, NoParameters())

    @property
    def reserved(self) -> int | None:
        found: int | None = self.aws.get_function_concurrency(FunctionName=NAME).get("ReservedConcurrentExecutions")
        return found

    @property
    def states(self) -> tuple[str, str]:
        return self.state(self.polled), self.state(self.left)

    def state(self, uuid: str) -> str:
        return str(self.aws.get_event_source_mapping(UUID=uuid)["State"])


@pytest.fixture
def states(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """States of mappings by their id, in place of those that moto has them in at once."""
    told: dict[str, str] = {}
    plain = EventSourceMapping.get_configuration

    def configuration(self: EventSourceMapping) -> dict[str, Any]:
        found = plain(self)
        return {**found, "State": told.get(self.uuid, found["State"])}

    monkeypatch.setattr(EventSourceMapping, "get_configuration", configuration)
    return told


def refuse(monkeypatch: pytest.MonkeyPatch, call: str, code: str) -> None:
    """Have a call of Lambda refused as AWS does."""

    def refused(*_: Any, **__: Any) -> Any:
        raise ClientError({"Error": {"Code": code, "Message": "because"}}, call)

    monkeypatch.setattr(SESSION.client("lambda"), call, refused)


@pytest.mark.parametrize("reserved", [None, 0, 1, 250])
def test_undo_gives_back_what_was_reserved_and_nothing_reserved_is_not_0(reserved: int | None) -> None:
    world = World(reserved)
    plan = world.plan()
    assert ACTION.apply(world.clients, plan) == Done()
    assert (world.reserved, world.states) == (0, ("Disabled", "Disabled"))
    assert ACTION.undo(world.clients, plan) == Done()
    assert (world.reserved, world.states) == (reserved, ("Enabled", "Disabled"))


def test_a_plan_says_what_it_changes_and_what_may_not_come_back() -> None:
    world = World(250)
    draft = world.draft()
    assert [(change.what, change.before, change.after) for change in draft.changes] == [
        ("reserved concurrency", "250 executions reserved", "0"),
        ("polling", "Enabled", "Disabled"),
    ]
    assert any("others may reserve its 250 executions" in effect for effect in draft.effects)
    assert draft.resources == (
        f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{NAME}",
        f"arn:aws:lambda:{REGION}:{ACCOUNT}:event-source-mapping:{world.polled}",
    )


def test_a_function_that_is_stopped_already_has_no_changes() -> None:
    world = World(0)
    world.turn(world.polled, on=False)
    draft = world.draft()
    assert (draft.changes, draft.resources) == ((), ())


def test_mappings_of_an_alias_count_and_those_of_other_functions_do_not() -> None:
    world = World()
    function(SESSION.client, f"{NAME}-2")
    other = mapping(SESSION.client, "other", f"{NAME}-2")
    mappings = lambda_backends[ACCOUNT][REGION]._event_source_mappings
    mappings[world.polled].function_arn += ":live"
    ACTION.apply(world.clients, world.plan())
    assert (world.state(world.polled), world.state(other)) == ("Disabled", "Enabled")


@pytest.mark.parametrize("state", ["Creating", "Updating"])
def test_a_mapping_that_does_not_show_yet_whether_it_will_be_on_is_waited_for(
    state: str, states: dict[str, str]
) -> None:
    world = World()
    states[world.left] = state
    with pytest.raises(Conflict, match=world.left):
        world.plan()
    states.clear()
    assert world.plan().changes


@pytest.mark.parametrize(("state", "polls"), [("Enabling", True), ("Disabling", False)])
def test_a_mapping_on_its_way_is_planned_as_what_it_will_be(state: str, polls: bool, states: dict[str, str]) -> None:
    world = World()
    states[world.left] = state
    sources = {source["uuid"]: source["polls"] for source in world.draft().before["sources"]}
    assert sources == {world.polled: True, world.left: polls}


def test_a_mapping_that_is_being_deleted_is_left_alone(states: dict[str, str]) -> None:
    world = World()
    states[world.polled] = "Deleting"
    plan = world.plan()
    assert [source["uuid"] for source in plan.before["sources"]] == [world.left]
    ACTION.apply(world.clients, plan)
    states.clear()
    assert world.states == ("Enabled", "Disabled")


def test_the_function_is_throttled_although_a_mapping_takes_no_change_yet(states: dict[str, str]) -> None:
    world = World()
    plan = world.plan()
    states[world.polled] = "Enabling"
    answer = ACTION.apply(world.clients, plan)
    assert isinstance(answer, Again)
    assert (answer.after, world.reserved) == (SETTLING, 0)
    assert "Enabling" in answer.because
    states.clear()
    assert ACTION.apply(world.clients, plan) == Done()
    assert world.state(world.polled) == "Disabled"


def test_undo_waits_for_a_mapping_that_is_still_being_turned_off(states: dict[str, str]) -> None:
    world = World(5)
    plan = world.plan()
    ACTION.apply(world.clients, plan)
    states[world.polled] = "Disabling"
    assert isinstance(ACTION.undo(world.clients, plan), Again)
    assert world.reserved == 5
    states.clear()
    assert ACTION.undo(world.clients, plan) == Done()
    assert world.states == ("Enabled", "Disabled")


def test_a_mapping_that_is_still_being_turned_off_is_not_verified_yet(states: dict[str, str]) -> None:
    world = World()
    plan = world.plan()
    ACTION.apply(world.clients, plan)
    states[world.polled] = "Disabling"
    seen = ACTION.verify(world.clients, plan)
    assert (seen.ok, seen.after) == (False, SETTLING)
    states.clear()
    assert ACTION.verify(world.clients, plan).ok


@pytest.mark.parametrize("code", ["ResourceConflictException", "ResourceInUseException"])
def test_a_function_that_is_being_updated_is_tried_again(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    plan = world.plan()
    with monkeypatch.context() as busy:
        refuse(busy, "put_function_concurrency", code)
        with pytest.raises(Conflict, match="under way"):
            ACTION.apply(world.clients, plan)
    assert ACTION.apply(world.clients, plan) == Done()


def test_a_reservation_that_aws_refuses_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    plan = world.plan()
    refuse(monkeypatch, "put_function_concurrency", "InvalidParameterValueException")
    with pytest.raises(AwsError, match="because"):
        ACTION.apply(world.clients, plan)
    assert (world.reserved, world.states) == (None, ("Enabled", "Disabled"))


def test_undo_refuses_where_the_account_cannot_spare_the_executions_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_LAMBDA_CONCURRENCY_QUOTA", "1000")
    world = World(600)
    plan = world.plan()
    ACTION.apply(world.clients, plan)
    function(SESSION.client, "greedy")
    world.aws.put_function_concurrency(FunctionName="greedy", ReservedConcurrentExecutions=400)
    with pytest.raises(PlanStale, match="600 executions cannot be reserved for function orders"):
        ACTION.undo(world.clients, plan)
    assert (world.reserved, world.states) == (0, ("Disabled", "Disabled"))
    world.aws.delete_function_concurrency(FunctionName="greedy")
    assert ACTION.undo(world.clients, plan) == Done()
    assert (world.reserved, world.states) == (600, ("Enabled", "Disabled"))


def test_a_mapping_that_someone_has_turned_on_since_is_named_and_left_on() -> None:
    world = World()
    plan = world.plan()
    ACTION.apply(world.clients, plan)
    world.turn(world.left, on=True)
    assert not ACTION.verify(world.clients, plan).ok
    for phase in (ACTION.apply, ACTION.undo):
        with pytest.raises(PlanStale, match=f"{world.left} .* was off and is on"):
            phase(world.clients, plan)
    assert (world.reserved, world.states) == (0, ("Disabled", "Enabled"))


@pytest.mark.parametrize("someone", [None, 7])
def test_a_reservation_that_someone_has_changed_since_is_named_and_left(someone: int | None) -> None:
    world = World(5)
    plan = world.plan()
    ACTION.apply(world.clients, plan)
    if someone is None:
        world.aws.delete_function_concurrency(FunctionName=NAME)
    else:
        world.reserve(someone)
    said = "nothing reserved" if someone is None else "7 executions reserved"
    with pytest.raises(PlanStale, match=f"it has {said}, and had 5 executions"):
        ACTION.undo(world.clients, plan)
    assert (world.reserved, world.states) == (someone, ("Disabled", "Disabled"))


def test_a_mapping_that_is_gone_is_not_made_again_and_the_rest_is_restored() -> None:
    world = World(5)
    plan = world.plan()
    ACTION.apply(world.clients, plan)
    world.aws.delete_event_source_mapping(UUID=world.polled)
    assert ACTION.verify(world.clients, plan).ok
    answer = ACTION.undo(world.clients, plan)
    assert isinstance(answer, Done)
    assert answer.notes == (f"event source mapping {world.polled} is gone; not made again",)
    assert world.reserved == 5


@pytest.mark.parametrize("name", ["*", "orders*", "arn:aws:lambda:us-east-1:111122223333:function:orders", "a" * 141])
def test_what_is_no_name_of_a_function_is_refused(name: str) -> None:
    with pytest.raises(Refused):
        ACTION.plan(World().clients, LambdaFunction(account=ACCOUNT, region=REGION, name=name), NoParameters())


def test_a_function_that_does_not_exist_is_missing() -> None:
    with pytest.raises(TargetMissing):
        ACTION.plan(World().clients, LambdaFunction(account=ACCOUNT, region=REGION, name="gone"), NoParameters())
