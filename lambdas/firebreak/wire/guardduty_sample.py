"""Whether a GuardDuty finding is one of the samples that anyone with access can have made."""

from __future__ import annotations

from firebreak.core.model import Json
from firebreak.wire.read import flag, inner_json, member

PLACEHOLDERS = (
    ("instanceDetails", "instanceId"),
    ("accessKeyDetails", "accessKeyId"),
    ("accessKeyDetails", "principalId"),
    ("eksClusterDetails", "arn"),
    ("ecsClusterDetails", "arn"),
    ("lambdaDetails", "functionArn"),
    ("rdsDbInstanceDetails", "dbInstanceArn"),
)
"""Where a sample's made-up name counts as proof: identifiers that AWS mints. Who can choose a name could otherwise
pass for a sample and never be answered."""


def is_sample(service: Json, resource: Json) -> bool:
    """Tell by the flag, which is a member or hides in the JSON text beside it, or by a made-up identifier."""
    more = member(service, "additionalInfo")
    if flag(member(more, "sample")) or flag(member(inner_json(member(more, "value")), "sample")):
        return True
    minted = (member(resource, *path) for path in PLACEHOLDERS)
    return any(
        isinstance(each, str) and (each.startswith("GeneratedFinding") or each == "i-99999999") for each in minted
    )
