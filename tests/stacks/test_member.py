"""The member stack: each role is exactly what its unit declares, for the functions that need it and no one else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam

from firebreak.core.grant import Grant, Permission
from firebreak.core.registry import actions, enrichers
from stacks.grants import protection, statements
from stacks.prepare import PREPARE
from tests.stacks.conftest import EXTERNAL_ID, MEMBER, SECURITY
from tests.stacks.iam import allowed
from tests.stacks.template import Template, listed, text

REGIONS = {"firebreak-member": ("eu-west-1", "us-east-1"), f"firebreak-member-{MEMBER}": ("eu-west-1",)}


def atoms(found: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    """Return statements as (action, resource, conditions)."""
    return {
        (action, text(resource), json.dumps(_plain(statement.get("Condition", {})), sort_keys=True))
        for statement in found
        if statement["Effect"] == "Allow"
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    }


def declared(permissions: tuple[Permission, ...], regions: tuple[str, ...]) -> set[tuple[str, str, str]]:
    """Return declarations in the same form."""

    def placed(template: str, region: str) -> str:
        words = {"{partition}": "<AWS::Partition>", "{account}": "<AWS::AccountId>", "{region}": region}
        for word, value in words.items():
            template = template.replace(word, value)
        return template

    return {
        (grant.action, placed(arn, region), placed(json.dumps(grant.conditions, sort_keys=True), "<AWS::Region>"))
        for grant in permissions
        if isinstance(grant, Grant)
        for arn in grant.resources
        for region in regions
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict) and not {"Ref", "Fn::Join", "Fn::GetAtt"} & value.keys():
        return {key: _plain(member) for key, member in value.items()}
    return [_plain(member) for member in value] if isinstance(value, list) else text(value)


@pytest.mark.parametrize("stack", REGIONS)
@pytest.mark.parametrize("name", sorted(actions()))
def test_an_actions_role_is_exactly_what_the_action_declares(
    estate: Mapping[str, Template], stack: str, name: str
) -> None:
    action = actions()[name]
    found = estate[stack].role_statements(f"firebreak-{name.replace('.', '-')}")
    assert atoms(found) == declared((*action.reads, *action.writes, *action.collects), REGIONS[stack])


@pytest.mark.parametrize("stack", REGIONS)
def test_the_observer_reads_what_any_unit_reads_and_nothing_else(estate: Mapping[str, Template], stack: str) -> None:
    reads = tuple(read for unit in actions().values() for read in unit.reads)
    reads += tuple(read for enricher in enrichers().values() for read in enricher.reads)
    found = atoms(estate[stack].role_statements("firebreak-observer"))
    assert found == declared(reads, REGIONS[stack])
    collected = {grant.action for unit in actions().values() for grant in unit.collects if isinstance(grant, Grant)} - {
        grant.action for grant in reads if isinstance(grant, Grant)
    }
    assert not {action for action, _, _ in found} & collected
    assert all(action.split(":")[1].startswith(("Describe", "Get", "List")) for action, _, _ in found)


@pytest.mark.parametrize("stack", REGIONS)
def test_there_is_a_role_for_each_action_and_no_other(estate: Mapping[str, Template], stack: str) -> None:
    names = {role["RoleName"] for role in estate[stack].all("AWS::IAM::Role").values()}
    assert names == {"firebreak-observer", "firebreak-prepare"} | {
        f"firebreak-{name.replace('.', '-')}" for name in actions()
    }
    assert all(len(name) <= 64 for name in names)


def test_no_role_is_named_after_a_region(estate: Mapping[str, Template]) -> None:
    """IAM is global: what is made in one region would be there already in the next."""
    members = [template for name, template in estate.items() if name.startswith("firebreak-member")]
    assert len(members) == 2
    for template in members:
        assert not [
            role for role in template.all("AWS::IAM::Role").values() if "<AWS::Region>" in str(role["RoleName"])
        ]


def assume(role: dict[str, Any], template: Template, principal: str, external_id: str | None) -> bool:
    """Tell whether a principal of the security account may assume a role."""
    values = {
        f"<{name}>": parameter["Default"]
        for name, parameter in template.body["Parameters"].items()
        if name in ("SecurityAccount", "ExternalId")
    } | {"<AWS::Partition>": "aws"}

    def filled(value: Any) -> Any:
        if isinstance(value, dict) and not {"Ref", "Fn::Join", "Fn::GetAtt"} & value.keys():
            return {key: filled(member) for key, member in value.items()}
        if isinstance(value, list):
            return [filled(member) for member in value]
        words = text(value)
        for name, word in values.items():
            words = words.replace(name, word)
        return words

    trusted = [filled({**one, "Resource": "*"}) for one in role["AssumeRolePolicyDocument"]["Statement"]]
    account = principal.split(":")[4]
    if trusted[0]["Principal"]["AWS"] != f"arn:aws:iam::{account}:root":
        return False
    context = {"aws:PrincipalArn": principal} | ({"sts:ExternalId": external_id} if external_id else {})
    return allowed(trusted, "sts:AssumeRole", "*", context)


def test_a_role_trusts_the_functions_that_need_it(estate: Mapping[str, Template]) -> None:
    template = estate[f"firebreak-member-{MEMBER}"]
    wanted = {"firebreak-observer": {"plan", "sweep"}, "firebreak-prepare": {"prepare"}}
    for role in template.all("AWS::IAM::Role").values():
        words = wanted.get(role["RoleName"], {"execute"})
        for word in ("plan", "sweep", "prepare", "execute", "execute-destructive", "triage", "answer"):
            principal = f"arn:aws:iam::{SECURITY}:role/firebreak-fn-{word}"
            assert assume(role, template, principal, EXTERNAL_ID) == (word in words), (role["RoleName"], word)


@pytest.mark.parametrize(
    ("principal", "external_id", "may"),
    [
        (f"arn:aws:iam::{SECURITY}:role/firebreak-fn-plan", EXTERNAL_ID, True),
        (f"arn:aws:iam::{SECURITY}:role/firebreak-fn-plan", "guessed", False),
        (f"arn:aws:iam::{SECURITY}:role/firebreak-fn-plan", None, False),
        (f"arn:aws:iam::{SECURITY}:role/x/firebreak-fn-plan", EXTERNAL_ID, False),
        (f"arn:aws:iam::{SECURITY}:user/firebreak-fn-plan", EXTERNAL_ID, False),
        ("arn:aws:iam::999999999999:role/firebreak-fn-plan", EXTERNAL_ID, False),
    ],
)
def test_nobody_else_gets_in(
    estate: Mapping[str, Template], principal: str, external_id: str | None, may: bool
) -> None:
    template = estate[f"firebreak-member-{MEMBER}"]
    observer = template.all("AWS::IAM::Role")[template.id_of("AWS::IAM::Role", "Observer")]
    assert assume(observer, template, principal, external_id) == may


def test_in_the_home_account_names_are_enough(estate: Mapping[str, Template]) -> None:
    template = estate["firebreak-member"]
    observer = template.all("AWS::IAM::Role")[template.id_of("AWS::IAM::Role", "Observer")]
    for word, may in (("plan", True), ("execute", False)):
        assert assume(observer, template, f"arn:aws:iam::{SECURITY}:role/firebreak-fn-{word}", None) == may


def test_the_member_template_needs_no_assets_so_that_a_stack_set_can_take_it(estate: Mapping[str, Template]) -> None:
    for name, template in estate.items():
        if name.startswith("firebreak-member"):
            assert "cdk-hnb659fds-assets" not in json.dumps(template.body["Resources"])
            assert {resource["Type"] for resource in template.body["Resources"].values()} == {"AWS::IAM::Role"}


def test_prepare_can_make_and_mend_our_groups_and_touch_no_other(estate: Mapping[str, Template]) -> None:
    found = estate["firebreak-member"].role_statements("firebreak-prepare")
    assert atoms(found) == declared(PREPARE, REGIONS["firebreak-member"])
    group = "arn:<AWS::Partition>:ec2:eu-west-1:<AWS::AccountId>:security-group/sg-1"
    for change in ("AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress", "RevokeSecurityGroupEgress"):
        action = f"ec2:{change}"
        ours = {"aws:ResourceTag/firebreak:quarantine": "sealed"}
        assert allowed(found, action, group, ours)
        assert not allowed(found, action, group)
        assert not allowed(found, action, group, {"aws:ResourceTag/firebreak:quarantine": "else"})
    assert not allowed(found, "ec2:CreateTags", group)
    assert not allowed(found, "ec2:DeleteSecurityGroup", group)


class TestProtection:
    """An action that changes IAM cannot reach the roles that have to stay as they are."""

    def _policy(self, *permissions: Permission) -> list[dict[str, Any]]:
        stack = cdk.Stack(cdk.App())
        document = iam.PolicyDocument(
            statements=[*statements(permissions, ["eu-west-1"]), *protection(permissions, "firebreak")]
        )
        found: list[dict[str, Any]] = stack.resolve(document)["Statement"]
        return found

    @pytest.mark.parametrize(
        ("role", "may"),
        [
            ("role/web", True),
            ("role/firebreak-fn-execute", False),
            ("role/firebreak-observer", False),
            ("role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Admin_1", False),
        ],
    )
    def test_our_own_and_sign_on_roles_are_out_of_reach(self, role: str, may: bool) -> None:
        policy = self._policy(
            Grant(action="iam:AttachRolePolicy", resources=("arn:{partition}:iam::{account}:role/*",))
        )
        arn = f"arn:<AWS::Partition>:iam::<AWS::AccountId>:{role}"
        assert allowed(policy, "iam:AttachRolePolicy", arn) == may

    def test_an_action_that_leaves_iam_alone_needs_no_protection(self) -> None:
        assert protection((Grant(action="ec2:DescribeInstances"),), "firebreak") == []
