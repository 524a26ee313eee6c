"""What is special about access keys: whose they are, which can be turned off, and that one that was off stays off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from firebreak.actions.iam_disable_access_key import DisableAccessKey
from firebreak.adapters.aws import SessionClients
from firebreak.core.action import NoParameters
from firebreak.core.errors import PlanStale, Refused, TargetMissing
from firebreak.core.plan import Done, Draft, Plan
from firebreak.core.target import GLOBAL, AccessKey
from tests.contract.bench import CachedSession, bind
from tests.contract.scenes import ACCOUNT, REGION
from tests.ec2_world import cured_moto

ACTION = DisableAccessKey()
SESSION = CachedSession()
NAME = "ana"


@pytest.fixture(autouse=True)
def aws() -> Iterator[None]:
    with cured_moto():
        yield


class World:
    """A user below a path, with two keys."""

    def __init__(self) -> None:
        self.iam = SESSION.client("iam")
        self.clients = SessionClients(SESSION, REGION)
        self.user = self.iam.create_user(UserName=NAME, Path="/builds/")["User"]
        self.key, self.other = (self.iam.create_access_key(UserName=NAME)["AccessKey"]["AccessKeyId"] for _ in range(2))

    def target(self, **fields: Any) -> AccessKey:
        named = {"access_key_id": self.key, "user_name": NAME, "principal_id": self.user["UserId"], **fields}
        return AccessKey(account=ACCOUNT, region=GLOBAL, user_type="IAMUser", **named)

    def draft(self, **fields: Any) -> Draft:
        return ACTION.plan(self.clients, self.target(**fields), NoParameters())

    def plan(self) -> Plan:
        return bind(ACTION, self.draft(), self.target(), NoParameters())

    def turn(self, status: str, key: str = "") -> None:
        self.iam.update_access_key(UserName=NAME, AccessKeyId=key or self.key, Status=status)

    @property
    def keys(self) -> dict[str, str]:
        listed = self.iam.list_access_keys(UserName=NAME)["AccessKeyMetadata"]
        return {key["AccessKeyId"]: key["Status"] for key in listed}

    def replace_user(self) -> None:
        """Delete the user, and let another one have the name."""
        for key in self.keys:
            self.iam.delete_access_key(UserName=NAME, AccessKeyId=key)
        self.iam.delete_user(UserName=NAME)
        self.iam.create_user(UserName=NAME)


def test_the_key_is_turned_off_and_on_again_and_the_other_one_is_left_alone() -> None:
    world = World()
    plan = world.plan()
    assert plan.resources == (f"arn:aws:iam::{ACCOUNT}:user/builds/{NAME}",)
    assert ACTION.apply(world.clients, plan) == Done()
    assert world.keys == {world.key: "Inactive", world.other: "Active"}
    assert ACTION.undo(world.clients, plan) == Done()
    assert world.keys == {world.key: "Active", world.other: "Active"}


def test_a_key_that_was_off_already_needs_nothing_and_is_never_turned_on() -> None:
    world = World()
    world.turn("Inactive")
    plan = world.plan()
    assert plan.changes == ()
    ACTION.undo(world.clients, plan)
    assert world.keys[world.key] == "Inactive"


def test_a_key_that_somebody_turned_on_again_fails_verification_and_undo_has_nothing_to_do() -> None:
    world = World()
    plan = world.plan()
    ACTION.apply(world.clients, plan)
    assert ACTION.verify(world.clients, plan).ok
    world.turn("Active")
    assert not ACTION.verify(world.clients, plan).ok
    assert ACTION.undo(world.clients, plan) == Done()
    assert world.keys[world.key] == "Active"


@pytest.mark.parametrize(("status", "said"), [("Active", True), ("Inactive", False)])
def test_a_plan_names_the_other_key_where_it_is_on(status: str, said: bool) -> None:
    world = World()
    world.turn(status, world.other)
    assert any(world.other in words for words in world.draft().residual) == said


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"access_key_id": "ASIAIOSFODNN7EXAMPLE"}, "of a session"),
        ({"user_name": None}, "does not say whose it is"),
        ({"user_type": "Root"}, "sign in as root"),
    ],
)
def test_what_cannot_be_turned_off_so_is_refused(fields: dict[str, Any], words: str) -> None:
    world = World()
    target = AccessKey.model_validate({**world.target().model_dump(), **fields})
    with pytest.raises(Refused, match=words):
        ACTION.plan(world.clients, target, NoParameters())


def test_a_key_that_has_expired_is_refused_before_and_stale_after() -> None:
    world = World()
    plan = world.plan()
    world.turn("Expired")
    with pytest.raises(Refused, match="has expired"):
        world.draft()
    for phase in (ACTION.apply, ACTION.undo):
        with pytest.raises(PlanStale, match="is Expired, and was Active"):
            phase(world.clients, plan)
    assert world.keys[world.key] == "Expired"


def test_a_key_or_user_that_is_not_there_is_missing() -> None:
    world = World()
    for fields in ({"access_key_id": "AKIAIOSFODNN7EXAMPLE"}, {"user_name": "nobody"}):
        with pytest.raises(TargetMissing):
            world.draft(**fields)


def test_another_user_who_got_the_name_is_left_alone() -> None:
    world = World()
    plan, target = world.plan(), world.target()
    world.replace_user()
    with pytest.raises(TargetMissing, match="another one by now"):
        ACTION.plan(world.clients, target, NoParameters())
    for phase in (ACTION.apply, ACTION.undo, ACTION.verify):
        with pytest.raises(TargetMissing, match="another user has the name now"):
            phase(world.clients, plan)
    assert world.draft(principal_id=None, access_key_id=_key(world)).changes


def _key(world: World) -> str:
    return str(world.iam.create_access_key(UserName=NAME)["AccessKey"]["AccessKeyId"])
