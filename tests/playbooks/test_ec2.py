"""playbooks/ec2.yaml: instances."""

from __future__ import annotations

from typing import Any

import pytest

from firebreak.core.finding import Severity
from tests.playbooks.shipped import (
    CORDON,
    HIGH,
    INSTANCE,
    ISOLATE,
    ISOLATE_ASKS,
    LOW,
    MEDIUM,
    NODE,
    SNAPSHOT,
    outcome,
)

UNASKED = [SNAPSHOT, ISOLATE]
CAREFUL = [SNAPSHOT, ISOLATE_ASKS]


@pytest.mark.parametrize(
    ("kind", "severity", "playbook", "steps"),
    [
        ("Backdoor:EC2/C&CActivity.B", HIGH, "ec2-command-and-control", UNASKED),
        ("Backdoor:EC2/C&CActivity.B!DNS", HIGH, "ec2-command-and-control", UNASKED),
        ("Backdoor:EC2/C&CActivity.B", MEDIUM, "ec2-suspected", CAREFUL),
        ("Backdoor:EC2/C&CActivity.B", LOW, "everything-else", []),
        ("CryptoCurrency:EC2/BitcoinTool.B!DNS", HIGH, "ec2-cryptomining", UNASKED),
        ("Impact:EC2/BitcoinDomainRequest.Reputation", HIGH, "ec2-cryptomining", UNASKED),
        ("CryptoCurrency:EC2/BitcoinTool.B", MEDIUM, "ec2-suspected", CAREFUL),
        ("Trojan:EC2/DNSDataExfiltration", HIGH, "ec2-dns-exfiltration", UNASKED),
        ("Backdoor:EC2/DenialOfService.UdpOnTcpPorts", HIGH, "ec2-backdoor", UNASKED),
        ("Backdoor:EC2/Spambot", MEDIUM, "ec2-suspected", CAREFUL),
        ("Trojan:EC2/DGADomainRequest.C!DNS", HIGH, "ec2-backdoor", UNASKED),
        ("Trojan:EC2/DropPoint!DNS", MEDIUM, "ec2-suspected", CAREFUL),
        ("Impact:EC2/MaliciousDomainRequest.Reputation", HIGH, "ec2-backdoor", UNASKED),
        ("Impact:EC2/MaliciousDomainRequest.Custom", MEDIUM, "everything-else", []),
        ("Impact:EC2/SuspiciousDomainRequest.Reputation", LOW, "everything-else", []),
        ("UnauthorizedAccess:EC2/TorClient", HIGH, "ec2-backdoor", UNASKED),
        ("UnauthorizedAccess:EC2/TorRelay", HIGH, "ec2-backdoor", UNASKED),
        ("UnauthorizedAccess:EC2/MetadataDNSRebind", HIGH, "ec2-backdoor", UNASKED),
        ("UnauthorizedAccess:EC2/MaliciousIPCaller.Custom", HIGH, "everything-else", []),
        ("UnauthorizedAccess:EC2/SSHBruteForce", HIGH, "ec2-attacks-others", UNASKED),
        ("UnauthorizedAccess:EC2/RDPBruteForce", LOW, "everything-else", []),
        ("Impact:EC2/PortSweep", HIGH, "ec2-attacks-others", UNASKED),
        ("Recon:EC2/Portscan", MEDIUM, "ec2-suspected", CAREFUL),
        ("Recon:EC2/PortProbeUnprotectedPort", HIGH, "everything-else", []),
        ("Backdoor:Runtime/C&CActivity.B", HIGH, "ec2-runtime", UNASKED),
        ("Execution:Runtime/ReverseShell", HIGH, "ec2-runtime", UNASKED),
        ("Execution:Runtime/NewBinaryExecuted", MEDIUM, "everything-else", []),
        ("Trojan:Runtime/DropPoint", MEDIUM, "ec2-suspected", CAREFUL),
        ("PrivilegeEscalation:Runtime/DockerSocketAccessed", MEDIUM, "ec2-suspected", CAREFUL),
        ("Execution:EC2/MaliciousFile", HIGH, "ec2-malware", CAREFUL),
        ("Execution:EC2/MaliciousFile", MEDIUM, "everything-else", []),
        ("Execution:EC2/MaliciousFile!Snapshot", HIGH, "everything-else", []),
        ("Execution:EC2/SuspiciousFile", HIGH, "everything-else", []),
        ("Behavior:EC2/TrafficVolumeUnusual", MEDIUM, "everything-else", []),
        (
            "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS",
            HIGH,
            "ec2-stolen-credentials",
            CAREFUL,
        ),
        (
            "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.InsideAWS",
            MEDIUM,
            "ec2-stolen-credentials",
            CAREFUL,
        ),
        ("UnauthorizedAccess:IAMUser/ResourceCredentialExfiltration.OutsideAWS", HIGH, "everything-else", []),
        ("Backdoor:Lambda/C&CActivity.B", HIGH, "everything-else", []),
        ("backdoor:EC2/C&CActivity.B", HIGH, "everything-else", []),
    ],
)
@pytest.mark.parametrize("posture", ["acting", "unknown"])
def test_an_instance_gets_what_its_finding_calls_for(
    kind: str, severity: Severity, playbook: str, steps: list[str], posture: str
) -> None:
    assert outcome(kind, severity, posture=posture) == (playbook, steps)


@pytest.mark.parametrize(
    ("members", "playbook"),
    [
        ({"posture": "victim"}, "victims"),
        ({"source": "falco"}, "everything-else"),
        ({"targets": NODE}, "eks-node-traffic"),
        ({"facts": {"instance.cluster": "shop"}}, "eks-node-by-tag"),
        ({"facts": {"instance.type": "m7g.large"}}, "ec2-command-and-control"),
        ({"environment": "production"}, "ec2-command-and-control"),
        ({"environment": "other"}, "ec2-command-and-control"),
    ],
)
def test_a_command_and_control_finding_goes_elsewhere_only_for_a_reason(members: dict[str, Any], playbook: str) -> None:
    assert outcome("Backdoor:EC2/C&CActivity.B", HIGH, **members)[0] == playbook


def test_an_instance_that_is_a_node_is_not_cut_off_unasked() -> None:
    kind = "Backdoor:EC2/C&CActivity.B"
    assert outcome(kind, targets=NODE) == ("eks-node-traffic", [SNAPSHOT, CORDON, ISOLATE_ASKS])
    assert outcome(kind, facts={"instance.cluster": "shop"}) == ("eks-node-by-tag", CAREFUL)
    assert outcome(kind, targets=INSTANCE) == ("ec2-command-and-control", UNASKED)


def test_without_an_instance_there_is_nothing_to_do() -> None:
    assert outcome("Backdoor:EC2/C&CActivity.B", targets=("resource",)) == ("ec2-command-and-control", [])
