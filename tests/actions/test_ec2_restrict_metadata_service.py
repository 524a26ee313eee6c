"""What is special about the metadata service: what is left alone, what stays possible, and when it is in force."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.backends import get_backend

from firebreak.actions.ec2_restrict_metadata_service import Parameters, Reach, RestrictMetadataService, _wanted
from firebreak.adapters.aws import SessionClients
from firebreak.core.errors import PlanStale, TargetMissing
from firebreak.core.plan import Done, Plan
from firebreak.core.target import Instance
from tests.contract.bench import CachedSession, bind
from tests.contract.scenes import ACCOUNT, REGION
from tests.ec2_world import cured_moto, group, launch, vpc

ACTION = RestrictMetadataService()
SESSION = CachedSession()
OPEN = {"HttpTokens": "optional", "HttpPutResponseHopLimit": 3, "HttpProtocolIpv6": "enabled"}
REACHES = st.builds(Reach, endpoint=st.sampled_from(("enabled", "disabled")), hop_limit=st.integers(1, 64))
PARAMETERS = st.builds(Parameters, hop_limit=st.integers(1, 64), turn_off=st.booleans())


@pytest.fixture(autouse=True)
def aws() -> Iterator[None]:
    with cured_moto():
        yield


class World:
    """An instance with options of the metadata service."""

    def __init__(self, **options: Any) -> None:
        self.ec2 = SESSION.client("ec2")
        self.clients = SessionClients(SESSION, REGION)
        home, subnet = vpc(self.ec2)
        self.instance, _ = launch(self.ec2, subnet, [group(self.ec2, home, "web")], MetadataOptions=OPEN | options)
        self.target = Instance(account=ACCOUNT, region=REGION, instance_id=self.instance)

    def plan(self, **parameters: Any) -> Plan:
        given = Parameters(**parameters)
        return bind(ACTION, ACTION.plan(self.clients, self.target, given), self.target, given)

    def set(self, **options: Any) -> None:
        self.ec2.modify_instance_metadata_options(InstanceId=self.instance, **options)

    @property
    def options(self) -> dict[str, Any]:
        found = self.ec2.describe_instances(InstanceIds=[self.instance])["Reservations"][0]["Instances"][0]
        return dict(found["MetadataOptions"])


@pytest.mark.parametrize(
    ("parameters", "changed"),
    [
        ({}, {"HttpPutResponseHopLimit": 1}),
        ({"hop_limit": 2}, {"HttpPutResponseHopLimit": 2}),
        ({"turn_off": True}, {"HttpEndpoint": "disabled"}),
    ],
)
def test_one_option_changes_the_others_stay_and_undo_sets_it_back(
    parameters: dict[str, Any], changed: dict[str, Any]
) -> None:
    world = World()
    before = world.options
    plan = world.plan(**parameters)
    assert ACTION.apply(world.clients, plan) == Done()
    assert world.options == before | changed
    assert ACTION.verify(world.clients, plan).ok
    assert ACTION.undo(world.clients, plan) == Done()
    assert world.options == before


@pytest.mark.parametrize(
    ("options", "parameters"),
    [
        ({"HttpPutResponseHopLimit": 1}, {}),
        ({"HttpPutResponseHopLimit": 2}, {"hop_limit": 5}),
        ({"HttpEndpoint": "disabled"}, {}),
        ({"HttpEndpoint": "disabled"}, {"turn_off": True}),
    ],
)
def test_what_is_as_tight_already_needs_nothing(options: dict[str, Any], parameters: dict[str, Any]) -> None:
    assert World(**options).plan(**parameters).changes == ()
    assert World().plan(**parameters).changes or parameters == {"hop_limit": 5}


@given(REACHES, PARAMETERS)
def test_nothing_is_ever_loosened(found: Reach, parameters: Parameters) -> None:
    wanted = _wanted(found, parameters)
    assert wanted.hop_limit <= found.hop_limit
    assert (found.endpoint, wanted.endpoint) != ("disabled", "enabled")
    assert _wanted(wanted, parameters) == wanted


def test_a_change_that_is_not_in_force_yet_is_not_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    plan = world.plan()
    ACTION.apply(world.clients, plan)
    assert ACTION.verify(world.clients, plan).ok
    backend = get_backend("ec2")[ACCOUNT][REGION]
    backend.get_instance(world.instance).metadata_options.state = "pending"  # moto has it in force at once
    said = ACTION.verify(world.clients, plan)
    assert (said.ok, said.saw) == (
        False, (f"metadata service of {world.instance}: on, answers go 1 hops, not in force yet",),
    )  # fmt: skip


def test_other_options_may_change_meanwhile_and_stay_as_they_became() -> None:
    world = World()
    plan = world.plan()
    ACTION.apply(world.clients, plan)
    world.set(HttpTokens="required")
    assert ACTION.undo(world.clients, plan) == Done()
    assert (world.options["HttpTokens"], world.options["HttpPutResponseHopLimit"]) == ("required", 3)


def test_a_limit_that_somebody_else_set_is_neither_overwritten_nor_undone() -> None:
    world = World()
    plan = world.plan()
    world.set(HttpPutResponseHopLimit=5)
    with pytest.raises(PlanStale, match="answers go 5 hops"):
        ACTION.apply(world.clients, plan)
    world.set(HttpPutResponseHopLimit=3)
    ACTION.apply(world.clients, plan)
    world.set(HttpPutResponseHopLimit=5)
    with pytest.raises(PlanStale, match="Someone else changed it"):
        ACTION.undo(world.clients, plan)
    assert world.options["HttpPutResponseHopLimit"] == 5


def test_people_are_told_who_loses_credentials_and_who_keeps_them() -> None:
    tight = World(HttpTokens="required").plan()
    assert any("containers in its network, are still answered" in said for said in tight.residual)
    assert not any("without a token" in said for said in tight.residual)
    assert any("without a token" in said for said in World().plan().residual)
    off = World().plan(turn_off=True)
    assert any("Systems Manager agent included" in said for said in off.effects)
    assert off.residual == ("credentials that were got before stay valid until they expire, some hours",)


def test_an_instance_that_is_gone_is_said_to_be_gone() -> None:
    world = World()
    plan = world.plan()
    world.ec2.terminate_instances(InstanceIds=[world.instance])
    for verb in (ACTION.apply, ACTION.verify, ACTION.undo):
        with pytest.raises(TargetMissing, match="terminated"):
            verb(world.clients, plan)
