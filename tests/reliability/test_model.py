"""Every interleaving of consent holds, and each wrong rule is noticed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from firebreak.core import approval
from firebreak.core.approval import Approval, Vote
from reliability.model import TIMES, Rules, search


def whenever(found: Approval, vote: Vote) -> str | None:
    return approval.objection(found, replace(vote, at=TIMES[0]))


def undated(found: Approval, digest: str, holder: str, now: object) -> Approval:
    return approval.redeem(found, digest, holder, TIMES[0])


@pytest.mark.parametrize("quorum", [1, 2])
def test_every_state_that_can_be_reached_holds(quorum: int) -> None:
    found = search(quorum)
    assert found.violations == set()
    assert found.states > 1_000
    assert found.transitions > found.states


@pytest.mark.parametrize(
    ("wrong", "violation"),
    [
        (Rules(objection=whenever), "I13 a vote was taken after the expiry"),
        (Rules(redeem=undated), "I13 used after its deadline"),
        (Rules(fences=False), "I8 ran after an undo was begun"),
        (Rules(conditional=False), "I8 from approved to denied"),
    ],
)
def test_a_wrong_rule_is_noticed(wrong: Rules, violation: str) -> None:
    assert violation in search(1, wrong).violations
