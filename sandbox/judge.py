"""The judge: whether a caller may make a call, by the policies of the templates. moto asks nobody.

A call of a role's session is allowed where the role's own policies allow every permission that it needs, where the
session policy does, too, and where neither denies one. Taking a role on needs the role's trust besides. Policies of
resources (queues, topics, buckets, keys) are judged by the tests of the stacks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox import wire
from sandbox.cloud import Cloud, RoleDocument
from sandbox.identity import Caller
from sandbox.judge_facts import Facts
from sandbox.judge_policies import Asked, Decision, Unjudged, decide
from sandbox.judge_requests import asked
from sandbox.sessions import trusts


class Judge:
    """Decides about calls. Whoever stands the stacks up may do everything; a key that is nobody's, nothing.

    Args:
        cloud: whose roles, and whose things.

    Attributes:
        unjudged: what it could not tell, in words. Such calls are refused with an error that no service of AWS has;
            a run that met one has proved nothing.
        refused: calls of roles that it refused, in words. No story needs one: what is refused in one is a grant that
            is missing, also where a handler takes the refusal for an answer. Who refuses on purpose clears it.
    """

    def __init__(self, cloud: Cloud) -> None:
        self.unjudged: list[str] = []
        self.refused: list[str] = []
        self._cloud = cloud

    def __call__(self, request: wire.Request, caller: Caller | None) -> Sequence[Decision]:
        """Return a decision about each permission that a call needs."""
        name = f"{request.service}:{request.operation}"
        if caller is None:
            return (Decision(name, "*", False, "because its access key is nobody's"),)
        if caller.administrator:
            return ()
        try:
            facts = Facts(caller.account, request.region, self._cloud.executions.machines, self._cloud.backend)
            decisions = tuple(self._decide(one, request, caller) for one in asked(request, facts))
        except Unjudged as unknown:
            self.unjudged.append(f"{name} by {caller.arn}: {unknown}")
            return (Decision(name, "*", False, str(unknown), judged=False),)
        if caller.role:
            denied = (each for each in decisions if not each.allowed)
            self.refused += [f"{caller.arn}: {each.action} on {each.resource} {each.because}" for each in denied]
        return decisions

    def _decide(self, one: Asked, request: wire.Request, caller: Caller) -> Decision:
        general = {
            "aws:PrincipalArn": caller.role or caller.arn,
            "aws:PrincipalAccount": caller.arn.split(":")[4],
            "aws:PrincipalIsAWSService": "false",
            "aws:RequestedRegion": request.region,
            "aws:ResourceAccount": caller.account,
        }
        whole = Asked(one.action, one.resource, {**general, **one.context})
        narrowed = json.loads(caller.session_policy) if caller.session_policy else None
        decision = decide(whole, self._policies(caller), narrowed)
        if decision.allowed and one.action == "sts:AssumeRole":
            role = self._cloud.roles.get(one.resource)
            if role is None or not trusts(role.trust, caller, str(one.context.get("sts:ExternalId", ""))):
                return Decision(one.action, one.resource, False, "because the role's trust policy does not allow it")
        return decision

    def _policies(self, caller: Caller) -> Sequence[Mapping[str, Any]]:
        """What the caller's identity may do. Users of the estate have no policies: only templates give any."""
        role: RoleDocument | None = self._cloud.roles.get(caller.role)
        if role is None:
            return ()
        if role.managed or role.boundary:
            raise Unjudged(f"{caller.role} has {[*role.managed, role.boundary]}, whose text is in no template")
        return role.policies
