"""What people need who run the command: a managed policy to put into their permission set or onto their role."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as http
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from firebreak.core.console import console_parameter
from firebreak.core.registry import sources
from stacks.nag import acknowledge, wildcard
from stacks.names import operator_policy
from stacks.response.lanes import Lanes
from stacks.response.permissions import no_tokens
from stacks.response.storage import Storage
from stacks.statement import allow

WRITTEN = ("GUARD", "INCIDENT#*", "AUDIT#*")
"""Partitions of the table that a command writes. No approval, vote or token: people answer through the API."""


ORDERS = list(sources()["person"].pattern["source"])
"""What a command puts onto the bus, and nothing else."""


class Operators(Construct):
    """The policy. Who holds it may look at everything, order a step, close, undo, halt, set the mode and send messages
    back; whether its holder may consent is for the settings to say.

    Args:
        scope: the stack.
        prefix: what names start with.
    """

    def __init__(
        self,
        scope: Construct,
        prefix: str,
        *,
        storage: Storage,
        lanes: Lanes,
        machine: stepfunctions.StateMachine,
        api: http.HttpApi,
        bus: events.EventBus,
    ) -> None:
        super().__init__(scope, "Operators")
        table = storage.table.table_arn
        executions = cdk.Stack.of(self).format_arn(
            service="states",
            resource="execution",
            resource_name=f"{machine.state_machine_name}:*",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        answers = api.arn_for_execute_api("POST", "/approvals/*", "$default")
        parameter = cdk.Stack.of(self).format_arn(
            service="ssm", resource="parameter", resource_name=console_parameter(prefix).removeprefix("/")
        )
        policy = iam.ManagedPolicy(
            self,
            "Policy",
            managed_policy_name=operator_policy(prefix),
            description="Firebreak: what the command line needs on this deployment",
            statements=[
                allow(["ssm:GetParameter"], [parameter]),
                allow(["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"], [table]),
                allow(["dynamodb:Query"], [f"{table}/index/listing"]),
                _of_all("dynamodb:LeadingKeys", ["dynamodb:PutItem", "dynamodb:UpdateItem"], table, WRITTEN),
                _of_all("dynamodb:LeadingKeys", ["dynamodb:DeleteItem"], table, ["LOCK#*"]),
                no_tokens(storage.table),
                allow(["states:StartExecution"], [machine.state_machine_arn]),
                allow(["states:DescribeExecution"], [executions]),
                allow(
                    [f"sqs:{verb}" for verb in ("ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility")]
                    + ["sqs:GetQueueAttributes"],
                    [queue.queue_arn for queue in lanes.dead_letters.values()],
                ),
                allow(["sqs:SendMessage"], [queue.queue_arn for queue in lanes.queues.values()]),
                allow(["execute-api:Invoke"], [answers]),
                _of_all("events:source", ["events:PutEvents"], bus.event_bus_arn, ORDERS, "StringEquals"),
            ],
        )
        acknowledge(policy, "executions are named after incidents", wildcard(self, executions))
        acknowledge(policy, "questions are named by their ids", wildcard(self, answers))


def _of_all(
    key: str, actions: Sequence[str], resource: str, values: Sequence[str], operator: str = "StringLike"
) -> iam.PolicyStatement:
    """Return a statement for requests in which every value of a key is one of these."""
    conditions: dict[str, dict[str, object]] = {
        f"ForAllValues:{operator}": {key: list(values)},
        "Null": {key: "false"},  # "for all values" holds for a request without any, too
    }
    return allow(actions, [resource], **conditions)
