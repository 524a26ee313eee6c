"""How a finding of cdk-nag is accepted: on the construct it is about, by its exact name, with the reason."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from constructs import IConstruct


def acknowledge(construct: IConstruct, reason: str, *findings: str) -> None:
    """Accept findings of the AwsSolutions pack.

    Args:
        construct: what they are about; as narrow as can be.
        reason: the fact that makes them acceptable.
        findings: exact identifiers without the pack's name, "IAM5[Resource::*]".
    """
    cdk.Validations.of(construct).acknowledge(
        *(cdk.Acknowledgment(id=f"AwsSolutions-{finding}", reason=reason) for finding in findings)
    )


def wildcard(construct: IConstruct, resource: str) -> str:
    """Return the identifier of the finding about a resource with a wildcard, tokens spelt as cdk-nag spells them."""
    return f"IAM5[Resource::{_spelt(cdk.Stack.of(construct).resolve(resource))}]"


def _spelt(value: Any) -> str:
    match value:
        case {"Fn::Join": [str(between), list(parts)]}:
            return between.join(_spelt(part) for part in parts)
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return f"<{name}.{attribute}>"
        case {"Ref": str(name)}:
            return f"<{name}>"
    return str(value)
