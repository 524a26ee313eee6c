"""From what units declare to IAM statements and Kubernetes rules."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from firebreak.core.grant import Grant, KubernetesRule, Permission
from firebreak.core.model import canonical
from firebreak.core.registry import actions, enrichers

OUT_OF_REACH = ("role/{prefix}-*", "role/aws-reserved/sso.amazonaws.com/*")
"""Roles that no action may change, whatever it is granted: our own, and those people sign in with."""


def observed() -> list[Permission]:
    """Return everything that is read before anything is decided or changed."""
    of_actions = [permission for action in actions().values() for permission in action.reads]
    return of_actions + [permission for enricher in enrichers().values() for permission in enricher.reads]


def grants(permissions: Iterable[Permission]) -> list[Grant]:
    """Return the IAM part, each grant once, in the order of the actions."""
    unique = {canonical(grant.model_dump(mode="json")): grant for grant in permissions if isinstance(grant, Grant)}
    return sorted(unique.values(), key=lambda grant: (grant.action, grant.resources))


def rules(permissions: Iterable[Permission]) -> list[KubernetesRule]:
    """Return the Kubernetes part, each rule once."""
    unique = {rule.model_dump_json(): rule for rule in permissions if isinstance(rule, KubernetesRule)}
    return sorted(unique.values(), key=lambda rule: (rule.group, rule.resource, rule.verbs))


def statements(permissions: Iterable[Permission], regions: Sequence[str]) -> list[iam.PolicyStatement]:
    """Return exactly what is declared, as statements: those of one place and condition together.

    Args:
        permissions: what is declared.
        regions: where; a grant that names a region holds in each.
    """
    together: dict[str, tuple[tuple[str, ...], dict[str, Any], list[str]]] = {}
    for grant in grants(permissions):
        resources = tuple(dict.fromkeys(place(arn, region) for arn in grant.resources for region in regions))
        conditions = json.loads(place(json.dumps(grant.conditions), cdk.Aws.REGION))
        _, _, named = together.setdefault(canonical([resources, conditions]), (resources, conditions, []))
        if grant.action not in named:
            named.append(grant.action)
    return [
        iam.PolicyStatement(actions=named, resources=list(resources), conditions=conditions)
        for resources, conditions, named in together.values()
    ]


def place(template: str, region: str) -> str:
    """Return an ARN pattern with the target's own partition, account and region in it."""
    words = {"{partition}": cdk.Aws.PARTITION, "{account}": cdk.Aws.ACCOUNT_ID, "{region}": region}
    for word, value in words.items():
        template = template.replace(word, value)
    return template


def protection(permissions: Iterable[Permission], prefix: str) -> list[iam.PolicyStatement]:
    """Return what keeps an action that changes IAM away from the roles that must stay as they are."""
    changes = [grant.action for grant in grants(permissions) if grant.action.startswith("iam:")]
    if not changes:
        return []
    return [
        iam.PolicyStatement(
            effect=iam.Effect.DENY,
            actions=changes,
            resources=[
                place("arn:{partition}:iam::{account}:" + role.format(prefix=prefix), "") for role in OUT_OF_REACH
            ],
        )
    ]
