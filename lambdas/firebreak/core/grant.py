"""What an action or enricher may touch, as data from which roles, RBAC and access entries are rendered."""

from __future__ import annotations

from typing import TypeAlias

from pydantic import Field, model_validator

from firebreak.core.model import Json, Model


class Grant(Model):
    """One IAM permission.

    Attributes:
        action: "ec2:DescribeInstances"; the IAM action, which is not always the API operation's name.
        resources: ARN patterns in which {partition}, {account} and {region} stand for the target's own.
        conditions: IAM conditions, if any.
        implied_by: the IAM action whose call needs this one without a call of its own (CreateTags by CreateSnapshots).
        reason: why a write has to be on "*", or why a grant is held that no call shows.
    """

    action: str = Field(pattern=r"^[a-z0-9-]+:[A-Za-z]+$")
    resources: tuple[str, ...] = ("*",)
    conditions: dict[str, dict[str, Json]] = {}
    implied_by: str | None = None
    reason: str | None = None


class KubernetesRule(Model):
    """One rule of Kubernetes RBAC.

    Attributes:
        resource: "nodes", "pods", "pods/eviction", …
        verbs: "get", "list", "patch", …; never "*".
        group: the API group, "" for the core one.
    """

    resource: str
    verbs: tuple[str, ...]
    group: str = ""

    @model_validator(mode="after")
    def _no_wildcards(self) -> KubernetesRule:
        if "*" in (self.resource, self.group, *self.verbs):
            raise ValueError("a Kubernetes rule names its resource and verbs, never '*'")
        return self


Permission: TypeAlias = Grant | KubernetesRule
