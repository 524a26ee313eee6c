"""Small state machines, what they are given and what comes of them; and functions for their tasks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

ARN = "arn:aws:lambda:us-east-1:111122223333:function:"
INVOKE = "arn:aws:states:::lambda:invoke"


class Custom(Exception):
    """A function's own error."""


def functions() -> dict[str, Callable[[Any], Any]]:
    """Return fresh functions; `flaky` fails twice, then answers."""
    runs = {"flaky": 0}

    def flaky(event: Any) -> Any:
        runs["flaky"] += 1
        if runs["flaky"] <= 2:
            raise Custom(f"run {runs['flaky']}")
        return {"runs": runs["flaky"]}

    def broken(event: Any) -> Any:
        raise Custom("always")

    return {
        "echo": lambda event: event,
        "double": lambda event: {"n": event["n"] * 2},
        "flaky": flaky,
        "broken": broken,
    }


def states(start: str, **named: Any) -> dict[str, Any]:
    """Return a definition."""
    return {"StartAt": start, "States": named}


def call(name: str, **more: Any) -> dict[str, Any]:
    """Return a task that ends the machine unless told otherwise."""
    return {"Type": "Task", "Resource": f"{ARN}{name}", **({} if "Next" in more else {"End": True}), **more}


CATCH = {"ErrorEquals": ["Custom"], "ResultPath": "$.failure", "Next": "After"}

