"""The intrinsic functions of CloudFormation templates ("Intrinsic function reference")."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_SUB = re.compile(r"\$\{(!?)([^}]*)\}")
NOTHING = object()
"""AWS::NoValue: the member it stands for is not there."""


class TemplateError(ValueError):
    """A template that the sandbox does not stand up to the letter; names the place."""


class Intrinsics:
    """Works out values of one template.

    Args:
        ref: the value of Ref.
        attribute: the value of Fn::GetAtt.
        exported: the value of Fn::ImportValue.
        template: for its Conditions and Mappings.
    """

    def __init__(
        self,
        ref: Callable[[str], Any],
        attribute: Callable[[str, str], Any],
        exported: Callable[[str], Any],
        template: Mapping[str, Any],
    ) -> None:
        self._ref = ref
        self._attribute = attribute
        self._exported = exported
        self._conditions: Mapping[str, Any] = template.get("Conditions", {})
        self._mappings: Mapping[str, Any] = template.get("Mappings", {})

    def value(self, raw: Any) -> Any:
        """Return a value with all its functions worked out."""
        if isinstance(raw, list):
            return [value for value in map(self.value, raw) if value is not NOTHING]
        if not isinstance(raw, Mapping):
            return raw
        if len(raw) == 1:
            ((name, argument),) = raw.items()
            if name == "Ref" or name.startswith("Fn::"):
                return self._call(name, argument)
        worked = {key: self.value(value) for key, value in raw.items()}
        return {key: value for key, value in worked.items() if value is not NOTHING}

    def holds(self, condition: Any) -> bool:
        """Tell whether a condition, by name or spelt out, holds."""
        if isinstance(condition, str):
            return self.holds(self._conditions[condition])
        ((name, argument),) = condition.items()
        match name:
            case "Condition":
                return self.holds(argument)
            case "Fn::Equals":
                return bool(self.value(argument[0]) == self.value(argument[1]))
            case "Fn::And":
                return all(map(self.holds, argument))
            case "Fn::Or":
                return any(map(self.holds, argument))
            case "Fn::Not":
                return not self.holds(argument[0])
        raise TemplateError(f"unknown condition function {name}")

    def _call(self, name: str, argument: Any) -> Any:
        match name:
            case "Ref":
                return NOTHING if argument == "AWS::NoValue" else self._ref(argument)
            case "Fn::GetAtt":
                owner, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
                return self._attribute(owner, attribute)
            case "Fn::If":
                return self.value(argument[1] if self.holds(argument[0]) else argument[2])
            case "Fn::Sub":
                return self._sub(argument)
            case "Fn::Join":
                return str(argument[0]).join(str(part) for part in self.value(argument[1]))
            case "Fn::Select":
                return self.value(argument[1])[int(self.value(argument[0]))]
            case "Fn::Split":
                return self.value(argument[1]).split(argument[0])
            case "Fn::Base64":
                return base64.b64encode(self.value(argument).encode()).decode()
            case "Fn::ImportValue":
                return self._exported(self.value(argument))
            case "Fn::FindInMap":
                outer, first, second = (self.value(part) for part in argument[:3])
                return self._mappings[outer][first][second]
            case "Fn::GetAZs":
                region = self.value(argument) or self._ref("AWS::Region")
                return [f"{region}{letter}" for letter in "abc"]
        raise TemplateError(f"unknown intrinsic function {name}")

    def _sub(self, argument: Any) -> str:
        text, given = (argument, {}) if isinstance(argument, str) else argument

        def replace(found: re.Match[str]) -> str:
            literal, name = found[1], found[2].strip()
            if literal:
                return f"${{{name}}}"
            if name in given:
                return str(self.value(given[name]))
            if "." in name:
                return str(self._attribute(*name.split(".", 1)))
            return str(self._ref(name))

        return _SUB.sub(replace, text)


def references(raw: Any) -> Iterator[str]:
    """Yield the logical ids that a value refers to."""
    if isinstance(raw, list):
        for item in raw:
            yield from references(item)
        return
    if not isinstance(raw, Mapping):
        return
    for name, argument in raw.items():
        if name == "Ref":
            yield argument
        elif name == "Fn::GetAtt":
            yield argument.split(".", 1)[0] if isinstance(argument, str) else argument[0]
        elif name == "Fn::Sub":
            text = argument if isinstance(argument, str) else argument[0]
            yield from (found[2].strip().split(".", 1)[0] for found in _SUB.finditer(text) if not found[1])
            if not isinstance(argument, str):
                yield from references(argument[1])
        else:
            yield from references(argument)


def imports(raw: Any) -> Iterator[str]:
    """Yield the names of the exports that a value imports."""
    if isinstance(raw, list):
        for item in raw:
            yield from imports(item)
    elif isinstance(raw, Mapping):
        for name, argument in raw.items():
            if name == "Fn::ImportValue" and isinstance(argument, str):
                yield argument
            else:
                yield from imports(argument)
