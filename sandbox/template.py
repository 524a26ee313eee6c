"""Stands CloudFormation templates up in the sandbox, resource by resource, in the order of their references."""

from __future__ import annotations

import graphlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sandbox.resources_rights
import sandbox.resources_route
import sandbox.resources_run
import sandbox.resources_standing
import sandbox.resources_state  # noqa: F401  each registers its types
from sandbox.cloud import Cloud
from sandbox.intrinsics import NOTHING, Intrinsics, TemplateError, imports, references
from sandbox.resource import Made, Resource, make


@dataclass(frozen=True)
class Stack:
    """One synthesized stack.

    Attributes:
        name: stack name.
        template: the template.
        account: where it is deployed; the sandbox's home account if None.
        region: the sandbox's home region if None.
        parameters: values for its parameters.
    """

    name: str
    template: Mapping[str, Any]
    account: str | None = None
    region: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)


def stand_up(cloud: Cloud, stacks: Sequence[Stack]) -> dict[str, dict[str, Made]]:
    """Make every resource of every stack; stacks that import from others come after them.

    Returns:
        what was made, by stack and logical id.

    Raises:
        TemplateError: an unknown type or property, or a reference to nothing.
    """
    exports: dict[str, Any] = {}
    made: dict[str, dict[str, Made]] = {}
    for stack in _in_order(stacks):
        made[stack.name] = _stand_up(cloud, stack, exports)
    return made


def _in_order(stacks: Sequence[Stack]) -> list[Stack]:
    # An export's name may itself be built from parts; the names in CDK's output are plain text.
    exporters = {
        output["Export"]["Name"]: number
        for number, stack in enumerate(stacks)
        for output in stack.template.get("Outputs", {}).values()
        if isinstance(output.get("Export", {}).get("Name"), str)
    }
    graph = {
        number: {exporters[name] for name in imports(stack.template) if name in exporters}
        for number, stack in enumerate(stacks)
    }
    return [stacks[number] for number in graphlib.TopologicalSorter(graph).static_order()]


def _stand_up(cloud: Cloud, stack: Stack, exports: dict[str, Any]) -> dict[str, Made]:
    account, region = stack.account or cloud.account, stack.region or cloud.region
    made: dict[str, Made] = {}
    resources: Mapping[str, Any] = stack.template.get("Resources", {})
    parameters = {
        "AWS::AccountId": account,
        "AWS::Region": region,
        "AWS::Partition": "aws",
        "AWS::URLSuffix": "amazonaws.com",
        "AWS::StackName": stack.name,
        "AWS::StackId": f"arn:aws:cloudformation:{region}:{account}:stack/{stack.name}/sandbox",
        **{name: _parameter(stack, name, spec) for name, spec in stack.template.get("Parameters", {}).items()},
    }

    def ref(name: str) -> Any:
        if name in parameters:
            return parameters[name]
        return _made(name).ref

    def attribute(name: str, wanted: str) -> Any:
        attributes = _made(name).attributes
        if wanted not in attributes:
            raise TemplateError(
                f"{stack.name}/{name} ({resources[name]['Type']}): the sandbox has no attribute {wanted}"
            )
        return attributes[wanted]

    def exported(name: str) -> Any:
        if name not in exports:
            raise TemplateError(f"{stack.name}: no stack exports {name}")
        return exports[name]

    def _made(name: str) -> Made:
        if name not in made:
            raise TemplateError(f"{stack.name}: {name} is referred to, but not there")
        return made[name]

    intrinsics = Intrinsics(ref, attribute, exported, stack.template)
    graph = {name: _needs(resource) & set(resources) for name, resource in resources.items()}
    for name in graphlib.TopologicalSorter(graph).static_order():
        raw = resources[name]
        if "Condition" in raw and not intrinsics.holds(raw["Condition"]):
            continue
        properties = intrinsics.value(raw.get("Properties", {}))
        made[name] = make(cloud, Resource(stack.name, name, raw["Type"], properties, account, region))
    for output in stack.template.get("Outputs", {}).values():
        if "Condition" in output and not intrinsics.holds(output["Condition"]):
            continue
        value = intrinsics.value(output["Value"])
        if "Export" in output and value is not NOTHING:
            exports[intrinsics.value(output["Export"]["Name"])] = value
    return made


def _needs(resource: Mapping[str, Any]) -> set[str]:
    depends = resource.get("DependsOn", [])
    return {*references(resource.get("Properties", {})), *([depends] if isinstance(depends, str) else depends)}


def _parameter(stack: Stack, name: str, spec: Mapping[str, Any]) -> Any:
    if name in stack.parameters:
        return stack.parameters[name]
    if name == "BootstrapVersion":
        return "30"  # what `cdk bootstrap` leaves in SSM; nothing is bootstrapped here
    if "Default" not in spec:
        raise TemplateError(f"{stack.name}: parameter {name} needs a value")
    default = spec["Default"]
    if str(spec["Type"]).startswith("AWS::SSM::"):
        raise TemplateError(f"{stack.name}: parameter {name} is read from SSM ({default}); give its value")
    return default.split(",") if spec["Type"] == "CommaDelimitedList" else default
