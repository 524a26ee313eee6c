"""playbooks/sequences.yaml: attack sequences."""

from __future__ import annotations

import pytest

from firebreak.core.finding import Severity
from tests.playbooks.shipped import (
    CORDON,
    CRITICAL,
    HIGH,
    INSTANCE,
    ISOLATE,
    ISOLATE_ASKS,
    POD,
    SNAPSHOT,
    TASK,
    outcome,
)


@pytest.mark.parametrize(
    ("kind", "severity", "targets", "playbook", "steps"),
    [
        ("AttackSequence:EC2/CompromisedInstanceGroup", CRITICAL, INSTANCE, "sequence-instances", [SNAPSHOT, ISOLATE]),
        ("AttackSequence:EKS/CompromisedCluster", CRITICAL, POD, "sequence-cluster", [SNAPSHOT, CORDON, ISOLATE_ASKS]),
        (
            "AttackSequence:EC2/CompromisedInstanceGroup",
            CRITICAL,
            POD,
            "sequence-cluster",
            [SNAPSHOT, CORDON, ISOLATE_ASKS],
        ),
        ("AttackSequence:ECS/CompromisedCluster", CRITICAL, TASK, "sequence-cluster", [SNAPSHOT, ISOLATE_ASKS]),
        ("AttackSequence:EC2/CompromisedInstanceGroup", HIGH, INSTANCE, "everything-else", []),
        ("AttackSequence:IAM/CompromisedCredentials", CRITICAL, ("access_key",), "everything-else", []),
        ("AttackSequence:S3/CompromisedData", CRITICAL, ("bucket", "access_key"), "everything-else", []),
        ("AttackSequence:S3/CompromisedData", CRITICAL, ("bucket", "instance"), "everything-else", []),
        ("AttackSequence:EC2/CompromisedInstanceGroup", CRITICAL, (), "everything-else", []),
        ("AttackSequence:New/Something", CRITICAL, INSTANCE, "everything-else", []),
    ],
)
def test_a_sequence_gets_what_its_resources_call_for(
    kind: str, severity: Severity, targets: tuple[str, ...], playbook: str, steps: list[str]
) -> None:
    assert outcome(kind, severity, targets) == (playbook, steps)


def test_instances_of_which_one_is_a_node_by_its_tags_are_not_cut_off_unasked() -> None:
    kind = "AttackSequence:EC2/CompromisedInstanceGroup"
    found = outcome(kind, CRITICAL, INSTANCE, facts={"instance.cluster": ("shop",)})
    assert found == ("sequence-node-by-tag", [SNAPSHOT, ISOLATE_ASKS])


def test_a_victim_of_a_sequence_is_left_alone() -> None:
    assert outcome("AttackSequence:EC2/CompromisedInstanceGroup", CRITICAL, INSTANCE, "victim") == ("victims", [])
