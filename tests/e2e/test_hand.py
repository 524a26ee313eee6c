"""`firebreak plan` and `firebreak run`: a person's hand, through the ledger, guard and audit of the pipeline."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import Result

from firebreak.cli import run as run_command
from firebreak.cli import undo as undo_command
from tests.e2e.operator import Operator
from tests.e2e.story import Story

ISOLATE = "ec2.isolate_instance"
WHY = ("--reason", "reported by the SOC", "--yes")


@pytest.fixture
def ana(story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Operator:
    """An operator who may also look things up; time goes by while a command of hers waits."""
    monkeypatch.chdir(tmp_path)
    for module in (run_command, undo_command):
        monkeypatch.setattr(module, "pause", lambda seconds: story.sandbox.run_until_idle(600))
    operator = Operator(story, "ana")
    operator.sits_down(tmp_path, "observer")
    return operator


def test_a_plan_shows_what_would_change_and_changes_nothing(story: Story, ana: Operator) -> None:
    instance = story.lab.estate.bastion
    before = story.groups(instance)
    told = ana.asks("plan", ISOLATE, instance)
    assert {change["what"] for change in told["changes"]} == {"security groups"}
    assert told["residual"]
    shown = ana.types("plan", ISOLATE, instance)
    assert (shown.exit_code, shown.stderr) == (0, "")
    for words in (f"{ISOLATE} on instance {instance}", "firebreak-sealed", "still possible"):
        assert words in shown.output
    assert story.groups(instance) == before
    assert story.incidents() == []


def test_a_plan_of_a_key_asks_whose_it_is(story: Story, ana: Operator) -> None:
    key = story.lab.estate.key
    refused = ana.types("plan", "iam.disable_access_key", key)
    assert refused.exit_code == 3
    assert "does not say whose it is" in refused.stderr
    told = ana.asks("plan", "iam.disable_access_key", key, "--about", f"user_name={story.lab.estate.user}")
    assert [(change["before"], change["after"]) for change in told["changes"]] == [("Active", "Inactive")]
    assert told["target"]["region"] == "global"


@pytest.mark.parametrize(
    ("typed", "code", "said"),
    [
        (("ec2.reboot_instance", "i-0123456789abcdef0"), 2, "there is no action"),
        ((ISOLATE, "web-1"), 2, "instance_id"),
        ((ISOLATE, "i-0123456789abcdef0", "--param", "fast=true"), 2, "fast"),
        ((ISOLATE, "i-0123456789abcdef0", "--param", "cut_tracked"), 2, "KEY=VALUE"),
        (("eks.cordon_node", "node-without-cluster"), 2, "CLUSTER/NAME"),
        ((ISOLATE, "i-0123456789abcdef0", "--target-account", "12"), 2, "account"),
        ((ISOLATE, "i-0123456789abcdef0"), 4, "i-0123456789abcdef0"),
    ],
)
def test_what_cannot_be_meant_is_said_in_one_line_and_nothing_is_sent(
    story: Story, ana: Operator, typed: tuple[str, ...], code: int, said: str
) -> None:
    result = ana.types("plan", *typed)
    assert (result.exit_code, len(result.stderr.splitlines())) == (code, 1), result.output
    assert said in result.stderr
    if code == 2:
        assert ana.types("run", *typed, *WHY).exit_code == 2
    assert story.incidents() == []


def ordered(ana: Operator, *typed: str) -> Result:
    return ana.types("run", *typed, *WHY, "--wait", "--json")


def test_an_order_is_done_verified_written_down_and_taken_back(story: Story, ana: Operator) -> None:
    instance = story.lab.estate.bastion
    before = story.groups(instance)
    result = ordered(ana, ISOLATE, instance)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["step"]["status"], told["step"]["playbook"]) == ("verified", "ordered")
    assert f"{ana.arn} orders it: reported by the SOC" in told["step"]["reasons"]
    assert story.isolated(instance)
    (decided, *_) = [row for row in story.rows(f"AUDIT#{told['incident']}") if str(row["sk"]).startswith("ec2-isolate")]
    assert "reported by the SOC" in decided["body"]
    assert ana.types("undo", told["incident"], "--yes", "--wait").exit_code == 0
    assert story.groups(instance) == before


def test_an_order_about_the_target_of_an_open_incident_is_a_step_of_that_incident(story: Story, ana: Operator) -> None:
    node, instance = sorted(story.lab.estate.nodes.items())[0]
    story.alert(json.dumps(story.falco(node)))
    (incident,) = story.incidents()
    assert "ec2.isolate_instance" in story.statuses(incident.id)
    result = ordered(ana, "ebs.snapshot_volumes", instance)
    told = json.loads(result.stdout)
    assert (result.exit_code, told["incident"]) == (0, incident.id)
    (only,) = story.incidents()
    assert only.revision == incident.revision + 1


def test_an_order_meets_the_guard_like_any_step(story: Story, ana: Operator) -> None:
    instance = story.lab.estate.bastion
    assert ana.types("halt", "--yes").exit_code == 0
    refused = ordered(ana, ISOLATE, instance)
    assert refused.exit_code == 6
    step = json.loads(refused.stdout)["step"]
    assert (step["status"], step["error"]) == ("refused", "the kill switch is on")
    assert not story.isolated(instance)
    assert ana.types("halt", "--off", "--yes").exit_code == 0
    assert json.loads(ordered(ana, ISOLATE, instance).stdout)["step"]["status"] == "verified"
    assert story.isolated(instance)


def test_an_order_of_what_is_done_already_does_nothing_twice(story: Story, ana: Operator) -> None:
    instance = story.lab.estate.bastion
    ordered(ana, ISOLATE, instance)
    (incident,) = story.incidents()
    again = ordered(ana, ISOLATE, instance)
    assert (again.exit_code, json.loads(again.stdout)["incident"]) == (0, incident.id)
    assert story.incidents()[0].revision == incident.revision + 1
    assert list(story.statuses(incident.id)) == [ISOLATE]


def test_a_false_positive_that_was_undone_is_not_repeated_while_it_is_excepted(story: Story, ana: Operator) -> None:
    instance = story.lab.estate.bastion
    before = story.groups(instance)
    story.put(story.guardduty(instance))
    (first,) = story.incidents()
    assert ana.types("undo", first.id, "--yes", "--wait").exit_code == 0
    until = (story.sandbox.clock.now() + timedelta(days=2)).strftime("%Y-%m-%d")
    told = ana.asks("except", first.id, "--until", until, "--reason", "the backup job")
    assert told["names"] == [target.key for target in first.targets if not target.shared]
    story.put(story.guardduty(instance, number=2, kind="Backdoor:EC2/C&CActivity.B"))
    second = story.incidents()[-1]
    assert second.id != first.id
    assert story.statuses(second.id) == {"ebs.snapshot_volumes": "verified", ISOLATE: "refused"}
    assert "the backup job" in str(story.steps(second.id)[ISOLATE].error)
    assert story.groups(instance) == before
    assert any("the backup job" in notice for notice in story.sandbox.notices())
    (listed,) = ana.asks("except")
    assert (listed["by"], listed["reason"]) == (ana.arn, "the backup job")
    assert ana.types("except", first.id, "--end", "--yes").exit_code == 0
    assert ana.asks("except") == []
    assert json.loads(ordered(ana, ISOLATE, instance).stdout)["step"]["status"] == "verified"
    assert story.isolated(instance)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        (("except", "--until", "2999-01-01"), 2),
        (("except", "x"), 2),
        (("except", "x", "--until", "2999-01-01"), 2),
        (("except", "x", "--until", "2001-01-01", "--reason", "late"), 2),
        (("except", "x", "--until", "2999-01-01", "--end", "--reason", "both"), 2),
        (("except", "inc-000000000000", "--until", "2999-01-01", "--reason", "who"), 4),
    ],
)
def test_an_exemption_that_cannot_be_meant_is_not_made(
    story: Story, ana: Operator, typed: tuple[str, ...], code: int
) -> None:
    assert ana.types(*typed).exit_code == code
    assert ana.asks("except") == []
    assert ana.types("except", "x", "--until", "2999-01-01", "--reason", "fits").exit_code == 0
    assert [each["name"] for each in ana.asks("except")] == ["x"]


def test_whoever_may_not_order_is_refused(story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ben = Operator(story, "ben")
    ben.sits_down(tmp_path)
    (policy,) = story.sandbox.cloud.roles[
        f"arn:aws:iam::{story.sandbox.account}:role/holder-of-the-operator-policy"
    ].policies
    policy["Statement"] = [each for each in policy["Statement"] if each["Action"] != "events:PutEvents"]
    result = ben.types("run", ISOLATE, story.lab.estate.bastion, *WHY)
    assert result.exit_code == 5
    assert "firebreak-operator" in result.stderr
    assert ["events:PutEvents" in refused for refused in story.refusals()] == [True]