MACHINES: list[tuple[str, dict[str, Any], Any, tuple[str, Any]]] = [
    ("pass", states("A", A={"Type": "Pass", "End": True}), {"a": 1}, ("SUCCEEDED", {"a": 1})),
    (
        "pass with a result below a path",
        states("A", A={"Type": "Pass", "Result": [1], "ResultPath": "$.b.c", "End": True}),
        {"a": 1},
        ("SUCCEEDED", {"a": 1, "b": {"c": [1]}}),
    ),
    (
        "paths and intrinsic functions",
        states(
            "A",
            A={
                "Type": "Pass",
                "Parameters": {
                    "text.$": "States.Format('{}-r{}', $.i, $.n)",
                    "sum.$": "States.MathAdd($.n, 1)",
                    "list.$": "States.Array($.i, States.ArrayLength($.l), true)",
                    "first.$": "$.l[0]",
                    "plain": "$.i",
                },
                "End": True,
            },
        ),
        {"i": "inc", "n": 2, "l": [5, 6]},
        ("SUCCEEDED", {"text": "inc-r2", "sum": 3, "list": ["inc", 2, True], "first": 5, "plain": "$.i"}),
    ),
    ("a function by its ARN", states("A", A=call("double")), {"n": 4}, ("SUCCEEDED", {"n": 8})),
    (
        "a function by invoke",
        states(
            "A",
            A={
                "Type": "Task",
                "Resource": INVOKE,
                "Parameters": {"FunctionName": f"{ARN}double", "Payload": {"n.$": "$.n"}},
                "ResultSelector": {"got.$": "$.Payload.n"},
                "ResultPath": "$.out",
                "End": True,
            },
        ),
        {"n": 4},
        ("SUCCEEDED", {"n": 4, "out": {"got": 8}}),
    ),
    (
        "input and output paths",
        states("A", A=call("double", InputPath="$.in", ResultPath="$.out", OutputPath="$.out.n")),
        {"in": {"n": 3}},
        ("SUCCEEDED", 6),
    ),
    (
        "a result that is discarded",
        states("A", A=call("double", ResultPath=None)),
        {"n": 3},
        ("SUCCEEDED", {"n": 3}),
    ),
    (
        "retried until it works",
        states("A", A=call("flaky", Retry=[{"ErrorEquals": ["Custom"], "IntervalSeconds": 1, "BackoffRate": 1.0}])),
        {},
        ("SUCCEEDED", {"runs": 3}),
    ),
    (
        "retried too few times, then caught",
        states(
            "A",
            A=call(
                "broken",
                Retry=[{"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 1, "MaxAttempts": 1}],
                Catch=[CATCH],
                Next="B",
            ),
            B={"Type": "Pass", "Result": "not here", "End": True},
            After={"Type": "Pass", "Parameters": {"error.$": "$.failure.Error"}, "End": True},
        ),
        {},
        ("SUCCEEDED", {"error": "Custom"}),
    ),
    (
        "another error's catch",
        states(
            "A",
            A=call("broken", Catch=[{"ErrorEquals": ["Other"], "Next": "After"}]),
            After={"Type": "Pass", "End": True},
        ),
        {},
        ("FAILED", "Custom"),
    ),
    (
        "a catch of all",
        states(
            "A",
            A=call("broken", Catch=[{"ErrorEquals": ["States.ALL"], "ResultPath": None, "Next": "After"}]),
            After={"Type": "Pass", "End": True},
        ),
        {"kept": 1},
        ("SUCCEEDED", {"kept": 1}),
    ),
    ("fail", states("A", A={"Type": "Fail", "Error": "E", "Cause": "C"}), {}, ("FAILED", "E")),
    (
        "map in order, with items made up",
        states(
            "A",
            A={
                "Type": "Map",
                "ItemsPath": "$.l",
                "ItemSelector": {"n.$": "$$.Map.Item.Value", "at.$": "$$.Map.Item.Index", "k.$": "$.k"},
                "MaxConcurrency": 1,
                "ItemProcessor": states("I", I={"Type": "Pass", "End": True}),
                "ResultPath": "$.out",
                "End": True,
            },
        ),
        {"l": [7, 8], "k": "x"},
        ("SUCCEEDED", {"l": [7, 8], "k": "x", "out": [{"n": 7, "at": 0, "k": "x"}, {"n": 8, "at": 1, "k": "x"}]}),
    ),
    (
        "map over nothing",
        states(
            "A",
            A={"Type": "Map", "ItemsPath": "$.l", "ItemProcessor": states("I", I=call("broken")), "End": True},
        ),
        {"l": []},
        ("SUCCEEDED", []),
    ),
    (
        "one item fails the map",
        states(
            "A",
            A={"Type": "Map", "ItemsPath": "$.l", "ItemProcessor": states("I", I=call("broken")), "End": True},
        ),
        {"l": [1, 2]},
        ("FAILED", "Custom"),
    ),
    (
        "parallel",
        states(
            "A",
            A={
                "Type": "Parallel",
                "Branches": [states("L", L=call("double")), states("R", R={"Type": "Pass", "End": True})],
                "End": True,
            },
        ),
        {"n": 1},
        ("SUCCEEDED", [{"n": 2}, {"n": 1}]),
    ),
    (
        "a failing branch is caught",
        states(
            "A",
            A={
                "Type": "Parallel",
                "Branches": [states("L", L=call("broken")), states("R", R={"Type": "Pass", "End": True})],
                "Catch": [CATCH],
                "End": True,
            },
            After={"Type": "Pass", "Parameters": {"error.$": "$.failure.Error"}, "End": True},
        ),
        {"n": 1},
        ("SUCCEEDED", {"error": "Custom"}),
    ),
    (
        "wait by a path",
        states("A", A={"Type": "Wait", "SecondsPath": "$.w", "End": True}),
        {"w": 0},
        ("SUCCEEDED", {"w": 0}),
    ),
    (
        "nothing holds",
        states(
            "A",
            A={"Type": "Choice", "Choices": [{"Variable": "$.a", "NumericEquals": 1, "Next": "B"}]},
            B={"Type": "Succeed"},
        ),
        {"a": 2},
        ("FAILED", "States.NoChoiceMatched"),
    ),
]

RULES: list[tuple[dict[str, Any], Any, bool]] = [
    ({"Variable": "$.a", "BooleanEquals": True}, {"a": True}, True),
    ({"Variable": "$.a", "BooleanEquals": True}, {"a": "true"}, False),
    ({"Variable": "$.a", "NumericEquals": 1}, {"a": 1.0}, True),
    ({"Variable": "$.a", "NumericGreaterThanEquals": 2}, {"a": 2}, True),
    ({"Variable": "$.a", "NumericLessThanPath": "$.b"}, {"a": 1, "b": 2}, True),
    ({"Variable": "$.a", "StringEquals": "x"}, {"a": "x"}, True),
    ({"Variable": "$.a", "StringEquals": "x"}, {"a": 1}, False),
    ({"Variable": "$.a", "StringMatches": "x*z"}, {"a": "xyz"}, True),
    ({"Variable": "$.a", "StringMatches": "x*z"}, {"a": "xy"}, False),
    ({"Variable": "$.a", "StringLessThan": "b"}, {"a": "a"}, True),
    ({"Variable": "$.a", "IsPresent": True}, {"a": None}, True),
    ({"Variable": "$.a", "IsPresent": True}, {}, False),
    ({"Variable": "$.a", "IsPresent": False}, {}, True),
    ({"Variable": "$.a", "IsNull": True}, {"a": None}, True),
    ({"Variable": "$.a", "IsString": True}, {"a": 1}, False),
    ({"Variable": "$.a", "TimestampGreaterThan": "2026-01-01T00:00:00Z"}, {"a": "2026-01-02T00:00:00Z"}, True),
    ({"Not": {"Variable": "$.a", "NumericEquals": 1}}, {"a": 2}, True),
    (
        {"And": [{"Variable": "$.a", "IsPresent": True}, {"Variable": "$.a", "NumericEquals": 1}]},
        {"a": 1},
        True,
    ),
    (
        {"Or": [{"Variable": "$.a", "NumericEquals": 2}, {"Variable": "$.a", "NumericEquals": 1}]},
        {"a": 1},
        True,
    ),
]


def chooser(rule: dict[str, Any]) -> dict[str, Any]:
    """Return a machine that says whether a rule holds."""
    return states(
        "A",
        A={"Type": "Choice", "Choices": [{**rule, "Next": "Yes"}], "Default": "No"},
        Yes={"Type": "Pass", "Result": True, "End": True},
        No={"Type": "Pass", "Result": False, "End": True},
    )
