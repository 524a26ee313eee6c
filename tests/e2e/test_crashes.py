"""The main job with every function killed on the way: the same end as in calm."""

from __future__ import annotations

import json

import pytest

from sandbox.journal import Fault
from tests.e2e.story import Story

FUNCTIONS = ("firebreak-triage", "firebreak-plan", "firebreak-execute", "firebreak-close")


@pytest.mark.parametrize("call", range(1, 9))
def test_functions_that_die_after_their_nth_call_contain_and_release_all_the_same(story: Story, call: int) -> None:
    instance = story.lab.estate.bastion
    before = story.groups(instance)
    killed = [story.sandbox.functions.kill_after(function, call) for function in FUNCTIONS]
    story.put(story.guardduty(instance), within=3600)
    (incident,) = story.incidents()
    assert incident.status == "contained", story.failures()
    assert story.isolated(instance)
    assert story.whole(incident.id)
    snapshots = story.sandbox.client("ec2").describe_snapshots(OwnerIds=["self"])["Snapshots"]
    assert len(snapshots) == 1
    assert any(plan.hit for plan in killed) or call > 5
    again = story.sandbox.functions.kill_after("firebreak-execute", call)
    story.undo(incident.id)
    story.sandbox.run_until_idle(3600)
    assert story.groups(instance) == before, story.failures()
    assert again.hit or call > 5
    assert story.incidents()[0].status == "closed"


@pytest.mark.parametrize("call", range(1, 6))
def test_functions_of_a_question_that_die_ask_once_and_carry_the_answer_on(story: Story, call: int) -> None:
    node, instance = sorted(story.lab.estate.nodes.items())[0]
    for function in ("firebreak-ask", "firebreak-decide"):
        story.sandbox.functions.kill_after(function, call)
    story.alert(json.dumps(story.falco(node)), within=3600)
    assert len(story.lab.slack.messages) == 1
    story.answer()
    story.sandbox.advance(900)
    (incident,) = story.incidents()
    assert story.statuses(incident.id)["ec2.isolate_instance"] == "verified", story.failures()
    assert story.isolated(instance)


def test_a_throttled_api_delays_and_changes_nothing_else(story: Story) -> None:
    instance = story.lab.estate.bastion
    story.sandbox.faults.add(Fault("ec2:ModifyNetworkInterfaceAttribute", "RequestLimitExceeded", count=4))
    story.put(story.guardduty(instance), within=3600)
    (incident,) = story.incidents()
    assert incident.status == "contained", story.failures()
    assert story.isolated(instance)


def test_an_api_that_denies_settles_the_step_as_failed_and_the_others_go_on(story: Story) -> None:
    instance = story.lab.estate.bastion
    story.sandbox.faults.add(Fault("ec2:ModifyNetworkInterfaceAttribute", "UnauthorizedOperation", count=1000))
    story.put(story.guardduty(instance), within=3600)
    (incident,) = story.incidents()
    assert story.statuses(incident.id) == {"ebs.snapshot_volumes": "verified", "ec2.isolate_instance": "failed"}
    assert incident.status == "open"
    assert any("ec2.isolate_instance" in notice and "failed" in notice for notice in story.sandbox.notices())
