"""Conditional writes of single items, as values: to be made alone or together with others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

Item = dict[str, Any]
_NAME = re.compile(r"#(\w+)")
_PACK = TypeSerializer()
_UNPACK = TypeDeserializer()


@dataclass(frozen=True)
class When:
    """A condition. `#name` stands for the attribute of that name, `:name` for the value given under it."""

    expression: str
    values: Mapping[str, Any] = field(default_factory=dict)


ABSENT = When("attribute_not_exists(#pk)")
PRESENT = When("attribute_exists(#pk)")
ALWAYS = When("attribute_exists(#pk) OR attribute_not_exists(#pk)")


@dataclass(frozen=True)
class Write:
    """One conditional write, to be made alone or together with others."""

    kind: str
    arguments: Mapping[str, Any]


def put(item: Item, when: When = ABSENT) -> Write:
    """Write a whole item where `when` holds for what is there."""
    return Write("Put", {"Item": pack(item), **_condition(when)})


def update(
    pk: str,
    sk: str,
    when: When,
    *,
    put: Mapping[str, Any] | None = None,
    add: Mapping[str, Any] | None = None,
    remove: tuple[str, ...] = (),
) -> Write:
    """Change attributes of an item where `when` holds: set those of `put`, add to the numbers and sets of `add`."""
    parts, values = [], dict(when.values)
    for verb, pairs, form in (("SET", put, "#{0} = :SET_{0}"), ("ADD", add, "#{0} :ADD_{0}")):
        if pairs:
            parts.append(verb + " " + ", ".join(form.format(name) for name in pairs))
            values |= {f"{verb}_{name}": value for name, value in pairs.items()}
    if remove:
        parts.append("REMOVE " + ", ".join(f"#{name}" for name in remove))
    expression = " ".join(parts)
    condition = _condition(When(when.expression, values), expression)
    return Write("Update", {"Key": pack({"pk": pk, "sk": sk}), "UpdateExpression": expression, **condition})


def check(pk: str, sk: str, when: When) -> Write:
    """Hold the other writes of a transaction back unless `when` holds."""
    return Write("ConditionCheck", {"Key": pack({"pk": pk, "sk": sk}), **_condition(when)})


def delete(pk: str, sk: str, when: When = PRESENT) -> Write:
    """Remove an item where `when` holds."""
    return Write("Delete", {"Key": pack({"pk": pk, "sk": sk}), **_condition(when)})


def _condition(when: When, also: str = "") -> dict[str, Any]:
    names = {f"#{name}": name for name in _NAME.findall(when.expression + " " + also)}
    values = {f":{name}": value for name, value in when.values.items()}
    return {
        "ConditionExpression": when.expression,
        **({"ExpressionAttributeNames": names} if names else {}),
        **({"ExpressionAttributeValues": pack(values)} if values else {}),
    }


def pack(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return plain values as DynamoDB spells them."""
    return {name: _PACK.serialize(value) for name, value in item.items()}


def unpack(item: Mapping[str, Any]) -> Item:
    """Return plain values for what DynamoDB spells."""
    return {name: _plain(_UNPACK.deserialize(value)) for name, value in item.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return value
