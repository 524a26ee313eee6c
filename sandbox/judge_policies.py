"""IAM's decision on one request: statements, wildcards, condition operators.

Meaning of all of it: IAM User Guide, "Policy evaluation logic", "IAM JSON policy elements: Condition operators" and
"Single-valued vs. multivalued context keys". What it does not know it refuses, since a guess would be a grant.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Statement = Mapping[str, Any]
Document = Mapping[str, Any]

KEYS = frozenset(
    {
        "aws:PrincipalAccount",
        "aws:PrincipalArn",
        "aws:PrincipalIsAWSService",
        "aws:RequestedRegion",
        "aws:ResourceAccount",
        "dynamodb:LeadingKeys",
        "ec2:CreateAction",
        "events:source",
        "sts:ExternalId",
        "sts:RoleSessionName",
    }
)
"""Condition keys that are worked out for every request that has them; where one is missing, the request has none."""

TAGS = ("aws:RequestTag/", "aws:ResourceTag/", "ec2:ResourceTag/")
"""Beginnings of condition keys that name a tag."""


class Unjudged(Exception):
    """A policy or request that the judge does not know to the letter. It is neither allowed nor denied."""


@dataclass(frozen=True)
class Asked:
    """One permission that a request needs.

    Attributes:
        action: IAM action, "ec2:ModifyNetworkInterfaceAttribute".
        resource: ARN; "*" where the action has no resources.
        context: values of condition keys. A key that is missing from it is missing from the request.
    """

    action: str
    resource: str = "*"
    context: Mapping[str, str | Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Decision:
    """What was decided about one permission that a call needs.

    Attributes:
        action, resource: what was asked for.
        allowed: whether it is granted.
        because: why not ("no identity-based policy allows the … action"); "" if it is.
        judged: False where the judge could not tell; such a call is answered with an error that is none of AWS's.
    """

    action: str
    resource: str
    allowed: bool
    because: str = ""
    judged: bool = True


def decide(asked: Asked, policies: Iterable[Document], narrowed: Document | None = None) -> Decision:
    """Decide about one permission: allowed by the policies and by what narrows them, and denied by neither.

    Args:
        asked: the permission.
        policies: the identity's own.
        narrowed: the session policy, if the identity is a session with one.

    Raises:
        Unjudged: a statement that decides it uses something unknown.
    """
    own = _effects(asked, policies)
    session = {"Allow"} if narrowed is None else _effects(asked, [narrowed])
    because = ""
    for effects, kind in ((own, "identity-based"), (session, "session")):
        if "Deny" in effects:
            because = f"with an explicit deny in {'an' if kind[0] == 'i' else 'a'} {kind} policy"
            break
        if "Allow" not in effects:
            because = because or f"because no {kind} policy allows the {asked.action} action"
    return Decision(asked.action, asked.resource, not because, because)


def _effects(asked: Asked, policies: Iterable[Document]) -> set[str]:
    return {statement["Effect"] for document in policies for statement in fitting(asked, document)}


def fitting(asked: Asked, document: Document) -> Iterator[Statement]:
    """Yield the statements of a policy that are about a request and whose conditions hold."""
    for statement in listed(document["Statement"]):
        if about(statement, asked.action, asked.resource) and holds(statement, asked.context):
            yield statement


def about(statement: Statement, action: str, resource: str) -> bool:
    """Tell whether a statement names an action and a resource. Resources of trust policies are the role itself."""
    if "NotAction" in statement:
        named = not any(like(action.lower(), word.lower()) for word in listed(statement["NotAction"]))
    else:
        named = any(like(action.lower(), word.lower()) for word in listed(statement["Action"]))
    if "NotResource" in statement:
        return named and not any(like(resource, word) for word in listed(statement["NotResource"]))
    return named and any(like(resource, word) for word in listed(statement.get("Resource", "*")))


def holds(statement: Statement, context: Mapping[str, str | Sequence[str]]) -> bool:
    """Tell whether every condition of a statement holds.

    Raises:
        Unjudged: an operator or key that is not known.
    """
    return all(
        _holds(operator, key, [_text(word) for word in listed(words)], context)
        for operator, keys in statement.get("Condition", {}).items()
        for key, words in keys.items()
    )


def listed(value: Any) -> list[Any]:
    """Return what IAM lets one write with or without its list."""
    return list(value) if isinstance(value, (list, tuple)) else [value]


def like(value: str, pattern: str) -> bool:
    """Match with IAM's wildcards: "*" for any characters, "?" for one. Nothing else is special."""
    return _compiled(pattern).fullmatch(value) is not None


@functools.lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    spelt = (".*" if char == "*" else "." if char == "?" else re.escape(char) for char in pattern)
    return re.compile("".join(spelt), re.DOTALL)


def _arn_like(value: str, pattern: str) -> bool:
    """Compare each of an ARN's six parts by itself, so that a wildcard does not reach over a colon."""
    values, patterns = value.split(":", 5), pattern.split(":", 5)
    return len(values) == len(patterns) == 6 and all(map(like, values, patterns))


_COMPARED: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": str.__eq__,
    "StringEqualsIgnoreCase": lambda value, word: value.lower() == word.lower(),
    "StringLike": like,
    "ArnEquals": _arn_like,  # ArnEquals and ArnLike do the same ("ARN condition operators")
    "ArnLike": _arn_like,
    "Bool": lambda value, word: value.lower() == word.lower(),
}
_NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
}


def _holds(operator: str, key: str, words: list[str], context: Mapping[str, str | Sequence[str]]) -> bool:
    given = _given(key, context)
    if operator == "Null":
        return (not given) == (words == ["true"])
    quantifier, _, plain = operator.rpartition(":")
    absent_will_do = plain.endswith("IfExists")
    plain = plain.removesuffix("IfExists")
    negated = plain in _NEGATED
    compare = _COMPARED.get(_NEGATED.get(plain, plain))
    if compare is None or quantifier not in ("", "ForAllValues", "ForAnyValue"):
        raise Unjudged(f"the judge does not know the condition operator {operator}; teach it in judge_policies.py")

    def fits(value: str) -> bool:
        return any(compare(value, word) for word in words) != negated

    if not given:
        # "For all values" holds for a request without the key; a negated operator does, too.
        return absent_will_do or quantifier == "ForAllValues" or (negated and not quantifier)
    return any(map(fits, given)) if quantifier == "ForAnyValue" else all(map(fits, given))


def _given(key: str, context: Mapping[str, str | Sequence[str]]) -> list[str]:
    """The values of a condition key, whose case does not matter."""
    for name, value in context.items():
        if name.lower() == key.lower():
            return [_text(one) for one in listed(value)]
    if key.lower() not in {known.lower() for known in KEYS} and not key.lower().startswith(
        tuple(tag.lower() for tag in TAGS)
    ):
        raise Unjudged(f"the judge does not know the condition key {key}; teach it in judge_policies.py")
    return []


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
