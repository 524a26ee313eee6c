"""Conditions hold here where they hold in moto, and what is unknown is refused."""

from __future__ import annotations

import re
from typing import Any

import pytest
from moto.dynamodb.comparisons import get_filter_expression
from moto.dynamodb.models.dynamo_type import Item

from reliability.conditions import Unknown, compiled

ROW: dict[str, dict[str, Any]] = {"a": {"S": "x"}, "n": {"N": "10"}, "s": {"SS": ["p", "q"]}, "b": {"BOOL": True}}
NAMES = {f"#{name}": name for name in ("a", "n", "s", "b", "z")}
VALUES: dict[str, dict[str, Any]] = {
    ":x": {"S": "x"},
    ":y": {"S": "y"},
    ":nine": {"N": "9"},
    ":ten": {"N": "10"},
    ":two": {"N": "2"},
    ":p": {"S": "p"},
    ":yes": {"BOOL": True},
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("attribute_exists(#a)", True),
        ("attribute_exists(#z)", False),
        ("attribute_not_exists(#z)", True),
        ("#a = :x", True),
        ("#a = :y", False),
        ("#z = :x", False),
        ("#n > :nine", True),  # as numbers: "10" is less than "9" as text
        ("#n <= :ten AND #n >= :ten", True),
        ("#n = :x", False),
        ("#a IN (:y, :x)", True),
        ("NOT #a IN (:y, :x)", False),
        ("contains(#s, :p)", True),
        ("NOT contains(#s, :x)", True),
        ("size(#s) < :ten", True),
        ("size(#s) = :two", True),
        ("size(#z) < :ten", False),
        ("#b = :yes", True),
        ("#a = :y OR #n = :ten AND #b = :yes", True),
        ("(#a = :y OR #n = :ten) AND #z = :x", False),
        ("attribute_not_exists(#a) OR #a = :x", True),
    ],
)
def test_a_condition_holds_or_not(text: str, holds: bool) -> None:
    assert compiled(text)(ROW, NAMES, VALUES) is holds
    assert _moto(text) is holds


@pytest.mark.parametrize("text", ["", "#a", "#a <> :x", "#a = ", "(#a = :x", "#a = :x)", "begins(#a, :x)", "#a ! :x"])
def test_what_is_unknown_is_refused(text: str) -> None:
    with pytest.raises(Unknown):
        compiled(text)


def _moto(text: str) -> bool:

    used = {name: VALUES[name] for name in re.findall(r":\w+", text)}
    names = {name: NAMES[name] for name in re.findall(r"#\w+", text)}
    row: Any = Item(("pk", "S"), None, ROW)  # type: ignore[arg-type]
    try:
        return bool(get_filter_expression(text, names, used).expr(row))
    except ValueError:  # the size of what is not there
        return False
