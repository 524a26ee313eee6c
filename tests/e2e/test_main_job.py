"""The main job, whole: a finding in, a contained instance out, and everything taken back."""

from __future__ import annotations

import json

from tests.e2e.story import Story


def test_a_command_and_control_finding_contains_its_instance_and_undo_restores_it(story: Story) -> None:
    instance = story.lab.estate.bastion
    before = story.groups(instance)
    story.put(story.guardduty(instance))
    (incident,) = story.incidents()
    assert incident.status == "contained", story.failures()
    assert story.statuses(incident.id) == {"ebs.snapshot_volumes": "verified", "ec2.isolate_instance": "verified"}
    assert story.isolated(instance)
    assert len(before) == 2
    story.undo(incident.id)
    (incident,) = story.incidents()
    assert (incident.status, incident.reason) == ("closed", "released: everything reversible was taken back")
    assert story.groups(instance) == before
    assert story.statuses(incident.id) == {"ebs.snapshot_volumes": "verified", "ec2.isolate_instance": "undone"}
    assert story.whole(incident.id)
    assert story.rows("LOCK#") == []
    assert story.failures() == []


def test_a_falco_alert_cordons_its_node_and_isolates_the_instance_once_a_person_agrees(story: Story) -> None:
    node, instance = sorted(story.lab.estate.nodes.items())[0]
    before, groups = story.node(node), story.groups(instance)
    story.alert(json.dumps(story.falco(node)))
    (incident,) = story.incidents()
    assert story.statuses(incident.id) == {
        "ebs.snapshot_volumes": "verified",
        "eks.cordon_node": "verified",
        "ec2.isolate_instance": "asking",
    }, story.failures()
    assert story.node(node)["spec"]["unschedulable"] is True
    assert not story.isolated(instance)
    assert story.answer() == (200, "")
    assert story.statuses(incident.id)["ec2.isolate_instance"] == "verified", story.failures()
    assert story.isolated(instance)
    assert story.incidents()[0].status == "contained"
    story.undo(incident.id)
    assert story.groups(instance) == groups
    assert story.node(node)["spec"] == before["spec"]
    assert story.node(node)["metadata"].get("annotations", {}) == before["metadata"].get("annotations", {})
    assert story.failures() == []


def test_a_denied_question_leaves_the_instance_alone(story: Story) -> None:
    node, instance = sorted(story.lab.estate.nodes.items())[0]
    story.alert(json.dumps(story.falco(node)))
    story.answer("deny")
    (incident,) = story.incidents()
    assert story.statuses(incident.id)["ec2.isolate_instance"] == "denied", story.failures()
    assert not story.isolated(instance)
    assert story.node(node)["spec"]["unschedulable"] is True


def test_a_question_that_nobody_answers_is_a_no(story: Story) -> None:
    node, instance = sorted(story.lab.estate.nodes.items())[0]
    story.alert(json.dumps(story.falco(node)))
    story.sandbox.advance(3 * 3600)
    (incident,) = story.incidents()
    assert story.statuses(incident.id)["ec2.isolate_instance"] == "expired", story.failures()
    assert not story.isolated(instance)


def test_someone_who_is_no_approver_changes_nothing(story: Story) -> None:
    node, instance = sorted(story.lab.estate.nodes.items())[0]
    story.alert(json.dumps(story.falco(node)))
    status, _ = story.answer(person="U0STRANGER")
    assert status == 403
    (incident,) = story.incidents()
    assert story.statuses(incident.id)["ec2.isolate_instance"] == "asking"
    assert not story.isolated(instance)
    story.answer()
    assert story.isolated(instance)


def test_the_same_event_many_times_contains_once(story: Story) -> None:
    instance = story.lab.estate.bastion
    event = story.guardduty(instance)
    for _ in range(5):
        story.sandbox.put_event(event)
    story.sandbox.run_until_idle(600)
    assert len(story.incidents()) == 1
    assert len(story.sandbox.executions()) == 1
    snapshots = story.sandbox.client("ec2").describe_snapshots(OwnerIds=["self"])["Snapshots"]
    assert len(snapshots) == 1


def test_two_names_of_one_machine_are_one_incident(story: Story) -> None:
    node, instance = sorted(story.lab.estate.nodes.items())[0]
    story.put(story.guardduty(instance))
    story.alert(json.dumps(story.falco(node)))
    older, younger = story.incidents()
    assert (younger.status, younger.merged_into) == ("merged", older.id), story.failures()
    assert story.statuses(older.id)["eks.cordon_node"] == "verified"
    steps = [(row["pk"], row["sk"], row["status"]) for row in story.rows("INCIDENT#") if row["sk"].startswith("STEP#")]
    snapshots = story.sandbox.client("ec2").describe_snapshots(OwnerIds=["self"])["Snapshots"]
    assert len(snapshots) == 1, (steps, [snapshot["VolumeId"] for snapshot in snapshots])
    assert story.failures() == []


def test_a_poison_message_ends_in_the_dead_letter_queue_untouched_and_the_good_ones_do_not(story: Story) -> None:
    instance = story.lab.estate.bastion
    broken = story.guardduty(instance, number=2)
    del broken["detail"]["accountId"]
    story.sandbox.put_event(broken)
    story.put(story.guardduty(instance))
    story.sandbox.advance(3600)
    assert story.incidents()[0].status == "contained"
    (poison,) = story.sandbox.queue("LanesUrgentDeadLetters")
    assert json.loads(poison)["detail"] == broken["detail"]
    (row,) = story.rows("REJECTED#")
    assert "accountId" in row["error"]


def test_a_probe_from_outside_contains_nobody(story: Story) -> None:
    instance = story.lab.estate.bastion
    before = story.groups(instance)
    story.put(story.guardduty(instance, kind="Recon:EC2/PortProbeUnprotectedPort", severity=2))
    assert story.groups(instance) == before
    assert story.sandbox.executions() == []
