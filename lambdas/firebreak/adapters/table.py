"""The one DynamoDB table, at its lowest: conditional writes of single items and of several at once.

An answer can be lost after the write took effect, and botocore then sends the write again: the condition of a write
must therefore also hold, or its failure be recognised, when its own effect is already there. Callers compare what is
stored with what they wanted to write (`ConditionFailed.found`) before they conclude that someone else was first.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from firebreak.adapters.aws import translate
from firebreak.adapters.writes import Item, Write, pack, unpack
from firebreak.core.errors import Conflict, FirebreakError, Throttled

ATTEMPTS = 6  # of a transaction that meets another one; with jitter below, two seconds in all


class ConditionFailed(FirebreakError):
    """A condition did not hold.

    Attributes:
        found: the items that were found instead, in the order of the writes; None where the condition held or the
            item does not exist.
    """

    def __init__(self, found: tuple[Item | None, ...], failed: tuple[bool, ...]) -> None:
        super().__init__(f"a condition did not hold: found {found}")
        self.found = found
        self.failed = failed


class Table:
    """The table.

    Args:
        client: a boto3 DynamoDB client.
        name: the table's name.
        pause: sleeps for so many seconds between attempts of a transaction.
    """

    def __init__(self, client: Any, name: str, pause: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._name = name
        self._pause = pause

    def get(self, pk: str, sk: str) -> Item | None:
        """Return one item, read consistently, or None."""
        found = self._call("get_item", Key=pack({"pk": pk, "sk": sk}), ConsistentRead=True).get("Item")
        return None if found is None else unpack(found)

    def get_all(self, *keys: tuple[str, str]) -> dict[tuple[str, str], Item]:
        """Return the items there are among up to 100 keys, read consistently, by key."""
        found: dict[tuple[str, str], Item] = {}
        request = {"Keys": [pack({"pk": pk, "sk": sk}) for pk, sk in keys], "ConsistentRead": True}
        for attempt in range(ATTEMPTS):
            try:
                answer = self._client.batch_get_item(RequestItems={self._name: request})
            except (ClientError, BotoCoreError) as error:
                raise translate(error, "batch_get_item") from error
            found |= {(item["pk"], item["sk"]): item for item in map(unpack, answer["Responses"].get(self._name, ()))}
            if not (rest := answer.get("UnprocessedKeys", {}).get(self._name)):
                return found
            request = rest
            self._pause(random.uniform(0, 0.05 * 2**attempt))  # noqa: S311 - spreads attempts, guards nothing
        raise Throttled(f"{len(keys)} items: the table kept answering some of them only; deliver again")

    def query(self, pk: str, prefix: str = "") -> Iterator[Item]:
        """Yield the items of a partition whose sort key starts with `prefix`, in order, read consistently."""
        yield from self._query(
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)" if prefix else "pk = :pk",
            ExpressionAttributeValues=pack({":pk": pk, ":prefix": prefix} if prefix else {":pk": pk}),
            ConsistentRead=True,
        )

    def listing(self, value: str, *, before: str | None = None, newest_first: bool = False) -> Iterator[Item]:
        """Yield the items listed under `value`, oldest first, up to `before`; eventually consistent."""
        values = {":value": value} | ({":before": before} if before else {})
        yield from self._query(
            IndexName="listing",
            KeyConditionExpression="listing = :value" + (" AND listed_at <= :before" if before else ""),
            ExpressionAttributeValues=pack(values),
            ScanIndexForward=not newest_first,
        )

    def write(self, write: Write) -> Item:
        """Make one write and return the item as it is afterwards.

        Raises:
            ConditionFailed: its condition did not hold; says what was found.
            Retriable: try again.
        """
        if write.kind == "ConditionCheck":
            raise ValueError("a check belongs into a transaction")
        operation = {"Put": "put_item", "Update": "update_item", "Delete": "delete_item"}[write.kind]
        wanted = {"ReturnValues": "ALL_NEW"} if write.kind == "Update" else {}
        try:
            answer = getattr(self._client, operation)(
                TableName=self._name, ReturnValuesOnConditionCheckFailure="ALL_OLD", **write.arguments, **wanted
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                found = error.response.get("Item")
                raise ConditionFailed((None if found is None else unpack(found),), (True,)) from None
            raise translate(error, operation) from error
        except BotoCoreError as error:
            raise translate(error, operation) from error
        return unpack(answer.get("Attributes") or write.arguments.get("Item") or {})

    def write_all(self, *writes: Write) -> None:
        """Make all writes or none.

        Raises:
            ConditionFailed: some condition did not hold; says which, and what was found.
            Conflict: other transactions kept getting in between.
            Retriable: try again.
        """
        items = [
            {write.kind: {"TableName": self._name, "ReturnValuesOnConditionCheckFailure": "ALL_OLD", **write.arguments}}
            for write in writes
        ]
        for attempt in range(ATTEMPTS):
            try:
                self._client.transact_write_items(TransactItems=items)
                return
            except ClientError as error:
                if error.response["Error"]["Code"] == "TransactionCanceledException":
                    reasons = error.response.get("CancellationReasons", [])
                    if any(reason.get("Code") == "ConditionalCheckFailed" for reason in reasons):
                        raise _cancelled(reasons) from None
                    if not any(reason.get("Code") == "TransactionConflict" for reason in reasons):
                        raise translate(error, "transact_write_items") from error
                elif error.response["Error"]["Code"] != "TransactionInProgressException":
                    raise translate(error, "transact_write_items") from error
            except BotoCoreError as error:
                raise translate(error, "transact_write_items") from error
            self._pause(random.uniform(0, 0.05 * 2**attempt))  # noqa: S311 - spreads attempts, guards nothing
        raise Conflict(f"{len(writes)} writes together: other transactions kept getting in between; deliver again")

    def _query(self, **arguments: Any) -> Iterator[Item]:
        while True:
            page = self._call("query", **arguments)
            yield from map(unpack, page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _call(self, operation: str, **arguments: Any) -> Any:
        try:
            return getattr(self._client, operation)(TableName=self._name, **arguments)
        except (ClientError, BotoCoreError) as error:
            raise translate(error, operation) from error


def _cancelled(reasons: list[dict[str, Any]]) -> ConditionFailed:
    failed = tuple(reason.get("Code") == "ConditionalCheckFailed" for reason in reasons)
    return ConditionFailed(
        tuple(unpack(reason["Item"]) if reason.get("Item") else None for reason in reasons),
        failed,
    )
