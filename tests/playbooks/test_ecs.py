"""playbooks/ecs.yaml: tasks and containers."""

from __future__ import annotations

import pytest

from firebreak.core.finding import Severity
from tests.playbooks.shipped import HIGH, ISOLATE_ASKS, MEDIUM, SNAPSHOT, TASK, outcome

ASKED = [SNAPSHOT, ISOLATE_ASKS]


@pytest.mark.parametrize(
    ("kind", "severity", "targets", "playbook", "steps"),
    [
        ("Execution:Runtime/ReverseShell", HIGH, TASK, "ecs-runtime", ASKED),
        ("Execution:Runtime/ReverseShell", HIGH, ("container", "instance"), "ecs-runtime", ASKED),
        ("Execution:Runtime/ReverseShell", HIGH, ("ecs_cluster", "ecs_task"), "ecs-runtime", []),
        ("Execution:ECS/MaliciousFile", HIGH, TASK, "ecs-runtime", ASKED),
        ("Execution:Container/MaliciousFile", HIGH, ("container", "instance"), "ecs-runtime", ASKED),
        ("Execution:ECS/MaliciousFile", MEDIUM, TASK, "everything-else", []),
        ("Execution:ECS/SuspiciousFile", HIGH, TASK, "everything-else", []),
        ("Execution:Runtime/NewBinaryExecuted", MEDIUM, TASK, "everything-else", []),
        ("Trojan:Runtime/DropPoint", MEDIUM, TASK, "ec2-suspected", ASKED),
    ],
)
def test_a_task_gets_what_its_finding_calls_for(
    kind: str, severity: Severity, targets: tuple[str, ...], playbook: str, steps: list[str]
) -> None:
    assert outcome(kind, severity, targets) == (playbook, steps)


def test_a_task_that_is_the_victim_is_left_alone() -> None:
    assert outcome("Execution:Runtime/ReverseShell", HIGH, TASK, "victim") == ("victims", [])
