"""playbooks/eks.yaml: pods, nodes, and instances that are nodes."""

from __future__ import annotations

import pytest

from firebreak.core.finding import Severity
from tests.playbooks.shipped import (
    CORDON,
    CORDON_ASKS,
    CRITICAL,
    HIGH,
    INSTANCE,
    ISOLATE,
    ISOLATE_ASKS,
    LOW,
    MEDIUM,
    NODE,
    POD,
    SNAPSHOT,
    outcome,
)

CORDONED = [SNAPSHOT, CORDON, ISOLATE_ASKS]


@pytest.mark.parametrize("targets", [POD, NODE])
@pytest.mark.parametrize(
    ("kind", "severity", "playbook", "steps"),
    [
        ("Execution:Runtime/ReverseShell", HIGH, "eks-runtime", CORDONED),
        ("PrivilegeEscalation:Runtime/RuncContainerEscape", CRITICAL, "eks-runtime", CORDONED),
        ("Impact:Runtime/CryptoMinerExecuted", HIGH, "eks-runtime", CORDONED),
        ("Impact:Runtime/AbusedDomainRequest.Reputation", MEDIUM, "everything-else", []),
        ("Execution:Runtime/NewBinaryExecuted", MEDIUM, "everything-else", []),
        ("Discovery:Runtime/SuspiciousCommand", LOW, "everything-else", []),
        ("PrivilegeEscalation:Runtime/DockerSocketAccessed", MEDIUM, "eks-runtime-medium", [SNAPSHOT, CORDON_ASKS]),
        ("Trojan:Runtime/BlackholeTraffic!DNS", MEDIUM, "eks-runtime-medium", [SNAPSHOT, CORDON_ASKS]),
        ("Trojan:Runtime/BlackholeTraffic!DNS", LOW, "everything-else", []),
        ("Trojan:EC2/DGADomainRequest.B", HIGH, "eks-node-traffic", CORDONED),
        ("UnauthorizedAccess:EC2/TorRelay", HIGH, "eks-node-traffic", CORDONED),
        ("Recon:EC2/Portscan", HIGH, "eks-node-traffic", CORDONED),
        ("Execution:Kubernetes/MaliciousFile", HIGH, "eks-malware", [SNAPSHOT, CORDON_ASKS, ISOLATE_ASKS]),
        ("Execution:EC2/MaliciousFile", HIGH, "eks-malware", [SNAPSHOT, CORDON_ASKS, ISOLATE_ASKS]),
        ("Execution:Kubernetes/SuspiciousFile", HIGH, "everything-else", []),
        ("Execution:Kubernetes/MaliciousFile", MEDIUM, "everything-else", []),
        ("CredentialAccess:Kubernetes/TorIPCaller", HIGH, "everything-else", []),
        ("Policy:Kubernetes/ExposedDashboard", MEDIUM, "everything-else", []),
    ],
)
def test_a_pod_or_node_gets_what_its_finding_calls_for(
    kind: str, severity: Severity, playbook: str, steps: list[str], targets: tuple[str, ...]
) -> None:
    assert outcome(kind, severity, targets) == (playbook, steps)


@pytest.mark.parametrize(
    ("targets", "playbook", "steps"),
    [
        (POD, "eks-runtime", CORDONED),
        (("cluster", "instance"), "eks-runtime", [SNAPSHOT, ISOLATE_ASKS]),
        (("cluster", "pod"), "eks-runtime", []),
        (INSTANCE, "ec2-runtime", [SNAPSHOT, ISOLATE]),
    ],
)
def test_what_a_pod_leads_to_is_what_can_be_done(targets: tuple[str, ...], playbook: str, steps: list[str]) -> None:
    assert outcome("Execution:Runtime/ReverseShell", HIGH, targets) == (playbook, steps)


def test_a_victim_is_left_alone_and_falco_has_playbooks_of_its_own() -> None:
    assert outcome("Execution:Runtime/ReverseShell", HIGH, POD, "victim") == ("victims", [])
    assert outcome("Execution:Runtime/ReverseShell", HIGH, POD, source="falco") == ("everything-else", [])
