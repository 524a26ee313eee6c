"""The guard: rules that can only tighten."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firebreak.core.deployment import Deployment
from firebreak.core.guard import OUTCOMES, Exemption, GuardState, Proposal, judge
from firebreak.core.guard_rails import MODES, GuardRails

ARN = "arn:aws:ec2:eu-central-1:111122223333:instance/i-0abcdef1234567890"
KEY = "aws/111122223333/eu-central-1/instance/i-0abcdef1234567890"
END, SECOND = datetime(2026, 12, 24, tzinfo=UTC), timedelta(seconds=1)
AUTO = Deployment.model_validate(
    {
        "mode": "auto",
        "people": [{"name": "ada", "iam": "arn:aws:iam::111122223333:user/ada"}],
        "approvers": [{"people": "ada"}],
        "guard": {"protected_arns": "*/i-0fedcba9876543210", "budgets": {"ec2.isolate_instance": 5}},
    }
)


def settings(**members: Any) -> Deployment:
    return Deployment.model_validate(AUTO.model_dump(mode="json") | members)


def proposal(**members: Any) -> Proposal:
    """Return an isolation that nothing speaks against, but for the members given."""
    plain: dict[str, Any] = {
        "action": "ec2.isolate_instance",
        "effect": "reversible",
        "consent": "auto",
        "account": "111122223333",
        "posture": "acting",
        "environment": "other",
        "names": (ARN, KEY),
    }
    return Proposal(**(plain | members))


COLLECT = {"effect": "collect", "action": "ebs.snapshot_volumes"}


@pytest.mark.parametrize(
    ("members", "state", "outcome", "reason"),
    [
        ({}, {}, "run", None),
        ({"consent": "ask"}, {}, "ask", "the playbook asks a person"),
        ({"effect": "destructive"}, {}, "ask", "what it does cannot be taken back"),
        ({"posture": "victim"}, {}, "ask", "the target is the victim, so that anyone outside could bring this about"),
        (
            {"posture": "unknown"},
            {},
            "ask",
            "the finding does not tell whether the target acts or is a victim",
        ),
        (COLLECT | {"posture": "victim"}, {}, "run", None),
        (COLLECT | {"posture": "unknown"}, {}, "run", None),
        (COLLECT | {"consent": "ask"}, {}, "ask", "the playbook asks a person"),
        ({}, {"mode": "approve"}, "ask", "the mode is approve: a person agrees to every change"),
        (COLLECT, {"mode": "approve"}, "run", None),
        ({}, {"mode": "observe"}, "observe", "the mode is observe: nothing is changed"),
        (COLLECT, {"mode": "observe"}, "observe", "the mode is observe: nothing is changed"),
        ({}, {"mode": "anything"}, "observe", "the mode is observe: nothing is changed"),
        ({}, {"halted": True}, "refuse", "the kill switch is on"),
        (COLLECT, {"halted": True}, "refuse", "the kill switch is on"),
        ({"dropped": "sample"}, {}, "refuse", "the finding is never acted on: sample"),
        (
            {"tags": {"firebreak:protected": "false"}},
            {},
            "refuse",
            "the target is protected by its tag firebreak:protected",
        ),
        (COLLECT | {"tags": {"firebreak:protected": ""}}, {}, "refuse", None),
        ({"tags": {"Firebreak:protected": "true"}}, {}, "run", None),
        ({"names": (ARN, "arn:aws:ec2:x:y:instance/i-0fedcba9876543210")}, {}, "refuse", None),
        ({"targets": 3}, {}, "run", None),
        ({"targets": 4}, {}, "ask", "the finding names 4 targets, and up to 3 run unasked"),
        (COLLECT | {"targets": 4}, {}, "ask", None),
        ({"spent": 4}, {}, "run", None),
        ({"spent": 5}, {}, "ask", "ec2.isolate_instance ran 5 times in account 111122223333 within the hour"),
        (COLLECT | {"spent": 9}, {}, "run", None),
        (COLLECT | {"spent": 10}, {}, "ask", None),
    ],
)
def test_each_rule_says_its_outcome_and_why(
    members: dict[str, Any], state: dict[str, Any], outcome: str, reason: str | None
) -> None:
    verdict = judge(proposal(**members), GuardState(**state), AUTO)
    assert verdict.outcome == outcome
    assert bool(verdict.reasons) is (outcome != "run")
    if reason is not None:
        assert verdict.reasons == (reason,)


@pytest.mark.parametrize(
    ("members", "outcome"),
    [
        ({"names": ("key", ARN)}, "refuse"),
        ({"names": ("key",), "at": END - SECOND}, "refuse"),
        ({"names": ("key",), "at": END}, "run"),
        ({"names": ("another",), "at": END - SECOND}, "run"),
        ({"names": ("key/longer", "ke"), "at": END - SECOND}, "run"),
        (COLLECT | {"names": ("key",), "at": END - SECOND}, "run"),
        ({"effect": "destructive", "names": ("key",), "at": END - SECOND}, "refuse"),
    ],
)
def test_what_is_exempt_is_left_alone_until_it_ends_and_evidence_is_taken(
    members: dict[str, Any], outcome: str
) -> None:
    exempt = Exemption(name="key", until=END, by="ana", reason="the backup job")
    verdict = judge(proposal(**members), GuardState(exempt=(exempt,)), AUTO)
    assert verdict.outcome == outcome
    if outcome == "refuse":
        assert verdict.reasons[0] == "key is left alone until 2026-12-24 00:00 UTC: the backup job"


def test_every_rule_that_speaks_is_in_the_reasons_strictest_first() -> None:
    everything = proposal(effect="destructive", posture="unknown", targets=9, tags={"firebreak:protected": "x"})
    verdict = judge(everything, GuardState(mode="observe", halted=True), AUTO)
    assert verdict.outcome == "refuse"
    assert len(verdict.reasons) == 6
    assert verdict.reasons[:3] == (
        "the kill switch is on",
        "the target is protected by its tag firebreak:protected",
        "the mode is observe: nothing is changed",
    )


def test_the_default_deployment_changes_nothing_whatever_the_table_says() -> None:
    for mode in (None, *MODES):
        assert judge(proposal(), GuardState(mode=mode), Deployment()).outcome == "observe"


@pytest.mark.parametrize(("environment", "outcome"), [("production", "ask"), ("unknown", "ask"), ("other", "run")])
def test_production_can_have_a_tighter_mode_and_unknown_counts_as_production(environment: Any, outcome: str) -> None:
    careful = settings(guard={"production_mode": "approve"})
    verdict = judge(proposal(environment=environment), GuardState(), careful)
    assert verdict.outcome == outcome
    assert all(f"environment is {environment}" in reason for reason in verdict.reasons)
    assert judge(proposal(environment=environment), GuardState(), AUTO).outcome == "run"


proposals = st.builds(
    proposal,
    effect=st.sampled_from(("collect", "reversible", "destructive")),
    consent=st.sampled_from(("auto", "ask")),
    posture=st.sampled_from(("acting", "victim", "unknown")),
    dropped=st.sampled_from((None, "sample", "archived")),
    environment=st.sampled_from(("production", "other", "unknown")),
    tags=st.dictionaries(st.sampled_from(("firebreak:protected", "role")), st.just("x")),
    targets=st.integers(0, 6),
    spent=st.integers(0, 12),
)
states = st.builds(GuardState, mode=st.sampled_from((None, *MODES, "x")), halted=st.booleans())
deployments = st.builds(
    lambda mode, production, cap, hourly: AUTO.model_copy(
        update={
            "mode": mode,
            "guard": GuardRails(production_mode=production, targets_per_finding=cap, actions_per_hour=hourly),
        }
    ),
    st.sampled_from(MODES),
    st.sampled_from(MODES),
    st.integers(0, 5),
    st.integers(0, 11),
)

TIGHTER_PROPOSALS: tuple[dict[str, Any], ...] = (
    {"consent": "ask"},
    {"effect": "destructive"},
    {"posture": "unknown"},
    {"posture": "victim"},
    {"dropped": "sample"},
    {"environment": "production"},
    {"environment": "unknown"},
    {"tags": {"firebreak:protected": "x", "role": "x"}},
    {"targets": 7},
    {"spent": 13},
)


def strictness(outcome: Any) -> int:
    return OUTCOMES.index(outcome)


@given(plain=proposals, state=states, deployment=deployments, change=st.sampled_from(TIGHTER_PROPOSALS))
def test_nothing_that_makes_a_step_graver_loosens_the_verdict(
    plain: Proposal, state: GuardState, deployment: Deployment, change: dict[str, Any]
) -> None:
    before = judge(plain, state, deployment).outcome
    after = judge(plain.model_copy(update=change), state, deployment).outcome
    assert strictness(after) >= strictness(before)


@given(plain=proposals, state=states, deployment=deployments, mode=st.sampled_from(MODES))
def test_no_setting_or_switch_that_is_tightened_loosens_the_verdict(
    plain: Proposal, state: GuardState, deployment: Deployment, mode: Any
) -> None:
    def tighter(old: Any) -> Any:
        return min(old, mode, key=MODES.index)

    before = strictness(judge(plain, state, deployment).outcome)
    rails = deployment.guard
    for settings_after in (
        deployment.model_copy(update={"mode": tighter(deployment.mode)}),
        deployment.model_copy(update={"guard": rails.model_copy(update={"targets_per_finding": 0})}),
        deployment.model_copy(update={"guard": rails.model_copy(update={"actions_per_hour": 0})}),
        deployment.model_copy(update={"guard": rails.model_copy(update={"protected_arns": ("*",)})}),
        deployment.model_copy(
            update={"guard": rails.model_copy(update={"production_mode": tighter(rails.production_mode)})}
        ),
    ):
        assert strictness(judge(plain, state, settings_after).outcome) >= before
    for state_after in (GuardState(mode=state.mode, halted=True), GuardState(mode="observe", halted=state.halted)):
        assert strictness(judge(plain, state_after, deployment).outcome) >= before


@given(plain=proposals, state=states, deployment=deployments)
def test_only_an_undoubted_step_runs_unasked(plain: Proposal, state: GuardState, deployment: Deployment) -> None:
    if judge(plain, state, deployment).outcome != "run":
        return
    assert plain.dropped is None
    assert plain.effect != "destructive"
    assert plain.effect == "collect" or plain.posture == "acting"
    assert "firebreak:protected" not in plain.tags
    assert not state.halted
    assert deployment.mode != "observe"
    assert plain.effect == "collect" or deployment.mode == "auto"


@given(plain=proposals, state=states, deployment=deployments, dropped=st.sampled_from(("sample", "archived")))
def test_what_is_never_acted_on_is_refused_whatever_else_holds(
    plain: Proposal, state: GuardState, deployment: Deployment, dropped: str
) -> None:
    assert judge(plain.model_copy(update={"dropped": dropped}), state, deployment).outcome == "refuse"
