"""The shipped playbooks, and what they do about a finding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from firebreak.core.decision import Circumstances, decide, may_act
from firebreak.core.finding import Severity
from firebreak.operator_files import load_playbooks
from tests.core.findings import a_finding

PLAYBOOKS = load_playbooks(Path(__file__).resolve().parents[2] / "playbooks")

INSTANCE = ("instance",)
NODE = ("instance", "node")
POD = ("cluster", "instance", "node", "pod")
TASK = ("ecs_cluster", "ecs_task", "instance")

SNAPSHOT, SNAPSHOT_ASKS = "ebs.snapshot_volumes", "ebs.snapshot_volumes?"
CORDON, CORDON_ASKS = "eks.cordon_node", "eks.cordon_node?"
DISABLE_ASKS = "iam.disable_access_key?"
ISOLATE, ISOLATE_ASKS = "ec2.isolate_instance", "ec2.isolate_instance?"

HIGH, MEDIUM, LOW, CRITICAL = Severity.HIGH, Severity.MEDIUM, Severity.LOW, Severity.CRITICAL


def outcome(
    kind: str,
    severity: Severity = HIGH,
    targets: tuple[str, ...] = INSTANCE,
    posture: str = "acting",
    source: str = "guardduty",
    **found: Any,
) -> tuple[str | None, list[str]]:
    """Return the playbook that decides and its steps, those that ask with a question mark."""
    finding = a_finding(source=source, type=kind, severity=severity, posture=posture)
    decision = decide(PLAYBOOKS, finding, Circumstances(kinds=frozenset(targets), **found))
    if decision.steps:
        assert may_act(PLAYBOOKS, finding)
    assert decision.notify
    return decision.playbook, [step.action + "?" * (step.consent == "ask") for step in decision.steps]
