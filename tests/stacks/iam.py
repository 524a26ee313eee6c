"""IAM's decision on a request, as far as our policies go: Identity policies, wildcards, the operators we use.

Operators and their meaning: IAM User Guide, "IAM JSON policy elements: Condition operators" and "Single-valued vs.
multivalued context keys".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from tests.stacks.template import listed, text

Context = Mapping[str, str | Sequence[str]]


def allowed(statements: Iterable[dict[str, Any]], action: str, resource: str, context: Context | None = None) -> bool:
    """Tell whether statements allow a request: one allows it and none denies it."""
    effects = {
        statement["Effect"]
        for statement in statements
        if any(fnmatchcase(action, pattern) for pattern in listed(statement["Action"]))
        and any(fnmatchcase(resource, text(pattern)) for pattern in listed(statement["Resource"]))
        and all(
            _holds(operator, key, [text(word) for word in listed(words)], context or {})
            for operator, keys in statement.get("Condition", {}).items()
            for key, words in keys.items()
        )
    }
    return effects == {"Allow"}


def _holds(operator: str, key: str, words: list[str], context: Context) -> bool:
    given = [str(value) for value in listed(context[key])] if key in context else []
    if operator == "Null":
        return (not given) == (words == ["true"])
    quantifier, _, plain = operator.rpartition(":")
    negated = plain in ("ArnNotLike", "StringNotEquals", "ArnNotEquals")
    exact = plain in ("StringEquals", "Bool", "StringNotEquals")
    assert exact or plain in ("StringLike", "ArnLike", "ArnEquals", "ArnNotLike", "ArnNotEquals"), operator

    def fits(value: str) -> bool:
        found = any(value == word if exact else fnmatchcase(value, word) for word in words)
        return found != negated

    if quantifier == "ForAllValues":
        return all(fits(value) for value in given)
    if quantifier == "ForAnyValue":
        return any(fits(value) for value in given)
    return negated if not given else all(fits(value) for value in given)
