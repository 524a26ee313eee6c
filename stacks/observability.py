"""The dashboard: what an operator looks at first."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from stacks.alarms import Alarms
from stacks.response.functions import Functions
from stacks.response.lanes import Lanes
from stacks.response.machine import Respond

PERIOD = cdk.Duration.minutes(5)


class Overview(Construct):
    """Alarms on top; below them what comes in, what is done about it, and how the functions fare."""

    def __init__(
        self, scope: Construct, prefix: str, *, alarms: Alarms, lanes: Lanes, machine: Respond, functions: Functions
    ) -> None:
        super().__init__(scope, "Overview")
        dashboard = cloudwatch.Dashboard(self, "Dashboard", dashboard_name=prefix)
        dashboard.add_widgets(cloudwatch.AlarmStatusWidget(title="Alarms", alarms=alarms.all, width=24))
        respond = machine.machine
        dashboard.add_widgets(
            cloudwatch.GraphWidget(
                title="Findings received, by lane",
                left=[
                    queue.metric_number_of_messages_sent(period=PERIOD, label=lane)
                    for lane, queue in lanes.queues.items()
                ],
            ),
            cloudwatch.GraphWidget(
                title="Oldest finding in a lane, seconds",
                left=[
                    queue.metric_approximate_age_of_oldest_message(period=PERIOD, label=lane)
                    for lane, queue in lanes.queues.items()
                ],
            ),
            cloudwatch.GraphWidget(
                title="Executions",
                left=[
                    respond.metric_started(period=PERIOD),
                    respond.metric_succeeded(period=PERIOD),
                    respond.metric_failed(period=PERIOD),
                    respond.metric_timed_out(period=PERIOD),
                    respond.metric_aborted(period=PERIOD),
                ],
            ),
            cloudwatch.GraphWidget(title="Duration of executions", left=[respond.metric_time(period=PERIOD)]),
        )
        dashboard.add_widgets(
            cloudwatch.GraphWidget(
                title="Errors of functions",
                width=12,
                left=[function.function.metric_errors(period=PERIOD) for function in functions.all],
            ),
            cloudwatch.GraphWidget(
                title="Duration of functions, 99 of 100",
                width=12,
                left=[function.function.metric_duration(period=PERIOD, statistic="p99") for function in functions.all],
            ),
        )
