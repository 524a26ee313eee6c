"""One shape in the sandbox world: in calm, broken where its estate is called, and with wrong versions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args
from unittest.mock import patch

import pytest

from firebreak.adapters.aws import AwsClient
from reliability.fault import Fault, Kind, Misfortune
from reliability.run import Outcome
from reliability.sandboxed import ELSEWHERE, WORLD, named, play_all, single_faults
from reliability.suites import replay

STORY = WORLD + "ebs.snapshot_volumes auto, ec2.isolate_instance auto"
CHANGES = ("execute ec2:CreateSnapshots", "execute ec2:ModifyNetworkInterfaceAttribute")


@pytest.fixture(scope="module")
def calm() -> Outcome:
    *_, (_, outcome) = play_all([Misfortune(STORY)] * 2)
    return outcome


def broken(calm: Outcome, kinds: tuple[Kind, ...]) -> Iterator[Misfortune]:
    for call, site in enumerate(calm.sites, 1):
        if site in CHANGES:
            yield from (Misfortune(STORY, (Fault(call, kind),)) for kind in kinds)


def test_in_calm_everything_holds_and_a_run_is_like_the_one_before(calm: Outcome) -> None:
    runs = [outcome for _, outcome in play_all([Misfortune(STORY)] * 3)]
    assert [run.violations for run in runs] == [()] * 3
    assert runs[1].sites == runs[2].sites == calm.sites
    assert set(CHANGES) <= set(calm.sites)
    assert calm.lags
    assert calm.converged == {"ebs.snapshot_volumes": "verified", "ec2.isolate_instance": "undone"}


def test_whatever_befalls_a_change_of_the_estate_everything_holds(calm: Outcome) -> None:
    plans = list(broken(calm, ("kill_after", "timeout_after", "deny", "freeze")))
    played = list(play_all(plans))
    assert [outcome.struck for _, outcome in played] == [1] * len(plans)
    assert [f"{outcome.violations}: {plan}" for plan, outcome in played if outcome.violations] == []


def test_a_change_that_the_sdk_sends_again_by_itself_is_noticed(calm: Outcome) -> None:
    plain = AwsClient.__init__

    def insistent(self: AwsClient, client: Any, remaining: Any, once: Any = None) -> None:
        plain(self, client, remaining)

    (plan, *_) = broken(calm, ("timeout_after",))
    with patch.object(AwsClient, "__init__", insistent):
        ((_, outcome),) = play_all([plan])
    assert outcome.violations == ("I4 2 snapshots of 1 volumes",)
    ((_, outcome),) = play_all([plan])
    assert outcome.violations == ()


def test_a_run_after_one_that_broke_something_has_a_lab_of_its_own(calm: Outcome) -> None:
    lost = Misfortune(STORY, (Fault(calm.calls + 1, "reject"),))
    outcomes = dict(replay([lost, Misfortune(STORY)], ""))
    assert outcomes[lost].violations == (f"I7 call {calm.calls + 1} was never reached",)
    assert outcomes[Misfortune(STORY)].violations == ()


def test_every_call_meets_faults_and_those_of_the_estate_every_kind(calm: Outcome) -> None:
    met: dict[int, set[Kind]] = {}
    for plan in single_faults({STORY: calm}):
        met.setdefault(plan.faults[0].call, set()).add(plan.faults[0].kind)
    assert set(met) == set(range(1, calm.calls + 1))
    for call, kinds in met.items():
        everything = set(get_args(Kind)) - (set() if call in calm.lags else {"stale_read"})
        estate = (
            calm.sites[call - 1]
            .split()[1]
            .startswith(("ec2:", "sts:", "autoscaling:", "elasticloadbalancing:", "s3:", "lambda:"))
        )
        assert kinds == (everything if estate else set(ELSEWHERE))


def test_a_story_that_is_no_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="no such shape"):
        named(WORLD + "moon.fetch auto")
