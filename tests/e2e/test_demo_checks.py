"""The demo believes nothing: where the estate is not as it should be, its checks say so."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from rich.console import Console

from sandbox.demo_person import Itself
from sandbox.demo_sight import Sight
from sandbox.demo_stage import Stage
from sandbox.demo_story import Story
from sandbox.demo_terminal import Terminal
from sandbox.journal import Fault
from sandbox.lab import lab
from sandbox.synthesis import Application


@pytest.fixture
def told(application: Application) -> Iterator[Story]:
    with lab(application, wall=True, patience=0.02) as running:
        stage = Stage(Sight(running), Terminal(Console(file=io.StringIO(), width=200)), Itself(running.slack))
        yield Story(stage)


def failed(story: Story) -> list[str]:
    return [check.what for check in story.stage.checks if not check.ok]


def test_an_isolation_that_is_refused_is_not_called_one(told: Story) -> None:
    sandbox = told.sight.lab.sandbox
    sandbox.faults.add(Fault("ec2:ModifyNetworkInterfaceAttribute", "UnauthorizedOperation", 403, count=100))
    told.command_and_control()
    bastion = told.estate.bastion
    assert failed(told) == ["the incident is contained", f"{bastion} is isolated, all 2 interfaces"]
    (report,) = told.stage.held.values()
    assert report.seconds_to_contain is None
    assert told.stage.contained is None


def test_a_key_that_could_not_be_turned_off_is_not_called_off(told: Story) -> None:
    told.sight.lab.sandbox.faults.add(Fault("iam:UpdateAccessKey", "AccessDenied", 403, count=100))
    told.command_and_control()
    told.fileless_execution()
    told.stolen_key()
    assert failed(told) == ["the key is off"]


def test_what_somebody_else_changed_meanwhile_is_told_and_not_called_restored(told: Story) -> None:
    told.command_and_control()
    assert failed(told) == []
    bastion, admin = told.estate.bastion, told.estate.groups["admin"]
    interface = sorted(told.sight.groups(bastion))[0]
    ec2 = told.sight.lab.sandbox.client("ec2")
    ec2.modify_network_interface_attribute(NetworkInterfaceId=interface, Groups=[told.estate.groups["node"], admin])
    told.undo()
    assert f"{bastion} has the exact groups it had" in failed(told)
    assert "the incident is released" in failed(told)
    assert told.sight.groups(bastion)[interface] == tuple(sorted((told.estate.groups["node"], admin)))


def test_a_change_that_nobody_should_have_made_is_seen(told: Story) -> None:
    told.command_and_control()
    bastion = told.estate.bastion

    def meddle() -> None:
        ec2 = told.sight.lab.sandbox.client("ec2")
        ec2.create_snapshot(VolumeId=next(iter(told.sight.volumes(bastion))))

    told.sight.lab.sandbox.faults.add(Fault("sns:Publish", meanwhile=meddle))
    told.victim()
    assert failed(told) == ["the estate is as it was"]


def test_every_scene_holds_and_the_second_delivery_changes_nothing(told: Story) -> None:
    told.play()
    assert failed(told) == []
    assert len(told.stage.checks) == 36
    assert {report.status_at_end for report in told.stage.ended()} == {"closed"}
