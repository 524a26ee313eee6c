"""The application as it is synthesized stands in the sandbox, and its way in is wired."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from firebreak.core.deployment import Deployment
from firebreak.core.playbook import Playbooks
from sandbox.synthesis import Application, synthesize
from sandbox.world import Sandbox


@pytest.fixture(scope="module")
def application() -> Application:
    return synthesize(Deployment(), Playbooks(playbooks=()))


@pytest.fixture
def sandbox(application: Application) -> Iterator[Sandbox]:
    with Sandbox(application.stacks, environment=application.environment) as running:
        yield running


def finding(severity: float) -> dict[str, Any]:
    return {
        "version": "0",
        "id": "event",
        "detail-type": "GuardDuty Finding",
        "source": "aws.guardduty",
        "account": "111122223333",
        "time": "2026-11-25T12:00:00Z",
        "region": "us-east-1",
        "resources": [],
        "detail": {"type": "Backdoor:EC2/C&CActivity.B", "severity": severity},
    }


def test_every_resource_of_every_stack_stands(sandbox: Sandbox, application: Application) -> None:
    for stack in application.stacks:
        assert set(sandbox.made[stack.name]) == set(stack.template["Resources"])


def test_every_functions_module_can_be_found(sandbox: Sandbox) -> None:
    for function in sandbox.functions.all():
        assert function.module.startswith("firebreak.handlers.")
        assert function.environment


@pytest.mark.parametrize(("severity", "lane"), [(8, "LanesUrgent"), (2, "LanesBulk")])
def test_a_finding_on_the_bus_reaches_triage_by_its_lane(sandbox: Sandbox, severity: float, lane: str) -> None:
    sandbox.put_event(finding(severity), "arn:aws:events:us-east-1:111122223333:event-bus/firebreak")
    sandbox.run_until_idle(within=0)
    triage = [each for each in sandbox.functions.invocations if each.function_name == "firebreak-triage"]
    assert [lane in record["eventSourceARN"] for each in triage for record in each.event["Records"]] == [True]


def test_the_schedules_fire_by_the_virtual_clock(sandbox: Sandbox) -> None:
    sandbox.run_until_idle()
    assert sandbox.functions.invocations == []
    sandbox.advance(601)
    assert [each.function_name for each in sandbox.functions.invocations] == ["firebreak-sweep"] * 2
