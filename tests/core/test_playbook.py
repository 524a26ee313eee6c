"""Playbooks in their checked form."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from firebreak.core.decision import Circumstances, decide
from firebreak.core.finding import Finding, Severity
from firebreak.core.playbook import KINDS, Match, Playbook, Playbooks, SeverityRange
from tests.core.findings import ISOLATE, a_playbook, circumstances, findings, matches, of, playbook_lists


@given(playbooks=playbook_lists(), order=st.randoms())
def test_the_order_in_which_playbooks_are_written_makes_no_difference(playbooks: list[Playbook], order: Any) -> None:
    shuffled = list(playbooks)
    order.shuffle(shuffled)
    assert of(*shuffled) == of(*playbooks)
    assert of(*shuffled).version == of(*playbooks).version
    priorities = [playbook.priority for playbook in of(*shuffled).playbooks]
    assert priorities == sorted(priorities)


@given(playbooks=playbook_lists())
def test_playbooks_come_back_from_their_json_as_they_were(playbooks: list[Playbook]) -> None:
    before = of(*playbooks)
    after = Playbooks.model_validate_json(before.model_dump_json())
    assert after == before
    assert after.version == before.version


def test_the_version_changes_with_whatever_a_playbook_says() -> None:
    plain = a_playbook("one", 10, ISOLATE)
    versions = {
        of(each).version
        for each in (
            plain,
            plain.model_copy(update={"notify": False}),
            plain.model_copy(update={"priority": 11}),
            plain.model_copy(update={"steps": (ISOLATE.model_copy(update={"parameters": {"cut_tracked": True}}),)}),
            plain.model_copy(update={"match": Match(source="falco")}),
        )
    }
    assert len(versions) == 5


@pytest.mark.parametrize("member", ["name", "priority"])
def test_no_two_playbooks_share_a_name_or_priority(member: str) -> None:
    first, second = a_playbook("one", 10), a_playbook("two", 20)
    of(first, second)
    with pytest.raises(ValidationError, match=f"{member} .* more than one playbook"):
        of(first, second.model_copy(update={member: getattr(first, member)}))


def test_playbooks_out_of_order_are_refused_as_json() -> None:
    content = of(a_playbook("one", 10), a_playbook("two", 20)).model_dump(mode="json")
    assert Playbooks.model_validate(content)
    with pytest.raises(ValidationError, match="not in the order"):
        Playbooks.model_validate({"playbooks": content["playbooks"][::-1]})


def test_severities_are_spelt_by_their_words() -> None:
    span = SeverityRange.model_validate({"at_least": "medium", "at_most": "high"})
    assert (span.at_least, span.at_most) == (Severity.MEDIUM, Severity.HIGH)
    assert span.model_dump(mode="json") == {"at_least": "medium", "at_most": "high"}


@pytest.mark.parametrize("band", ["High", "HIGH", "severe", 3, "3", None])
def test_a_severity_that_is_no_word_of_ours_is_refused(band: Any) -> None:
    with pytest.raises(ValidationError, match="not a severity"):
        SeverityRange.model_validate({"at_least": band})


def test_a_range_that_fits_nothing_is_refused() -> None:
    with pytest.raises(ValidationError, match="fits nothing"):
        SeverityRange(at_least=Severity.HIGH, at_most=Severity.LOW)


@pytest.mark.parametrize(
    "match",
    [
        {"type": []},
        {"type": [""]},
        {"posture": "attacking"},
        {"environment": "staging"},
        {"account": "12345"},
        {"account": "１１１１２２２２３３３３"},
        {"kind": "server"},
        {"kind": []},
        {"tags": {"role": []}},
        {"facts": {"spot": []}},
        {"colour": "red"},
    ],
)
def test_a_condition_that_can_never_hold_or_does_not_exist_is_refused(match: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Match.model_validate(match)


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ({"type": "Backdoor:*"}, {"type": ["Backdoor:*"]}),
        ({"account": 111122223333}, {"account": ["111122223333"]}),
        ({"facts": {"spot": True}}, {"facts": {"spot": [True]}}),
        ({"facts": {"spot": None}}, {"facts": {"spot": [None]}}),
        ({"kind": "node"}, {"kind": ["node"]}),
    ],
)
def test_one_value_may_be_written_without_its_list(short: dict[str, Any], full: dict[str, Any]) -> None:
    assert Match.model_validate(short) == Match.model_validate(full)


def test_every_kind_of_target_can_be_asked_for() -> None:
    assert {"instance", "node", "pod", "resource"} <= KINDS
    assert Match.model_validate({"kind": sorted(KINDS)}).kind == tuple(sorted(KINDS))


@given(wide=matches, narrow=matches, finding=findings, found=circumstances)
def test_a_match_that_covers_another_takes_all_that_it_takes(
    wide: Match, narrow: Match, finding: Finding, found: Circumstances
) -> None:
    def takes(match: Match) -> bool:
        return decide(of(a_playbook(match=match)), finding, found).playbook is not None

    if wide.covers(narrow) and takes(narrow):
        assert takes(wide)


@given(match=matches)
def test_a_match_covers_itself_and_is_covered_by_the_one_without_conditions(match: Match) -> None:
    assert match.covers(match)
    assert Match().covers(match)
    assert not match.covers(Match()) or match.covers(Match(severity=SeverityRange()))


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ({"type": "Backdoor:EC2/*"}, {"type": ["Backdoor:EC2/*", "Trojan:EC2/*"]}),
        ({"environment": "production"}, {"environment": ["production", "other"]}),
        ({"facts": {"spot": 1}}, {"facts": {"spot": True}}),
        ({"facts": {"type": "p4*"}}, {"facts": {"type": "*"}}),
        ({"tags": {"role": "web"}}, {}),
        ({"severity": {"at_least": "high"}}, {}),
        ({"kind": "node"}, {"kind": ["node", "pod"]}),
    ],
)
def test_a_match_does_not_cover_what_it_would_not_take(wide: dict[str, Any], narrow: dict[str, Any]) -> None:
    assert not Match.model_validate(wide).covers(Match.model_validate(narrow))
    assert Match.model_validate(wide).covers(Match.model_validate(narrow | wide))


def test_production_covers_what_is_unknown() -> None:
    assert Match(environment=("production",)).covers(Match(environment=("unknown",)))
    assert not Match(environment=("unknown",)).covers(Match(environment=("production",)))
