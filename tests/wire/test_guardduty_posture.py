"""Acting or victim: the table, and that no outsider gets a switch."""

from __future__ import annotations

import pytest

from firebreak.core.finding import Posture
from firebreak.wire.guardduty_posture import MILDER, TABLE, Direction, posture

CASES: list[tuple[str, Direction | None, str | None, Posture]] = [
    ("Backdoor:EC2/C&CActivity.B!DNS", "outbound", "TARGET", "acting"),
    ("Backdoor:EC2/C&CActivity.B", "outbound", "TARGET", "acting"),
    ("Backdoor:EC2/C&CActivity.B", "inbound", "TARGET", "unknown"),
    ("Backdoor:EC2/C&CActivity.B", "unknown", None, "unknown"),
    ("Backdoor:EC2/Spambot", None, None, "acting"),
    ("Backdoor:Lambda/C&CActivity.B", "outbound", "TARGET", "acting"),
    ("CryptoCurrency:EC2/BitcoinTool.B", "outbound", "TARGET", "acting"),
    ("CryptoCurrency:Runtime/BitcoinTool.B!DNS", "outbound", None, "acting"),
    ("Trojan:EC2/DNSDataExfiltration", "outbound", "TARGET", "acting"),
    ("Trojan:Runtime/DropPoint", None, None, "acting"),
    ("Impact:EC2/MaliciousDomainRequest.Reputation", "outbound", "TARGET", "acting"),
    ("Execution:Runtime/ReverseShell", None, None, "acting"),
    ("PrivilegeEscalation:Runtime/RuncContainerEscape", None, None, "acting"),
    ("UnauthorizedAccess:EC2/TorRelay", "outbound", "TARGET", "acting"),
    ("UnauthorizedAccess:EC2/TorClient", None, None, "acting"),
    ("UnauthorizedAccess:EC2/MetadataDNSRebind", "outbound", "TARGET", "acting"),
    ("UnauthorizedAccess:EC2/SSHBruteForce", "inbound", "TARGET", "victim"),
    ("UnauthorizedAccess:EC2/SSHBruteForce", "inbound", "ACTOR", "victim"),
    ("UnauthorizedAccess:EC2/SSHBruteForce", "outbound", "ACTOR", "acting"),
    ("UnauthorizedAccess:EC2/SSHBruteForce", "outbound", None, "acting"),
    ("UnauthorizedAccess:EC2/SSHBruteForce", "outbound", "TARGET", "unknown"),
    ("UnauthorizedAccess:EC2/RDPBruteForce", None, "TARGET", "victim"),
    ("UnauthorizedAccess:EC2/RDPBruteForce", None, "ACTOR", "unknown"),
    ("Impact:EC2/WinRMBruteForce", "outbound", "ACTOR", "acting"),
    ("Impact:EC2/WinRMBruteForce", "unknown", "TARGET", "victim"),
    ("Recon:EC2/Portscan", "outbound", "ACTOR", "acting"),
    ("Recon:EC2/Portscan", "inbound", "TARGET", "victim"),
    ("Impact:EC2/PortSweep", "outbound", "ACTOR", "acting"),
    ("Recon:EC2/PortProbeUnprotectedPort", "inbound", "TARGET", "victim"),
    ("Recon:EC2/PortProbeEMRUnprotectedPort", None, None, "victim"),
    ("UnauthorizedAccess:EC2/MaliciousIPCaller.Custom", "outbound", "TARGET", "acting"),
    ("UnauthorizedAccess:EC2/MaliciousIPCaller.Custom", "inbound", "TARGET", "victim"),
    ("UnauthorizedAccess:EC2/MaliciousIPCaller.Custom", "unknown", "TARGET", "unknown"),
    ("UnauthorizedAccess:EC2/TorIPCaller", None, None, "unknown"),
    ("CredentialAccess:RDS/AnomalousBehavior.FailedLogin", None, "TARGET", "victim"),
    ("CredentialAccess:RDS/AnomalousBehavior.SuccessfulBruteForce", None, "TARGET", "unknown"),
    ("Discovery:RDS/TorIPCaller", None, "TARGET", "victim"),
    ("Discovery:Kubernetes/SuccessfulAnonymousAccess", None, "TARGET", "victim"),
    ("CredentialAccess:Kubernetes/MaliciousIPCaller", None, "TARGET", "unknown"),
    ("UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS", None, "TARGET", "acting"),
    ("Exfiltration:IAMUser/AnomalousBehavior", None, "TARGET", "acting"),
    ("Policy:IAMUser/RootCredentialUsage", None, "TARGET", "unknown"),
    ("Impact:IAMUser/PromptInjection.Direct", None, None, "unknown"),
    ("Exfiltration:S3/AnomalousBehavior", None, "TARGET", "unknown"),
    ("Object:S3/MaliciousFile", None, None, "unknown"),
    ("S3Object:S3/MaliciousFile", None, None, "unknown"),
    ("Execution:EC2/MaliciousFile", None, None, "unknown"),
    ("Execution:Runtime/MaliciousFileExecuted", None, None, "acting"),
    ("Behavior:EC2/NetworkPortUnusual", "outbound", "ACTOR", "unknown"),
    ("Behavior:EC2/TrafficVolumeUnusual", "inbound", "TARGET", "victim"),
    ("AttackSequence:EC2/CompromisedInstanceGroup", None, "TARGET", "acting"),
    ("AttackSequence:S3/CompromisedData", None, "TARGET", "unknown"),
    ("DefenseImpairment:EC2/DisableOrModifyTools", None, None, "unknown"),
    ("Sabotage:Quantum/Entanglement", "outbound", "ACTOR", "unknown"),
    ("not a type", None, None, "unknown"),
]


@pytest.mark.parametrize(("kind", "direction", "role", "expected"), CASES)
def test_posture_follows_the_type_and_who_began(
    kind: str, direction: Direction | None, role: str | None, expected: Posture
) -> None:
    assert posture(kind, direction, role)[0] == expected


@pytest.mark.parametrize("kind", [case[0] for case in CASES])
def test_the_role_only_plays_down(kind: str) -> None:
    directions: tuple[Direction | None, ...] = ("outbound", "inbound", "unknown", None)
    for direction in directions:
        without = posture(kind, direction, None)[0]
        assert posture(kind, direction, "ACTOR")[0] == without
        assert posture(kind, direction, "TARGET")[0] in (without, MILDER[without])


@pytest.mark.parametrize("kind", [case[0] for case in CASES])
def test_what_the_other_side_began_is_never_our_resource_acting(kind: str) -> None:
    assert posture(kind, "inbound", "ACTOR")[0] != "acting"
    assert posture(kind, "unknown", "ACTOR")[0] != "acting"


def test_every_row_has_its_reason_and_the_last_takes_everything() -> None:
    assert all(row.because for row in TABLE)
    assert TABLE[-1].types == "*"
    assert len({row.types for row in TABLE}) == len(TABLE)
    assert posture("Backdoor:EC2/Spambot", "inbound", None)[1].endswith("(inbound)")
