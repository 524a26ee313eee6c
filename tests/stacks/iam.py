"""IAM's decision on a request, for statements as templates write them: references and all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sandbox.judge_policies import Asked, decide
from tests.stacks.template import listed, text

Context = Mapping[str, str | Sequence[str]]


def allowed(statements: Iterable[dict[str, Any]], action: str, resource: str, context: Context | None = None) -> bool:
    """Tell whether statements allow a request: one allows it and none denies it."""
    spelt = {key: [_plain(value) for value in listed(values)] for key, values in (context or {}).items()}
    asked = Asked(action, _plain(resource), spelt)
    return decide(asked, [{"Statement": [_spelt(statement) for statement in statements]}]).allowed


def _spelt(statement: dict[str, Any]) -> dict[str, Any]:
    conditions = {
        operator: {key: [_plain(text(word)) for word in listed(words)] for key, words in keys.items()}
        for operator, keys in statement.get("Condition", {}).items()
    }
    resources = [_plain(text(resource)) for resource in listed(statement["Resource"])]
    return {**statement, "Resource": resources, "Condition": conditions}


def _plain(words: str) -> str:
    """A pseudo parameter without the colons that would part an ARN: `<AWS::Partition>`, `<Partition>`."""
    return words.replace("<AWS::", "<")
