"""Which misfortunes the suites are made of."""

from __future__ import annotations

from math import comb

import pytest

from reliability.fault import HARD, Fault, Misfortune
from reliability.run import play
from reliability.suites import CORE, broken_orders, run, triple_faults


def test_three_faults_meet_every_three_calls_while_the_core_path_contains(folder: str) -> None:
    sites = play(Misfortune(CORE), folder).sites
    first = sites.index("execute dynamodb:batch_get_item") + 1
    last = max(call for call, site in enumerate(sites, 1) if site.startswith("execute "))
    plans = list(triple_faults(folder))
    met = {fault for plan in plans for fault in plan.faults}
    assert len(plans) == len(set(plans)) == comb(last - first + 1, 3) * 4**3
    assert {fault.call for fault in met} == set(range(first, last + 1))
    assert {fault.kind for fault in met} == set(HARD) - {"kill_before"}


def test_orders_of_deliveries_hold_with_two_faults_amid_them(folder: str) -> None:
    plans = list(broken_orders(folder, 60, seed=20261126))
    assert {len(plan.faults) for plan in plans} == {2}
    assert plans == list(broken_orders(folder, 60, seed=20261126)), "the same seed draws the same"
    found = run("orders", plans, folder)
    assert found.struck > 60
    assert [f"{violation}: make replay PLAN='{plan}'" for violation, plan in found.violations] == []


FOUND = [
    Misfortune("order a-b,u,u,a~A", (Fault(66, "deny"), Fault(163, "kill_after"))),
    Misfortune("order a-k,bx,x", (Fault(37, "deny"), Fault(63, "kill_before"), Fault(81, "slow"))),
]
"""What once did not hold."""


@pytest.mark.parametrize("misfortune", FOUND, ids=str)
def test_what_once_did_not_hold_holds(folder: str, misfortune: Misfortune) -> None:
    outcome = play(misfortune, folder)
    assert outcome.struck == len(misfortune.faults)
    assert outcome.violations == ()
