"""What wakes the functions that nobody calls: votes, the clock, executions that ended badly, new networks."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.patterns import NEW_VPC, as_declared
from stacks.queue import dead_letters
from stacks.response.function import Function


class Wakes(Construct):
    """The stream, schedules and rules that wake functions.

    Attributes:
        dead_letters: votes that Decide could not handle; Sweep counts them from the table.
    """

    def __init__(self, scope: Construct, prefix: str) -> None:
        super().__init__(scope, "Wakes")
        self._prefix = prefix
        self.dead_letters: sqs.Queue = dead_letters(self, "VoteDeadLetters")

    def votes(self, decide: Function, table: dynamodb.Table) -> None:
        """Wake Decide by the table's stream, for new votes and nothing else."""
        decide.function.add_event_source(
            event_sources.DynamoEventSource(
                table,
                starting_position=lambda_.StartingPosition.TRIM_HORIZON,
                batch_size=10,
                bisect_batch_on_error=True,
                report_batch_item_failures=True,
                retry_attempts=10,
                max_record_age=cdk.Duration.hours(2),
                on_failure=event_sources.SqsDlq(self.dead_letters),
                filters=[
                    lambda_.FilterCriteria.filter(
                        {
                            "eventName": lambda_.FilterRule.is_equal("INSERT"),
                            "dynamodb": {"Keys": {"pk": {"S": lambda_.FilterRule.begins_with("VOTE#")}}},
                        }
                    )
                ],
            )
        )

    def sweep(self, sweep: Function, machine_arn: str) -> None:
        """Wake Sweep every five minutes, and for every execution that ended badly."""
        events.Rule(
            self,
            "Clock",
            description="Firebreak: what waited too long",
            schedule=events.Schedule.rate(cdk.Duration.minutes(5)),
            targets=[_target(sweep)],
        )
        events.Rule(
            self,
            "EndedBadly",
            description="Firebreak: executions that failed, timed out or were aborted",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={"stateMachineArn": [machine_arn], "status": ["FAILED", "TIMED_OUT", "ABORTED"]},
            ),
            targets=[_target(sweep)],
        )

    def prepare(self, prepare: Function, bus: events.IEventBus) -> None:
        """Wake Prepare daily, when one of our stacks was deployed, and when a VPC appears anywhere we watch."""
        events.Rule(
            self,
            "Daily",
            description="Firebreak: the quarantine groups of every VPC",
            schedule=events.Schedule.rate(cdk.Duration.days(1)),
            targets=[_target(prepare)],
        )
        stack = cdk.Stack.of(self)
        events.Rule(
            self,
            "Deployed",
            description="Firebreak: its own stacks were deployed",
            event_pattern=events.EventPattern(
                source=["aws.cloudformation"],
                detail_type=["CloudFormation Stack Status Change"],
                detail={
                    "stack-id": events.Match.prefix(
                        stack.format_arn(service="cloudformation", resource="stack", resource_name=f"{self._prefix}-")
                    ),
                    "status-details": {"status": ["CREATE_COMPLETE", "UPDATE_COMPLETE"]},
                },
            ),
            targets=[_target(prepare)],
        )
        new = events.Rule(
            self,
            "NewVpc",
            description="Firebreak: a VPC appeared",
            event_bus=bus,
            event_pattern=events.EventPattern(source=NEW_VPC["source"]),
            targets=[_target(prepare)],
        )
        as_declared(new, NEW_VPC)


def _target(function: Function) -> targets.LambdaFunction:
    """What EventBridge cannot deliver goes where the function's own failures go."""
    assert function.dead_letters is not None
    return targets.LambdaFunction(function.function, dead_letter_queue=function.dead_letters, retry_attempts=10)
