"""What the roles of functions, machine, rules, pipes and operators may do, as the synthesized templates say it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from firebreak.core.deployment import Deployment
from sandbox.intrinsics import Intrinsics
from sandbox.synthesis_cache import application
from sandbox.template import Stack

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT, REGION = "111122223333", "eu-central-1"
DEPLOYMENT = Deployment.model_validate(
    {
        "home": {"account": ACCOUNT, "region": REGION},
        "clusters": [{"name": "shop"}],
    }
)
"""One account with one cluster: every sort of role there is."""

HASH = re.compile(r"[0-9A-F]{8}$")
NAMES = ("TableName", "FunctionName", "TopicName", "StateMachineName", "QueueName", "RoleName", "Name")
PLACES = {ACCOUNT: "{account}", REGION: "{region}", ":aws:": ":{partition}:"}
Statement = Mapping[str, Any]


def render() -> str:
    """Return a section for each role outside the members' own, and one for the operators' policy."""
    stacks, _ = application(DEPLOYMENT, ROOT / "playbooks")
    sections = []
    for stack in stacks.stacks:
        if not stack.name.startswith("firebreak-member"):
            for name, (about, statements) in sorted(_policies(stack).items()):
                sections.append(f"### `{name}`\n\n{about}.\n\n{_table(statements)}")
    return "\n\n".join(sections)


def _policies(stack: Stack) -> dict[str, tuple[str, list[Statement]]]:
    """Return, by name, what each role and managed policy of a stack is for and what it says."""
    resources: Mapping[str, Mapping[str, Any]] = stack.template["Resources"]
    worked = _intrinsics(stack)
    said: dict[str, list[Statement]] = defaultdict(list)
    about: dict[str, str] = {}
    for name, resource in resources.items():
        properties = resource.get("Properties", {})
        match resource["Type"]:
            case "AWS::IAM::Role":
                named = worked.value(properties["RoleName"]).replace(REGION, "{region}")
                about[named] = _sentence(properties["Description"])
                for policy in properties.get("Policies", ()):
                    said[named] += worked.value(policy["PolicyDocument"])["Statement"]
                if properties.get("ManagedPolicyArns"):
                    raise ValueError(f"{stack.name}/{name} has managed policies, which this page does not show")
            case "AWS::IAM::Policy":
                for role in properties["Roles"]:
                    named = worked.value(resources[role["Ref"]]["Properties"]["RoleName"]).replace(REGION, "{region}")
                    said[named] += worked.value(properties["PolicyDocument"])["Statement"]
            case "AWS::IAM::ManagedPolicy":
                named = properties["ManagedPolicyName"]
                about[named] = _sentence(properties["Description"])
                said[named] += worked.value(properties["PolicyDocument"])["Statement"]
    return {name: (words, said[name]) for name, words in about.items()}


def _sentence(description: str) -> str:
    words = description.removeprefix("Firebreak: ")
    return words[0].upper() + words[1:]


def _intrinsics(stack: Stack) -> Intrinsics:
    """Work values out with the names of things instead of their ARNs."""
    places = {
        "AWS::AccountId": ACCOUNT,
        "AWS::Region": REGION,
        "AWS::Partition": "aws",
        "AWS::URLSuffix": "amazonaws.com",
    }

    def named(logical_id: str) -> str:
        resource = stack.template["Resources"][logical_id]
        kind = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", resource["Type"].rpartition("::")[2]).lower()
        properties = resource.get("Properties", {})
        name = next((properties[each] for each in NAMES if isinstance(properties.get(each), str)), None)
        return f"{kind} {name or HASH.sub('', logical_id)}"

    def attribute(logical_id: str, wanted: str) -> str:
        kind, _, name = named(logical_id).rpartition(" ")
        return {"Arn": f"{kind} {name}", "Name": name, "StreamArn": f"stream of {kind} {name}"}[wanted]

    def ref(name: str) -> str:
        return places.get(name) or named(name)

    return Intrinsics(ref, attribute, lambda name: name, stack.template)


def _table(statements: list[Statement]) -> str:
    rows = sorted({row for statement in statements for row in _rows(statement)})
    return "\n".join(["| | Permission | On | Where |", "|---|---|---|---|", *rows])


def _rows(statement: Statement) -> Iterator[str]:
    actions, resources = _list(statement["Action"]), _list(statement["Resource"])
    conditions = "; ".join(
        f"{operator} `{key}` = {', '.join(f'`{each}`' for each in _list(value))}"
        for operator, tests in sorted(statement.get("Condition", {}).items())
        for key, value in sorted(tests.items())
    )
    shown = " ".join(f"`{_anywhere(resource)}`" for resource in resources)
    yield f"| {statement['Effect'].lower()} | {' '.join(actions)} | {shown} | {_anywhere(conditions)} |"


def _anywhere(text: str) -> str:
    for place, word in PLACES.items():
        text = text.replace(place, word)
    return text


def _list(value: Any) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]
