"""Templates: what is worked out, in which order, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.intrinsics import NOTHING, Intrinsics, TemplateError
from sandbox.template import Stack
from sandbox.world import Sandbox

TEMPLATE = {
    "Conditions": {"Yes": {"Fn::Equals": [{"Ref": "Mode"}, "auto"]}, "No": {"Fn::Not": [{"Condition": "Yes"}]}},
    "Mappings": {"Region": {"us-east-1": {"ami": "ami-1"}}},
}


def work(value: Any) -> Any:
    names = {"Mode": "auto", "AWS::Region": "us-east-1", "List": ["a", "b"]}
    return Intrinsics(
        names.__getitem__, lambda name, attribute: f"<{name}.{attribute}>", lambda name: f"<import {name}>", TEMPLATE
    ).value(value)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"Ref": "Mode"}, "auto"),
        ({"Fn::GetAtt": ["Q", "Arn"]}, "<Q.Arn>"),
        ({"Fn::GetAtt": "Q.Outputs.Arn"}, "<Q.Outputs.Arn>"),
        ({"Fn::Sub": "${Mode}-${Q.Arn}-${!Literal}"}, "auto-<Q.Arn>-${Literal}"),
        ({"Fn::Sub": ["${X}/${Mode}", {"X": {"Ref": "AWS::Region"}}]}, "us-east-1/auto"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Mode"}]]}, "a-auto"),
        ({"Fn::Join": [",", {"Ref": "List"}]}, "a,b"),
        ({"Fn::Select": [1, {"Fn::Split": [":", "a:b:c"]}]}, "b"),
        ({"Fn::If": ["Yes", 1, 2]}, 1),
        ({"Fn::If": ["No", 1, {"Ref": "Mode"}]}, "auto"),
        ({"a": {"Fn::If": ["No", 1, {"Ref": "AWS::NoValue"}]}, "b": 1}, {"b": 1}),
        ([{"Ref": "AWS::NoValue"}, 1], [1]),
        ({"Fn::ImportValue": {"Fn::Sub": "${Mode}:x"}}, "<import auto:x>"),
        ({"Fn::FindInMap": ["Region", {"Ref": "AWS::Region"}, "ami"]}, "ami-1"),
        ({"Fn::Base64": "hi"}, "aGk="),
        ({"Ref": "Mode", "other": 1}, {"Ref": "Mode", "other": 1}),
    ],
)
def test_an_intrinsic_function_is_worked_out(raw: Any, expected: Any) -> None:
    assert work(raw) == expected


def test_no_value_alone_is_nothing() -> None:
    assert work({"Ref": "AWS::NoValue"}) is NOTHING


def refused(resources: dict[str, Any], **more: Any) -> str:
    with pytest.raises(TemplateError) as error, Sandbox([Stack("s", {"Resources": resources, **more})]):
        pass
    return str(error.value)


def test_an_unknown_type_is_refused_by_name() -> None:
    assert "s/X (AWS::MediaLive::Channel)" in refused({"X": {"Type": "AWS::MediaLive::Channel"}})


def test_an_unknown_property_is_refused_by_name() -> None:
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"FifoQueue": True, "Tags": []}}
    assert refused({"Q": queue}) == "s/Q (AWS::SQS::Queue): the sandbox does not know FifoQueue"


def test_an_unknown_attribute_or_import_is_refused() -> None:
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Fn::GetAtt": ["Q", "Colour"]}}}
    assert "no attribute Colour" in refused({"T": topic, "Q": {"Type": "AWS::SQS::Queue"}})
    assert "exports nobody" in refused(
        {"T": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Fn::ImportValue": "nobody"}}}}
    )


def test_a_parameter_without_a_value_is_refused() -> None:
    assert "parameter P needs a value" in refused({}, Parameters={"P": {"Type": "String"}})


def test_a_resource_whose_condition_does_not_hold_is_not_there() -> None:
    template = {
        "Conditions": {"Never": {"Fn::Equals": ["a", "b"]}},
        "Resources": {
            "Q": {"Type": "AWS::SQS::Queue", "Condition": "Never"},
            "R": {"Type": "AWS::SQS::Queue"},
        },
    }
    with Sandbox([Stack("s", template)]) as sandbox:
        assert list(sandbox.made["s"]) == ["R"]


def test_a_failed_start_leaves_room_for_the_next() -> None:
    refused({"X": {"Type": "AWS::MediaLive::Channel"}})
    with Sandbox([Stack("s", {"Resources": {"R": {"Type": "AWS::SQS::Queue"}}})]) as sandbox:
        assert sandbox.queue("s-R") == []
