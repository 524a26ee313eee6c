"""What a synthesized stack says, ready to be asked about."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Template:
    """One stack's template.

    Attributes:
        name: of the stack.
        body: the template.
    """

    name: str
    body: dict[str, Any]

    def all(self, type_: str) -> dict[str, dict[str, Any]]:
        """Return the properties of the resources of a type, by logical id."""
        return {
            id: resource.get("Properties", {})
            for id, resource in self.body["Resources"].items()
            if resource["Type"] == type_
        }

    def one(self, type_: str) -> dict[str, Any]:
        """Return the properties of the only resource of a type."""
        (only,) = self.all(type_).values()
        return only

    def id_of(self, type_: str, part: str) -> str:
        """Return the logical id of the only resource of a type that has a part in its id."""
        (only,) = [id for id in self.all(type_) if part in id]
        return only

    def function(self, word: str) -> dict[str, Any]:
        """Return the properties of a function by its word."""
        (only,) = [
            one for one in self.all("AWS::Lambda::Function").values() if one["FunctionName"].endswith(f"-{word}")
        ]
        return only

    def role_statements(self, role: str) -> list[dict[str, Any]]:
        """Return every statement of a role, by its name, wherever it is attached."""
        (id,) = [id for id, one in self.all("AWS::IAM::Role").items() if one["RoleName"] == role]
        found = [
            policy["PolicyDocument"]
            for policy in (
                *self.all("AWS::IAM::Role")[id].get("Policies", ()),
                *(one for one in self.all("AWS::IAM::Policy").values() if {"Ref": id} in one["Roles"]),
            )
        ]
        return [statement for document in found for statement in document["Statement"]]


def text(value: Any) -> str:
    """Return a value with its references spelt out: `<Key.Arn>`, `<AWS::Region>`."""
    match value:
        case str():
            return value
        case {"Ref": str(name)}:
            return f"<{name}>"
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return f"<{name}.{attribute}>"
        case {"Fn::Join": [str(between), list(parts)]}:
            return between.join(text(part) for part in parts)
    raise AssertionError(f"no text: {json.dumps(value)}")


def listed(value: Any) -> list[Any]:
    """Return what IAM lets one write with or without its list."""
    return value if isinstance(value, list) else [value]


def statements(template: Template) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every identity policy statement with the logical id of what holds it."""
    for id, role in template.all("AWS::IAM::Role").items():
        for policy in role.get("Policies", ()):
            for statement in policy["PolicyDocument"]["Statement"]:
                yield id, statement
    for id, policy in template.all("AWS::IAM::Policy").items():
        for statement in policy["PolicyDocument"]["Statement"]:
            yield id, statement
