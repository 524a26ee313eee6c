"""What functions may do with the table."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam

from stacks.statement import allow

ROWS = ("GetItem", "PutItem", "UpdateItem", "DeleteItem")
"""Verbs of every function that keeps state in the table."""


def table_access(table: dynamodb.Table, *more: str) -> iam.PolicyStatement:
    """Return what a function of the pipeline may do with the table: no scan, no batch write.

    Args:
        table: the table.
        more: verbs that this function needs besides those on single rows, "Query".
    """
    return allow([f"dynamodb:{verb}" for verb in (*ROWS, *more)], [table.table_arn])


def listing(table: dynamodb.Table) -> iam.PolicyStatement:
    """Return a statement that lets a function ask for what stands in some state, whoever's it is."""
    return allow(["dynamodb:Query"], [f"{table.table_arn}/index/listing"])


def items(table: dynamodb.Table, actions: Sequence[str], *kinds: str) -> iam.PolicyStatement:
    """Return a statement about the items of some kinds, known by how their partition key starts.

    The second condition is needed because "for all values" holds for a request without keys, too (IAM User Guide,
    "Single-valued vs. multivalued context keys").
    """
    conditions: dict[str, dict[str, object]] = {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{kind}#*" for kind in kinds]},
        "Null": {"dynamodb:LeadingKeys": "false"},
    }
    return allow(actions, [table.table_arn], **conditions)


def no_tokens(table: dynamodb.Table) -> iam.PolicyStatement:
    """Return a statement that keeps task tokens away from a function that resumes nothing."""
    return iam.PolicyStatement(
        effect=iam.Effect.DENY,
        actions=["dynamodb:*"],
        resources=[table.table_arn],
        conditions={"ForAnyValue:StringLike": {"dynamodb:LeadingKeys": ["TOKEN#*"]}},
    )
