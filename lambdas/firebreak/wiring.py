"""The only place where an adapter is chosen: one function per handler, which makes the clients it needs and no more.

Modules that only some functions need are imported inside their function: a cold start pays for what it uses.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.config import Config

from firebreak.adapters.table import Table
from firebreak.clock import Clock
from firebreak.settings import Settings

if TYPE_CHECKING:
    from firebreak.adapters.approval_table import ApprovalTable
    from firebreak.adapters.aws import SessionClients
    from firebreak.adapters.incident_table import IncidentTable
    from firebreak.adapters.sns import Topic
    from firebreak.adapters.stepfunctions import StateMachine
    from firebreak.adapters.sts import MemberSessions
    from firebreak.core.clients import Kubernetes
    from firebreak.core.deployment import Deployment
    from firebreak.core.playbook import Playbooks
    from firebreak.pipeline.answer import Answer
    from firebreak.pipeline.ask import Ask
    from firebreak.pipeline.close import Close
    from firebreak.pipeline.consent import Consents
    from firebreak.pipeline.decide import Announce, Decide
    from firebreak.pipeline.execute import Execute
    from firebreak.pipeline.plan import Planner
    from firebreak.pipeline.posting import Posting
    from firebreak.pipeline.prepare import Prepare
    from firebreak.pipeline.sweep import Sweep
    from firebreak.pipeline.triage import Triage
    from firebreak.ports import Remaining

CONFIG = Config(connect_timeout=3, read_timeout=8, retries={"mode": "standard", "max_attempts": 3})


def _kubernetes(clients: SessionClients, cluster: str) -> Kubernetes:
    from firebreak.adapters.eks import open_cluster

    return open_cluster(clients, cluster)


class Wiring:
    """What one function is made of.

    Args:
        environment: the function's variables.
        clock: the time.
    """

    def __init__(self, environment: Mapping[str, str], clock: Clock) -> None:
        self.settings = Settings(environment)
        self.clock = clock
        core = botocore.session.Session()
        self.loader = core.get_component("data_loader")
        self.session = boto3.Session(botocore_session=core, **self.settings.credentials)

    def client(self, service: str) -> Any:
        """Make a client under the function's own role."""
        return self.session.client(service, config=CONFIG, endpoint_url=self.settings.endpoint)

    def table(self) -> Table:
        return Table(self.client("dynamodb"), self.settings.table)

    def deployment(self) -> Deployment:
        from firebreak.core.deployment import Deployment

        return Deployment.model_validate(self.settings.deployment)

    def playbooks(self) -> Playbooks:
        from firebreak.core.playbook import Playbooks

        return Playbooks.model_validate(self.settings.playbooks)

    def topic(self) -> Topic:
        from firebreak.adapters.sns import Topic

        return Topic(lambda: self.client("sns"), self.settings.notice_topic)

    def machine(self) -> StateMachine:
        from firebreak.adapters.stepfunctions import StateMachine

        return StateMachine(self.client("stepfunctions"), self.settings.state_machine)

    def sessions(self, deployment: Deployment) -> MemberSessions:
        from firebreak.adapters.sts import MemberSessions
        from firebreak.core.registry import action

        return MemberSessions(self.session, deployment, action, _kubernetes, self.settings.endpoint, self.loader)

    def incidents(self, table: Table) -> IncidentTable:
        from firebreak.adapters.incident_table import IncidentTable

        return IncidentTable(table)

    def approvals(self, table: Table) -> ApprovalTable:
        from firebreak.adapters.approval_table import ApprovalTable

        return ApprovalTable(table)

    def consent(self, table: Table, announce: Announce | None = None) -> Consents:
        from firebreak.pipeline.consent import Consents, untold

        return Consents(self.approvals(table), self.incidents(table), announce or untold)

    def posting(self, table: Table) -> Posting:
        from firebreak.adapters.secrets import Secret
        from firebreak.adapters.slack import Slack
        from firebreak.pipeline.posting import Posting

        board = None
        if slack := self.settings.deployment.get("slack"):
            secret = Secret(lambda: self.client("secretsmanager"), self.settings.slack_secret)
            board = Slack(secret.bot_token, slack["channel"], self.settings.slack_api)
        return Posting(self.approvals(table), board, self.clock)

    def announce(self, table: Table) -> Announce:
        from firebreak.adapters.stepfunctions import StateMachine
        from firebreak.pipeline.decide import Announce

        return Announce(self.approvals(table), StateMachine(self.client("stepfunctions")), self.posting(table))

    def ask(self) -> Ask:
        from firebreak.core.approvers import Approvers
        from firebreak.pipeline.ask import Ask

        table, times = self.table(), self.deployment().approval
        return Ask(
            incidents=self.incidents(table),
            approvals=self.approvals(table),
            consents=self.consent(table),
            posting=self.posting(table),
            approvers=Approvers.read(self.settings.deployment),
            clock=self.clock,
            expires_after=timedelta(minutes=times.expire_after_minutes),
            used_within=timedelta(minutes=times.use_within_minutes),
        )

    def answer(self) -> Answer:
        """Nothing here may import pydantic: people wait for the answer while the function starts."""
        from firebreak.adapters.ballot_table import BallotTable
        from firebreak.adapters.secrets import Secret
        from firebreak.core.approvers import Approvers
        from firebreak.pipeline.answer import Answer

        secrets = self.client("secretsmanager")  # made at the start, where nobody waits for it
        return Answer(
            ballot=BallotTable(self.table()),
            approvers=Approvers.read(self.settings.deployment),
            signing_secrets=Secret(lambda: secrets, self.settings.signing_secret).signing_secrets,
            clock=self.clock,
        )

    def decide(self) -> Decide:
        from firebreak.pipeline.decide import Decide

        table = self.table()
        return Decide(self.consent(table, self.announce(table)), self.clock)

    def triage(self) -> Triage:
        from firebreak.adapters.admission_table import AdmissionTable
        from firebreak.adapters.finding_table import FindingTable
        from firebreak.adapters.s3 import Bucket
        from firebreak.core.registry import sources
        from firebreak.pipeline.triage import Triage

        table = self.table()
        return Triage(
            sources=sources(),
            playbooks=self.playbooks(),
            findings=FindingTable(table),
            executions=self.machine(),
            admission=AdmissionTable(table),
            vault=Bucket(lambda: self.client("s3"), self.settings.raw_events_bucket),
            messenger=self.topic(),
            clock=self.clock,
            bulk_limit=int(self.settings.deployment.get("bulk_executions", 10)),
        )

    def plan(self) -> Planner:
        from firebreak.adapters.lambda_ import PrepareFunction
        from firebreak.adapters.ledger_table import LedgerTable
        from firebreak.core.registry import action, enrichers
        from firebreak.pipeline.merge import Merge
        from firebreak.pipeline.plan import Planner

        table, deployment = self.table(), self.deployment()
        incidents, consent = self.incidents(table), self.consent(table)
        return Planner(
            incidents=incidents,
            ledger=LedgerTable(table),
            sessions=self.sessions(deployment),
            consent=consent,
            messenger=self.topic(),
            clock=self.clock,
            playbooks=self.playbooks(),
            deployment=deployment,
            enrichers=enrichers(),
            action=action,
            preparation=PrepareFunction(lambda: self.client("lambda"), self.settings.prepare_function),
            merge=Merge(incidents, self.machine(), consent, self.clock),
        )

    def prepare(self, remaining: Remaining) -> Prepare:
        from firebreak.pipeline.prepare import Prepare

        sessions = self.sessions(self.deployment())
        return Prepare(lambda account, region: sessions.prepare(account, region, remaining), self.topic())

    def execute(self) -> Execute:
        from firebreak.adapters.ledger_table import LedgerTable
        from firebreak.core.registry import action
        from firebreak.pipeline.execute import Execute

        table, deployment = self.table(), self.deployment()
        return Execute(
            incidents=self.incidents(table),
            ledger=LedgerTable(table),
            sessions=self.sessions(deployment),
            consent=self.consent(table),
            messenger=self.topic(),
            clock=self.clock,
            deployment=deployment,
            action=action,
        )

    def close(self) -> Close:
        from firebreak.adapters.admission_table import AdmissionTable
        from firebreak.adapters.finding_table import FindingTable
        from firebreak.adapters.s3 import Bucket
        from firebreak.pipeline.close import Close

        table = self.table()
        return Close(
            incidents=self.incidents(table),
            findings=FindingTable(table),
            admission=AdmissionTable(table),
            vault=Bucket(lambda: self.client("s3"), self.settings.evidence_bucket),
            messenger=self.topic(),
            clock=self.clock,
        )

    def sweep(self) -> Sweep:
        from firebreak.adapters.admission_table import AdmissionTable
        from firebreak.core.registry import action
        from firebreak.pipeline.reconcile import Reconcile
        from firebreak.pipeline.sweep import Sweep

        table, messenger = self.table(), self.topic()
        incidents, sessions = self.incidents(table), self.sessions(self.deployment())
        return Sweep(
            incidents=incidents,
            executions=self.machine(),
            admission=AdmissionTable(table),
            consent=self.consent(table, self.announce(table)),
            messenger=messenger,
            clock=self.clock,
            bulk_limit=int(self.settings.deployment.get("bulk_executions", 10)),
            reconcile=Reconcile(incidents, sessions, messenger, self.clock, action),
        )
