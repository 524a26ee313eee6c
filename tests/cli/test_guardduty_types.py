"""The finding types that GuardDuty documents."""

from __future__ import annotations

import re

from firebreak.cli.guardduty_types import doubts, known_types
from firebreak.core.playbook import Match
from tests.core.findings import a_playbook, of
from tests.playbooks.shipped import PLAYBOOKS


def test_the_list_is_whole_sorted_and_well_formed() -> None:
    types = [known.type for known in known_types()]
    assert len(types) == len(set(types)) == 227
    assert types == sorted(types)
    for known in known_types():
        assert re.fullmatch(r"[A-Za-z]+:[A-Za-z0-9]+/[A-Za-z0-9.&!]+", known.type)
        assert known.resources
        assert {*known.severities} <= {"Low", "Medium", "High", "Critical", "Varies"}


def test_a_glob_that_fits_no_documented_type_is_doubted() -> None:
    match = Match(source="guardduty", type=("Backdoor:EC2/*", "Backdor:EC2/*"))
    assert doubts(of(a_playbook("mine", match=match))) == (
        "mine: Backdor:EC2/* fits no finding type that GuardDuty documents; compare its spelling",
    )


def test_rules_of_other_sources_are_not_compared_with_guarddutys_types() -> None:
    assert doubts(of(a_playbook(match=Match(source="falco", type=("Terminal shell in container",))))) == ()


def test_no_shipped_playbook_is_in_doubt() -> None:
    assert doubts(PLAYBOOKS) == ()
