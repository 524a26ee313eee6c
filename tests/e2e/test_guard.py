"""The guard, whole: what a first deployment does, the kill switch, and storms."""

from __future__ import annotations

import json

from firebreak.adapters.admission_table import AdmissionTable
from firebreak.adapters.incident_table import IncidentTable
from firebreak.adapters.table import Table
from firebreak.ports import Actor, Execution
from tests.e2e.story import Story

PERSON = Actor(name="ana", request="test")


def table(story: Story) -> IncidentTable:
    return IncidentTable(Table(story.sandbox.client("dynamodb"), story.lab.table))


def test_in_mode_observe_everything_is_planned_and_told_and_nothing_is_called_that_changes(story: Story) -> None:
    table(story).set_mode("observe", PERSON, story.sandbox.clock.now())
    instance = story.lab.estate.bastion
    before = story.groups(instance)
    story.put(story.guardduty(instance))
    (incident,) = story.incidents()
    assert incident.status == "open", story.failures()
    assert set(story.statuses(incident.id).values()) == {"observed"}
    assert story.groups(instance) == before
    assert story.sandbox.client("ec2").describe_snapshots(OwnerIds=["self"])["Snapshots"] == []
    assert any("observed" in notice for notice in story.sandbox.notices())


def test_an_observed_incident_is_taken_up_when_the_mode_allows_it_and_the_finding_returns(story: Story) -> None:
    incidents, now = table(story), story.sandbox.clock.now
    incidents.set_mode("observe", PERSON, now())
    instance = story.lab.estate.bastion
    story.put(story.guardduty(instance))
    incidents.set_mode("auto", PERSON, now())
    story.sandbox.advance(900)
    story.put(story.guardduty(instance))
    (incident,) = story.incidents()
    assert (incident.status, incident.revision) == ("contained", 2), story.failures()
    assert story.isolated(instance)


def test_the_kill_switch_stops_everything_but_undo(story: Story) -> None:
    instance = story.lab.estate.bastion
    before = story.groups(instance)
    story.put(story.guardduty(instance))
    table(story).set_halt(True, PERSON, story.sandbox.clock.now())
    other = story.lab.estate.web[0]
    story.put(story.guardduty(other, number=2))
    statuses = {incident.locks[0].rpartition("/")[2]: incident.status for incident in story.incidents()}
    assert statuses == {instance: "contained", other: "open"}
    (contained,) = (incident for incident in story.incidents() if incident.status == "contained")
    assert not story.isolated(other)
    story.undo(contained.id)
    assert story.groups(instance) == before


def test_a_storm_in_the_bulk_lane_does_not_keep_a_critical_finding_waiting(story: Story) -> None:
    for number in range(10, 25):
        quiet = story.guardduty(f"i-{number:017x}", number=number, severity=4.5)
        story.sandbox.put_event(quiet)
    instance = story.lab.estate.bastion
    story.put(story.guardduty(instance))
    assert story.isolated(instance)
    urgent = [execution for execution in story.sandbox.executions() if execution.status == "SUCCEEDED"]
    assert urgent
    story.sandbox.advance(3600)
    assert {execution.status for execution in story.sandbox.executions()} == {"SUCCEEDED"}
    assert len(story.incidents()) == 16
    assert story.rows("ADMISSION") == [row for row in story.rows("ADMISSION") if row["sk"] == "RUNNING"]


def test_a_finding_that_finds_no_slot_in_the_bulk_lane_waits_for_one_and_is_then_handled(story: Story) -> None:
    admission = AdmissionTable(Table(story.sandbox.client("dynamodb"), story.lab.table))
    others = [Execution(incident=f"inc-{n:012x}", revision=1, mode="respond", attempt=1) for n in range(10)]
    assert all(admission.enter(other, 10, story.sandbox.clock.now()) for other in others)
    story.put(story.guardduty("i-00000000000000010", severity=4.5))
    assert [row["sk"][:8] for row in story.rows("ADMISSION")].count("WAITING#") == 1, story.failures()
    assert story.sandbox.executions() == []
    for other in others:
        admission.leave(other.name)
    story.sandbox.advance(600)
    assert [execution.status for execution in story.sandbox.executions()] == ["SUCCEEDED"]
    assert [row["sk"] for row in story.rows("ADMISSION")] == ["RUNNING"]


def test_a_falco_storm_of_one_rule_is_one_incident(story: Story) -> None:
    node, _ = sorted(story.lab.estate.nodes.items())[0]
    for _ in range(30):
        story.alert(json.dumps(story.falco(node)))
    assert len(story.incidents()) == 1
    assert len(story.lab.slack.messages) == 1
