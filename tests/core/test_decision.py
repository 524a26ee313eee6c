"""Which playbook decides, and why none of the others."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firebreak.core.decision import Circumstances, decide, explain, may_act, possible
from firebreak.core.finding import Finding, Severity
from firebreak.core.playbook import Match, Playbook
from tests.core.findings import (
    CORDON,
    ISOLATE,
    SNAPSHOT,
    TERMINATE,
    a_finding,
    a_playbook,
    circumstances,
    findings,
    of,
    playbook_lists,
)

INSTANCE = Circumstances(kinds=frozenset({"instance"}))


@pytest.mark.parametrize(
    ("match", "hit", "miss"),
    [
        ({"source": "guardduty"}, {}, {"source": "falco"}),
        ({"type": "Backdoor:EC2/*"}, {}, {"type": "Backdoor:Runtime/C&CActivity.B"}),
        ({"type": ["Trojan:*", "Backdoor:*"]}, {}, {"type": "backdoor:EC2/C&CActivity.B"}),
        ({"severity": {"at_least": "high"}}, {"severity": Severity.HIGH}, {"severity": Severity.MEDIUM}),
        ({"severity": {"at_most": "high"}}, {"severity": Severity.HIGH}, {"severity": Severity.CRITICAL}),
        ({"posture": ["acting", "unknown"]}, {"posture": "unknown"}, {"posture": "victim"}),
        ({"account": "111122223333"}, {}, {"account": "444455556666"}),
        ({"region": "eu-*"}, {}, {"region": "us-east-1"}),
    ],
)
def test_what_the_finding_says_decides_alone(match: Any, hit: dict[str, Any], miss: dict[str, Any]) -> None:
    playbooks = of(a_playbook("only", 1, SNAPSHOT, match=Match.model_validate(match)))
    for members, expected in ((hit, "only"), (miss, None)):
        finding = a_finding(**members)
        assert decide(playbooks, finding, INSTANCE).playbook == expected
        assert may_act(playbooks, finding) is (expected is not None)


@pytest.mark.parametrize(
    ("match", "hit", "miss"),
    [
        ({"environment": "other"}, {"environment": "other"}, {"environment": "unknown"}),
        ({"environment": "production"}, {"environment": "unknown"}, {"environment": "other"}),
        ({"environment": "unknown"}, {"environment": "unknown"}, {"environment": "production"}),
        ({"tags": {"role": "web*"}}, {"tags": {"role": "web1"}}, {"tags": {"role": "db"}}),
        ({"tags": {"role": "*"}}, {"tags": {"role": ""}}, {"tags": {"Role": "web1"}}),
        ({"facts": {"spot": True}}, {"facts": {"spot": True}}, {"facts": {"spot": 1}}),
        ({"facts": {"spot": 1}}, {"facts": {"spot": 1.0}}, {"facts": {"spot": True}}),
        ({"facts": {"type": "p4*"}}, {"facts": {"type": "p4d.24xlarge"}}, {"facts": {"type": "m7g.large"}}),
        ({"facts": {"type": "*"}}, {"facts": {"type": ""}}, {"facts": {"type": 4}}),
        ({"facts": {"spot": None}}, {"facts": {"spot": None}}, {"facts": {}}),
        ({"facts": {"spot": ["a", "b"]}}, {"facts": {"spot": ("x", "b")}}, {"facts": {"spot": ()}}),
        ({"kind": ["pod", "instance"]}, {}, {"kinds": frozenset({"node"})}),
    ],
)
def test_what_is_looked_up_decides_once_it_is(match: Any, hit: dict[str, Any], miss: dict[str, Any]) -> None:
    playbooks = of(a_playbook("only", 1, SNAPSHOT, match=Match.model_validate(match)))
    assert may_act(playbooks, a_finding())
    for members, expected in ((hit, "only"), (miss, None)):
        found = Circumstances(**({"kinds": INSTANCE.kinds} | members))
        assert decide(playbooks, a_finding(), found).playbook == expected


def test_tags_and_text_of_the_finding_itself_decide_nothing() -> None:
    playbooks = of(a_playbook("only", 1, ISOLATE, match=Match(tags={"role": ("web",)})))
    finding = a_finding(tags={"role": "web"}, untrusted={"role": "web"})
    assert decide(playbooks, finding, INSTANCE).playbook is None
    assert decide(playbooks, finding, INSTANCE.model_copy(update={"tags": {"role": "web"}})).playbook == "only"


def test_the_lowest_priority_number_that_matches_decides_alone() -> None:
    playbooks = of(
        a_playbook("wide", 30, ISOLATE),
        a_playbook("second", 20, CORDON),
        a_playbook("first", 10, SNAPSHOT, match=Match(source="falco")),
    )
    decision = decide(playbooks, a_finding(), Circumstances(kinds=frozenset({"instance", "node"})))
    assert (decision.playbook, decision.steps) == ("second", (CORDON,))
    assert [str(reason) for reason in decision.reasons] == [
        "first no match: source is guardduty, not falco",
        "second chosen: it takes every finding",
        "wide outranked: second (priority 20) comes first",
    ]


def test_the_first_condition_that_fails_is_the_reason() -> None:
    match = Match.model_validate({"source": "guardduty", "type": ["A*", "B"], "region": "us-*", "environment": "other"})
    (reason, nobody) = decide(of(a_playbook(match=match)), a_finding(), INSTANCE).reasons
    assert reason.because == "type is Backdoor:EC2/C&CActivity.B, not A* or B"
    assert (nobody.playbook, nobody.standing) == ("", "no match")


def test_a_destructive_step_asks_whatever_its_playbook_says() -> None:
    decision = decide(of(a_playbook("only", 1, SNAPSHOT, ISOLATE, TERMINATE)), a_finding(), INSTANCE)
    assert [step.consent for step in decision.steps] == ["auto", "auto", "ask"]


def test_a_step_without_a_target_of_its_kind_is_left_out_and_said_so() -> None:
    decision = decide(of(a_playbook("only", 1, SNAPSHOT, CORDON)), a_finding(), INSTANCE)
    assert decision.steps == (SNAPSHOT,)
    left_out = [reason for reason in decision.reasons if reason.standing == "left out"]
    assert [reason.because for reason in left_out] == [
        "eks.cordon_node works on a target of kind node, and this finding leads to none"
    ]


@pytest.mark.parametrize(
    ("members", "word"),
    [({"sample": True}, "sample"), ({"archived": True}, "archived"), ({"signal": "heartbeat"}, "heartbeat")],
)
def test_what_is_never_acted_on_gets_no_steps(members: dict[str, Any], word: str) -> None:
    playbooks = of(a_playbook("only", 1, ISOLATE))
    assert decide(playbooks, a_finding(), INSTANCE).steps
    decision = decide(playbooks, a_finding(**members), INSTANCE)
    assert (decision.playbook, decision.steps, decision.notify) == (None, (), False)
    assert word in decision.reasons[0].because
    assert not may_act(playbooks, a_finding(**members))


def test_people_are_told_where_no_playbook_matches_and_where_one_does_not_say_otherwise() -> None:
    assert decide(of(), a_finding(), INSTANCE).notify
    assert decide(of(a_playbook()), a_finding(), INSTANCE).notify
    assert not decide(of(a_playbook(notify=False)), a_finding(), INSTANCE).notify


def test_a_playbook_that_only_tells_hides_those_behind_it() -> None:
    playbooks = of(a_playbook("tell", 1), a_playbook("act", 2, ISOLATE))
    assert not may_act(playbooks, a_finding())
    assert [playbook.name for playbook in possible(playbooks, a_finding())] == ["tell"]


def test_a_playbook_that_waits_for_a_look_up_does_not_hide_those_behind_it() -> None:
    playbooks = of(
        a_playbook("tell", 1, match=Match(environment=("other",))),
        a_playbook("act", 2, ISOLATE),
        a_playbook("never", 3, CORDON),
    )
    assert may_act(playbooks, a_finding())
    assert [playbook.name for playbook in possible(playbooks, a_finding())] == ["tell", "act"]


@given(playbooks=playbook_lists(), finding=findings, found=circumstances)
def test_whatever_is_looked_up_steps_come_only_where_they_were_foreseen(
    playbooks: list[Playbook], finding: Finding, found: Circumstances
) -> None:
    decision = decide(of(*playbooks), finding, found)
    if decision.steps:
        assert may_act(of(*playbooks), finding)
    foreseen = [playbook.name for playbook in possible(of(*playbooks), finding)]
    assert decision.playbook is None or decision.playbook in foreseen


@given(playbooks=playbook_lists(), order=st.randoms(), finding=findings, found=circumstances)
def test_the_order_in_which_playbooks_are_written_decides_nothing(
    playbooks: list[Playbook], order: Any, finding: Finding, found: Circumstances
) -> None:
    shuffled = list(playbooks)
    order.shuffle(shuffled)
    assert decide(of(*shuffled), finding, found) == decide(of(*playbooks), finding, found)


@given(playbooks=playbook_lists(), finding=findings, found=circumstances)
def test_every_playbook_is_accounted_for_and_at_most_one_is_chosen(
    playbooks: list[Playbook], finding: Finding, found: Circumstances
) -> None:
    explained = explain(of(*playbooks), finding, found)
    named = [reason.playbook for reason in explained.reasons if reason.playbook]
    assert named == [playbook.name for playbook in of(*playbooks).playbooks]
    standings = [reason.standing for reason in explained.reasons]
    assert standings.count("chosen") <= 1
    assert "possible" not in standings
    assert explained.decision == decide(of(*playbooks), finding, found)


@given(playbooks=playbook_lists(), finding=findings, found=circumstances)
def test_no_destructive_step_ever_runs_unasked(
    playbooks: list[Playbook], finding: Finding, found: Circumstances
) -> None:
    for step in decide(of(*playbooks), finding, found).steps:
        assert step.consent == "ask" or step.effect != "destructive"
        assert step.target_kind in found.kinds


def test_without_look_ups_an_explanation_says_what_depends_on_them() -> None:
    playbooks = of(
        a_playbook("quiet", 1, match=Match(environment=("other",))),
        a_playbook("spot", 2, ISOLATE, match=Match(facts={"spot": (True,)}, kind=("instance",))),
        a_playbook("rest", 3),
    )
    explained = explain(playbooks, a_finding())
    assert explained.possible == ("quiet", "spot", "rest")
    assert explained.decision is None
    assert explained.may_act
    assert [str(reason) for reason in explained.reasons] == [
        "quiet possible: if environment is other",
        "spot possible: if a target is instance; if spot is true",
        "rest chosen: it takes every finding",
    ]


def test_without_look_ups_an_explanation_decides_what_is_certain() -> None:
    told = explain(of(a_playbook("tell", 1), a_playbook("act", 2, ISOLATE)), a_finding())
    assert told.decision is not None
    assert told.decision.playbook == "tell"
    assert not told.may_act


def test_an_explanation_of_a_sample_says_that_first_and_then_what_a_real_one_would_get() -> None:
    explained = explain(of(a_playbook("act", 1, ISOLATE)), a_finding(sample=True))
    assert explained.possible == ()
    assert not explained.may_act
    assert explained.decision is not None
    assert explained.decision.steps == ()
    assert [(reason.playbook, reason.standing) for reason in explained.reasons] == [("", "no match"), ("act", "chosen")]
