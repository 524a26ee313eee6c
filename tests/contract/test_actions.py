"""What every action has to keep, tried on every action there is. Nothing here knows any of them."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from fnmatch import fnmatchcase
from itertools import count
from pathlib import Path

import botocore.loaders
import pytest

from firebreak.core import registry
from firebreak.core.action import DEFAULT_STAGE
from firebreak.core.errors import PlanStale, Retriable, TargetMissing
from firebreak.core.grant import Grant
from firebreak.core.model import digest
from firebreak.core.operations import iam_action, implied_by
from firebreak.core.plan import Plan
from tests.contract.bench import Bench, Crash, Fault, permissions
from tests.contract.scenes import scene_of

TESTS = Path(__file__).parent.parent
ACTIONS = sorted(registry.actions())


def _cases(name: str) -> list[str]:
    with suppress(ModuleNotFoundError):
        return list(scene_of(name).cases)
    return ["an action without a scene"]


CASES = [(name, case) for name in ACTIONS for case in _cases(name)]
REVERSIBLE = [(name, case) for name, case in CASES if registry.actions()[name].effect == "reversible"]
SECURING = [(name, case) for name, case in CASES if registry.actions()[name].can_secure]
each_action = pytest.mark.parametrize("name", ACTIONS)
each_case = pytest.mark.parametrize(("name", "case"), CASES)
each_reversible = pytest.mark.parametrize(("name", "case"), REVERSIBLE)
each_securing = pytest.mark.parametrize(("name", "case"), SECURING)
each_fault = pytest.mark.parametrize("fault", ["crash", "throttle"])


def struck(name: str, case: str, fault: Fault, prepare: Run, run: Run) -> Iterator[tuple[Bench, Plan]]:
    """Yield a world for every call of `run`, in which the run was ended by a fault at that call."""
    for strike in count(1):
        bench = Bench(name, case)
        plan = bench.plan()
        prepare(bench, plan)
        tape = bench.record(strike, fault)
        try:
            run(bench, plan)
        except (Crash, Retriable):
            assert tape.struck, "the run ended by itself"
        if not tape.struck:
            assert strike > 1, "the run made no call at all"
            return
        bench.record()
        yield bench, plan


Run = Callable[[Bench, Plan], object]


def nothing(bench: Bench, plan: Plan) -> None:
    """Prepare nothing."""


# --- what it says about itself


@each_action
def test_every_action_has_a_scene_and_tests_of_its_own(name: str) -> None:
    assert scene_of(name).cases
    assert (TESTS / "actions" / f"test_{name.replace('.', '_')}.py").is_file()


@each_action
def test_the_docstring_says_what_it_does_not_stop_and_what_comes_next(name: str) -> None:
    paragraphs = inspect.cleandoc(registry.actions()[name].__doc__ or "").split("\n\n")
    assert "\n" not in paragraphs[0]
    assert sum(paragraph.startswith("Does not stop:") for paragraph in paragraphs) == 1
    assert sum(paragraph.startswith("Next:") for paragraph in paragraphs) == 1


@each_action
def test_parameters_have_defaults_and_forbid_what_they_do_not_know(name: str) -> None:
    parameters = registry.actions()[name].parameters
    assert parameters.model_validate({}) == parameters()
    with pytest.raises(ValueError, match="no_such_parameter"):
        parameters.model_validate({"no_such_parameter": 1})


@each_action
def test_stage_and_undo_agree_with_the_effect(name: str) -> None:
    action = registry.actions()[name]
    assert action.stage == DEFAULT_STAGE[action.effect]
    assert ("undo" in vars(type(action))) == (action.effect == "reversible")


@each_action
def test_a_write_on_everything_says_why(name: str) -> None:
    action = registry.actions()[name]
    for grant in (*action.writes, *action.collects):
        if isinstance(grant, Grant) and "*" in grant.resources:
            assert grant.reason, f"{grant.action} is granted on * without a reason"


@each_action
def test_reads_read_and_nothing_is_granted_twice(name: str) -> None:
    action = registry.actions()[name]
    granted = [repr(grant) for grant in (*action.reads, *action.writes, *action.collects)]
    assert len(granted) == len(set(granted))
    assert not permissions(action.reads) & permissions((*action.writes, *action.collects))
    for permission in permissions(action.reads):
        verb = permission.partition(":")[2] or permission
        assert verb.startswith(("Describe", "Get", "List", "Head", "BatchGet", "Lookup", "get ", "list ", "watch "))


@each_action
def test_every_granted_iam_action_exists(name: str) -> None:
    loader = botocore.loaders.Loader()
    action = registry.actions()[name]
    for grant in (*action.reads, *action.writes, *action.collects):
        if not isinstance(grant, Grant) or (grant.implied_by and grant.action in implied_by(grant.implied_by)):
            continue
        service = grant.action.partition(":")[0]
        model = loader.load_service_model(service, "service-2")
        known = {iam_action(service, operation) for operation in model["operations"]}
        assert grant.action in known, f"{grant.action} is no operation of {service}"


@each_action
def test_what_is_implied_is_implied_by_a_call_that_it_makes(name: str) -> None:
    action = registry.actions()[name]
    granted = [grant for grant in (*action.reads, *action.writes, *action.collects) if isinstance(grant, Grant)]
    for grant in granted:
        if grant.implied_by:
            assert grant.action in implied_by(grant.implied_by), f"{grant.action} is not in the reviewed table"
            assert any(other.action == grant.implied_by and not other.implied_by for other in granted)
        if grant.action in scene_of(name).uncalled:
            assert grant.reason, f"{grant.action} shows in no call and has no reason"


# --- planning


@each_action
def test_plan_makes_exactly_the_declared_reads(name: str) -> None:
    called: set[str] = set()
    for case in scene_of(name).cases:
        bench = Bench(name, case)
        tape = bench.record()
        bench.plan()
        called |= tape.permissions
    assert called == permissions(registry.actions()[name].reads, uncalled=scene_of(name).uncalled)


@each_case
def test_plan_changes_nothing_and_repeats_itself(name: str, case: str) -> None:
    bench = Bench(name, case)
    state = bench.state()
    tape = bench.record()
    first = bench.plan()
    assert not tape.writes
    assert bench.state() == state
    assert bench.plan().digest == first.digest


@each_case
def test_a_plan_has_changes_in_words_and_a_before_state_of_its_model(name: str, case: str) -> None:
    bench = Bench(name, case)
    plan = bench.plan()
    assert plan.changes
    assert all(change.resource and change.what and change.after for change in plan.changes)
    assert bench.action.before.model_validate(plan.before).model_dump(mode="json") == plan.before


@each_case
def test_a_plan_survives_json(name: str, case: str) -> None:
    bench = Bench(name, case)
    draft = bench.draft()
    assert type(draft).model_validate_json(draft.model_dump_json()) == draft
    plan = bench.plan()
    assert Plan.model_validate(json.loads(json.dumps(plan.model_dump(mode="json")))).digest == plan.digest


@each_case
def test_the_plans_resources_and_the_declared_patterns_cover_each_other(name: str, case: str) -> None:
    bench = Bench(name, case)
    plan, target = bench.plan(), bench.scene.target
    named = {"partition": target.partition, "account": target.account, "region": target.region}
    patterns = {
        pattern.format(**named)
        for grant in (*bench.action.writes, *bench.action.collects)
        if isinstance(grant, Grant)
        for pattern in grant.resources
        if pattern != "*"
    }
    for resource in plan.resources:
        assert any(fnmatchcase(resource, pattern) for pattern in patterns), f"no grant covers {resource}"
    for pattern in patterns:
        assert any(fnmatchcase(resource, pattern) for resource in plan.resources), f"{pattern} grants what is not used"


@each_case
def test_what_is_written_to_is_among_the_plans_resources(name: str, case: str) -> None:
    bench = Bench(name, case)
    plan = bench.plan()
    tape = bench.record()
    bench.apply(plan)
    if bench.action.effect == "reversible":
        bench.undo(plan)
    for call in tape.writes:
        for identifier in call.identifiers - {plan.incident}:
            if ":" in call.permission:
                assert any(resource.endswith(f"/{identifier}") for resource in plan.resources), (call, plan.resources)


# --- the cycle


@each_action
def test_the_whole_cycle_makes_exactly_the_declared_calls(name: str) -> None:
    called: set[str] = set()
    action = registry.actions()[name]
    for case in scene_of(name).cases:
        bench = Bench(name, case)
        tape = bench.record()
        plan = bench.plan()
        bench.apply(plan)
        bench.verify(plan)
        if action.can_secure:
            bench.secure(plan)
        if action.effect == "reversible":
            bench.undo(plan)
        called |= tape.permissions
    granted = (*action.reads, *action.writes, *action.collects)
    assert called == permissions(granted, uncalled=scene_of(name).uncalled)


@each_case
def test_verification_fails_before_apply_and_passes_after(name: str, case: str) -> None:
    bench = Bench(name, case)
    plan = bench.plan()
    before = bench.verify(plan)
    assert not before.ok
    assert before.saw
    bench.apply(plan)
    after = bench.verify(plan)
    assert after.ok, after.saw
    assert after.saw


@each_case
def test_verification_only_reads(name: str, case: str) -> None:
    bench = Bench(name, case)
    plan = bench.plan()
    tape = bench.record()
    bench.verify(plan)
    bench.apply(plan)
    tape = bench.record()
    bench.verify(plan)
    assert tape.calls
    assert not tape.writes
    action = registry.actions()[name]
    if action.effect == "reversible":  # Sweep verifies what stands as the observer, which has the declared reads alone
        assert tape.permissions <= permissions(action.reads)


@each_case
def test_a_second_apply_changes_nothing(name: str, case: str) -> None:
    bench = Bench(name, case)
    plan = bench.plan()
    bench.apply(plan)
    state = bench.state()
    tape = bench.record()
    bench.apply(plan)
    assert not tape.writes
    assert bench.state() == state


@each_reversible
def test_undo_restores_the_first_state_and_the_first_digest(name: str, case: str) -> None:
    bench = Bench(name, case)
    state, plan = bench.state(), bench.plan()
    bench.apply(plan)
    assert bench.state() != state
    bench.undo(plan)
    assert bench.state() == state
    assert bench.plan().digest == plan.digest


@each_reversible
def test_a_second_undo_changes_nothing(name: str, case: str) -> None:
    bench = Bench(name, case)
    plan = bench.plan()
    bench.apply(plan)
    bench.undo(plan)
    tape = bench.record()
    bench.undo(plan)
    assert not tape.writes


@each_reversible
def test_undo_of_what_was_never_applied_changes_nothing(name: str, case: str) -> None:
    bench = Bench(name, case)
    plan = bench.plan()
    tape = bench.record()
    bench.undo(plan)
    assert not tape.writes


# --- someone else


@each_case
def test_drift_before_apply_makes_the_plan_stale_and_nothing_is_written(name: str, case: str) -> None:
    bench = Bench(name, case)
    plan = bench.plan()
    bench.scene.drift()
    state, tape = bench.state(), bench.record()
    with pytest.raises(PlanStale):
        bench.apply(plan)
    assert not tape.writes
    assert bench.state() == state


@each_reversible
def test_drift_after_apply_fails_verification_and_undo_writes_nothing(name: str, case: str) -> None:
    bench = Bench(name, case)
    plan = bench.plan()
    bench.apply(plan)
    bench.scene.drift()
    state, tape = bench.state(), bench.record()
    assert not bench.verify(plan).ok
    with pytest.raises(PlanStale):
        bench.undo(plan)
    assert not tape.writes
    assert bench.state() == state


@each_case
def test_a_target_that_is_gone_is_missing_to_plan_and_apply(name: str, case: str) -> None:
    bench = Bench(name, case)
    plan = bench.plan()
    bench.scene.delete()
    tape = bench.record()
    with pytest.raises(TargetMissing):
        bench.plan()
    with pytest.raises(TargetMissing):
        bench.apply(plan)
    assert not tape.writes


@each_reversible
def test_a_target_that_is_gone_is_missing_to_undo(name: str, case: str) -> None:
    bench = Bench(name, case)
    plan = bench.plan()
    bench.apply(plan)
    bench.scene.delete()
    tape = bench.record()
    with pytest.raises(TargetMissing):
        bench.undo(plan)
    assert not tape.writes


# --- the process dies, or is told to slow down, at every single call


@each_fault
@each_case
def test_apply_struck_at_any_call_and_run_again_ends_the_same(name: str, case: str, fault: Fault) -> None:
    reference = Bench(name, case)
    plan = reference.plan()
    reference.apply(plan)
    end = reference.state()
    for bench, same in struck(name, case, fault, nothing, Bench.apply):
        assert same.digest == plan.digest, "two worlds built alike are not alike"
        bench.apply(same)
        assert bench.state() == end
        assert bench.verify(same).ok


@each_fault
@each_reversible
def test_undo_struck_at_any_call_and_run_again_ends_the_same(name: str, case: str, fault: Fault) -> None:
    begin = digest(Bench(name, case).state())
    for bench, plan in struck(name, case, fault, Bench.apply, Bench.undo):
        bench.undo(plan)
        assert digest(bench.state()) == begin
        assert bench.plan().digest == plan.digest


@each_fault
@each_reversible
def test_undo_takes_back_an_apply_that_was_struck_at_any_call(name: str, case: str, fault: Fault) -> None:
    begin = digest(Bench(name, case).state())
    for bench, plan in struck(name, case, fault, nothing, Bench.apply):
        bench.undo(plan)
        assert digest(bench.state()) == begin


@each_fault
@each_securing
def test_apply_struck_at_any_call_and_secured_leaves_nothing_open(name: str, case: str, fault: Fault) -> None:
    for bench, plan in struck(name, case, fault, nothing, Bench.apply):
        bench.secure(plan)
        assert bench.scene.secured()
        bench.undo(plan)
        assert bench.plan().digest == plan.digest


@each_fault
@each_securing
def test_secure_struck_at_any_call_and_run_again_leaves_nothing_open(name: str, case: str, fault: Fault) -> None:
    reference = Bench(name, case)
    plan = reference.plan()
    tape = reference.record()
    reference.apply(plan)
    half_way = [place for place, call in enumerate(tape.calls, start=1) if call.writes]  # reads leave no other state

    for after in half_way:

        def crash(bench: Bench, plan: Plan, strike: int = after) -> None:
            bench.record(strike)
            with suppress(Crash):
                bench.apply(plan)

        for bench, same in struck(name, case, fault, crash, Bench.secure):
            bench.secure(same)
            assert bench.scene.secured()


@each_securing
def test_secure_changes_nothing_where_nothing_was_begun(name: str, case: str) -> None:
    bench = Bench(name, case)
    plan = bench.plan()
    tape = bench.record()
    bench.secure(plan)
    assert not tape.writes
