"""The judge evaluates every condition of our roles, and our roles use nothing else that it would pass over."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from sandbox.judge_policies import Unjudged, holds
from tests.stacks.template import Template, listed

Statement = dict[str, Any]


def of_roles(estate: Mapping[str, Template]) -> Iterator[Statement]:
    """Yield what roles are granted and whom they trust, services apart: nothing takes a role on as one here."""
    for template in estate.values():
        for kind in ("AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
            for properties in template.all(kind).values():
                yield from (one for one in _statements(properties) if "Service" not in one.get("Principal", {}))


def _statements(value: Any) -> Iterator[Statement]:
    if isinstance(value, dict) and "Statement" in value:
        yield from listed(value["Statement"])
    elif isinstance(value, (dict, list)):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _statements(one)


def test_every_condition_is_evaluated_both_ways(estate: Mapping[str, Template]) -> None:
    seen = set()
    for statement in of_roles(estate):
        for operator, keys in statement.get("Condition", {}).items():
            for key, words in keys.items():
                seen.add((operator, key))
                spelt = [word if isinstance(word, str) else json.dumps(word) for word in listed(words)]
                if "Arn" in operator:
                    spelt = ["arn:aws:iam::111122223333:role/one"]  # what it says is a reference
                only = {"Condition": {operator: {key: spelt}}}
                there, other = {key: [spelt[0].replace("*", "x")]}, {key: ["somebody else's"]}
                outcomes = (holds(only, there), holds(only, {} if operator == "Null" else other))
                assert outcomes == (True, False), (operator, key)
                holds(only, {})  # a key that is missing is known to be missing
    assert len(seen) > 6


def test_roles_use_no_element_that_is_passed_over(estate: Mapping[str, Template]) -> None:
    elements = {element for statement in of_roles(estate) for element in statement}
    assert elements <= {"Sid", "Effect", "Action", "Resource", "Principal", "Condition"}
    roles = [role for template in estate.values() for role in template.all("AWS::IAM::Role").values()]
    assert [role for role in roles if "PermissionsBoundary" in role or "ManagedPolicyArns" in role] == []


@pytest.mark.parametrize("condition", [{"StringEquals": {"aws:SourceVpc": "x"}}, {"DateLessThan": {"aws:Rest": "x"}}])
def test_a_condition_that_is_not_known_is_no_guess(condition: dict[str, Any]) -> None:
    with pytest.raises(Unjudged):
        holds({"Condition": condition}, {})
