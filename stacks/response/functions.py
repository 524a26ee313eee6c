"""The functions and what each may touch. Nothing here can change the estate: that takes an action's role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from constructs import Construct

from firebreak.core.registry import actions
from stacks.names import action_role, machine_name, observer_role, prepare_role
from stacks.response.function import Function
from stacks.response.lanes import TRIAGE_TIMEOUT, Lanes
from stacks.response.permissions import items, listing, no_tokens, table_access
from stacks.response.storage import Storage
from stacks.statement import allow

PLAN_TIMEOUT = 120
EXECUTE_TIMEOUT = 120
CLOSE_TIMEOUT = 60

IN_OUR_ACCOUNTS = "which accounts is said by the condition aws:ResourceAccount; a list of ARNs would outgrow the policy"
PER_INCIDENT = "the incident's id is not known beforehand; the bucket is versioned, and the function reads nothing"

MACHINE = "FIREBREAK_STATE_MACHINE_ARN"


@dataclass(frozen=True)
class Surroundings:
    """What the functions share."""

    prefix: str
    accounts: Sequence[str]
    code: lambda_.Code
    storage: Storage
    notices: sns.Topic
    log_days: int


class Functions(Construct):
    """All functions. Those that the state machine calls come first; the others need its ARN: see `after`."""

    def __init__(self, scope: Construct, around: Surroundings) -> None:
        super().__init__(scope, "Functions")
        self._around = around
        storage = around.storage
        self._tell = allow(["sns:Publish"], [around.notices.topic_arn])
        self._observer = observer_role(around.prefix)
        slack = {"FIREBREAK_SLACK_SECRET_ARN": storage.bot_token.secret_arn}
        signing = {"FIREBREAK_SIGNING_SECRET_ARN": storage.signing_secret.secret_arn}

        self.prepare = self._make(
            "prepare",
            timeout=300,
            statements=[self._tell],
            roles=[prepare_role(around.prefix)],
            variables=self._notices,
            table=False,
            asynchronous=True,
        )
        # By name, since the machine calls Plan and cannot exist before it.
        machine_arn = cdk.Stack.of(self).format_arn(
            service="states",
            resource="stateMachine",
            resource_name=machine_name(around.prefix),
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        self.plan = self._make(
            "plan",
            timeout=PLAN_TIMEOUT,
            statements=[
                *self._sealed("BatchGetItem", "Query"),
                self._tell,
                allow(["states:StartExecution"], [machine_arn]),
                allow(["lambda:InvokeFunction"], [self.prepare.function.function_arn]),
            ],
            roles=[self._observer],
            variables={
                **self._notices,
                MACHINE: machine_arn,
                "FIREBREAK_PREPARE_FUNCTION": self.prepare.function.function_name,
            },
        )
        self.ask = self._make(
            "ask",
            timeout=30,
            statements=[
                table_access(storage.table, "BatchGetItem", "ConditionCheckItem"),
                self._read(storage.bot_token.secret_arn),
            ],
            variables=slack,
        )
        self.answer = self._make("answer", timeout=10, statements=self._ballot(), variables=signing)
        self.execute = self._execute("execute", destructive=False)
        self.execute_destructive = self._execute("execute-destructive", destructive=True)
        self.close = self._make(
            "close",
            timeout=CLOSE_TIMEOUT,
            statements=[*self._sealed("Query"), self._tell],
            keeps=storage.evidence.arn_for_objects("manifests/*"),
            variables={**self._notices, "FIREBREAK_EVIDENCE_BUCKET": storage.evidence.bucket_name},
        )

    def after(self, machine_arn: str, lanes: Lanes) -> None:
        """Make the functions that start and resume executions."""
        start = allow(["states:StartExecution"], [machine_arn])
        resume = allow(["states:SendTaskSuccess"], [machine_arn])
        storage = self._around.storage
        self.triage = self._make(
            "triage",
            timeout=TRIAGE_TIMEOUT,
            statements=[*self._sealed(), self._tell, start],
            keeps=storage.raw_events.arn_for_objects("events/*"),
            variables={
                MACHINE: machine_arn,
                "FIREBREAK_BULK_QUEUE_ARN": lanes.queues["bulk"].queue_arn,
                **self._notices,
                "FIREBREAK_RAW_EVENTS_BUCKET": storage.raw_events.bucket_name,
            },
        )
        self.decide = self._make(
            "decide",
            timeout=30,
            statements=[table_access(storage.table, "Query"), resume, self._read(storage.bot_token.secret_arn)],
            variables={"FIREBREAK_SLACK_SECRET_ARN": storage.bot_token.secret_arn},
        )
        self.sweep = self._make(
            "sweep",
            timeout=PLAN_TIMEOUT,
            statements=[
                table_access(storage.table, "Query"),
                listing(storage.table),
                self._tell,
                start,
                resume,
                self._read(storage.bot_token.secret_arn),
            ],
            roles=[self._observer],
            variables={
                MACHINE: machine_arn,
                "FIREBREAK_SLACK_SECRET_ARN": storage.bot_token.secret_arn,
                **self._notices,
            },
            asynchronous=True,
        )

    @property
    def all(self) -> tuple[Function, ...]:
        """Every function."""
        called = (self.plan, self.ask, self.execute, self.execute_destructive, self.close)
        return (self.triage, *called, self.answer, self.decide, self.sweep, self.prepare)

    @property
    def _notices(self) -> dict[str, str]:
        return {"FIREBREAK_NOTICE_TOPIC_ARN": self._around.notices.topic_arn}

    def _make(
        self,
        word: str,
        *,
        timeout: int,
        statements: Sequence[iam.PolicyStatement],
        variables: Mapping[str, str],
        roles: Sequence[str] = (),
        keeps: str | None = None,
        handler: str | None = None,
        table: bool = True,
        asynchronous: bool = False,
    ) -> Function:
        around = self._around
        name = {"FIREBREAK_TABLE": around.storage.table.table_name} if table else {}
        elsewhere = [f"arn:*:iam::*:role/{role}" for role in roles]
        kept = [keeps] if keeps else []
        return Function(
            self,
            word,
            prefix=around.prefix,
            code=around.code,
            handler=handler or word,
            timeout=timeout,
            environment={**name, **variables},
            statements=[
                *statements,
                *([self._assume(elsewhere)] if elsewhere else []),
                *([allow(["s3:PutObject"], kept)] if kept else []),
            ],
            log_days=around.log_days,
            wildcards=dict.fromkeys(elsewhere, IN_OUR_ACCOUNTS) | dict.fromkeys(kept, PER_INCIDENT),
            asynchronous=asynchronous,
        )

    def _execute(self, word: str, *, destructive: bool) -> Function:
        """One handler, two functions: the roles of destructive actions are out of reach until someone consented."""
        roles = [
            action_role(self._around.prefix, action)
            for action in actions().values()
            if (action.effect == "destructive") == destructive
        ]
        return self._make(
            word,
            handler="execute",
            timeout=EXECUTE_TIMEOUT,
            statements=[*self._sealed("BatchGetItem", "ConditionCheckItem", "Query"), self._tell],
            roles=roles,
            variables=self._notices,
        )

    def _sealed(self, *more: str) -> list[iam.PolicyStatement]:
        table = self._around.storage.table
        return [table_access(table, *more), no_tokens(table)]

    def _assume(self, roles: Sequence[str]) -> iam.PolicyStatement:
        accounts = list(self._around.accounts)
        return allow(["sts:AssumeRole"], roles, StringEquals={"aws:ResourceAccount": accounts})

    def _read(self, secret_arn: str) -> iam.PolicyStatement:
        return allow(["secretsmanager:GetSecretValue"], [secret_arn])

    def _ballot(self) -> list[iam.PolicyStatement]:
        """The public function: it can look at an approval and put votes, no more."""
        storage = self._around.storage
        return [
            items(storage.table, ["dynamodb:GetItem", "dynamodb:ConditionCheckItem"], "APPROVAL"),
            items(storage.table, ["dynamodb:PutItem"], "VOTE", "REPLAY", "AUDIT"),
            self._read(storage.signing_secret.secret_arn),
        ]
