"""Asking and deciding around the stand-in for Slack, without sockets."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from firebreak.adapters.slack import Slack as Board
from firebreak.core.approval import Approval
from firebreak.core.approvers import Approvers
from firebreak.core.errors import Retriable
from firebreak.core.incident import StepRecord
from firebreak.pipeline.ask import Ask
from firebreak.pipeline.consent import Consents
from firebreak.pipeline.decide import Announce, Decide
from firebreak.pipeline.posting import Posting
from firebreak.ports import Actor
from sandbox.clock import Clock
from sandbox.kubernetes_wire import Wire
from sandbox.slack import Slack, Workspace
from sandbox.slack_channel import Message
from tests.approvals import (
    APP,
    BOT_TOKEN,
    CHANNEL,
    DEPLOYMENT,
    EXECUTION,
    INCIDENT,
    SECRET,
    STEP,
    TEAM,
    incidents,
    store,
)
from tests.world import START, World


@dataclass
class Tasks:
    """Task tokens that wait."""

    told: list[tuple[str, Any]] = field(default_factory=list)
    waiting: bool = True
    outage: bool = False

    def succeed(self, token: str, output: dict[str, Any]) -> bool:
        if self.outage:
            raise Retriable("the state machine cannot be reached")
        self.told.append((token, output))
        return self.waiting


def nowhere(body: bytes, headers: Any) -> tuple[int, str]:
    raise AssertionError("nothing is pressed here")


@dataclass
class Channel:
    """Ask, decide and sweep's share of both, in a world with a stand-in for Slack."""

    world: World
    tasks: Tasks = field(default_factory=Tasks)
    pauses: list[float] = field(default_factory=list)
    settings: Any = field(default_factory=lambda: DEPLOYMENT.model_dump(mode="json"))
    silent: bool = False

    def __post_init__(self) -> None:
        workspace = Workspace(TEAM, APP, CHANNEL, BOT_TOKEN, SECRET, {})
        self.slack = Slack(workspace, Clock(START), nowhere)
        self.approvals = store(self.world)

    @property
    def posting(self) -> Posting:
        pool: Any = Wire(self.slack, "/slack")
        board = Board(lambda: BOT_TOKEN, CHANNEL, "http://127.0.0.1/slack/api", pool)
        return Posting(self.approvals, None if self.silent else board, self.world.clock, self.pauses.append)

    @property
    def consents(self) -> Consents:
        """As Execute and Plan have it: without anyone to tell."""
        return Consents(self.approvals, incidents(self.world))

    @property
    def telling(self) -> Consents:
        """As Decide and Sweep have it."""
        announce = Announce(self.approvals, self.tasks, self.posting)
        return Consents(self.approvals, incidents(self.world), announce)

    @property
    def decide(self) -> Decide:
        return Decide(self.telling, self.world.clock)

    def ask(self, token: str = "token-1", execution: str = EXECUTION) -> Approval:
        use = Ask(
            incidents=incidents(self.world),
            approvals=self.approvals,
            consents=self.consents,
            posting=self.posting,
            approvers=Approvers.read(self.settings),
            clock=self.world.clock,
            expires_after=timedelta(minutes=60),
            used_within=timedelta(minutes=30),
        )
        return use.handle(INCIDENT, STEP, execution, token, Actor(name="ask", request="request-1"))

    def step(self) -> StepRecord:
        return incidents(self.world).steps(INCIDENT)[0]

    def now(self, approval: Approval) -> Approval:
        """The approval as it stands."""
        found = self.approvals.get(approval.id)
        assert found is not None
        return found

    def open_messages(self) -> list[Message]:
        """Messages that have buttons."""
        return [each for each in self.slack.messages if any(block["type"] == "actions" for block in each.blocks)]
