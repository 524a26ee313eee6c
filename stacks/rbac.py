"""What Firebreak's roles may do inside a cluster, rendered from the units' declarations: `python -m stacks.rbac`.

IAM roles become Kubernetes groups by EKS access entries; the groups get their rights by this.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from firebreak.core.grant import KubernetesRule
from firebreak.core.registry import actions
from stacks.grants import observed, rules
from stacks.names import action_role, observer_role

FILE = Path(__file__).parent.parent / "falco" / "rbac.yaml"
HEAD = "# Rendered from the declarations of actions and enrichers by `python -m stacks.rbac`; do not edit.\n"


@dataclass(frozen=True)
class Group:
    """A Kubernetes group and what it may do.

    Attributes:
        name: "firebreak:eks-cordon_node"; the same whatever the deployment's prefix.
        rules: its rights.
    """

    name: str
    rules: list[KubernetesRule]


def groups(prefix: str) -> dict[str, Group]:
    """Return the group of each role that has anything to do in a cluster, by the role's name."""
    looking = observed()
    found = {observer_role(prefix): Group("firebreak:observer", rules(looking))}
    for action in actions().values():
        declared = rules((*action.reads, *action.writes, *action.collects))
        found[action_role(prefix, action)] = Group(f"firebreak:{action.name.replace('.', '-')}", declared)
    return {role: group for role, group in found.items() if group.rules}


def manifests() -> str:
    """Return the cluster roles and their bindings, as YAML."""
    return HEAD + yaml.safe_dump_all(
        [document for group in groups("firebreak").values() for document in _documents(group)], sort_keys=False
    )


def _documents(group: Group) -> list[dict[str, Any]]:
    name = group.name
    return [
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": name},
            "rules": [
                {"apiGroups": [rule.group], "resources": [rule.resource], "verbs": list(rule.verbs)}
                for rule in group.rules
            ],
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": group.name}],
        },
    ]


if __name__ == "__main__":
    FILE.write_text(manifests())
