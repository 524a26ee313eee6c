"""The rules of a Choice state (Amazon States Language, "Choice State")."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sandbox.paths import StateError, exists, read

_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "LessThanEquals": operator.le,
    "GreaterThan": operator.gt,
    "GreaterThanEquals": operator.ge,
}
_COMPARISON = re.compile(r"(String|Numeric|Boolean|Timestamp)(\w+?)(Path)?")
_NOT_A_TEST = frozenset(("Variable", "Next", "Comment"))


def holds(rule: Mapping[str, Any], data: Any, context: Any) -> bool:
    """Tell whether a choice rule holds.

    Raises:
        StateError: the variable is not there (unless the rule asks just that), or the rule is unknown.
    """
    if "And" in rule:
        return all(holds(inner, data, context) for inner in rule["And"])
    if "Or" in rule:
        return any(holds(inner, data, context) for inner in rule["Or"])
    if "Not" in rule:
        return not holds(rule["Not"], data, context)
    ((test, wanted),) = ((key, value) for key, value in rule.items() if key not in _NOT_A_TEST)
    if test == "IsPresent":
        return exists(rule["Variable"], data, context) is bool(wanted)
    value = read(rule["Variable"], data, context)
    if test in _KINDS:
        return _KINDS[test](value) is bool(wanted)
    if test == "StringMatches":
        return isinstance(value, str) and _like(wanted, value)
    named = _COMPARISON.fullmatch(test)
    if named is None or named[2] not in _ORDER:
        raise StateError("States.Runtime", f"the sandbox does not know the choice rule {test}")
    if named[3]:
        wanted = read(wanted, data, context)
    kind = _KINDS[f"Is{named[1]}"]
    if not kind(value) or not kind(wanted):
        return False
    if named[1] == "Timestamp":
        value, wanted = _time(value), _time(wanted)
    return _ORDER[named[2]](value, wanted)


def _like(pattern: str, value: str) -> bool:
    parts = re.findall(r"\\\\|\\\*|\*|[^\\*]+|\\", pattern)
    expression = "".join(
        ".*" if part == "*" else re.escape({"\\*": "*", "\\\\": "\\"}.get(part, part)) for part in parts
    )
    return re.fullmatch(expression, value, re.S) is not None


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


_KINDS: dict[str, Callable[[Any], bool]] = {
    "IsNull": lambda value: value is None,
    "IsString": lambda value: isinstance(value, str),
    "IsNumeric": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "IsBoolean": lambda value: isinstance(value, bool),
    "IsTimestamp": lambda value: isinstance(value, str) and "T" in value and _time(value) is not None,
}
