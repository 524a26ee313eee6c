"""The memory world: the handlers as deployed, the synthesized state machine, and everything around them in memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from firebreak.adapters.incident_table import IncidentTable
from firebreak.adapters.table import Table
from firebreak.core.incident import Incident, StepRecord
from firebreak.ports import Execution
from reliability.blueprint import Blueprint
from reliability.estate import Estate
from reliability.injector import Injector
from reliability.memory_table import MemoryTable
from reliability.queue import Backend
from reliability.services import READS, Services
from sandbox.clock import Clock
from sandbox.delivery import QueueReader, StreamReader, function_consumer
from sandbox.executions import Executions
from sandbox.front import AwsFailure
from sandbox.functions import Functions
from sandbox.identity import Identities

START = datetime(2026, 11, 2, 10, tzinfo=UTC)
SCHEDULE = 300.0
"""Seconds between two runs of Sweep by its schedule."""

BADLY = ("FAILED", "TIMED_OUT", "ABORTED")


class MemoryWorld:
    """One world, for one run.

    Args:
        blueprint: the application.
        config: folder of `playbooks.json` and `deployment.json`.

    Attributes:
        clock, injector, table, estate, services, functions, machines, queues: its parts.
    """

    def __init__(self, blueprint: Blueprint, config: str) -> None:
        self.blueprint = blueprint
        self.clock = Clock(START)
        self.injector = Injector(self.clock)
        self.queues = Backend(self.clock.now, {lane.queue: lane for lane in blueprint.lanes})
        self.table = MemoryTable(self._changed)
        self.estate = Estate(self.clock.now)
        self._identities = Identities("111122223333")
        self.functions = Functions(self.clock, self._identities, "", {"FIREBREAK_CONFIG": config}, self._given_up)
        self.lost: list[str] = []
        for function in blueprint.functions.values():
            self.functions.register(function)
        self.machines = Executions(self.clock, self.functions, self._ended)
        self.machines.add_machine(blueprint.machine, blueprint.definition)
        self.services = Services(self.machines)
        self._readers = [
            QueueReader(
                self.clock,
                self.queues,  # type: ignore[arg-type]
                lane.queue,
                lane.batch,
                10,
                function_consumer(self.clock, self.functions, lane.function, True, ()),
            )
            for lane in blueprint.lanes
        ]
        self._stream = StreamReader(
            self.clock,
            self.queues,  # type: ignore[arg-type]
            self.functions,
            "table",
            blueprint.stream.function,
            batch=10,
            filters=blueprint.stream.filters,
            partial=True,
            bisect=True,
            retries=blueprint.stream.retries,
        )
        self.clock.after(SCHEDULE, self._sweep, deadline=True)

    def serve(self, service: str, operation: str, request: Mapping[str, Any], role: str) -> Any:
        """Answer one call of a client that is seated here."""
        known = self._identities.find(role)
        acting = (known.role if known else role).rpartition("/")[2]
        send: Callable[[], Any]
        stale: Callable[[], Any] | None = None
        if service == "dynamodb":
            send = lambda: getattr(self.table, operation)(request)  # noqa: E731
        elif service == "scripted":
            number = len(self.injector.calls) + 1
            send = lambda: self.estate.serve(operation, request, acting, number)  # noqa: E731
            if (before := self.estate.stale(operation, request)) is not None:
                stale = lambda: before  # noqa: E731
        else:
            send = lambda: self.services.call(service, operation, request)  # noqa: E731
        reads = operation.startswith(READS)
        return self.injector.around(f"{service}:{operation}", request, send, role=acting, reads=reads, stale=stale)

    # What a story does.

    def send(self, event: Mapping[str, Any], *, lane: int = 0, copies: int = 1) -> None:
        """Put an event into a lane, as the rules of the bus do."""
        for _ in range(copies):
            self.post(json.dumps(event), lane=lane)

    def post(self, body: str, *, lane: int = 0) -> None:
        """Put a message into a lane, whatever it says."""
        self.queues.send(self.blueprint.lanes[lane].queue, body)
        self.clock.soon(self._readers[lane].poll)

    def settle(self, within: float = 3600) -> None:
        """Let everything happen."""
        self.clock.run_until_idle(within)

    def sweep(self) -> None:
        """Wake Sweep as its schedule does, and let everything happen."""
        self.functions.invoke_later("firebreak-sweep", {"detail-type": "Scheduled Event"})
        self.settle()

    def answer(self, approval: str, choice: str) -> int:
        """Answer a question, as the command does, and return the HTTP status."""
        person = "arn:aws:iam::111122223333:user/ana"
        event = {
            "version": "2.0",
            "routeKey": "POST /approvals/{id}",
            "pathParameters": {"id": approval},
            "headers": {"content-type": "application/json"},
            "body": json.dumps({"decision": choice, "reason": "as the story says"}),
            "isBase64Encoded": False,
            "requestContext": {"authorizer": {"iam": {"userArn": person}}, "requestId": f"{approval}-{choice}"},
        }
        answer = self.functions.invoke("firebreak-answer", event).payload
        self.clock.soon(self._stream.poll)
        return int(answer.get("statusCode", 500))

    def poll_stream(self) -> None:
        """Have the stream's reader look for records soon."""
        self.clock.soon(self._stream.poll)

    def undo(self, incident: str) -> None:
        """Start an undo, as the command does."""
        incidents = self.incidents()
        revision = incidents.incident(incident).revision
        wanted = Execution(incident=incident, revision=revision, mode="undo", attempt=1)
        execution = incidents.want_execution(wanted, self.clock.now())
        try:
            self.machines.start(self.blueprint.machine, execution.input, execution.name)
        except AwsFailure:
            again = incidents.try_again(execution) or incidents.want_execution(wanted, self.clock.now())
            self.machines.start(self.blueprint.machine, again.input, again.name)

    # What an invariant looks at.

    def incidents(self) -> IncidentTable:
        """Return the store, read beside the injector."""
        return IncidentTable(Table(_Direct(self.table), "table", lambda seconds: None))

    @property
    def stories(self) -> list[Incident]:
        """Every incident."""
        return [Incident.model_validate_json(row["body"]["S"]) for key, row in self._rows("INCIDENT#", "INCIDENT")]

    @property
    def steps(self) -> list[StepRecord]:
        """Every step, by order of its decision."""
        found = [StepRecord.model_validate_json(row["body"]["S"]) for key, row in self._rows("INCIDENT#", "STEP#")]
        return sorted(found, key=lambda step: (step.incident, step.revision, step.order))

    def _rows(self, pk: str, sk: str) -> list[tuple[tuple[str, str], Any]]:
        return sorted(
            (key, row) for key, row in self.table.rows.items() if key[0].startswith(pk) and key[1].startswith(sk)
        )

    # What happens by itself.

    def _changed(self, before: Any, after: Any) -> None:
        self.queues.changed(before, after)
        if after is not None and after["pk"]["S"].startswith("VOTE#"):
            self.clock.soon(self._stream.poll)

    def _ended(self, event: dict[str, Any]) -> None:
        if event["detail"]["status"] in BADLY:
            self.functions.invoke_later("firebreak-sweep", event)

    def _sweep(self) -> None:
        self.functions.invoke_later("firebreak-sweep", {"detail-type": "Scheduled Event"})
        self.clock.after(SCHEDULE, self._sweep, deadline=True)

    def _given_up(self, to: str, text: str) -> None:
        self.lost.append(text)


class _Direct:
    """The table's client for those who look: beside the injector, and never failing."""

    def __init__(self, table: MemoryTable) -> None:
        self._table = table

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        return lambda **request: getattr(self._table, operation)(request)
