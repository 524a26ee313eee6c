"""Condition expressions of DynamoDB, as far as Firebreak writes them, compiled once per text.

Amazon DynamoDB Developer Guide, "Condition and filter expressions, operators, and functions": a comparison with an
attribute that is not there, or is of another type, does not hold.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

Value = Mapping[str, Any]
"""A value as DynamoDB spells it: {"S": "open"}."""

Wire = Mapping[str, Value]
"""Attributes by name."""

Holds = Callable[[Wire, Mapping[str, str], Wire], bool]
"""Whether a condition holds for an item, given the names and values that its text refers to."""

Operand = Callable[[Wire, Mapping[str, str], Wire], Value | None]

_TOKEN = re.compile(r"\s*(<=|>=|[=<>(),]|[#:]?\w+)")
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Unknown(ValueError):
    """An expression uses something that is not known here."""


@cache
def compiled(text: str) -> Holds:
    """Return what judges a condition.

    Raises:
        Unknown: something in it is not known here.
    """
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != re.sub(r"\s+", "", text):
        raise Unknown(text)
    reader = _Reader(tokens, text)
    holds = reader.any_of()
    if reader.rest:
        raise Unknown(text)
    return holds


class _Reader:
    def __init__(self, tokens: list[str], text: str) -> None:
        self.rest = tokens
        self._text = text

    def any_of(self) -> Holds:
        parts = [self._all_of()]
        while self._skip("OR"):
            parts.append(self._all_of())
        return parts[0] if len(parts) == 1 else lambda *seen: any(part(*seen) for part in parts)

    def _all_of(self) -> Holds:
        parts = [self._one()]
        while self._skip("AND"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else lambda *seen: all(part(*seen) for part in parts)

    def _one(self) -> Holds:
        if self._skip("NOT"):
            inner = self._one()
            return lambda *seen: not inner(*seen)
        if self._skip("("):
            inner = self.any_of()
            self._expect(")")
            return inner
        word = self._take()
        if word in ("attribute_exists", "attribute_not_exists"):
            (place,) = self._arguments()
            wanted = word == "attribute_exists"
            return lambda item, names, values: (_name(place, names) in item) is wanted
        if word == "contains":
            place, value = self._arguments()
            return lambda item, names, values: _contains(item.get(_name(place, names)), values[value])
        left = self._operand(word)
        verb = self._take()
        if verb == "IN":
            several = [self._operand(each) for each in self._arguments()]
            return lambda *seen: any(_compare(operator.eq, left(*seen), each(*seen)) for each in several)
        if verb not in _COMPARISONS:
            raise Unknown(self._text)
        test, right = _COMPARISONS[verb], self._operand(self._take())
        return lambda *seen: _compare(test, left(*seen), right(*seen))

    def _operand(self, word: str) -> Operand:
        if word.startswith(":"):
            return lambda item, names, values: values[word]
        if word == "size":
            (place,) = self._arguments()
            return lambda item, names, values: _size(item.get(_name(place, names)))
        return lambda item, names, values: item.get(_name(word, names))

    def _arguments(self) -> list[str]:
        self._expect("(")
        found = [self._take()]
        while self._skip(","):
            found.append(self._take())
        self._expect(")")
        return found

    def _take(self) -> str:
        if not self.rest:
            raise Unknown(self._text)
        return self.rest.pop(0)

    def _skip(self, token: str) -> bool:
        if self.rest and self.rest[0] == token:
            self.rest.pop(0)
            return True
        return False

    def _expect(self, token: str) -> None:
        if not self._skip(token):
            raise Unknown(self._text)


def _name(token: str, names: Mapping[str, str]) -> str:
    return names[token] if token.startswith("#") else token


def _compare(test: Callable[[Any, Any], bool], left: Value | None, right: Value | None) -> bool:
    if left is None or right is None:
        return False
    ((kind, one),), ((other, two),) = left.items(), right.items()
    return kind == other and (test(float(one), float(two)) if kind == "N" else test(one, two))


def _contains(found: Value | None, value: Value) -> bool:
    if found is None:
        return False
    ((kind, content),), ((_, wanted),) = found.items(), value.items()
    return value in content if kind == "L" else wanted in content


def _size(found: Value | None) -> Value | None:
    if found is None:
        return None
    ((_, content),) = found.items()
    return {"N": str(len(content))}
