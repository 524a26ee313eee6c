"""playbooks/iam.yaml, s3.yaml and lambda.yaml: credentials, buckets and functions."""

from __future__ import annotations

import pytest

from firebreak.core.finding import Severity
from tests.playbooks.shipped import DISABLE_ASKS, HIGH, LOW, MEDIUM, outcome

KEY, BUCKET, FUNCTION = ("access_key",), ("bucket",), ("lambda_function",)
BLOCK, DENY, STOP = "s3.block_public_access?", "s3.deny_principal?", "lambda.stop_function?"


@pytest.mark.parametrize(
    ("kind", "severity", "targets", "posture", "playbook", "steps"),
    [
        ("Exfiltration:IAMUser/AnomalousBehavior", HIGH, KEY, "acting", "iam-key", [DISABLE_ASKS]),
        ("Recon:IAMUser/TorIPCaller", MEDIUM, KEY, "acting", "iam-key", [DISABLE_ASKS]),
        ("Discovery:IAMUser/AnomalousBehavior", LOW, KEY, "acting", "everything-else", []),
        ("Policy:IAMUser/RootCredentialUsage", MEDIUM, KEY, "unknown", "everything-else", []),
        ("UnauthorizedAccess:IAMUser/ConsoleLoginSuccess.B", MEDIUM, ("principal",), "acting", "everything-else", []),
        ("Policy:S3/BucketPublicAccessGranted", HIGH, BUCKET, "unknown", "s3-public", [BLOCK]),
        ("Exfiltration:S3/AnomalousBehavior", HIGH, BUCKET, "unknown", "s3-caller", [DENY]),
        ("Discovery:S3/TorIPCaller", MEDIUM, BUCKET, "unknown", "everything-else", []),
        ("Object:S3/MaliciousFile", HIGH, BUCKET, "unknown", "everything-else", []),
        ("Backdoor:Lambda/C&CActivity.B", HIGH, FUNCTION, "acting", "lambda-stop", [STOP]),
        ("Trojan:Lambda/DropPoint", MEDIUM, FUNCTION, "unknown", "lambda-stop", [STOP]),
        ("Persistence:Lambda/AccountManipulation", HIGH, FUNCTION, "acting", "everything-else", []),
    ],
)
def test_what_a_finding_calls_for_is_asked_about(
    kind: str, severity: Severity, targets: tuple[str, ...], posture: str, playbook: str, steps: list[str]
) -> None:
    assert outcome(kind, severity, targets, posture) == (playbook, steps)


@pytest.mark.parametrize(
    ("kind", "targets"),
    [
        ("Exfiltration:IAMUser/AnomalousBehavior", KEY),
        ("Exfiltration:S3/AnomalousBehavior", BUCKET),
        ("Backdoor:Lambda/C&CActivity.B", FUNCTION),
    ],
)
def test_a_victim_is_left_alone(kind: str, targets: tuple[str, ...]) -> None:
    assert outcome(kind, HIGH, targets, "victim") == ("victims", [])
