"""Wrong versions of parts of the pipeline. Each replaces a function or two while it is entered."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest.mock import patch

from firebreak.adapters import aws, finding_table, ledger_table
from firebreak.adapters.incident_reader import HALT_KEY, MODE_KEY
from firebreak.adapters.ledger_table import LedgerTable
from firebreak.adapters.table import Table
from firebreak.adapters.writes import ALWAYS, Write, check, put
from firebreak.core import guard
from firebreak.core.errors import Denied, PlanStale, Retriable, Throttled
from firebreak.core.plan import Done
from firebreak.pipeline import close, step_run
from firebreak.pipeline.consent import Consents
from firebreak.pipeline.execute import Execute, _Run
from firebreak.pipeline.plan import Planner
from firebreak.pipeline.step_run import StepRun
from firebreak.pipeline.triage import Triage
from reliability import scripted


@contextmanager
def handled_first() -> Iterator[None]:
    """Mark a finding handled, then open its incident."""
    plain = finding_table.FindingTable.open

    def open_(self: Any, finding: Any, incident: Any, seen: Any, deliveries: int = 1) -> Any:
        row = finding_table._row(finding, incident.id, 1, 1, incident.updated_at, deliveries)
        self._table.write(put({**row, "handled": True}, ALWAYS))
        return plain(self, finding, incident, _seen_again(self, finding), deliveries)

    with patch.object(finding_table.FindingTable, "open", open_):
        yield


def _seen_again(table: Any, finding: Any) -> Any:
    return finding_table._seen(table._table.get(f"FINDING#{finding.key}", "FINDING"))


@contextmanager
def before_state_again() -> Iterator[None]:
    """Read the before-state at each run."""
    plain = StepRun.begin

    def begin(self: StepRun, status: Any) -> None:
        if status == "running" and self.step.plan is not None:
            clients = self.desk.sessions.action(self.plan, self.remaining)
            draft = self.action.plan(clients, self.step.target, self.action.parameters())
            plan = self.plan.model_copy(update={"before": draft.before})
            self.step = self.step.model_copy(update={"plan": plan})
        plain(self, status)

    def baseline(self: LedgerTable, pk: str, plan: Any) -> Write:
        return put({"pk": pk, "sk": "BASELINE", "body": plan.draft.model_dump_json()}, ALWAYS)

    with patch.object(StepRun, "begin", begin), patch.object(LedgerTable, "_baseline", baseline):
        yield


@contextmanager
def effect_first() -> Iterator[None]:
    """Change, then record the intent."""
    plain = _Run._run

    def run(self: Any, begun: bool) -> Any:
        clients = self.desk.sessions.action(self.plan, self.remaining)
        self.action.apply(clients, self.plan)
        return plain(self, begun)

    with patch.object(_Run, "_run", run):
        yield


@contextmanager
def no_condition() -> Iterator[None]:
    """Send transactions without the conditions of their puts."""
    plain = Table.write_all

    def write_all(self: Table, *writes: Write) -> None:
        free = [
            Write(write.kind, {"Item": write.arguments["Item"]}) if write.kind == "Put" else write for write in writes
        ]
        plain(self, *free)

    with patch.object(Table, "write_all", write_all):
        yield


@contextmanager
def no_drift_check() -> Iterator[None]:
    """Take everything for our own state."""
    with patch.object(scripted.Contain, "_ours", lambda *_: None):
        yield


@contextmanager
def insistent() -> Iterator[None]:
    """Try what was refused for good again."""
    plain = aws.translate

    def translate(error: Exception, operation: str) -> Any:
        found = plain(error, operation)
        return Retriable(str(found)) if isinstance(found, Denied) else found

    with patch.object(aws, "translate", translate):
        yield


@contextmanager
def swallowed() -> Iterator[None]:
    """Take a throttled call for an empty answer."""
    plain = aws.AwsClient.__getattr__

    def getattr_(self: Any, operation: str) -> Any:
        method = plain(self, operation)

        def call(**request: Any) -> Any:
            try:
                return method(**request)
            except Throttled:
                return {"Doors": [], "Copies": []}

        return call

    with patch.object(aws.AwsClient, "__getattr__", getattr_):
        yield


@contextmanager
def underived() -> Iterator[None]:
    """Draw the name of what is made."""

    def apply(self: Any, clients: Any, plan: Any) -> Any:
        clients.aws("scripted").create_copy(Instance=scripted._instance(plan), ClientToken=uuid.uuid4().hex)
        return Done()

    def copies(self: Any, clients: Any, plan: Any) -> Any:
        return clients.aws("scripted").describe_copies(Instance=scripted._instance(plan))["Copies"]

    with patch.object(scripted.Collect, "apply", apply), patch.object(scripted.Collect, "_copies", copies):
        yield


@contextmanager
def acknowledged_first() -> Iterator[None]:
    """Report every message as handled."""
    plain = Triage.handle

    def handle(self: Triage, messages: Any) -> Any:
        plain(self, messages)
        return {}

    with patch.object(Triage, "handle", handle):
        yield


@contextmanager
def late_response() -> Iterator[None]:
    """Let a late run go on with what is being undone."""
    plain = Execute.handle

    def handle(self: Execute, incident: str, step: str, mode: Any, operation: Any, actor: Any, remaining: Any) -> Any:
        story, record, guard = self.incidents.briefing(incident, step)
        if mode == "respond" and record.status == "undoing":
            desk = step_run.Desk(self.incidents, self.ledger, self.sessions, self.messenger, self.clock)
            contains = self.action(record.action)
            return _Run(desk, story, record, contains, mode, guard, actor, remaining, use=self).respond()
        return plain(self, incident, step, mode, operation, actor, remaining)

    with patch.object(Execute, "handle", handle):
        yield


@contextmanager
def impatient_undo() -> Iterator[None]:
    """Settle an undo on the first read-back."""
    plain = _Run.undo

    def undo(self: Any) -> Any:
        try:
            return plain(self)
        except Retriable as error:
            if "read back" not in str(error):
                raise
            self.take()
            return self.fail("undo_failed", PlanStale(str(error)))

    with patch.object(_Run, "undo", undo):
        yield


def no_consent() -> AbstractContextManager[Any]:
    """Never look at the consent."""
    return patch.object(Consents, "redeem", lambda self, step, holder, now: None)


def no_lease() -> AbstractContextManager[Any]:
    """Write the lease whoever holds it."""

    def lease(self: LedgerTable, pk: str, actor: Any, now: Any, seconds: float) -> Write:
        return put({"pk": pk, "sk": "LEASE", "holder": actor.request, "until": now.isoformat()}, ALWAYS)

    return patch.object(LedgerTable, "_lease", lease)


def short_lease() -> AbstractContextManager[Any]:
    """Let the lease end before its run must."""
    return patch.object(step_run, "LEASE_MARGIN", -90.0)


def destroy_first() -> AbstractContextManager[Any]:
    """Wait for no evidence."""
    return patch.object(_Run, "_preserved", lambda self: True)


def open_end() -> AbstractContextManager[Any]:
    """Settle without the lease, hence without securing."""
    return patch.object(_Run, "_end", lambda self, status, error, begun: self.fail(status, error))


def presumed_undone() -> AbstractContextManager[Any]:
    """Count as undone what is not known to have failed."""
    return patch.object(close, "_released", lambda story, steps: ("closed", close.RELEASED))


def guarded_once() -> AbstractContextManager[Any]:
    """Ask the guard where the plan is made, and not again where it is carried out."""
    return patch.object(_Run, "_guarded", lambda self: None)


def unprotected() -> AbstractContextManager[Any]:
    """Overlook what the settings protect."""
    return patch.object(guard, "any_matches", lambda globs, text: False)


def overspent() -> AbstractContextManager[Any]:
    """Run unasked whatever the budget."""
    return patch.object(Planner, "_within_budget", lambda self, step, now: True)


def unfenced_halt() -> AbstractContextManager[Any]:
    """Look at the kill switch ahead of the intent, and not with it."""
    return _unheld(HALT_KEY)


def unheld_mode() -> AbstractContextManager[Any]:
    """Look at the mode ahead of the intent, and not with it."""
    return _unheld(MODE_KEY)


def _unheld(row: tuple[str, str]) -> AbstractContextManager[Any]:
    def held(pk: str, sk: str, when: Any) -> Write:
        return check(pk, sk, ALWAYS if (pk, sk) == row else when)

    return patch.object(ledger_table, "check", held)
