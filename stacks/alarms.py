"""Alarms to the notice topic: what nobody may overlook."""

from __future__ import annotations

from collections.abc import Iterable

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.names import notice_topic

OLDEST = {"urgent": 60, "bulk": 900}
"""Seconds that a message may wait in a lane."""


def near_topic(scope: Construct, prefix: str) -> sns.ITopic:
    """Return the notice topic for another stack of the home account and region."""
    arn = cdk.Stack.of(scope).format_arn(service="sns", resource=notice_topic(prefix))
    return sns.Topic.from_topic_arn(scope, "Notices", arn)


class Alarms(Construct):
    """The alarms.

    Args:
        scope: the stack.
        topic: who is told; None where no topic is near, since an alarm tells one of its own region only.
    """

    def __init__(self, scope: Construct, topic: sns.ITopic | None) -> None:
        super().__init__(scope, "Alarms")
        self._action = None if topic is None else actions.SnsAction(topic)
        self.all: list[cloudwatch.Alarm] = []

    def dead_letters(self, queues: Iterable[sqs.Queue]) -> None:
        """Tell of anything that lies in a dead letter queue."""
        for queue in queues:
            metric = queue.metric_approximate_number_of_messages_visible(
                period=cdk.Duration.minutes(1), statistic="Maximum"
            )
            name = "".join(part for part in queue.node.path.split("/")[1:])
            self._alarm(f"{name}Depth", metric, "something could not be handled; `firebreak dlq list` says what")

    def lanes(self, queues: dict[str, sqs.Queue]) -> None:
        """Tell of a lane that is not emptied in time."""
        for lane, queue in queues.items():
            metric = queue.metric_approximate_age_of_oldest_message(period=cdk.Duration.minutes(1), statistic="Maximum")
            self._alarm(f"{lane.capitalize()}Age", metric, f"the {lane} lane is not emptied in time", OLDEST[lane], 3)

    def executions(self, prefix: str, machine: sfn.StateMachine, log: logs.LogGroup) -> None:
        """Tell of executions that failed or are stuck, and of steps that failed or may have been left open."""
        minutes = cdk.Duration.minutes(5)
        self._alarm("Failed", machine.metric_failed(period=minutes), "an execution failed; Sweep tries again")
        self._alarm("Stuck", machine.metric_timed_out(period=minutes), "an execution was stuck until its time was up")
        for name, state, words in (
            ("FailedSteps", "Secure*", "a step failed for good; its incident says why"),
            ("UnsecuredSteps", "Unsecured*", "a step failed half-way and could not be secured: look at its target now"),
        ):
            pattern = logs.FilterPattern.all(
                logs.FilterPattern.string_value("$.type", "=", "*StateEntered"),
                logs.FilterPattern.string_value("$.details.name", "=", state),
            )
            self._alarm(name, self._counted(prefix, name, log, pattern), words)

    def differences(self, prefix: str, log: logs.LogGroup) -> None:
        """Tell, for as long as it lasts, of what is contained no longer as its record says: Sweep logs how much."""
        pattern = logs.FilterPattern.all(
            logs.FilterPattern.string_value("$.message", "=", "swept"),
            logs.FilterPattern.number_value("$.differ", ">", 0),
        )
        metric = self._counted(prefix, "Differences", log, pattern, "$.differ", minutes=10)
        self._alarm("Differences", metric, "what was contained is not as it was left; its incident says in what")

    def _counted(
        self,
        prefix: str,
        name: str,
        log: logs.LogGroup,
        pattern: logs.IFilterPattern,
        value: str = "1",
        *,
        minutes: int = 1,
    ) -> cloudwatch.Metric:
        logs.MetricFilter(
            self,
            f"{name}Filter",
            log_group=log,
            metric_namespace=prefix,
            metric_name=name,
            filter_pattern=pattern,
            metric_value=value,
            default_value=0,
        )
        period = cdk.Duration.minutes(minutes)
        return cloudwatch.Metric(namespace=prefix, metric_name=name, statistic="Sum", period=period)

    def _alarm(self, name: str, metric: cloudwatch.Metric, words: str, threshold: float = 0, periods: int = 1) -> None:
        alarm = cloudwatch.Alarm(
            self,
            name,
            metric=metric,
            alarm_description=f"Firebreak: {words}",
            threshold=threshold,
            evaluation_periods=periods,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        if self._action is not None:
            alarm.add_alarm_action(self._action)
        self.all.append(alarm)
