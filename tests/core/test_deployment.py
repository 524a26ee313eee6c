"""The settings of a deployment: careful defaults, and no way to write down what cannot work."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from firebreak.core.deployment import CURRENT, Deployment
from firebreak.core.guard_rails import MODES, EnvironmentTag, GuardRails, effective_mode
from firebreak.core.people import ApproverRule, Person

ADA = {"name": "ada", "slack": "U012AB3CD", "iam": "arn:aws:iam::111122223333:user/ada"}
GRACE = {"name": "grace", "iam": "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Security_*/grace@example.com"}
SLACK = {"channel": "C012AB3CD", "team": "T012AB3CD", "app": "A012AB3CD"}
ABROAD = {"account": "444455556666", "regions": ["eu-west-1"], "external_id": "choose-one"}
HOME = {"account": "111122223333", "region": "eu-central-1"}


def deployment(**members: Any) -> Deployment:
    return Deployment.model_validate(members)


def refusal(**members: Any) -> tuple[tuple[str | int, ...], str]:
    """Return where and why settings are refused."""
    with pytest.raises(ValidationError) as caught:
        deployment(**members)
    (mistake,) = caught.value.errors()
    error = mistake.get("ctx", {}).get("error")
    return (*mistake["loc"], *getattr(error, "path", ())), str(error or mistake["msg"])


def test_without_a_word_nothing_is_changed_and_home_alone_is_watched() -> None:
    plain = Deployment()
    assert plain.mode == "observe"
    assert [(member.account, member.regions) for member in plain.watched] == [(CURRENT, (CURRENT,))]
    assert plain.detection.detector == "existing"
    assert plain.guard.protected_tags == {"firebreak:protected": ("*",)}
    assert plain.guard.targets_per_finding == 3


def test_settings_come_back_from_their_json_as_they_were() -> None:
    full = deployment(
        home=HOME,
        members=[{"account": 111122223333}, ABROAD],
        clusters=[{"name": "shop", "account": "444455556666", "region": "eu-west-1"}],
        mode="auto",
        people=[ADA, GRACE],
        approvers=[{"people": ["ada", "grace"], "quorum": 2}],
        slack=SLACK,
        guard={"budgets": {"ec2.isolate_instance": 5}},
    )
    assert Deployment.model_validate_json(full.model_dump_json()) == full


@pytest.mark.parametrize("ceiling", MODES)
@pytest.mark.parametrize("wish", [*MODES, None, "AUTO", "", "off"])
def test_the_table_can_only_tighten_the_mode(ceiling: Any, wish: str | None) -> None:
    found = effective_mode(ceiling, wish)
    assert MODES.index(found) <= MODES.index(ceiling)
    if wish in MODES:
        assert MODES.index(found) <= MODES.index(wish)
        assert found in (wish, ceiling)


def test_a_word_that_is_no_mode_is_the_tightest_and_no_word_is_none() -> None:
    assert effective_mode("auto", "autopilot") == "observe"
    assert effective_mode("auto", None) == "auto"


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"environment": "production"}, "production"),
        ({"Environment": "PROD"}, "production"),
        ({"environment": "dev"}, "other"),
        ({"environment": "staging"}, "unknown"),
        ({"environment": ""}, "unknown"),
        ({}, "unknown"),
        ({"env": "dev"}, "unknown"),
        ({"environment": "dev", "Environment": "prod"}, "production"),
        ({"environment": "dev", "ENVIRONMENT": "test"}, "other"),
        ({"environment": "dev", "Environment": "staging"}, "unknown"),
    ],
)
def test_tags_tell_the_environment_and_the_graver_of_two_counts(tags: dict[str, str], expected: str) -> None:
    assert EnvironmentTag().of(tags) == expected


@given(st.dictionaries(st.text(max_size=12), st.text(max_size=12), max_size=4))
def test_what_tags_do_not_say_is_never_taken_for_harmless(tags: dict[str, str]) -> None:
    named = {value.casefold() for key, value in tags.items() if key.casefold() == "environment"}
    if EnvironmentTag().of(tags) == "other":
        assert named
        assert named <= {"development", "dev", "test", "sandbox"}


def test_a_value_cannot_mean_both_environments() -> None:
    where, why = refusal(environment={"production": ["prod", "Blue"], "other": "blue"})
    assert where == ("environment", "other")
    assert "blue" in why


@pytest.mark.parametrize(
    ("members", "where", "why"),
    [
        ({"members": [ABROAD]}, ("members", 0, "account"), "home.account"),
        (
            {"home": HOME, "members": [ABROAD | {"external_id": None}]},
            ("members", 0),
            "needs an external_id",
        ),
        ({"home": HOME, "members": [ABROAD, ABROAD]}, ("members", 1, "account"), "listed twice"),
        (
            {"home": HOME, "members": [{"account": CURRENT}, {"account": "111122223333"}]},
            ("members", 1, "account"),
            "listed twice",
        ),
        (
            {"home": HOME, "clusters": [{"name": "shop", "account": "444455556666"}]},
            ("clusters", 0),
            "no member covers",
        ),
        ({"clusters": [{"name": "shop", "region": "eu-west-1"}]}, ("clusters", 0), "no member covers"),
        (
            {"home": HOME, "clusters": [{"name": "shop"}, {"name": "shop", "region": "eu-central-1"}]},
            ("clusters", 1),
            "listed twice",
        ),
    ],
)
def test_accounts_and_clusters_fit_together(members: dict[str, Any], where: Any, why: str) -> None:
    found, said = refusal(**members)
    assert found == where
    assert why in said


@pytest.mark.parametrize(
    "members",
    [
        {"home": HOME, "members": [ABROAD]},
        {"home": HOME, "members": [{"account": CURRENT, "regions": "current"}, ABROAD]},
        {"home": HOME, "clusters": [{"name": "shop"}, {"name": "shop2", "account": "111122223333"}]},
        {"members": [{"regions": ["current", "us-east-1"]}], "clusters": [{"name": "shop", "region": "us-east-1"}]},
    ],
)
def test_accounts_and_clusters_that_fit_are_taken(members: dict[str, Any]) -> None:
    assert deployment(**members).watched


@pytest.mark.parametrize(
    ("mode", "approvers", "taken"),
    [
        ("observe", [], True),
        ("approve", [], False),
        ("auto", [], False),
        ("auto", [{"people": ["ada"]}], True),
        ("auto", [{"people": ["ada"], "effects": ["collect", "reversible"]}], False),
        ("auto", [{"people": ["ada"], "environments": "production"}], False),
        ("auto", [{"people": ["ada"], "environments": e} for e in ("production", "other")], True),
        ("auto", [{"people": ["ada"], "environments": e} for e in ("unknown", "other")], False),
        ("auto", [{"people": ["ada"], "quorum": 2}], False),
        ("auto", [{"people": ["ada", "ada"], "quorum": 2}], False),
        ("auto", [{"people": ["ada", "grace"], "quorum": 2}], True),
        ("auto", [{"people": "ada", "quorum": 2}, {"people": "grace", "environments": "production"}], False),
    ],
)
def test_whoever_can_be_asked_can_be_answered_for(mode: str, approvers: list[Any], taken: bool) -> None:
    members = {"mode": mode, "people": [ADA, GRACE], "approvers": approvers, "slack": SLACK}
    if taken:
        assert deployment(**members).mode == mode
    else:
        where, why = refusal(**members)
        assert where == (("approvers",) if approvers else ("mode",))
        assert "name more approvers" in why


@pytest.mark.parametrize(
    ("person", "slack", "why"),
    [
        (ADA, SLACK, None),
        (ADA | {"iam": []}, SLACK, None),
        (ADA | {"iam": []}, None, "no way to answer"),
        (ADA | {"slack": None}, None, None),
        ({"name": "ada"}, SLACK, "no way to answer"),
        ({"name": "eda"} | GRACE, SLACK, "not listed under people"),
    ],
)
def test_an_approver_exists_and_can_answer(person: Any, slack: Any, why: str | None) -> None:
    members = {"people": [person], "approvers": [{"people": ["ada"]}], "slack": slack}
    if why is None:
        assert deployment(**members).approvers
    else:
        where, said = refusal(**members)
        assert where == ("approvers", 0, "people")
        assert why in said


@pytest.mark.parametrize(
    ("other", "member"),
    [
        ({"name": "ada", "slack": "U999999"}, "name"),
        ({"name": "eve", "slack": "U012AB3CD"}, "slack"),
        ({"name": "eve", "iam": ADA["iam"]}, "iam"),
    ],
)
def test_one_human_is_one_person(other: dict[str, Any], member: str) -> None:
    where, why = refusal(people=[ADA, other])
    assert where == ("people", 1, member)
    assert "one human is one person" in why


def test_role_globs_that_overlap_are_one_person_too() -> None:
    wide = GRACE | {"iam": "arn:aws:sts::111122223333:assumed-role/*/grace@example.com"}
    assert refusal(people=[GRACE, wide | {"name": "eve"}])[0] == ("people", 1, "iam")
    apart = "arn:aws:sts::111122223333:assumed-role/*/eve@example.com"
    assert deployment(people=[GRACE, {"name": "eve", "iam": apart}]).people


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:iam::111122223333:role/Security",
        "arn:aws:sts::111122223333:assumed-role/Security",
        "arn:aws:sts::111122223333:assumed-role/Security/*",
        "arn:aws:sts::111122223333:assumed-role/Security/ada?",
        "arn:aws:sts::*:assumed-role/Security/ada",
        "arn:aws:iam::111122223333:user/*",
        "arn:aws:iam::111122223333:root",
        "*",
        "",
        "arn:aws:iam::111122223333:user/ada\n",
    ],
)
def test_an_arn_that_could_be_more_than_one_person_is_refused(arn: str) -> None:
    assert Person(name="ada", iam=("arn:aws-us-gov:iam::111122223333:user/team/ada",))
    with pytest.raises(ValidationError):
        Person(name="ada", iam=(arn,))


@pytest.mark.parametrize(
    "member",
    [
        {"prefix": "Firebreak"},
        {"prefix": "a" * 21},
        {"prefix": "a--b"},
        {"prefix": ""},
        {"prefix": "aws-response"},
        {"prefix": "ssm"},
        {"mode": "AUTO"},
        {"home": {"account": "1111"}},
        {"home": {"region": "Frankfurt"}},
        {"slack": SLACK | {"channel": "#security"}},
        {"people": [{"name": "-"}]},
        {"approval": {"expire_after_minutes": 0}},
        {"guard": {"targets_per_finding": -1}},
        {"guard": {"protected_tags": {"keep": []}}},
        {"retention": {"logs": 91}},
        {"bulk_executions": 0},
        {"notice_emails": "nobody"},
        {"colour": "red"},
        {"guard": {"colour": "red"}},
    ],
)
def test_what_cannot_work_is_refused(member: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        deployment(**member)


def test_an_unknown_environment_is_answered_for_by_those_of_production() -> None:
    rule = ApproverRule(people=("ada",), environments=("production",))
    assert rule.applies("reversible", "unknown")
    assert not rule.applies("reversible", "other")
    assert not ApproverRule(people=("ada",), effects=("collect",)).applies("reversible", "production")


def test_an_action_has_its_own_budget_or_the_common_one() -> None:
    rails = GuardRails(actions_per_hour=7, budgets={"ec2.isolate_instance": 0})
    assert (rails.budget("ec2.isolate_instance"), rails.budget("eks.cordon_node")) == (0, 7)
