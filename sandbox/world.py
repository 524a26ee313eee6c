"""The sandbox: the synthesized application, running on this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from sandbox.backend import Backend
from sandbox.clock import Clock
from sandbox.cloud import Cloud
from sandbox.clusters import Clusters
from sandbox.events import Events, envelope
from sandbox.execution import Execution
from sandbox.executions import Executions
from sandbox.front import Front
from sandbox.functions import Functions
from sandbox.identity import Identities
from sandbox.journal import Faults, Journal
from sandbox.resource import Made
from sandbox.server import Server
from sandbox.sessions import Sessions
from sandbox.template import Stack, stand_up

ACCOUNT = "111122223333"
REGION = "us-east-1"
_WAKES = (
    *("sqs:Send", "sqs:Change"),
    *(f"dynamodb:{verb}" for verb in ("Put", "Update", "Delete", "Transact", "Batch")),
)
"""Beginnings of the calls after which a queue or stream may have something new."""
_running: Sandbox | None = None


class Sandbox:
    """An embedded AWS with our stacks in it. One at a time in a process: moto's state is global.

    Use it as a context manager. In virtual time (the default) nothing happens by itself: `put_event`, then
    `run_until_idle` or `advance`.

    Args:
        stacks: what to stand up.
        account: the home account.
        region: the home region.
        environment: variables that every function gets besides its own ("FIREBREAK_CONFIG"); "{url}" in a value stands
            for the front ("{url}/slack").
        start: what time it is at first; the real time if None.
        wall: let real time pass and work in the background (the demo, benchmarks).
        patience: with `wall`, the real seconds that an idle wait takes at most before it is skipped.

    Attributes:
        clock, front, functions, events, machines, clusters: the parts.
        made: what Ref and GetAtt give, by stack and logical id.
    """

    def __init__(
        self,
        stacks: Sequence[Stack] = (),
        *,
        account: str = ACCOUNT,
        region: str = REGION,
        environment: Mapping[str, str] | None = None,
        start: datetime | None = None,
        wall: bool = False,
        patience: float = float("inf"),
    ) -> None:
        self.account = account
        self.region = region
        self.made: dict[str, dict[str, Made]] = {}
        self._stacks = stacks
        self._environment = environment or {}
        self.clock = Clock(start, wall=wall, patience=patience)

    def __enter__(self) -> Sandbox:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Listen, stand the stacks up, and (in wall time) begin to work.

        Raises:
            RuntimeError: another sandbox runs in this process.
            TemplateError: a template has something that the sandbox does not know.
        """
        global _running  # noqa: PLW0603  moto's state is one per process, and so is this
        if _running is not None:
            raise RuntimeError("another sandbox is running in this process, and moto has only one state: stop it first")
        _running = self
        try:
            self._begin()
        except BaseException:
            self.stop()
            raise

    def _begin(self) -> None:
        self._backend = Backend(self.clock.now)
        identities = Identities(self.account)
        self.front = Front(self._backend, identities, self.clock, self._served)
        self._server = Server(self.front)
        self.url = self._server.url
        self.functions = Functions(self.clock, identities, self.url, self._environment, self._lay_aside)
        self.events = Events(
            self.clock,
            self.account,
            self.region,
            # the cloud comes into being last, and is looked up when there is something for it
            lambda target, to, text: self.cloud.deliver(target, to, text),
            lambda to, text, attributes: self.cloud.send(to, text, attributes),
        )
        self.machines = Executions(self.clock, self.functions, self.events.put)
        self.cloud = Cloud(
            self.account,
            self.region,
            self.url,
            self.clock,
            self._backend,
            self.front,
            identities,
            self.functions,
            self.events,
            self.machines,
        )
        self.functions.serve(self.front)
        self.events.serve(self.front)
        self.machines.serve(self.front)
        self.clusters = Clusters(self.cloud)
        Sessions(self._backend, identities, self.cloud.roles).serve(self.front)
        self.functions.interruptions.install()
        self.made = stand_up(self.cloud, self._stacks)
        self.front.journal.clear()
        if self.clock.wall:
            self.clock.start()

    def stop(self) -> None:
        """Stop everything and forget all state."""
        global _running  # noqa: PLW0603
        self.clock.stop()
        if hasattr(self, "cloud"):
            self.cloud.close()
        if hasattr(self, "functions"):
            self.functions.interruptions.uninstall()
        if hasattr(self, "_server"):
            self._server.stop()
        if hasattr(self, "_backend"):
            self._backend.close()
        _running = None

    # What a test does.

    def client(self, service: str, account: str | None = None, region: str | None = None) -> Any:
        """Return a boto3 client with every right."""
        return self.cloud.client(service, account, region)

    def put_event(self, event: Mapping[str, Any], bus: str | None = None) -> None:
        """Let a bus have a whole event; the default bus of the event's account and region if None."""
        self.events.put(dict(event), bus)

    def run_until_idle(self, within: float = 3600) -> None:
        """Work until only people, timeouts and schedules could bring anything new.

        Args:
            within: how many virtual seconds of waits (retries, waiting states, hidden messages) may be jumped over.
        """
        self.clock.run_until_idle(within)

    def advance(self, seconds: float) -> None:
        """Let virtual time pass, with everything that falls due on the way."""
        self.clock.advance(seconds)

    def invoke(self, function: str, event: Any) -> Any:
        """Invoke a function and return its payload (an error payload has `errorType`)."""
        return self.functions.invoke(function, event).payload

    def fire(self, schedule: str) -> None:
        """Fire the one schedule whose name contains a word, now."""
        (action,) = (action for name, action in self.cloud.schedules.items() if schedule.lower() in name.lower())
        action()

    def deployed(self) -> None:
        """Tell the default bus that every stack was deployed, as CloudFormation does once it is done."""
        for stack in self._stacks:
            account, region = stack.account or self.account, stack.region or self.region
            arn = f"arn:aws:cloudformation:{region}:{account}:stack/{stack.name}/sandbox"
            detail = {"stack-id": arn, "status-details": {"status": "CREATE_COMPLETE", "status-reason": ""}}
            kind = "CloudFormation Stack Status Change"
            self.put_event(envelope(self.clock.now(), account, region, "aws.cloudformation", kind, detail, [arn]))

    # What a test looks at.

    @property
    def journal(self) -> Journal:
        """Every AWS call since the stacks stood."""
        return self.front.journal

    @property
    def faults(self) -> Faults:
        """What calls are to meet."""
        return self.front.faults

    def executions(self, status: str | None = None) -> list[Execution]:
        """Return the executions of all machines, the oldest first, of one status if given."""
        return [execution for execution in self.machines.all if status in (None, execution.status)]

    def queue(self, name: str) -> list[str]:
        """Return the bodies of the messages of the one queue whose name contains a word, in flight or not."""
        return self._backend.messages(self.queue_arn(name))

    def queue_arn(self, name: str) -> str:
        """Return the ARN of the one queue whose name contains a word; an exact name comes first."""
        found = [arn for arn in self.cloud.queues if arn.rpartition(":")[2] == name]
        found = found or [arn for arn in self.cloud.queues if name.lower() in arn.rpartition(":")[2].lower()]
        if len(found) != 1:
            raise LookupError(f"{name!r} names {len(found)} queues: {', '.join(found) or ', '.join(self.cloud.queues)}")
        return found[0]

    def table_items(self, table: str, prefix: str = "") -> list[dict[str, Any]]:
        """Return the items of a table as plain values, by key; only those whose `pk` starts with `prefix`."""
        read = TypeDeserializer().deserialize
        pages = self.client("dynamodb").get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
        items = [{key: read(value) for key, value in item.items()} for page in pages for item in page["Items"]]
        found = [item for item in items if str(item.get("pk", "")).startswith(prefix)]
        return sorted(found, key=lambda item: (str(item.get("pk")), str(item.get("sk"))))

    def notices(self) -> list[str]:
        """Return what was published to topics, in order."""
        return [str(call.parameters.get("Message", "")) for call in self.journal.calls("sns:Publish") if not call.code]

    def api_url(self) -> str:
        """Return the URL of the one HTTP API."""
        (api,) = self.cloud.apis
        return f"{self.url}/http-api/{api}"

    def _served(self, call: str) -> None:
        if call.startswith(_WAKES):
            self.clock.soon(self.cloud.poll)

    def _lay_aside(self, to: str, text: str) -> None:
        if not self.cloud.deliver({}, to, text):
            raise RuntimeError(f"{to} does not exist, and a failed event was to go there")
