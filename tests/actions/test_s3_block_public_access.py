"""What is special about the public access block: no block is not four flags off, and whose bucket it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product

import pytest

from firebreak.actions.s3_block_public_access import BLOCKED, FLAGS, BlockPublicAccess, Flags
from firebreak.adapters.aws import SessionClients
from firebreak.core.action import NoParameters
from firebreak.core.buckets import unless
from firebreak.core.errors import Denied, PlanStale, Refused
from firebreak.core.plan import Done, Draft, Plan
from firebreak.core.target import Bucket
from tests.contract.bench import CachedSession, bind
from tests.contract.scenes import ACCOUNT, REGION
from tests.ec2_world import cured_moto

ACTION = BlockPublicAccess()
SESSION = CachedSession()
NAME = "customers-example"
ARN = f"arn:aws:s3:::{NAME}"
EVERY = [dict(zip(FLAGS, values, strict=True)) for values in product((False, True), repeat=4)]
OFF, HALF = EVERY[0], EVERY[5]


@pytest.fixture(autouse=True)
def aws() -> Iterator[None]:
    with cured_moto():
        yield


class World:
    """A bucket with a block or none."""

    def __init__(self, flags: Flags | None = None) -> None:
        self.s3 = SESSION.client("s3")
        self.clients = SessionClients(SESSION, REGION)
        self.target = Bucket(account=ACCOUNT, region=REGION, name=NAME)
        self.s3.create_bucket(Bucket=NAME)
        if flags is not None:
            self.put(flags)

    def put(self, flags: Flags) -> None:
        self.s3.put_public_access_block(Bucket=NAME, PublicAccessBlockConfiguration=flags)

    def policy(self, principal: object) -> None:
        statement = {"Effect": "Allow", "Principal": principal, "Action": "s3:GetObject", "Resource": f"{ARN}/*"}
        self.s3.put_bucket_policy(Bucket=NAME, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))

    def draft(self) -> Draft:
        return ACTION.plan(self.clients, self.target, NoParameters())

    def plan(self) -> Plan:
        return bind(ACTION, self.draft(), self.target, NoParameters())

    @property
    def flags(self) -> Flags | None:
        answer = unless(
            "NoSuchPublicAccessBlockConfiguration",
            lambda: self.clients.aws("s3").get_public_access_block(Bucket=NAME),
        )
        flags: Flags | None = answer and answer["PublicAccessBlockConfiguration"]
        return flags


@pytest.mark.parametrize("flags", [None, *EVERY[:-1]], ids=str)
def test_undo_gives_back_any_block_or_none(flags: Flags | None) -> None:
    world = World(flags)
    plan = world.plan()
    assert ACTION.apply(world.clients, plan) == Done()
    assert world.flags == BLOCKED
    assert ACTION.undo(world.clients, plan) == Done()
    assert world.flags == flags


def test_a_bucket_that_is_blocked_already_has_no_changes_and_stays_blocked() -> None:
    world = World(BLOCKED)
    plan = world.plan()
    assert (plan.changes, plan.effects) == ((), ())
    ACTION.undo(world.clients, plan)
    assert world.flags == BLOCKED


def test_a_plan_names_each_flag_that_it_turns_on() -> None:
    changes = World(HALF).draft().changes
    assert {change.what: (change.before, change.after) for change in changes} == {
        "BlockPublicAcls": ("off", "on"),
        "BlockPublicPolicy": ("off", "on"),
    }
    assert [flag for flag in FLAGS if not HALF[flag]] == [change.what for change in changes]


def test_no_block_is_said_to_be_not_set() -> None:
    assert [change.before for change in World().draft().changes] == ["not set"] * 4


@pytest.mark.parametrize("someone", [None, OFF, HALF], ids=str)
def test_what_someone_else_did_since_is_named_and_left_as_it_is(someone: Flags | None) -> None:
    world = World({**BLOCKED, "IgnorePublicAcls": False})
    plan = world.plan()
    ACTION.apply(world.clients, plan)
    if someone is None:
        world.s3.delete_public_access_block(Bucket=NAME)
    else:
        world.put(someone)
    found = "no public access block" if someone is None else "BlockPublicAcls off"
    for phase in (ACTION.apply, ACTION.undo):
        with pytest.raises(PlanStale, match=f"{NAME}: {found}.*IgnorePublicAcls off"):
            phase(world.clients, plan)
    assert world.flags == someone


def test_whoever_lifts_the_block_again_fails_verification() -> None:
    world = World()
    plan = world.plan()
    ACTION.apply(world.clients, plan)
    assert ACTION.verify(world.clients, plan).ok
    world.put({**BLOCKED, "RestrictPublicBuckets": False})
    seen = ACTION.verify(world.clients, plan)
    assert not seen.ok
    assert "RestrictPublicBuckets off" in seen.saw[0]


@pytest.mark.parametrize(
    ("principal", "public"), [("*", True), ({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, False), (None, False)], ids=str
)
def test_a_plan_says_whether_the_policy_is_public_now(principal: object, public: bool) -> None:
    world = World()
    if principal:
        world.policy(principal)
    effects = world.draft().effects
    assert any("its policy is public" in effect for effect in effects) == public
    assert ("neither its policy nor its own ACL is public now" in effects) != public


@pytest.mark.parametrize(
    ("acl", "lost"),
    [
        ("private", []),
        ("public-read", ["its ACL gives AllUsers READ, which is lost"]),
        ("authenticated-read", ["its ACL gives AuthenticatedUsers READ, which is lost"]),
    ],
)
def test_a_plan_says_what_the_acl_gives_away(acl: str, lost: list[str]) -> None:
    world = World()
    world.s3.put_bucket_acl(Bucket=NAME, ACL=acl)
    assert [effect for effect in world.draft().effects if "its ACL gives" in effect] == lost


def test_policy_and_acl_stay_as_they_are() -> None:
    world = World()
    world.policy("*")
    world.s3.put_bucket_acl(Bucket=NAME, ACL="public-read")

    def kept() -> object:
        return world.s3.get_bucket_policy(Bucket=NAME)["Policy"], world.s3.get_bucket_acl(Bucket=NAME)["Grants"]

    before, plan = kept(), world.plan()
    ACTION.apply(world.clients, plan)
    assert kept() == before


def test_a_bucket_of_another_account_is_not_touched() -> None:
    world = World()
    plan = world.plan()
    foreign = plan.model_copy(update={"target": world.target.model_copy(update={"account": "999999999999"})})
    for phase in (ACTION.apply, ACTION.undo, ACTION.verify):
        with pytest.raises(Denied):
            phase(world.clients, foreign)
    assert world.flags is None
    ACTION.apply(world.clients, plan)
    assert world.flags == BLOCKED


@pytest.mark.parametrize("name", ["*", "customers-*", "a/b", "arn:aws:s3:::x", "fast--use1-az4--x-s3"])
def test_what_is_no_bucket_that_can_be_public_is_refused(name: str) -> None:
    with pytest.raises(Refused):
        ACTION.plan(World().clients, Bucket(account=ACCOUNT, region=REGION, name=name), NoParameters())
