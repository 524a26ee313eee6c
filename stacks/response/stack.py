"""The response stack puts the parts of the pipeline together."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from firebreak.core.console import ConsoleNames, KeptIn, LaneQueues
from firebreak.core.deployment import Deployment
from firebreak.core.lanes import bulk_pattern, urgent_pattern
from firebreak.core.registry import sources
from stacks.alarms import Alarms
from stacks.names import notice_topic
from stacks.observability import Overview
from stacks.places import accounts
from stacks.response.api import Api
from stacks.response.bus import Bus
from stacks.response.console import Console
from stacks.response.functions import CLOSE_TIMEOUT, EXECUTE_TIMEOUT, PLAN_TIMEOUT, Functions, Surroundings
from stacks.response.lanes import Lanes
from stacks.response.machine import Respond
from stacks.response.operators import Operators
from stacks.response.stage import Callees
from stacks.response.storage import Storage
from stacks.response.wakes import Wakes

QUESTION_GRACE = 15
"""Minutes that the state machine waits beyond a question's own expiry, which Sweep looks at every five."""


class ResponseStack(cdk.Stack):
    """The pipeline.

    Args:
        scope, id: where it belongs.
        deployment: the settings.
        code: the asset of the functions.
    """

    def __init__(self, scope: Construct, id: str, *, deployment: Deployment, code: lambda_.Code, **stack: Any) -> None:
        super().__init__(scope, id, **stack)
        self._deployment = deployment
        self._prefix = deployment.prefix
        self.storage = Storage(self, self._prefix, deployment.retention)
        self.notices = self._notices()
        self.functions = Functions(
            self,
            Surroundings(
                prefix=self._prefix,
                accounts=accounts(deployment),
                code=code,
                storage=self.storage,
                notices=self.notices,
                log_days=deployment.retention.logs,
            ),
        )
        self.machine = Respond(self, self._prefix, self._callees(), deployment.retention.logs)
        self.lanes = Lanes(self)
        self.functions.after(self.machine.machine.state_machine_arn, self.lanes)
        self.lanes.drain(self.functions.triage.function)
        self.bus = self._bus()
        self.wakes = self._wakes()
        self.api = Api(self, self._prefix, self.functions.answer.function, deployment.retention.logs)
        Console(self, self._names())
        Operators(
            self,
            self._prefix,
            storage=self.storage,
            lanes=self.lanes,
            machine=self.machine.machine,
            api=self.api.api,
            bus=self.bus.bus,
        )
        self.alarms = self._alarms()
        Overview(
            self,
            self._prefix,
            alarms=self.alarms,
            lanes=self.lanes,
            machine=self.machine,
            functions=self.functions,
        )

    def _notices(self) -> sns.Topic:
        topic = sns.Topic(
            self,
            "Notices",
            topic_name=notice_topic(self._prefix),
            display_name="Firebreak",
            master_key=self.storage.key,
            enforce_ssl=True,
        )
        # CloudWatch is not covered by the topic's default policy, which any statement of ours replaces
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="Alarms",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            )
        )
        for address in self._deployment.notice_emails:
            topic.add_subscription(subscriptions.EmailSubscription(address))
        return topic

    def _callees(self) -> Callees:
        functions = self.functions
        return Callees(
            plan=functions.plan.function,
            ask=functions.ask.function,
            execute=functions.execute.function,
            execute_destructive=functions.execute_destructive.function,
            close=functions.close.function,
            plan_limit=PLAN_TIMEOUT + 10,
            execute_limit=EXECUTE_TIMEOUT + 10,
            close_limit=CLOSE_TIMEOUT + 10,
            question_minutes=self._deployment.approval.expire_after_minutes + QUESTION_GRACE,
        )

    def _bus(self) -> Bus:
        bus = Bus(self, self._prefix, self._deployment)
        for name, source in sources().items():
            for lane, patterns in (("urgent", urgent_pattern(source)), ("bulk", bulk_pattern(source))):
                for number, pattern in enumerate(patterns):
                    self.lanes.fill(bus.bus, name, lane, number, pattern)
        return bus

    def _wakes(self) -> Wakes:
        wakes = Wakes(self, self._prefix)
        wakes.votes(self.functions.decide, self.storage.table)
        wakes.sweep(self.functions.sweep, self.machine.machine.state_machine_arn)
        wakes.prepare(self.functions.prepare, self.bus.bus)
        return wakes

    def _names(self) -> ConsoleNames:
        kept = self._deployment.retention
        return ConsoleNames(
            prefix=self._prefix,
            account=self.account,
            region=self.region,
            mode=self._deployment.mode,
            production_mode=self._deployment.guard.production_mode,
            table=self.storage.table.table_name,
            state_machine=self.machine.machine.state_machine_arn,
            bus=self.bus.bus.event_bus_name,
            api=self.api.api.api_endpoint,
            evidence=KeptIn(bucket=self.storage.evidence.bucket_name, days=kept.evidence),
            raw_events=KeptIn(bucket=self.storage.raw_events.bucket_name, days=kept.raw_events),
            notices=self.notices.topic_arn,
            lanes={
                "urgent": self._queues("urgent"),
                "bulk": self._queues("bulk"),
            },
        )

    def _queues(self, lane: str) -> LaneQueues:
        return LaneQueues(queue=self.lanes.queues[lane].queue_url, dead_letters=self.lanes.dead_letters[lane].queue_url)

    def _alarms(self) -> Alarms:
        alarms = Alarms(self, self.notices)
        own = [function.dead_letters for function in self.functions.all if function.dead_letters is not None]
        alarms.dead_letters([*self.lanes.dead_letters.values(), self.wakes.dead_letters, *own])
        alarms.lanes(self.lanes.queues)
        alarms.executions(self._prefix, self.machine.machine, self.machine.logs)
        alarms.differences(self._prefix, self.functions.sweep.logs)
        return alarms
