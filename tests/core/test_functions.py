"""What lets a function run, as Lambda tells it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from firebreak.core.errors import AwsError, Conflict, Refused
from firebreak.core.functions import Intake, Mapping, Side, function_name, intake, unless_busy
from firebreak.core.target import Bucket, LambdaFunction

HERE = {"account": "111122223333", "region": "us-east-1"}
ARN = "arn:aws:lambda:us-east-1:111122223333:function:orders"


class Lambda:
    """Answers as Lambda does, with so many mappings as there are ARNs of functions."""

    def __init__(self, *arns: str, **more: Any) -> None:
        self.entries = [
            {"UUID": f"{9 - n}", "FunctionArn": arn, "State": "Enabled", **more} for n, arn in enumerate(arns)
        ]

    def get_function_concurrency(self, **_: Any) -> dict[str, Any]:
        return {}

    def pages(self, operation: str, member: str, **_: Any) -> Iterator[Any]:
        assert (operation, member) == ("list_event_source_mappings", "EventSourceMappings")
        yield from self.entries


def _lambda(*arns: str, **more: Any) -> Any:
    return Lambda(*arns, **more)


@pytest.mark.parametrize(
    ("arn", "its"), [(ARN, True), (f"{ARN}:live", True), (f"{ARN}:$LATEST", True), (f"{ARN}-2", False), ("", False)]
)
def test_mappings_of_every_version_and_alias_are_the_functions(arn: str, its: bool) -> None:
    assert bool(intake(_lambda(arn), LambdaFunction(**HERE, name="orders")).mappings) == its


def test_nothing_reserved_is_none_and_mappings_are_in_order() -> None:
    found = intake(_lambda(ARN, ARN), LambdaFunction(**HERE, name="orders"))
    assert found.reserved is None
    assert list(found.mappings) == ["8", "9"]


@pytest.mark.parametrize(
    ("more", "source"),
    [
        ({"EventSourceArn": "arn:aws:sqs:us-east-1:111122223333:orders"}, "arn:aws:sqs:us-east-1:111122223333:orders"),
        ({"Topics": ["orders"]}, "orders"),
        ({}, "a source without an ARN"),
    ],
)
def test_a_mapping_is_known_by_what_it_polls(more: dict[str, Any], source: str) -> None:
    (found,) = intake(_lambda(ARN, **more), LambdaFunction(**HERE, name="orders")).mappings.values()
    assert found.source == source


@pytest.mark.parametrize(
    ("state", "side", "settled"),
    [
        ("Enabled", "on", True),
        ("Enabling", "on", False),
        ("Disabled", "off", True),
        ("Disabling", "off", False),
        ("Deleting", "gone", False),
        ("Creating", "unsettled", False),
        ("Updating", "unsettled", False),
    ],
)
def test_a_state_says_on_which_side_a_mapping_is(state: str, side: Side, settled: bool) -> None:
    mapping = Mapping(uuid="1", source="orders", state=state)
    assert (mapping.side, mapping.settled) == (side, settled)
    assert Intake(reserved=None, mappings={"1": mapping}).side("1") == side


def test_a_mapping_that_is_not_there_is_gone() -> None:
    assert Intake(reserved=None, mappings={}).side("1") == "gone"


def test_only_being_busy_is_a_reason_to_try_again() -> None:
    def refuse(code: str) -> None:
        raise AwsError(code, "PutFunctionConcurrency", "because")

    with pytest.raises(Conflict):
        unless_busy(lambda: refuse("ResourceConflictException"))
    with pytest.raises(AwsError):
        unless_busy(lambda: refuse("InvalidParameterValueException"))


def test_only_a_function_has_a_functions_name() -> None:
    assert function_name(LambdaFunction(**HERE, name="orders")) == "orders"
    with pytest.raises(Refused):
        function_name(LambdaFunction(**HERE, name="orders:*"))
    with pytest.raises(Refused):
        function_name(Bucket(**HERE, name="orders"))
