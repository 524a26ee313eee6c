"""Detection and the way to the bus."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from firebreak.core.deployment import Deployment, Member
from firebreak.core.errors import SettingsError
from firebreak.core.registry import sources
from stacks.places import bus_arn
from tests.stacks.conftest import MEMBER, SECURITY
from tests.stacks.template import Template, text

PLACES = {
    "firebreak-detection": SECURITY,
    "firebreak-detection-us-east-1": SECURITY,
    f"firebreak-detection-{MEMBER}": MEMBER,
}


def test_each_place_forwards_what_services_send_to_the_one_bus(estate: Mapping[str, Template]) -> None:
    assert {name for name in estate if "detection" in name} == PLACES.keys()
    patterns = [
        source.pattern
        for source in sources().values()
        if all(one.startswith("aws.") for one in source.pattern["source"])
    ]
    for name in PLACES:
        rules = estate[name].all("AWS::Events::Rule")
        found = [rule["EventPattern"] for rule in rules.values()]
        assert [pattern for pattern in found if pattern["source"] != ["aws.ec2"]] == patterns
        for rule in rules.values():
            (target,) = rule["Targets"]
            assert "EventBusName" not in rule, "services send to the default bus"
            assert text(target["Arn"]) == f"arn:<AWS::Partition>:events:eu-west-1:{SECURITY}:event-bus/firebreak"
            assert target["DeadLetterConfig"]


def test_new_networks_are_told_from_everywhere(estate: Mapping[str, Template]) -> None:
    for name in PLACES:
        (rule,) = [
            one for one in estate[name].all("AWS::Events::Rule").values() if "aws.ec2" in one["EventPattern"]["source"]
        ]
        assert rule["EventPattern"]["detail"] == {"eventName": ["CreateVpc", "CreateDefaultVpc"]}


def test_the_forwarding_role_has_the_name_that_the_bus_knows_and_sends_there_alone(
    estate: Mapping[str, Template],
) -> None:
    names = set()
    for name in PLACES:
        role = estate[name].one("AWS::IAM::Role")
        names.add(role["RoleName"])
        (statement,) = estate[name].role_statements(role["RoleName"])
        assert statement["Action"] == "events:PutEvents"
        assert text(statement["Resource"]).endswith(":event-bus/firebreak")
    assert names == {"firebreak-forward-eu-west-1", "firebreak-forward-us-east-1"}


def test_a_detector_is_made_where_the_settings_say_so_and_its_features_are_switched_one_by_one(
    estate: Mapping[str, Template], empty: Mapping[str, Template]
) -> None:
    features = {one["Name"]: one for one in estate["firebreak-detection"].one("AWS::GuardDuty::Detector")["Features"]}
    assert {name: one["Status"] for name, one in features.items()} == {
        "EKS_AUDIT_LOGS": "ENABLED",
        "RUNTIME_MONITORING": "ENABLED",
        "EBS_MALWARE_PROTECTION": "ENABLED",
        "S3_DATA_EVENTS": "DISABLED",
        "RDS_LOGIN_EVENTS": "ENABLED",
        "LAMBDA_NETWORK_LOGS": "ENABLED",
    }
    agents = features["RUNTIME_MONITORING"]["AdditionalConfiguration"]
    assert {one["Name"]: one["Status"] for one in agents} == {
        "EKS_ADDON_MANAGEMENT": "ENABLED",
        "ECS_FARGATE_AGENT_MANAGEMENT": "ENABLED",
        "EC2_AGENT_MANAGEMENT": "ENABLED",
    }
    assert empty["firebreak-detection"].all("AWS::GuardDuty::Detector") == {}
    assert estate["firebreak-detection-us-east-1"].all("AWS::GuardDuty::Detector") == {}


def test_another_region_cannot_forward_to_a_home_that_is_left_open() -> None:
    deployment = Deployment(members=(Member(regions=("current", "us-east-1")),))
    assert bus_arn(deployment)
    with pytest.raises(SettingsError, match=r"home\.region is open"):
        bus_arn(deployment, "current", "us-east-1")


def test_settings_that_are_all_defaults_leave_account_and_region_open(empty: Mapping[str, Template]) -> None:
    assert set(empty) == {"firebreak-response", "firebreak-detection", "firebreak-member"}
    assert SECURITY not in str([template.body for template in empty.values()])
