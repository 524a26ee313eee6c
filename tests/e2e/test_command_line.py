"""What operators do with the command, against the application as it stands in the sandbox."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from firebreak.cli import undo as undo_command
from firebreak.core import registry
from firebreak.core.finding import Finding
from firebreak.core.model import Json
from firebreak.core.source import Origin
from sandbox.journal import Fault
from tests.e2e.operator import Operator
from tests.e2e.story import Story


@pytest.fixture
def ana(story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Operator:
    """An approver, in a folder below the one in which a sandbox was started."""
    below = tmp_path / "somewhere" / "below"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    operator = Operator(story, "ana")
    operator.sits_down(tmp_path)
    return operator


def asking(story: Story) -> tuple[str, str]:
    """Have an instance wait for consent; return the incident and the instance."""
    node, instance = sorted(story.lab.estate.nodes.items())[0]
    story.alert(json.dumps(story.falco(node)))
    (incident,) = story.incidents()
    assert story.statuses(incident.id)["ec2.isolate_instance"] == "asking", story.failures()
    return incident.id, instance


def test_incidents_are_listed_and_shown_with_everything_about_them(story: Story, ana: Operator) -> None:
    instance = story.lab.estate.bastion
    story.put(story.guardduty(instance))
    (listed,) = ana.asks("incidents", "list")
    assert listed["status"] == "contained"
    told = ana.asks("incidents", "show", listed["id"])
    assert [finding["type"] for finding in told["findings"]] == ["Backdoor:EC2/C&CActivity.B!DNS"]
    assert {step["action"]: step["status"] for step in told["steps"]} == story.statuses(listed["id"])
    assert told["trail_breaks"] == []
    shown = ana.types("incidents", "show", listed["id"])
    assert shown.exit_code == 0
    for words in (instance, "ec2.isolate_instance", "firebreak-sealed", "still possible", "The trail holds"):
        assert words in shown.output
    over = ana.types("incidents", "list", "--over")
    assert (over.exit_code, over.output.strip()) == (0, "No incident is over.")
    for missed in (
        ("incidents", "show", "inc-000000000000"),
        ("incidents", "close", "inc-000000000000", "--reason", "x"),
        ("undo", "inc-000000000000"),
        ("approvals", "approve", "ffffffff"),
    ):
        missing = ana.types(*missed)
        assert (missing.exit_code, len(missing.stderr.splitlines())) == (4, 1), missing.output
    elsewhere = ana.types("incidents", "list", "--prefix", "others")
    assert elsewhere.exit_code == 5
    assert "others-operator" in elsewhere.stderr
    assert ["others/console" in refused for refused in story.refusals()] == [True]

    edit(story, f"AUDIT#{listed['id']}", "ec2-isolate")
    shown = ana.types("incidents", "show", listed["id"])
    assert shown.exit_code == 6
    assert "record 2 does not follow" in shown.output


def edit(story: Story, pk: str, chain: str) -> None:
    """Have somebody else have done what the first record of a chain tells."""
    (row, *_) = [row for row in story.rows(pk) if row["sk"].startswith(chain)]
    edited = row["body"].replace('"actor":"', '"actor":"someone else ')
    assert edited != row["body"]
    story.sandbox.client("dynamodb").update_item(
        TableName=story.lab.table,
        Key={"pk": {"S": row["pk"]}, "sk": {"S": row["sk"]}},
        UpdateExpression="SET body = :body",
        ExpressionAttributeValues={":body": {"S": edited}},
    )


def test_undo_shows_what_it_takes_back_and_restores_it(
    story: Story, ana: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = story.lab.estate.bastion
    before = story.groups(instance)
    story.put(story.guardduty(instance))
    (incident,) = story.incidents()
    assert story.isolated(instance)
    refused = ana.types("undo", incident.id)
    assert refused.exit_code == 2
    assert "firebreak-sealed" in refused.output
    assert story.isolated(instance)
    monkeypatch.setattr(undo_command, "pause", lambda seconds: story.sandbox.run_until_idle(600))
    done = ana.types("undo", incident.id, "--yes", "--wait")
    assert (done.exit_code, done.stderr) == (0, "")
    assert f"Taken back; {incident.id} is closed." in done.output
    assert story.groups(instance) == before
    again = ana.types("undo", incident.id, "--yes")
    assert again.exit_code == 3
    assert "nothing it changed still stands" in again.stderr


def test_an_undo_that_cannot_take_everything_back_is_told_and_can_be_tried_again(
    story: Story, ana: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = story.lab.estate.bastion
    before = story.groups(instance)
    story.put(story.guardduty(instance))
    (incident,) = story.incidents()
    ec2 = story.sandbox.client("ec2")
    interface = sorted(before)[0]
    vpc = ec2.describe_network_interfaces(NetworkInterfaceIds=[interface])["NetworkInterfaces"][0]
    foreign = ec2.create_security_group(GroupName="foreign", Description="someone's", VpcId=vpc["VpcId"])["GroupId"]
    sealed = [group["GroupId"] for group in vpc["Groups"]]
    ec2.modify_network_interface_attribute(NetworkInterfaceId=interface, Groups=[foreign])
    monkeypatch.setattr(undo_command, "pause", lambda seconds: story.sandbox.run_until_idle(600))
    failed = ana.types("undo", incident.id, "--yes", "--wait")
    assert failed.exit_code == 6, failed.output
    assert "Not taken back" in failed.output
    ec2.modify_network_interface_attribute(NetworkInterfaceId=interface, Groups=sealed)
    done = ana.types("undo", incident.id, "--yes", "--wait")
    assert done.exit_code == 0, done.output
    assert story.groups(instance) == before


def test_a_question_is_approved_through_the_api_alone(story: Story, ana: Operator) -> None:
    incident, instance = asking(story)
    (asked,) = ana.asks("approvals", "list")
    listed = ana.types("approvals", "list")
    assert asked["id"][:8] in listed.output
    unasked = ana.types("approvals", "approve", asked["id"][:6])
    assert unasked.exit_code == 2  # nobody there to say yes
    assert "firebreak-sealed" in unasked.output
    assert not story.isolated(instance)
    done = ana.types("approvals", "approve", asked["id"][:6], "--yes")
    assert (done.exit_code, done.stderr) == (0, "")
    assert story.isolated(instance)
    assert story.statuses(incident)["ec2.isolate_instance"] == "verified"
    shown = ana.types("incidents", "show", incident).output
    assert "ana" in shown
    assert "by iam: approve" in shown
    late = ana.types("approvals", "approve", asked["id"], "--yes")
    assert late.exit_code == 3
    assert "redeemed" in late.stderr


def test_a_denial_needs_a_reason_and_a_person_whom_the_settings_know(
    story: Story, ana: Operator, tmp_path: Path
) -> None:
    incident, instance = asking(story)
    (asked,) = ana.asks("approvals", "list")
    bob = Operator(story, "bob")  # with the same rights at AWS
    bob.sits_down(tmp_path)
    refused = bob.types("approvals", "approve", asked["id"], "--yes")
    assert refused.exit_code == 3
    assert "firebreak.yaml" in refused.stderr
    assert story.statuses(incident)["ec2.isolate_instance"] == "asking"
    ana.sits_down(tmp_path)
    assert ana.types("approvals", "deny", asked["id"], "--yes").exit_code == 2
    assert ana.types("approvals", "deny", asked["id"], "--yes", "--reason", " ").exit_code == 2
    closed = ana.types("incidents", "close", incident, "--reason", "mine", "--yes", "--leave-contained")
    assert closed.exit_code == 3  # its execution still waits for the answer
    assert story.statuses(incident)["ec2.isolate_instance"] == "asking"
    denied = ana.types("approvals", "deny", asked["id"], "--yes", "--reason", "this is the honeypot")
    assert denied.exit_code == 0, denied.output
    assert story.statuses(incident)["ec2.isolate_instance"] == "denied"
    assert not story.isolated(instance)
    assert "this is the honeypot" in ana.types("incidents", "show", incident).output


def test_a_poison_message_is_listed_with_its_error_and_handled_after_redrive(story: Story, ana: Operator) -> None:
    instance = story.lab.estate.bastion
    poison = story.guardduty(instance)
    account = poison["detail"].pop("accountId")
    story.sandbox.put_event(poison)
    story.sandbox.advance(3600)
    assert ana.asks("dlq", "list", "--lane", "bulk")["messages"] == []
    for _ in range(2):  # looking takes nothing out
        (letter,) = ana.asks("dlq", "list")["messages"]
        assert letter["lane"] == "urgent"
        assert "accountId" in letter["error"]
    assert letter["id"] in ana.types("dlq", "list").output

    # what the lane does not take stays where it is, and so does what was not asked for
    fault = story.sandbox.faults.add(Fault("sqs:SendMessage", count=1, code="AWS.SimpleQueueService.NonExistentQueue"))
    assert ana.types("dlq", "redrive", "--yes").exit_code == 5
    assert fault.met == 1
    assert ana.types("dlq", "redrive", "--message", "none-such", "--yes").exit_code == 4
    assert ana.types("dlq", "redrive").exit_code == 2  # nobody there to agree
    assert len(ana.asks("dlq", "list")["messages"]) == 1

    # nothing was put right: it is laid aside again, with its reason
    assert ana.asks("dlq", "redrive", "--message", letter["id"], "--yes") == {
        "sent": [{"lane": "urgent", "id": letter["id"]}]
    }
    assert story.sandbox.queue("LanesUrgentDeadLetters") == []
    story.sandbox.advance(3600)
    (again,) = ana.asks("dlq", "list")["messages"]
    assert "accountId" in again["error"]
    assert story.incidents() == []

    # a release that takes such events is deployed
    with release_that_knows(account):
        assert len(ana.asks("dlq", "redrive", "--lane", "urgent", "--yes")["sent"]) == 1
        story.sandbox.run_until_idle(600)
    assert story.sandbox.queue("LanesUrgentDeadLetters") == []
    assert story.incidents()[0].status == "contained", story.failures()
    assert story.isolated(instance)


@contextmanager
def release_that_knows(account: str) -> Iterator[None]:
    """A later version of the source, which takes the account from elsewhere where the finding has none."""
    source = registry.sources()["guardduty"]
    known = source.normalise

    def normalise(event: dict[str, Json], origin: Origin) -> tuple[Finding, ...]:
        return known({**event, "detail": {"accountId": account, **event["detail"]}}, origin)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "normalise", normalise, raising=True)
        yield


def test_mode_and_kill_switch_hold_and_are_audited(story: Story, ana: Operator) -> None:
    bastion, other = story.lab.estate.bastion, sorted(story.lab.estate.web)[0]
    holds = {"mode": "auto", "production_mode": "auto", "ceiling": "auto", "set": None, "halted": False}
    assert ana.asks("mode") == holds
    assert ana.asks("mode", "observe")["mode"] == "observe"
    story.put(story.guardduty(bastion))
    assert not story.isolated(bastion)
    assert set(story.statuses(story.incidents()[0].id).values()) == {"observed"}
    assert ana.types("mode", "auto").exit_code == 2  # looser, and nobody there to agree
    assert ana.asks("mode", "auto", "--yes")["mode"] == "auto"
    (row,) = [row for row in story.rows("GUARD") if row["sk"] == "MODE"]
    assert (row["mode"], row["by"]) == ("auto", f"{ana.arn}/firebreak")

    assert ana.asks("halt") == {"halted": True, "by": ana.arn}
    story.put(story.guardduty(other, number=2))
    assert not story.isolated(other)
    assert ana.asks("mode")["halted"] is True
    assert "kill switch is on" in ana.types("mode").output
    assert ana.types("halt", "--off").exit_code == 2
    assert ana.asks("halt", "--off", "--yes")["halted"] is False

    trail = [json.loads(row["body"]) for row in story.rows("AUDIT#guard")]
    events = [(record["event"], record["previous"] != "") for record in trail]
    assert events == [("halt on", False), ("halt off", True), ("mode observe", False), ("mode auto", True)]


def test_closing_by_hand_frees_the_target_and_never_forgets_what_is_contained(story: Story, ana: Operator) -> None:
    instance = story.lab.estate.bastion
    before = story.groups(instance)
    story.put(story.guardduty(instance))
    (incident,) = story.incidents()
    refused = ana.types("incidents", "close", incident.id, "--reason", "red team", "--yes")
    assert refused.exit_code == 3
    assert f"firebreak undo {incident.id}" in refused.stderr
    assert story.rows("LOCK#") != []
    closed = ana.types("incidents", "close", incident.id, "--reason", "red team", "--yes", "--leave-contained")
    assert closed.exit_code == 0, closed.output
    (incident,) = story.incidents()
    assert (incident.status, incident.reason) == ("closed", "red team")
    assert story.rows("LOCK#") == []
    assert story.isolated(instance)
    assert story.whole(incident.id)
    assert ana.types("incidents", "close", incident.id, "--reason", "again", "--yes").exit_code == 3
    assert ana.types("undo", incident.id, "--yes").exit_code == 0
    assert story.groups(instance) == before
    assert story.whole(incident.id)
