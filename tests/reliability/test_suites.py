"""Which misfortunes the suites are made of."""

from __future__ import annotations

from math import comb

from reliability.fault import HARD, Misfortune
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
