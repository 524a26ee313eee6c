"""Who may answer, read from the settings as synth writes them."""

from __future__ import annotations

from itertools import product
from typing import Any, get_args

import pytest

from firebreak.core.action import Effect
from firebreak.core.approvers import Approvers
from firebreak.core.deployment import Deployment
from firebreak.core.errors import SettingsError
from firebreak.core.people import ApproverRule
from firebreak.core.playbook import Environment
from tests.approvals import ANA, APP, DEPLOYMENT, ROLE, TEAM
from tests.world import ACCOUNT

APPROVERS = Approvers.read(DEPLOYMENT.model_dump(mode="json"))
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_Security_0123456789abcdef"


@pytest.mark.parametrize(
    ("arn", "person"),
    [
        (f"arn:aws:iam::{ACCOUNT}:user/ana", "ana"),
        (f"{SESSION}/ben", "ben"),
        (f"arn:aws:iam::{ACCOUNT}:user/Ana", None),
        (f"arn:aws:iam::{ACCOUNT}:user/x/ana", None),
        ("arn:aws:iam::999999999999:user/ana", None),
        (f"arn:aws:iam::{ACCOUNT}:root", None),
        (f"{SESSION}/carl", None),
        (f"{SESSION}/x/ben", None),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_Security_0/carl/ben", None),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/Other/ben", None),
        (f"arn:aws:sts::999999999999:assumed-role/AWSReservedSSO_Security_0/ben", None),  # noqa: F541
        (f"arn:aws:sts::{ACCOUNT}:federated-user/ben", None),
        (ROLE, "ben"),
        ("", None),
    ],
)
def test_a_caller_is_the_person_whose_arn_it_is(arn: str, person: str | None) -> None:
    assert APPROVERS.caller(arn) == person


def test_a_caller_who_could_be_two_people_is_nobody() -> None:
    people = [
        {"name": name, "iam": [ROLE.replace("Security", glob)]} for name, glob in (("ben", "Sec*"), ("ada", "*y"))
    ]
    assert Approvers.read({"people": people[:1]}).caller(f"{SESSION}/ben") == "ben"
    assert Approvers.read({"people": people}).caller(f"{SESSION}/ben") is None


@pytest.mark.parametrize(
    ("slack", "request_", "ours"),
    [
        ({}, (APP, TEAM, None), True),
        ({}, (APP, TEAM, "E0ANY"), True),
        ({}, ("A0OTHER", TEAM, None), False),
        ({}, (APP, "T0OTHER", None), False),
        ({}, (APP, None, None), False),
        ({}, (APP, None, "E0ORG"), False),
        ({"enterprise": "E0ORG"}, (APP, None, "E0ORG"), True),
        ({"enterprise": "E0ORG"}, (APP, None, "E0OTHER"), False),
        ({"enterprise": "E0ORG"}, (APP, "T0OTHER", "E0ORG"), False),
        (None, (APP, TEAM, None), False),
        (None, ("", "", ""), False),
    ],
)
def test_only_our_app_in_our_workspace_is_listened_to(slack: Any, request_: Any, ours: bool) -> None:
    settings = DEPLOYMENT.model_dump(mode="json")
    settings["slack"] = None if slack is None else {**settings["slack"], **slack}
    assert Approvers.read(settings).from_slack(*request_) is ours


def test_rules_hold_as_the_settings_say_for_every_effect_and_environment() -> None:
    shapes: list[dict[str, Any]] = [
        {"people": ["ana"]},
        {"people": ["ben"], "effects": ["destructive"], "quorum": 2},
        {"people": ["eve"], "environments": ["other"]},
        {"people": ["dan"], "effects": ["collect"], "environments": ["production"]},
    ]
    rules = [ApproverRule.model_validate(shape) for shape in shapes]
    # as synth dumps them, and with every default left out
    for written in ([rule.model_dump(mode="json") for rule in rules], shapes):
        approvers = Approvers.read({"approvers": written})
        for effect, environment in product(get_args(Effect), get_args(Environment)):
            holding = [rule for rule in rules if rule.applies(effect, environment)]
            assert approvers.may(effect, environment) == {person for rule in holding for person in rule.people}
            assert approvers.quorum(effect, environment) == max((rule.quorum for rule in holding), default=1)


def test_nobody_may_answer_where_no_rule_says_so() -> None:
    assert Approvers.read({}).may("reversible", "other") == frozenset()
    assert Approvers.read(Deployment().model_dump(mode="json")).may("collect", "production") == frozenset()
    assert Approvers.read({}).member(ANA) is None
    assert APPROVERS.member(ANA) == "ana"
    assert APPROVERS.member("U0NOBODY") is None


@pytest.mark.parametrize(
    "settings", [{"people": [{"slack": "U0"}]}, {"approvers": [{}]}, {"slack": "x"}, {"people": 7}, {"people": ["x"]}]
)
def test_settings_that_cannot_be_read_are_an_error_and_never_everyone(settings: Any) -> None:
    with pytest.raises(SettingsError):
        Approvers.read(settings)
