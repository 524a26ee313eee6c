"""What an account that Firebreak acts in has to have: a role per action, one to look things up, one to prepare.

No assets and no look-ups, so that the template also works as a StackSet. IAM is global: once per account.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from firebreak.core.action import AnyAction
from firebreak.core.deployment import CURRENT, Deployment, Member
from firebreak.core.grant import Permission
from firebreak.core.registry import actions
from stacks.grants import grants, observed, place, protection, statements
from stacks.nag import acknowledge, wildcard
from stacks.names import action_role, function_role, observer_role, prepare_role
from stacks.places import environment
from stacks.prepare import PREPARE

READS = "reads of this service cannot be narrowed to resources, or what will be asked about is not known beforehand"
TARGETS = "what will be a target is not known beforehand; the session policy of each step narrows it to the plan's own"


class MemberStack(cdk.Stack):
    """The roles of one account.

    Args:
        scope, id: where it belongs.
        deployment: the settings.
        member: the account.
    """

    def __init__(self, scope: Construct, id: str, *, deployment: Deployment, member: Member, **stack: Any) -> None:
        super().__init__(scope, id, **stack)
        self._prefix = deployment.prefix
        self._regions = [
            environment(deployment, member.account, region).region or cdk.Aws.REGION for region in member.regions
        ]
        self._security_account = self._trusted(deployment.home.account)
        at_home = environment(deployment, member.account).account == environment(deployment).account
        self._external_id = None if at_home else self._asked_for(member.external_id)
        for action in actions().values():
            self._action(action)
        self._observer()
        self._role("Prepare", prepare_role(self._prefix), ["prepare"], PREPARE, "makes the quarantine groups")

    def _trusted(self, account: str) -> str:
        if account == CURRENT:
            return cdk.Aws.ACCOUNT_ID
        return cdk.CfnParameter(
            self,
            "SecurityAccount",
            description="The account that Firebreak's pipeline runs in",
            default=account,
            allowed_pattern=r"^\d{12}$",
        ).value_as_string

    def _asked_for(self, external_id: str | None) -> str | None:
        if external_id is None:
            return None
        return cdk.CfnParameter(
            self,
            "ExternalId",
            description="What the security account has to know to assume the roles",
            default=external_id,
        ).value_as_string

    def _action(self, action: AnyAction) -> None:
        word = "execute-destructive" if action.effect == "destructive" else "execute"
        title = (action.__doc__ or "").strip().splitlines()[0]
        declared = (*action.reads, *action.writes, *action.collects)
        self._role(
            f"Action-{action.name.replace('.', '-')}", action_role(self._prefix, action), [word], declared, title
        )

    def _observer(self) -> None:
        self._role(
            "Observer", observer_role(self._prefix), ["plan", "sweep"], observed(), "looks things up, changes nothing"
        )

    def _role(
        self, id: str, name: str, trusted: Sequence[str], permissions: Iterable[Permission], description: str
    ) -> None:
        declared = tuple(permissions)
        if not grants(declared):
            return  # nothing to look up yet, and an empty policy is not one
        role = iam.Role(
            self,
            id,
            role_name=name,
            description=f"Firebreak: {description}"[:1000],
            assumed_by=self._only(trusted),
            inline_policies={
                "Declared": iam.PolicyDocument(
                    statements=[*statements(declared, self._regions), *protection(declared, self._prefix)]
                )
            },
        )
        for grant in grants(declared):
            for arn in {place(resource, region) for resource in grant.resources for region in self._regions}:
                if "*" in arn:
                    reason = READS if arn == "*" and grant.reason is None else grant.reason or TARGETS
                    acknowledge(role, reason, wildcard(role, arn))

    def _only(self, words: Sequence[str]) -> iam.IPrincipal:
        """The security account, and in it some functions' roles, by name."""
        conditions: dict[str, Any] = {
            "ArnEquals": {
                "aws:PrincipalArn": [
                    f"arn:{cdk.Aws.PARTITION}:iam::{self._security_account}:role/{function_role(self._prefix, word)}"
                    for word in words
                ]
            }
        }
        if self._external_id is not None:
            conditions["StringEquals"] = {"sts:ExternalId": self._external_id}
        return iam.AccountPrincipal(self._security_account).with_conditions(conditions)
