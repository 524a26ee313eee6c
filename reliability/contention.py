"""Threads that want the same thing at the same moment: one of them gets it, by conditional writes alone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from firebreak.adapters.finding_table import FindingTable
from firebreak.adapters.incident_rows import new_incident, new_step, read_step, step_key
from firebreak.adapters.ledger_table import LedgerTable
from firebreak.adapters.table import Table
from firebreak.core.errors import Conflict, Held
from firebreak.core.finding import Finding, Severity
from firebreak.core.guard import GuardState
from firebreak.core.incident import Incident, StepRecord
from firebreak.core.plan import Change, Plan
from firebreak.core.target import Instance
from firebreak.ports import Actor
from reliability.memory import START
from reliability.memory_table import MemoryTable

LEASE = 60.0
STEP = "step-1"
PLACE: dict[str, Any] = {"account": "111122223333", "region": "us-east-1"}


@dataclass(frozen=True)
class Contention:
    """How often one alone of the threads got what all of them wanted.

    Attributes:
        threads, keys: how many of each.
        opened: keys of which one thread opened the incident, and all others were told which it is.
        taken: keys of which one thread took the lease.
        begun: keys of which one thread began the step.
    """

    threads: int
    keys: int
    opened: int
    taken: int
    begun: int

    @property
    def right(self) -> bool:
        """Whether it was one alone for every key."""
        return self.opened == self.taken == self.begun == self.keys


class OneAtATime:
    """The table's client. DynamoDB serialises the writes to an item; a lock around each call does as much here."""

    def __init__(self, table: MemoryTable) -> None:
        self._table = table
        self._lock = threading.Lock()

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**request: Any) -> Any:
            with self._lock:
                return getattr(self._table, operation)(request)

        return call


def contention(keys: int, threads: int = 8) -> Contention:
    """Let all threads try to open, lock and begin the same, key by key."""
    table = Table(OneAtATime(MemoryTable()), "table", lambda seconds: None)
    findings, ledger = FindingTable(table), LedgerTable(table)
    together = threading.Barrier(threads, timeout=60)  # they all stand at a key before any of them tries it

    def run(thread: int) -> list[tuple[str, bool, bool]]:
        actor = Actor(name="execute", request=f"run-{thread}")
        tried: list[tuple[str, bool, bool]] = []
        for key in range(keys):
            finding, incident = _found(key, thread)
            if thread == 0:
                _decide(table, key)
            together.wait()
            step = read_step(table.get(*step_key(_story(key), STEP)) or {})
            holder = findings.open(finding, incident, None) or incident.id
            together.wait()
            taken = _got(partial(ledger.take, step, "taken", actor, START, LEASE))
            together.wait()
            tried.append((holder, taken, _got(partial(_begin, ledger, step, actor))))
        return tried

    with ThreadPoolExecutor(threads) as pool:
        tried = list(zip(*pool.map(run, range(threads)), strict=True))
    return Contention(
        threads,
        keys,
        sum(len({holder for holder, _, _ in each}) == 1 for each in tried),
        sum(sum(taken for _, taken, _ in each) == 1 for each in tried),
        sum(sum(begun for _, _, begun in each) == 1 for each in tried),
    )


def _got(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except (Held, Conflict):
        return False
    return True


def _found(key: int, thread: int) -> tuple[Finding, Incident]:
    """A finding of this thread's own about the one target, and the incident that it would open."""
    target = _target(key)
    finding = Finding(
        source="guardduty",
        id=f"{key}-{thread}",
        type="Backdoor:EC2/C&CActivity.B!DNS",
        severity=Severity.HIGH,
        targets=(target,),
        created_at=START,
        updated_at=START,
        **PLACE,
    )
    return finding, _incident(f"inc-{key:06x}{thread:06x}", (target.key,))


def _incident(name: str, locks: tuple[str, ...]) -> Incident:
    return Incident(
        id=name,
        revision=1,
        lane="urgent",
        severity=Severity.HIGH,
        title="contention",
        locks=locks,
        created_at=START,
        updated_at=START,
        **PLACE,
    )


def _decide(table: Table, key: int) -> None:
    """Put an incident of its own with a planned step into the table."""
    _, incident = new_incident(_incident(_story(key), ()), "opened", "triage", ())
    about: dict[str, Any] = {
        "action": "scripted.contain",
        "incident": _story(key),
        "revision": 1,
        "target": _target(key),
    }
    change = Change(resource=_target(key).label, what="locks", before="a", after="sealed")
    plan = Plan(before={}, changes=(change,), step=STEP, parameters={}, policy="", **about)
    step = StepRecord(
        id=STEP,
        order=1,
        effect="reversible",
        stage="contain",
        parameters={},
        consent="auto",
        playbook="contention",
        status="planned",
        plan=plan,
        **about,
    )
    table.write_all(*incident, *new_step(step, "plan", START))


def _begin(ledger: LedgerTable, step: StepRecord, actor: Actor) -> StepRecord:
    after = step.model_copy(update={"status": "running", "started_at": START})
    return ledger.begin(
        step, after, aspect="begun", mode="respond", keep=True, actor=actor, now=START, lease=LEASE, judged=GuardState()
    )


def _story(key: int) -> str:
    return f"inc-{key:06x}ffffff"


def _target(key: int) -> Instance:
    return Instance(instance_id=f"i-{key:017x}", partition="aws", **PLACE)
