"""Sessions under the roles of member accounts: read-only for looking, the action's own for acting."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import boto3
import botocore.loaders
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from firebreak.adapters.aws import SessionClients, translate
from firebreak.core.action import AnyAction
from firebreak.core.clients import Kubernetes
from firebreak.core.deployment import Deployment
from firebreak.core.grant import Grant
from firebreak.core.plan import Plan
from firebreak.core.target import GLOBAL
from firebreak.ports import Remaining

CONFIG = Config(connect_timeout=3, read_timeout=8, retries={"mode": "standard", "max_attempts": 3})
REUSE = 900.0  # seconds; credentials last an hour, and an invocation minutes
POLICY_LIMIT = 2_048  # characters of an inline session policy (AssumeRole, AWS STS API Reference)


class MemberSessions:
    """`firebreak.ports.Sessions` on STS.

    Args:
        session: this function's own session.
        deployment: accounts, role prefix and external ids.
        action: finds an action by name.
        kubernetes: makes the client of a cluster's API server.
        endpoint: where AWS is, if not at AWS (sandbox).
        loader: what the function's own session parses service models with.
    """

    def __init__(
        self,
        session: boto3.Session,
        deployment: Deployment,
        action: Callable[[str], AnyAction],
        kubernetes: Callable[[SessionClients, str], Kubernetes],
        endpoint: str | None = None,
        loader: botocore.loaders.Loader | None = None,
    ) -> None:
        self._session = session
        self._deployment = deployment
        self._action = action
        self._kubernetes = kubernetes
        self._endpoint = endpoint
        self._loader = loader or botocore.loaders.create_loader()
        self._sts: Any = None
        self._observers: dict[tuple[str, str, str], tuple[float, SessionClients]] = {}

    def observer(self, account: str, region: str, incident: str, remaining: Remaining) -> SessionClients:
        """Return clients that may only read, made once per incident."""
        region = self._home(region)
        key = (account, region, incident)
        made, clients = self._observers.get(key, (-REUSE, None))
        if clients is None or time.monotonic() - made > REUSE:
            clients = self._clients(self._assume(account, region, "observer", incident, None), region, remaining)
            fresh = {known: kept for known, kept in self._observers.items() if known[2] == incident}
            self._observers = fresh | {key: (time.monotonic(), clients)}
        clients.remaining = remaining
        return clients

    def action(self, plan: Plan, remaining: Remaining) -> SessionClients:
        """Return clients under the action's own role, narrowed to the plan's resources."""
        role = plan.action.replace(".", "-")
        policy = session_policy(self._action(plan.action), plan)
        region = self._home(plan.target.region)
        return self._clients(self._assume(plan.target.account, region, role, plan.incident, policy), region, remaining)

    def prepare(self, account: str, region: str, remaining: Remaining) -> SessionClients:
        """Return clients that may make the quarantine groups."""
        return self._clients(self._assume(account, region, "prepare", "prepare", None), region, remaining)

    def _home(self, region: str) -> str:
        """Return the region whose endpoints serve another: what is global is asked from where we run, so that it is the
        right partition's."""
        return str(self._session.region_name) if region == GLOBAL else region

    def _clients(self, session: boto3.Session, region: str, remaining: Remaining) -> SessionClients:
        return SessionClients(
            session,
            region,
            remaining=remaining,
            kubernetes=self._kubernetes,
            config=CONFIG,
            endpoint=self._endpoint,
        )

    def _assume(self, account: str, region: str, role: str, incident: str, policy: str | None) -> boto3.Session:
        if self._sts is None:
            self._sts = self._session.client("sts", config=CONFIG, endpoint_url=self._endpoint)
        partition = self._session.get_partition_for_region(region)
        arn = f"arn:{partition}:iam::{account}:role/{self._deployment.prefix}-{role}"
        members = {member.account: member.external_id for member in self._deployment.members}
        external = members.get(account)
        try:
            answer = self._sts.assume_role(
                RoleArn=arn,
                RoleSessionName=incident,
                **({"ExternalId": external} if external else {}),
                **({"Policy": policy} if policy else {}),
            )
        except (ClientError, BotoCoreError) as error:
            raise translate(error, f"assume_role {arn}") from error
        held = answer["Credentials"]
        core = botocore.session.Session()
        # parsing a service's model costs half a second at a small function's speed: all sessions share what is parsed
        core.register_component("data_loader", self._loader)
        return boto3.Session(
            botocore_session=core,
            aws_access_key_id=held["AccessKeyId"],
            aws_secret_access_key=held["SecretAccessKey"],
            aws_session_token=held["SessionToken"],
            region_name=region,
        )


def session_policy(action: AnyAction, plan: Plan) -> str:
    """Return the policy that narrows an action's role to the resources of one plan.

    A grant whose ARN patterns fit some of the plan's resources is narrowed to those; one that fits none (reads that
    know no resource, things that are made only now) keeps its patterns. Where the text grows too long, the largest
    lists fall back to their patterns.
    """
    grants = [grant for grant in (*action.reads, *action.collects, *action.writes) if isinstance(grant, Grant)]
    narrowed = [(grant, _narrow(grant, plan)) for grant in grants]
    narrowed.sort(key=lambda pair: len(pair[1]))
    for kept in range(len(narrowed), -1, -1):
        statements: dict[tuple[str, ...], list[str]] = {}
        for place, (grant, resources) in enumerate(narrowed):
            wanted = resources if place < kept else _rendered(grant, plan)
            statements.setdefault(wanted, []).append(grant.action)
        text = json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Allow", "Action": sorted(set(actions)), "Resource": list(resources)}
                    for resources, actions in statements.items()
                ],
            },
            separators=(",", ":"),
        )
        if len(text) <= POLICY_LIMIT:
            return text
    raise AssertionError(f"{action.name}: its grants alone exceed {POLICY_LIMIT} characters")


def _rendered(grant: Grant, plan: Plan) -> tuple[str, ...]:
    place = plan.target
    return tuple(
        pattern.format(partition=place.partition, account=place.account, region=place.region)
        for pattern in grant.resources
    )


def _narrow(grant: Grant, plan: Plan) -> tuple[str, ...]:
    patterns = _rendered(grant, plan)
    if "*" in patterns:
        return patterns
    narrow: list[str] = []
    for pattern in patterns:
        fitting = [arn for arn in plan.resources if _fits(pattern, arn)]
        narrow += fitting or [pattern]
    return tuple(dict.fromkeys(narrow))


def _fits(pattern: str, arn: str) -> bool:
    head, _, tail = pattern.partition("*")
    return arn.startswith(head) and arn.endswith(tail) if "*" in pattern else arn == pattern
