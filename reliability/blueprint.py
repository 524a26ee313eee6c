"""What a world needs to know of the synthesized application: functions, state machine, queues and who reads them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.delivery import filters_of
from sandbox.functions import Function
from sandbox.intrinsics import Intrinsics
from sandbox.template import Stack

HOME = {
    "AWS::AccountId": "111122223333",
    "AWS::Region": "us-east-1",
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
}


@dataclass(frozen=True)
class Lane:
    """A queue that a function reads.

    Attributes:
        queue: ARN.
        function: name of who reads it.
        batch: messages at once.
        hidden: seconds that a message stays hidden after it was received.
        receives: how often a message is received before it is laid aside.
    """

    queue: str
    function: str
    batch: int
    hidden: float
    receives: int


@dataclass(frozen=True)
class Wakes:
    """A table stream that a function reads.

    Attributes:
        function: its name.
        filters: patterns of the records it wants.
        retries: how often a batch is tried again.
    """

    function: str
    filters: tuple[Mapping[str, Any], ...]
    retries: int


@dataclass(frozen=True)
class Blueprint:
    """The application.

    Attributes:
        functions: by what they are called in the code: "execute-destructive".
        machine: ARN of the state machine.
        definition: its definition.
        lanes: the queues with their readers.
        stream: who reads the table's stream.
    """

    functions: Mapping[str, Function]
    machine: str
    definition: Mapping[str, Any]
    lanes: tuple[Lane, ...]
    stream: Wakes


def read(stack: Stack, prefix: str = "firebreak") -> Blueprint:
    """Read the stack of the pipeline."""
    resources: Mapping[str, Any] = stack.template["Resources"]

    def arn(name: str) -> str:
        kind, properties = resources[name]["Type"], resources[name].get("Properties", {})
        place = f"{HOME['AWS::Region']}:{HOME['AWS::AccountId']}"
        match kind:
            case "AWS::Lambda::Function":
                return f"arn:aws:lambda:{place}:function:{properties['FunctionName']}"
            case "AWS::StepFunctions::StateMachine":
                return f"arn:aws:states:{place}:stateMachine:{properties['StateMachineName']}"
            case "AWS::IAM::Role":
                return f"arn:aws:iam::{HOME['AWS::AccountId']}:role/{properties['RoleName']}"
        return f"arn:aws:{kind.split('::')[1].lower()}:{place}:{name}"

    worked = Intrinsics(
        lambda name: HOME.get(name) or arn(name), lambda name, wanted: arn(name), lambda name: name, stack.template
    )
    of = {
        kind: {
            name: worked.value(resource.get("Properties", {}))
            for name, resource in resources.items()
            if resource["Type"] == kind
        }
        for kind in (
            "AWS::Lambda::Function",
            "AWS::StepFunctions::StateMachine",
            "AWS::Lambda::EventSourceMapping",
            "AWS::SQS::Queue",
        )
    }
    functions = {
        properties["FunctionName"].removeprefix(f"{prefix}-"): Function(
            properties["FunctionName"],
            arn(name),
            properties["Handler"].rpartition(".")[0],
            properties["Role"],
            properties.get("Environment", {}).get("Variables", {}),
            int(properties["Timeout"]),
        )
        for name, properties in of["AWS::Lambda::Function"].items()
    }
    ((machine, properties),) = of["AWS::StepFunctions::StateMachine"].items()
    lanes, streams = [], []
    for mapping in of["AWS::Lambda::EventSourceMapping"].values():
        function = mapping["FunctionName"].rpartition(":")[2]
        if ":dynamodb:" in (source := mapping["EventSourceArn"]):
            streams.append(Wakes(function, tuple(filters_of(mapping)), int(mapping["MaximumRetryAttempts"])))
            continue
        queue = next(one for name, one in of["AWS::SQS::Queue"].items() if arn(name) == source)
        receives = int(queue["RedrivePolicy"]["maxReceiveCount"])
        lanes.append(Lane(source, function, int(mapping["BatchSize"]), float(queue["VisibilityTimeout"]), receives))
    (stream,) = streams
    return Blueprint(functions, arn(machine), json.loads(properties["DefinitionString"]), tuple(lanes), stream)
