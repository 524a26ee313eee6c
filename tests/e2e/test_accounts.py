"""Two accounts: a finding in a member account is answered there, under the member's own roles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from firebreak.core.deployment import Deployment
from sandbox.estate import Estate, seed
from sandbox.lab import DEPLOYMENT, lab
from sandbox.synthesis import Application
from sandbox.synthesis_cache import application
from sandbox.world import ACCOUNT, REGION
from tests.e2e.story import Story

ROOT = Path(__file__).parents[2]
MEMBER, FOREIGN = "444455556666", "777788889999"
TWO_ACCOUNTS = Deployment.model_validate(
    {
        **DEPLOYMENT.model_dump(exclude={"members"}),
        "members": [
            {"account": ACCOUNT, "regions": [REGION]},
            {"account": MEMBER, "regions": [REGION], "external_id": "firebreak-example"},
        ],
    }
)


@pytest.fixture(scope="session")
def two_accounts() -> Application:
    return application(TWO_ACCOUNTS, ROOT / "playbooks")[0]


@pytest.fixture
def story(two_accounts: Application) -> Iterator[Story]:
    with lab(two_accounts, deployment=TWO_ACCOUNTS) as laboratory:
        yield Story(laboratory)


@pytest.fixture
def estate(story: Story) -> Estate:
    """What the member account has to defend."""
    found = seed(story.sandbox, account=MEMBER, tags={"environment": "test"})
    story.sandbox.deployed()
    story.sandbox.run_until_idle(600)
    return found


def groups(story: Story, instance: str) -> list[list[str]]:
    found = story.sandbox.client("ec2", MEMBER).describe_network_interfaces(
        Filters=[{"Name": "attachment.instance-id", "Values": [instance]}]
    )["NetworkInterfaces"]
    return sorted(sorted(group["GroupName"] for group in eni["Groups"]) for eni in found)


def in_member(event: dict[str, Any], account: str = MEMBER) -> dict[str, Any]:
    """The event as the member account's own bus gets it."""
    return {**event, "account": account, "detail": {**event["detail"], "accountId": account}}


def test_a_finding_of_a_member_contains_its_instance_there_and_undo_restores_it(story: Story, estate: Estate) -> None:
    before = groups(story, estate.bastion)
    story.put(in_member(story.guardduty(estate.bastion)))
    (incident,) = (each for each in story.incidents() if each.account == MEMBER)
    assert incident.status == "contained", story.failures()
    assert groups(story, estate.bastion) == [["firebreak-sealed"], ["firebreak-sealed"]]
    assert story.sandbox.client("ec2", MEMBER).describe_snapshots(OwnerIds=["self"])["Snapshots"]
    assert story.sandbox.client("ec2").describe_snapshots(OwnerIds=["self"])["Snapshots"] == []
    changes = [call for call in story.sandbox.journal.calls("ec2:ModifyNetworkInterfaceAttribute") if not call.code]
    assert {call.caller.account for call in changes} == {MEMBER}
    story.undo(incident.id)
    assert groups(story, estate.bastion) == before


def test_the_administrators_copy_of_a_finding_is_the_same_finding(story: Story, estate: Estate) -> None:
    event = story.guardduty(estate.web[0], number=7)
    story.put(in_member(event))
    story.put({**in_member(event), "account": ACCOUNT})
    assert [incident.account for incident in story.incidents()] == [MEMBER]


def test_a_finding_of_an_account_without_our_roles_is_told_as_such_and_changes_nothing(story: Story) -> None:
    instance = "i-0abcd1234abcd1234"
    told = len(story.sandbox.notices())
    story.put({**in_member(story.guardduty(instance, number=8), FOREIGN), "account": ACCOUNT})
    (incident,) = (each for each in story.incidents() if each.account == FOREIGN)
    assert story.statuses(incident.id) == {}
    assert incident.status == "closed"
    assert any("could not be looked up" in notice for notice in story.sandbox.notices()[told:])
    refused = story.refusals()
    assert refused == [one for one in refused if f"AssumeRole on arn:aws:iam::{FOREIGN}:role/firebreak-observer" in one]
