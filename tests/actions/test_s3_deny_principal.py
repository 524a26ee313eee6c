"""What is special about denying a bucket: whom the statement meets, the text to the letter, what S3 does not take."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from firebreak.actions.s3_block_public_access import BlockPublicAccess
from firebreak.actions.s3_deny_principal import DenyPrincipal, Parameters
from firebreak.adapters.aws import SessionClients
from firebreak.core.action import NoParameters
from firebreak.core.bucket_policy import LIMIT, statements
from firebreak.core.buckets import unless
from firebreak.core.errors import Denied, PlanStale, Refused
from firebreak.core.model import Json
from firebreak.core.plan import Done, Draft, Plan
from firebreak.core.target import Bucket
from sandbox.judge_policies import Asked, decide
from tests.contract.bench import CachedSession, bind
from tests.contract.scenes import ACCOUNT, REGION
from tests.ec2_world import cured_moto

ACTION = DenyPrincipal()
SESSION = CachedSession()
NAME = "customers-example"
ARN = f"arn:aws:s3:::{NAME}"
SHOP = f"arn:aws:iam::{ACCOUNT}:role/team/shop"
EVERYONE = {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": [ARN, f"{ARN}/*"]}
SPACED = """{
  "Version": "2008-10-17",
  "Id": "Größe",
  "Statement": {"Effect": "Allow", "Principal": "*",
                "Action": ["s3:Get*"], "Resource": "arn:aws:s3:::customers-example/*"}
}"""


@pytest.fixture(autouse=True)
def aws() -> Iterator[None]:
    with cured_moto():
        yield


class World:
    """A bucket with a policy or none."""

    def __init__(self, policy: str | None = None, principal: str | None = None) -> None:
        self.s3 = SESSION.client("s3")
        self.clients = SessionClients(SESSION, REGION)
        self.target = Bucket(account=ACCOUNT, region=REGION, name=NAME)
        self.parameters = Parameters(principal=principal)
        self.s3.create_bucket(Bucket=NAME)
        if policy is not None:
            self.put(policy)

    def put(self, policy: str) -> None:
        self.s3.put_bucket_policy(Bucket=NAME, Policy=policy)

    def draft(self) -> Draft:
        return ACTION.plan(self.clients, self.target, self.parameters)

    def plan(self) -> Plan:
        return bind(ACTION, self.draft(), self.target, self.parameters)

    def applied(self) -> Plan:
        plan = self.plan()
        ACTION.apply(self.clients, plan)
        return plan

    @property
    def policy(self) -> str | None:
        found = unless("NoSuchBucketPolicy", lambda: self.clients.aws("s3").get_bucket_policy(Bucket=NAME))
        return None if found is None else str(found["Policy"])

    @property
    def ours(self) -> Json:
        return statements(self.policy)[-1]


def lets_in(ours: Json, **context: str) -> bool:
    keys = {name.replace("_", ":"): value for name, value in context.items()}
    return decide(Asked("s3:GetObject", f"{ARN}/report.csv", keys), [{"Statement": [EVERYONE, ours]}]).allowed


@pytest.mark.parametrize(
    ("context", "allowed"),
    [
        ({"aws_PrincipalAccount": ACCOUNT, "aws_PrincipalIsAWSService": "false"}, True),
        ({"aws_PrincipalAccount": "999999999999", "aws_PrincipalIsAWSService": "false"}, False),
        ({"aws_PrincipalIsAWSService": "true"}, True),
        ({}, False),  # anonymous
    ],
    ids=["of the account", "of another", "a service", "anonymous"],
)
def test_left_to_itself_it_denies_everyone_outside_the_account(context: dict[str, str], allowed: bool) -> None:
    world = World()
    world.applied()
    assert lets_in(world.ours, **context) == allowed


@pytest.mark.parametrize(
    ("arn", "allowed"),
    [
        (SHOP, False),
        (f"{SHOP}-2", True),
        (f"arn:aws:iam::{ACCOUNT}:role/shop", True),
        ("arn:aws:iam::999999999999:role/team/shop", True),
    ],
)
def test_a_named_principal_is_denied_and_nobody_else(arn: str, allowed: bool) -> None:
    world = World(principal=SHOP)
    world.applied()
    assert lets_in(world.ours, aws_PrincipalArn=arn) == allowed


def test_it_denies_the_bucket_and_all_that_is_in_it_to_the_bucket_alone() -> None:
    world = World()
    world.applied()
    assert (world.ours["Effect"], world.ours["Action"]) == ("Deny", "s3:*")
    assert world.ours["Resource"] == [ARN, f"{ARN}/*"]


@pytest.mark.parametrize("policy", [None, SPACED, json.dumps({"Version": "2012-10-17", "Statement": [EVERYONE]})])
@pytest.mark.parametrize("principal", [None, SHOP])
def test_undo_puts_the_policy_back_to_the_letter(policy: str | None, principal: str | None) -> None:
    world = World(policy, principal)
    plan = world.applied()
    assert statements(world.policy)[:-1] == statements(policy)
    assert ACTION.undo(world.clients, plan) == Done()
    assert world.policy == policy


def test_a_bucket_that_is_denied_already_has_no_changes_and_stays_denied() -> None:
    world = World(SPACED)
    world.applied()
    denied, plan = world.policy, world.plan()
    assert plan.changes == ()
    assert ACTION.verify(world.clients, plan).ok
    ACTION.apply(world.clients, plan)
    ACTION.undo(world.clients, plan)
    assert world.policy == denied


def test_two_statements_for_two_principals_do_not_share_a_name() -> None:
    world = World(principal=SHOP)
    world.applied()
    world.parameters = Parameters()
    world.applied()
    assert len({statement["Sid"] for statement in statements(world.policy)}) == 2


def test_what_someone_else_did_to_the_policy_since_is_named_and_kept() -> None:
    world = World(SPACED)
    plan = world.applied()
    theirs = {**EVERYONE, "Sid": "Partner"}
    world.put(json.dumps({"Version": "2008-10-17", "Statement": [*statements(world.policy), theirs]}))
    found = world.policy
    assert not ACTION.verify(world.clients, plan).ok
    with pytest.raises(PlanStale, match='statement "Partner" is new'):
        ACTION.undo(world.clients, plan)
    assert world.policy == found


def test_a_policy_that_is_spaced_otherwise_is_still_the_same() -> None:
    world = World(SPACED)
    plan = world.applied()
    world.put(json.dumps(json.loads(world.policy or ""), indent=1))
    assert ACTION.verify(world.clients, plan).ok
    assert ACTION.undo(world.clients, plan) == Done()
    assert world.policy == SPACED


@pytest.mark.parametrize(("room", "fits"), [(0, True), (-1, False)])
def test_a_policy_that_would_be_larger_than_s3_takes_is_refused(room: int, fits: bool) -> None:
    world = World()
    world.applied()
    ours = len(json.dumps(world.ours, separators=(",", ":")))
    filler = {**EVERYONE, "Sid": ""}
    frame = len(json.dumps({"Version": "2012-10-17", "Statement": [filler]}, separators=(",", ":"))) + ours + 1
    filler["Sid"] = "x" * (LIMIT - frame - room)
    world.put(json.dumps({"Version": "2012-10-17", "Statement": [filler]}))
    if fits:
        world.applied()
        assert len((world.policy or "").encode()) == LIMIT
    else:
        with pytest.raises(Refused, match=f"would have {LIMIT + 1} bytes"):
            world.plan()


def test_a_policy_that_names_someone_who_was_deleted_is_refused_with_what_to_do() -> None:
    lost = {**EVERYONE, "Principal": {"AWS": "AROACKCEVSQ6C2EXAMPLE"}}
    world = World(json.dumps({"Version": "2012-10-17", "Statement": [lost]}))
    with pytest.raises(Refused, match=r"AROACKCEVSQ6C2EXAMPLE, deleted since.*Take them out first"):
        world.plan()
    world.put(json.dumps({"Version": "2012-10-17", "Statement": [EVERYONE]}))
    assert world.plan().changes


def test_a_policy_that_s3_does_not_take_back_is_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(SPACED)
    plan = world.applied()

    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "MalformedPolicy", "Message": "Invalid principal in policy"}}, "put")

    with monkeypatch.context() as refusing:
        refusing.setattr(world.s3, "put_bucket_policy", refuse)
        with pytest.raises(PlanStale, match=r"nothing was written.*Invalid principal in policy"):
            ACTION.undo(world.clients, plan)
    assert ACTION.undo(world.clients, plan) == Done()


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("firebreak-s3-deny_principal", True),
        ("ours-observer", True),
        ("ours-prepare", True),
        ("security/ours-fn-execute", True),
        ("shop-fn", False),
        ("observer", False),
        ("team/shop", False),
    ],
)
def test_our_own_roles_are_never_denied(name: str, own: bool) -> None:
    world = World(principal=f"arn:aws:iam::{ACCOUNT}:role/{name}")
    if own:
        with pytest.raises(Refused, match="named as Firebreak names its own roles"):
            world.plan()
    else:
        assert world.plan().changes


@pytest.mark.parametrize(
    "principal",
    ["*", f"{SHOP}*", f"arn:aws:iam::{ACCOUNT}:root", f"arn:aws:sts::{ACCOUNT}:assumed-role/shop/x", ACCOUNT, ""],
)
def test_only_one_user_or_role_can_be_named(principal: str) -> None:
    with pytest.raises(ValueError, match="principal"):
        Parameters(principal=principal)


def test_a_bucket_of_another_account_is_not_touched() -> None:
    world = World()
    plan = world.plan()
    foreign = plan.model_copy(update={"target": world.target.model_copy(update={"account": "999999999999"})})
    with pytest.raises(Denied):
        ACTION.apply(world.clients, foreign)
    assert world.policy is None
    ACTION.apply(world.clients, plan)
    assert world.policy is not None


def test_denied_first_and_blocked_then_both_are_undone_in_reverse_order() -> None:
    world, block = World(SPACED), BlockPublicAccess()
    blocked = bind(block, block.plan(world.clients, world.target, NoParameters()), world.target, NoParameters())
    denied = world.applied()
    block.apply(world.clients, blocked)
    assert ACTION.verify(world.clients, denied).ok
    assert block.verify(world.clients, blocked).ok
    found = world.policy
    with pytest.raises(Denied):
        ACTION.undo(world.clients, denied)
    assert world.policy == found
    block.undo(world.clients, blocked)
    assert ACTION.undo(world.clients, denied) == Done()
    assert world.policy == SPACED


def test_a_public_policy_that_is_blocked_already_takes_no_statement_and_stays_as_it_is() -> None:
    world = World(SPACED)
    plan = world.plan()
    world.s3.put_public_access_block(Bucket=NAME, PublicAccessBlockConfiguration={"BlockPublicPolicy": True})
    with pytest.raises(Denied):
        ACTION.apply(world.clients, plan)
    assert world.policy == SPACED
    world.s3.delete_public_access_block(Bucket=NAME)
    assert ACTION.apply(world.clients, plan) == Done()
