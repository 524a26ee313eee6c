"""Whether an event matches an EventBridge event pattern.

Follows "Creating Amazon EventBridge event patterns" and "Comparison operators for use in event patterns" (Amazon
EventBridge User Guide). The same language filters what a table's stream hands to a function ("Lambda event filtering").
"""

from __future__ import annotations

import ipaddress
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "=": lambda value, bound: math.isclose(value, bound, rel_tol=0, abs_tol=1e-9),
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_OPERATORS = frozenset(
    ("prefix", "suffix", "equals-ignore-case", "anything-but", "numeric", "cidr", "exists", "wildcard")
)
_ABSENT = object()


class PatternError(ValueError):
    """A pattern that EventBridge would refuse."""


def matches(pattern: Mapping[str, Any], event: Any) -> bool:
    """Tell whether `event` matches `pattern`.

    Fields of objects inside an array match where one object of the array has all that the pattern asks of them.

    Raises:
        PatternError: the pattern is not one; the message names the place.
    """
    check(pattern)
    return _matches(pattern, event)


def check(pattern: Mapping[str, Any], at: str = "pattern") -> None:
    """Refuse what EventBridge refuses when a rule is made.

    Raises:
        PatternError: names the place and what is wrong with it.
    """
    if not isinstance(pattern, Mapping) or not pattern:
        raise PatternError(f"{at}: expected an object with at least one field")
    for key, value in pattern.items():
        where = f"{at}.{key}"
        if key == "$or" and isinstance(value, Sequence) and all(isinstance(v, Mapping) for v in value):
            if len(value) < 2:
                raise PatternError(f"{where}: needs two alternatives at least")
            for alternative in value:
                check(alternative, where)
        elif isinstance(value, Mapping):
            check(value, where)
        elif isinstance(value, list) and value:
            for item in value:
                _check_item(item, where)
        else:
            raise PatternError(f"{where}: a field takes a list of one value at least, or an object")


def _check_item(item: Any, at: str) -> None:
    if isinstance(item, list):
        raise PatternError(f"{at}: a list inside a list")
    if not isinstance(item, Mapping):
        return
    if len(item) != 1:
        raise PatternError(f"{at}: one operator per object, found {sorted(item)}")
    ((name, argument),) = item.items()
    if name not in _OPERATORS:
        raise PatternError(f"{at}: unknown operator {name!r}")
    good: bool
    match name:
        case "exists":
            good = isinstance(argument, bool)
        case "numeric":
            good = _numeric_is_sound(argument)
        case "cidr":
            good = isinstance(argument, str) and _network(argument) is not None
        case "wildcard":
            good = isinstance(argument, str) and "**" not in argument
        case "prefix" | "suffix":
            inner = argument.get("equals-ignore-case") if isinstance(argument, Mapping) else argument
            good = isinstance(inner, str) and (not isinstance(argument, Mapping) or len(argument) == 1)
        case "anything-but":
            good = _anything_but_is_sound(argument)
        case _:
            good = isinstance(argument, str)
    if not good:
        raise PatternError(f"{at}: {name} does not take {argument!r}")


def _numeric_is_sound(argument: Any) -> bool:
    if not isinstance(argument, list) or len(argument) not in (2, 4):
        return False
    pairs = list(zip(argument[::2], argument[1::2], strict=True))
    return all(sign in _COMPARISONS and _is_number(bound) for sign, bound in pairs)


def _anything_but_is_sound(argument: Any) -> bool:
    if isinstance(argument, Mapping):
        if len(argument) != 1:
            return False
        ((name, inner),) = argument.items()
        if name not in ("prefix", "suffix", "equals-ignore-case", "wildcard"):
            return False
        words = inner if isinstance(inner, list) else [inner]
        return bool(words) and all(isinstance(word, str) for word in words)
    values = argument if isinstance(argument, list) else [argument]
    return bool(values) and (
        all(isinstance(value, str) for value in values) or all(_is_number(value) for value in values)
    )


def _matches(pattern: Mapping[str, Any], event: Any) -> bool:
    if isinstance(event, list):
        return any(_matches(pattern, item) for item in event)
    fields = event if isinstance(event, Mapping) else {}
    return all(_field(key, wanted, fields) for key, wanted in pattern.items())


def _field(key: str, wanted: Any, fields: Mapping[str, Any]) -> bool:
    if key == "$or" and all(isinstance(alternative, Mapping) for alternative in wanted):
        return any(_matches(alternative, fields) for alternative in wanted)
    value = fields.get(key, _ABSENT)
    if isinstance(wanted, Mapping):
        return _matches(wanted, {} if value is _ABSENT else value)
    leaves = [] if value is _ABSENT else _leaves([value])
    if not leaves:
        return any(isinstance(item, Mapping) and item.get("exists") is False for item in wanted)
    return any(_item(item, leaf) for item in wanted for leaf in leaves)


def _leaves(values: list[Any]) -> list[Any]:
    """What a field holds: EventBridge sees leaves only, so objects and empty arrays count as nothing."""
    flat: list[Any] = []
    for value in values:
        if isinstance(value, list):
            flat.extend(_leaves(value))
        elif not isinstance(value, Mapping):
            flat.append(value)
    return flat


def _item(item: Any, value: Any) -> bool:
    if not isinstance(item, Mapping):
        return _same(item, value)
    ((name, argument),) = item.items()
    match name:
        case "exists":
            return bool(argument)
        case "anything-but":
            return _anything_but(argument, value)
        case "numeric":
            return _is_number(value) and all(
                _COMPARISONS[sign](value, bound) for sign, bound in zip(argument[::2], argument[1::2], strict=True)
            )
        case "cidr":
            return isinstance(value, str) and _inside(argument, value)
        case _:
            return isinstance(value, str) and _text(name, argument, value)


def _anything_but(argument: Any, value: Any) -> bool:
    if isinstance(argument, Mapping):
        ((name, inner),) = argument.items()
        words = inner if isinstance(inner, list) else [inner]
        return isinstance(value, str) and not any(_text(name, word, value) for word in words)
    values = argument if isinstance(argument, list) else [argument]
    return not any(_same(one, value) for one in values)


def _text(name: str, argument: Any, value: str) -> bool:
    if isinstance(argument, Mapping):
        argument, value = argument["equals-ignore-case"].lower(), value.lower()
    match name:
        case "prefix":
            return value.startswith(argument)
        case "suffix":
            return value.endswith(argument)
        case "equals-ignore-case":
            return value.lower() == str(argument).lower()
        case _:
            return _wildcard(argument, value)


def _wildcard(pattern: str, value: str) -> bool:
    """`*` stands for any characters; a backslash takes the special meaning of the next `*` or backslash away."""
    pieces: list[str] = [""]
    at = 0
    while at < len(pattern):
        if pattern[at] == "\\" and pattern[at + 1 : at + 2] in ("*", "\\"):
            at += 1
            pieces[-1] += pattern[at]
        elif pattern[at] == "*":
            pieces.append("")
        else:
            pieces[-1] += pattern[at]
        at += 1
    if len(pieces) == 1:
        return value == pieces[0]
    first, *middle, last = pieces
    if not value.startswith(first) or not value.endswith(last) or len(value) < len(first) + len(last):
        return False
    at, end = len(first), len(value) - len(last)
    for piece in middle:
        found = value.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True


def _same(wanted: Any, value: Any) -> bool:
    if _is_number(wanted):
        return _is_number(value) and wanted == value
    return type(wanted) is type(value) and bool(wanted == value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _inside(network: str, address: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False
