"""What calls of DynamoDB need: the table or index, and the partition keys they touch.

Source: Service Authorization Reference, "Amazon DynamoDB"; Developer Guide, "Using IAM policy conditions for
fine-grained access control".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sandbox import wire
from sandbox.judge_facts import Facts
from sandbox.judge_policies import Asked, Unjudged

_EQUAL = re.compile(r"([#\w.-]+)\s*=\s*(:\w+)")


def dynamodb(request: wire.Request, facts: Facts) -> Iterable[Asked]:
    """Return what a call needs.

    Raises:
        Unjudged: an operation that is not known here.
    """
    operation, parameters = request.operation, request.parameters
    if operation in ("TransactWriteItems", "TransactGetItems"):
        return _transaction(parameters["TransactItems"], facts)
    if operation in ("BatchGetItem", "BatchWriteItem"):
        return _batch(operation, parameters["RequestItems"], facts)
    if operation in _KEYS:
        return [_asked(operation, parameters, _KEYS[operation](parameters, facts), facts)]
    raise Unjudged(f"the judge does not know dynamodb:{operation}; teach it in judge_dynamodb.py")


def _one(member: str) -> Callable[[Mapping[str, Any], Facts], list[str]]:
    def keys(parameters: Mapping[str, Any], facts: Facts) -> list[str]:
        return _leading(parameters["TableName"], [parameters[member]], facts)

    return keys


def _none(parameters: Mapping[str, Any], facts: Facts) -> list[str]:
    return []


def _queried(parameters: Mapping[str, Any], facts: Facts) -> list[str]:
    """The partition key that a query's condition names, in the table or in the index that it asks."""
    names = parameters.get("ExpressionAttributeNames", {})
    values = parameters.get("ExpressionAttributeValues", {})
    wanted = facts.partition_key(_name(parameters["TableName"]), parameters.get("IndexName"))
    found = _EQUAL.findall(parameters.get("KeyConditionExpression", ""))
    keys = [values[value] for name, value in found if names.get(name, name) == wanted]
    if not keys:
        raise Unjudged(f"the judge cannot tell the partition key in {parameters.get('KeyConditionExpression')!r}")
    return [_plain(value) for value in keys]


_KEYS: dict[str, Callable[[Mapping[str, Any], Facts], list[str]]] = {
    "GetItem": _one("Key"),
    "PutItem": _one("Item"),
    "UpdateItem": _one("Key"),
    "DeleteItem": _one("Key"),
    "ConditionCheckItem": _one("Key"),
    "Query": _queried,
    "Scan": _none,
    "DescribeTable": _none,
    "DeleteTable": _none,
    "UpdateTable": _none,
}
_PARTS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}
"""Each part of a transaction needs the permission of its own kind, on its own keys."""


def _transaction(items: Sequence[Mapping[str, Mapping[str, Any]]], facts: Facts) -> Iterator[Asked]:
    for item in items:
        for part, parameters in item.items():
            operation = _PARTS[part]
            yield _asked(operation, parameters, _KEYS[operation](parameters, facts), facts)


def _batch(operation: str, tables: Mapping[str, Any], facts: Facts) -> Iterator[Asked]:
    for table, content in tables.items():
        if operation == "BatchGetItem":
            items = content["Keys"]
        else:
            items = [one.get("PutRequest", {}).get("Item") or one["DeleteRequest"]["Key"] for one in content]
        yield _asked(operation, {"TableName": table}, _leading(table, items, facts), facts)


def _asked(operation: str, parameters: Mapping[str, Any], keys: Sequence[str], facts: Facts) -> Asked:
    index = f"/index/{parameters['IndexName']}" if "IndexName" in parameters else ""
    resource = facts.arn("dynamodb", f"table/{_name(parameters['TableName'])}{index}")
    return Asked(f"dynamodb:{operation}", resource, {"dynamodb:LeadingKeys": tuple(keys)} if keys else {})


def _leading(table: str, items: Iterable[Mapping[str, Any]], facts: Facts) -> list[str]:
    key = facts.partition_key(_name(table), None)
    return list(dict.fromkeys(_plain(item[key]) for item in items if key in item))


def _name(table: str) -> str:
    return table.rpartition("/")[2]


def _plain(value: Mapping[str, Any]) -> str:
    (text,) = value.values()
    return str(text)
