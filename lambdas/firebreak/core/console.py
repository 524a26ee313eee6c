"""What an operator's command has to know of a deployment: the names that CloudFormation gave, in one SSM parameter.

The response stack writes it and the command line reads it, both by way of this model.
"""

from __future__ import annotations

from pydantic import Field

from firebreak.core.guard_rails import GuardMode
from firebreak.core.incident import Lane
from firebreak.core.model import Model


def console_parameter(prefix: str) -> str:
    """Return the name of the parameter of the deployment whose names start with `prefix`."""
    return f"/{prefix}/console"


class LaneQueues(Model):
    """The queues of a lane, by URL.

    Attributes:
        queue: what triage handles.
        dead_letters: what it could not handle.
    """

    queue: str = Field(min_length=1)
    dead_letters: str = Field(min_length=1)


class KeptIn(Model):
    """A vault.

    Attributes:
        bucket: its bucket.
        days: how long it keeps what it is given.
    """

    bucket: str
    days: int = Field(ge=1)


class ConsoleNames(Model):
    """Where everything is.

    Attributes:
        prefix: what names start with.
        account, region: where the pipeline runs.
        mode, production_mode: the ceilings that the settings set at deployment.
        table: name of the table.
        state_machine: ARN of the state machine.
        bus: name of the bus.
        api: URL of the HTTP API.
        evidence, raw_events: the vaults of manifests and of events.
        notices: ARN of the notice topic.
        lanes: the lanes' queues.
    """

    prefix: str
    account: str
    region: str
    mode: GuardMode
    production_mode: GuardMode
    table: str
    state_machine: str
    bus: str
    api: str
    evidence: KeptIn
    raw_events: KeptIn
    notices: str
    lanes: dict[Lane, LaneQueues]
