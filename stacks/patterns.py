"""Event patterns that more than one stack needs, and how a rule gets a pattern exactly as it is declared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_cdk import aws_events as events

from firebreak.core.registry import sources

NEW_VPC: dict[str, Any] = {
    "source": ["aws.ec2"],
    "detail-type": ["AWS API Call via CloudTrail"],
    "detail": {"eventName": ["CreateVpc", "CreateDefaultVpc"]},
}
"""A VPC appeared; Prepare makes its quarantine groups. Needs a trail that logs management events."""


def forwarded() -> dict[str, Mapping[str, Any]]:
    """Return, by name, the patterns of what AWS services put on the default buses: it is forwarded to our bus."""
    of_services = {
        name: source.pattern
        for name, source in sources().items()
        if all(sender.startswith("aws.") for sender in source.pattern["source"])
    }
    return {**of_services, "new_vpc": NEW_VPC}


def forwarded_sources() -> set[str]:
    """Return the event sources of what is forwarded."""
    return {sender for pattern in forwarded().values() for sender in pattern["source"]}


def as_declared(rule: events.Rule, pattern: Mapping[str, Any]) -> None:
    """Give a rule a pattern member for member; CDK's typed form takes only what it knows."""
    default = rule.node.default_child
    assert isinstance(default, events.CfnRule)
    default.event_pattern = _with_nulls(pattern)


def _with_nulls(value: Any) -> Any:
    """Return a pattern in which null survives: between Python and the CDK it gets lost, unless CDK itself makes it."""
    if isinstance(value, Mapping):
        return {name: _with_nulls(member) for name, member in value.items()}
    if isinstance(value, list) and None in value:
        return events.Match.any_of(*(events.Match.null_value() if one is None else one for one in value))
    return value
