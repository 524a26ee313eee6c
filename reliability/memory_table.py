"""DynamoDB in memory: what `firebreak.adapters.table` calls, for one table, with its stream.

It judges conditions and answers in the wire format, so that the adapters run on it as deployed. Amazon DynamoDB API
Reference: a failed condition answers with the item that was found where `ReturnValuesOnConditionCheckFailure` asks for
it, and a transaction says for each of its writes whether its condition failed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from reliability.conditions import Unknown, Wire, compiled

Key = tuple[str, str]
Row = dict[str, dict[str, Any]]


class MemoryTable:
    """The table.

    Args:
        changed: told of every change, with the row before and after.

    Attributes:
        rows: by partition and sort key, as DynamoDB spells them. A row is replaced, never changed in place.
    """

    def __init__(self, changed: Callable[[Row | None, Row | None], None] = lambda before, after: None) -> None:
        self.rows: dict[Key, Row] = {}
        self._changed = changed

    def get_item(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """GetItem."""
        row = self.rows.get(_key(request["Key"]))
        return {} if row is None else {"Item": row}

    def batch_get_item(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """BatchGetItem, of one table."""
        ((name, wanted),) = request["RequestItems"].items()
        found = [self.rows[key] for key in map(_key, wanted["Keys"]) if key in self.rows]
        return {"Responses": {name: found}, "UnprocessedKeys": {}}

    def query(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Query, by partition with or without the beginning of the sort key, and by the index `listing`."""
        values = {name: value["S"] for name, value in request["ExpressionAttributeValues"].items()}
        text = request["KeyConditionExpression"]
        match text:
            case "pk = :pk" | "pk = :pk AND begins_with(sk, :prefix)":
                keys = sorted(
                    key for key in self.rows if key[0] == values[":pk"] and key[1].startswith(values.get(":prefix", ""))
                )
                found = [self.rows[key] for key in keys]
            case "listing = :value" | "listing = :value AND listed_at <= :before":
                found = [
                    row
                    for row in self.rows.values()
                    if row.get("listing", {}).get("S") == values[":value"]
                    and (":before" not in values or row["listed_at"]["S"] <= values[":before"])
                ]
                found.sort(key=lambda row: row["listed_at"]["S"], reverse=not request.get("ScanIndexForward", True))
            case _:
                raise Unknown(text)
        return {"Items": found}

    def put_item(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """PutItem."""
        self._alone("Put", request)
        return {}

    def update_item(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """UpdateItem, answering with all of the new item."""
        self._alone("Update", request)
        return {"Attributes": self.rows[_key(request["Key"])]}

    def delete_item(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """DeleteItem."""
        self._alone("Delete", request)
        return {}

    def transact_write_items(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """TransactWriteItems."""
        writes = [next(iter(item.items())) for item in request["TransactItems"]]
        keys = [_key(write.get("Key") or write["Item"]) for _, write in writes]
        if len(set(keys)) != len(keys):
            raise _error("ValidationException", "Transaction request cannot include multiple operations on one item")
        if len(keys) > 100:
            raise _error("ValidationException", "a transaction takes 100 writes")
        reasons = [self._refusal(key, write) for key, (_, write) in zip(keys, writes, strict=True)]
        if any(reasons):
            said: dict[str, Any] = {"CancellationReasons": [reason or {"Code": "None"} for reason in reasons]}
            raise _error("TransactionCanceledException", "Transaction cancelled", **said)
        for key, (kind, write) in zip(keys, writes, strict=True):
            self._do(kind, key, write)
        return {}

    def _alone(self, kind: str, write: Mapping[str, Any]) -> None:
        key = _key(write.get("Key") or write["Item"])
        if refusal := self._refusal(key, write):
            found = {name: value for name, value in refusal.items() if name == "Item"}
            raise _error("ConditionalCheckFailedException", "The conditional request failed", **found)
        self._do(kind, key, write)

    def _refusal(self, key: Key, write: Mapping[str, Any]) -> dict[str, Any] | None:
        text = write.get("ConditionExpression")
        row = self.rows.get(key)
        values = write.get("ExpressionAttributeValues", {})
        if text is None or compiled(text)(row or {}, write.get("ExpressionAttributeNames", {}), values):
            return None
        return {"Code": "ConditionalCheckFailed", **({"Item": row} if row is not None else {})}

    def _do(self, kind: str, key: Key, write: Mapping[str, Any]) -> None:
        before = self.rows.get(key)
        match kind:
            case "Put":
                self.rows[key] = dict(write["Item"])
            case "Update":
                self.rows[key] = _updated(before or dict(write["Key"]), write)
            case "Delete":
                self.rows.pop(key, None)
            case "ConditionCheck":
                return
            case _:
                raise Unknown(kind)
        after = self.rows.get(key)
        if after is not before:
            self._changed(before, after)


def _updated(row: Wire, write: Mapping[str, Any]) -> Row:
    """Apply an update expression as `firebreak.adapters.writes.update` writes it: SET, ADD, REMOVE, in this order."""
    names, values = write.get("ExpressionAttributeNames", {}), write.get("ExpressionAttributeValues", {})
    after: Row = {name: dict(value) for name, value in row.items()}
    verb = ""
    for part in write["UpdateExpression"].replace(",", " , ").split(" "):
        if part in ("SET", "ADD", "REMOVE"):
            verb, words = part, []
        elif part not in (",", "=", ""):
            words.append(part)
            if verb == "REMOVE":
                after.pop(names[words.pop()], None)
            elif len(words) == 2:
                name, value = names[words[0]], values[words[1]]
                after[name] = dict(value) if verb == "SET" else _added(after.get(name), value)
                words = []
    return after


def _added(before: Mapping[str, Any] | None, value: Mapping[str, Any]) -> dict[str, Any]:
    ((kind, content),) = value.items()
    if kind == "N":
        return {"N": str(int((before or {}).get("N", 0)) + int(content))}
    return {kind: sorted({*(before or {}).get(kind, ()), *content})}


def _key(item: Mapping[str, Any]) -> Key:
    return item["pk"]["S"], item["sk"]["S"]


def _error(code: str, message: str, **more: Any) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}, **more}, "dynamodb")
