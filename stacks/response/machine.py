"""Respond: the state machine. Standard, JSONPath, identifiers only; see docs/architecture.md."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from firebreak.core.plan import STAGES
from stacks.nag import acknowledge
from stacks.names import machine_name
from stacks.response.log import log_group
from stacks.response.stage import Callees, Followed, StageStates, item
from stacks.response.task import task
from stacks.statement import allow

LONGEST = 3
"""Days an execution may take: the longest question, then the longest snapshot copy, with room."""


class Respond(Construct):
    """The state machine.

    Args:
        scope: the stack.
        prefix: its name is `<prefix>-respond`.
        callees: the functions it calls.
        log_days: how long its logs are kept.
    """

    def __init__(self, scope: Construct, prefix: str, callees: Callees, log_days: int) -> None:
        super().__init__(scope, "Respond")
        self.logs = log_group(self, log_days)
        role = self._role(prefix, callees)
        self.machine = sfn.StateMachine(
            self,
            "Machine",
            state_machine_name=machine_name(prefix),
            comment="Firebreak: what is done about one revision of an incident",
            definition_body=sfn.DefinitionBody.from_chainable(self._definition(callees)),
            # The statements are in the role itself; what CDK would add for each function is wider.
            role=role.without_policy_updates(),
            timeout=cdk.Duration.days(LONGEST),
            tracing_enabled=True,
            logs=sfn.LogOptions(destination=self.logs, level=sfn.LogLevel.ALL, include_execution_data=False),
        )

    def _definition(self, callees: Callees) -> sfn.IChainable:
        close = task(self, "Close", callees.close, {"operation": "close"}, result=None, timeout=callees.close_limit)
        close.add_catch(
            sfn.Fail(
                self,
                "NotClosed",
                error="NotClosed",
                cause="Close failed for good, or a step is half-way; see its logs. Sweep goes on.",
            ),
            result_path=sfn.JsonPath.DISCARD,
        )
        broken = sfn.Fail(
            self, "NotDecided", error="NotDecided", cause="Plan failed for good; see its logs. Sweep goes on."
        )
        return (
            sfn.Choice(self, "Mode")
            .when(sfn.Condition.string_equals("$.mode", "respond"), self._respond(callees, close, broken))
            .when(sfn.Condition.string_equals("$.mode", "undo"), self._undo(callees, close, broken))
            .otherwise(sfn.Fail(self, "UnknownMode", error="UnknownMode", cause="mode is neither respond nor undo"))
        )

    def _respond(self, callees: Callees, close: sfn.IChainable, broken: sfn.Fail) -> sfn.IChainable:
        decide = task(
            self, "Decide", callees.plan, {"operation": "decide"}, result="$.decision", timeout=callees.plan_limit
        )
        decide.add_catch(broken, result_path=sfn.JsonPath.DISCARD)
        stage: StageStates | None = None
        for name in reversed(STAGES):
            stage = StageStates(self, name, callees, stage)
        assert stage is not None
        stages = sfn.Chain.start(stage.first).next(close)
        return decide.next(
            sfn.Choice(self, "Proceed")
            .when(sfn.Condition.boolean_equals("$.decision.proceed", True), stages)
            .otherwise(close)
        )

    def _undo(self, callees: Callees, close: sfn.IChainable, broken: sfn.Fail) -> sfn.IChainable:
        plan = task(self, "PlanUndo", callees.plan, {"operation": "undo"}, result="$.plan", timeout=callees.plan_limit)
        plan.add_catch(broken, result_path=sfn.JsonPath.DISCARD)
        each = sfn.Map(
            self,
            "UndoEach",
            items_path="$.plan.steps",
            item_selector=item(),
            max_concurrency=1,  # in the order in which to undo
            result_path=sfn.JsonPath.DISCARD,
        ).item_processor(Followed(self, "Undo", callees, undo=True).first)
        return plan.next(each).next(close)

    def _role(self, prefix: str, callees: Callees) -> iam.Role:
        functions = (callees.plan, callees.ask, callees.execute, callees.execute_destructive, callees.close)
        deliver = (
            "logs:CreateLogDelivery",
            "logs:GetLogDelivery",
            "logs:UpdateLogDelivery",
            "logs:DeleteLogDelivery",
            "logs:ListLogDeliveries",
            "logs:PutResourcePolicy",
            "logs:DescribeResourcePolicies",
            "logs:DescribeLogGroups",
        )
        trace = (
            "xray:PutTraceSegments",
            "xray:PutTelemetryRecords",
            "xray:GetSamplingRules",
            "xray:GetSamplingTargets",
        )
        role = iam.Role(
            self,
            "Role",
            role_name=f"{prefix}-respond",
            description="Firebreak: the state machine",
            assumed_by=iam.ServicePrincipal(
                "states.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": cdk.Stack.of(self).account}},
            ),
            inline_policies={
                "Respond": iam.PolicyDocument(
                    statements=[
                        allow(["lambda:InvokeFunction"], [function.function_arn for function in functions]),
                        allow([*deliver, *trace], ["*"]),
                    ]
                )
            },
        )
        acknowledge(
            role,
            "log delivery and X-Ray have no resources to narrow this to (Step Functions Developer Guide, logging)",
            "IAM5[Resource::*]",
        )
        return role
