"""The two lanes as EventBridge patterns: what is urgent, and exactly the rest.

The rest is not "not urgent" but has to be spelt out, since a pattern can only say what it wants: a severity that is
below, or text, true, false, null, absent, or an object. Operators and their meaning: Amazon EventBridge User Guide,
"Comparison operators for use in event patterns".

Two limits of patterns stay. A list matches if any of its elements does, so a list with elements of both kinds is in
both lanes (delivered twice, handled once). And numbers compare between -5e9 and 5e9 only.
"""

from __future__ import annotations

from firebreak.core.model import Json
from firebreak.core.source import Source

Pattern = dict[str, Json]

TEXT: Json = {"prefix": ""}
NUMBER: Json = {"numeric": [">=", -5_000_000_000, "<=", 5_000_000_000]}
NOTHING: Json = {"exists": False}  # also an object or an empty list: neither is a leaf
OPPOSITE = {">=": "<", ">": "<=", "<": ">=", "<=": ">"}


def urgent_pattern(source: Source) -> tuple[Pattern, ...]:
    """Return the patterns of the urgent lane's rules for one source: none or one."""
    return () if source.urgent is None else (source.pattern | source.urgent,)


def bulk_pattern(source: Source) -> tuple[Pattern, ...]:
    """Return the patterns of the bulk lane's rules for one source; no event matches two of them.

    Raises:
        ValueError: `urgent` uses what cannot be turned round exactly.
    """
    if source.urgent is None:
        return (source.pattern,)
    return tuple(source.pattern | rest for rest in _not(source.urgent))


def _not(wanted: Pattern) -> list[Pattern]:
    """Return disjoint patterns of everything that does not match: not a; a and not b; a and b and not c; …"""
    rests: list[Pattern] = []
    before: Pattern = {}
    for name, value in wanted.items():
        rests += [_both(before, rest) for rest in _not_member(name, value)]
        before = before | {name: value}
    return rests


def _not_member(name: str, value: Json) -> list[Pattern]:
    if name == "$or":  # neither the one nor the other
        rests: list[Pattern] = [{}]
        for alternative in value:
            rests = [_both(rest, other) for rest in rests for other in _not(alternative)]
        return rests
    if isinstance(value, dict):
        return [{name: rest} for rest in _not(value)]
    return [{name: _not_leaf(value)}]


def _not_leaf(matchers: list[Json]) -> list[Json]:
    if all(isinstance(matcher, str) for matcher in matchers):
        return [{"anything-but": matchers}, NUMBER, True, False, None, NOTHING]
    match matchers:
        case [{"prefix": str(prefix)}]:
            return [{"anything-but": {"prefix": prefix}}, NUMBER, True, False, None, NOTHING]
        case [{"numeric": [str(operator), bound]}] if operator in OPPOSITE:
            return [{"numeric": [OPPOSITE[operator], bound]}, TEXT, True, False, None, NOTHING]
    raise ValueError(f"no pattern says the exact opposite of {matchers}")


def _both(one: Pattern, other: Pattern) -> Pattern:
    merged = dict(one)
    for name, value in other.items():
        if name not in merged:
            merged[name] = value
        elif isinstance(value, dict) and isinstance(merged[name], dict):
            merged[name] = _both(merged[name], value)
        else:
            raise ValueError(f"{name} would be asked about twice in one pattern")
    return merged
