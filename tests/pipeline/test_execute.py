"""Execute: one step, whatever happens to the process, the target and the people around it."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from firebreak.adapters.incident_rows import new_incident
from firebreak.core.errors import Denied, Held, Retriable, Throttled
from firebreak.core.registry import action
from firebreak.pipeline.execute import Operation
from firebreak.pipeline.step_run import Answer
from firebreak.ports import Actor
from tests.faults import Killed, counted
from tests.pipeline.stage import INCIDENT, Stage
from tests.world import START

PERSON = Actor(name="person", request="cli")
ISOLATE, CUT = "ec2.isolate_instance", {"cut_tracked": True, "untrack_seconds": 60}


def test_an_isolation_is_verified_and_its_trail_is_whole(stage: Stage) -> None:
    step = stage.plan(ISOLATE)
    assert not stage.isolated()
    done = stage.settle(step.id)
    assert done.status == "verified"
    assert stage.isolated()
    assert len(done.outcome) == 2
    assert [record.event for record in stage.incidents.trail(INCIDENT) if record.chain == step.id] == [
        "planned",
        "running",
        "verified",
    ]
    assert stage.chains()


def test_a_second_run_of_a_settled_step_changes_nothing(stage: Stage) -> None:
    step = stage.plan(ISOLATE)
    stage.settle(step.id)
    with counted() as calls:
        assert stage.run(step.id) == Answer(status="settled")
    assert calls.seen == ["dynamodb.BatchGetItem"]


def test_undo_gives_every_interface_its_own_groups_back(stage: Stage) -> None:
    before = stage.groups()
    step = stage.plan(ISOLATE)
    stage.settle(step.id)
    assert stage.settle(step.id, mode="undo").status == "undone"
    assert stage.groups() == before
    assert stage.ledger.baseline(stage.instance, "network") is None


def test_untracking_waits_and_an_early_call_does_not_shorten_the_wait(stage: Stage) -> None:
    step = stage.plan(ISOLATE, CUT)
    assert stage.run(step.id) == Answer(status="again", after=60)
    assert set(map(tuple, stage.groups().values())) == {("firebreak-untrack",)}
    stage.world.pass_time(seconds=20)
    assert stage.run(step.id) == Answer(status="again", after=40)
    assert set(map(tuple, stage.groups().values())) == {("firebreak-untrack",)}
    stage.world.pass_time(seconds=40)
    assert stage.run(step.id).outcome == "verified"
    assert stage.isolated()


@pytest.mark.parametrize("parameters", [{}, CUT], ids=["straight", "cut tracked"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_crash_at_any_call_and_another_run_end_in_the_same_state(
    stage: Stage, parameters: dict[str, Any], after: bool
) -> None:
    kill = 0
    while True:
        kill += 1
        step = stage.plan(ISOLATE, parameters, id=f"isolate-{kill}")
        before = stage.groups()
        with counted(kill, after=after) as calls, contextlib.suppress(Killed):
            stage.settle(step.id)
        stage.sessions._observers.clear()
        assert stage.settle(step.id).status == "verified", f"killed at {kill}: {calls.seen}"
        assert stage.isolated()
        assert stage.chains()
        assert stage.settle(step.id, mode="undo").status == "undone"
        assert stage.groups() == before
        if not calls.reached:
            break
    assert kill > 8


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_an_undo_that_crashes_at_any_call_restores_the_same_groups(stage: Stage, after: bool) -> None:
    kill = 0
    while True:
        kill += 1
        before = stage.groups()
        step = stage.plan(ISOLATE, id=f"isolate-{kill}")
        stage.settle(step.id)
        with counted(kill, after=after) as calls, contextlib.suppress(Killed):
            stage.settle(step.id, mode="undo")
        assert stage.settle(step.id, mode="undo").status == "undone", f"killed at {kill}: {calls.seen}"
        assert stage.groups() == before
        assert stage.chains()
        if not calls.reached:
            break
    assert kill > 8


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_an_isolation_that_is_killed_and_given_up_ends_sealed(stage: Stage, after: bool) -> None:
    kill = 0
    while True:
        kill += 1
        before = stage.groups()
        step = stage.plan(ISOLATE, CUT, id=f"isolate-{kill}")
        with counted(kill, after=after) as calls, contextlib.suppress(Killed):
            stage.settle(step.id)
        stage.world.pass_time(seconds=120)
        stage.run(step.id, "secure")
        groups = set(map(tuple, stage.groups().values()))
        assert groups in ({("firebreak-sealed",)}, {("web",)}), f"killed at {kill}: {calls.seen}"
        stage.settle(step.id, mode="undo")
        assert stage.groups() == before
        if not calls.reached:
            break
    assert kill > 8


def test_a_frozen_run_that_wakes_up_after_a_release_changes_nothing(stage: Stage) -> None:
    step = stage.plan(ISOLATE)
    before = stage.groups()
    with counted(7), pytest.raises(Killed):  # frozen just before its first change
        stage.run(step.id, request="frozen")
    with pytest.raises(Held):
        stage.run(step.id, request="second")
    stage.world.pass_time(seconds=76)  # the frozen invocation is over its timeout: it is dead by now
    stage.settle(step.id)
    stage.settle(step.id, mode="undo")
    assert stage.groups() == before


def change_groups(stage: Stage) -> None:
    """Do as a person does who gives an interface another group."""
    ec2 = stage.world.client("ec2")
    eni = sorted(stage.groups())[0]
    vpc = ec2.describe_network_interfaces(NetworkInterfaceIds=[eni])["NetworkInterfaces"][0]["VpcId"]
    name = f"person-{len(ec2.describe_security_groups()['SecurityGroups'])}"
    other = ec2.create_security_group(GroupName=name, Description="p", VpcId=vpc)["GroupId"]
    ec2.modify_network_interface_attribute(NetworkInterfaceId=eni, Groups=[other])


def test_a_target_that_changed_before_anything_was_written_is_planned_again_once(stage: Stage) -> None:
    step = stage.plan(ISOLATE)
    change_groups(stage)
    changed = stage.groups()
    done = stage.settle(step.id)
    assert (done.status, done.replanned) == ("verified", True)
    assert stage.isolated()
    assert stage.settle(step.id, mode="undo").status == "undone"
    assert stage.groups() == changed


def test_a_target_that_keeps_changing_is_left_as_it_is_and_told(stage: Stage) -> None:
    step = stage.plan(ISOLATE)
    change_groups(stage)
    assert stage.run(step.id) == Answer(status="again", after=1)
    change_groups(stage)
    changed = stage.groups()
    assert stage.settle(step.id).status == "stale"
    assert stage.groups() == changed
    assert stage.notices.told == [f"ec2.isolate_instance on {stage.instance.instance_id}: stale"]


def test_a_plan_that_a_person_agreed_to_is_never_planned_again(stage: Stage) -> None:
    step = stage.plan(ISOLATE, consent="ask")
    change_groups(stage)
    assert stage.settle(step.id).status == "stale"


def test_what_was_begun_is_never_planned_again_and_ends_closed(stage: Stage) -> None:
    step = stage.plan(ISOLATE, CUT)
    stage.run(step.id)
    change_groups(stage)
    assert stage.settle(step.id).status == "stale"
    assert sorted(map(tuple, stage.groups().values()))[0] == ("firebreak-sealed",)


def test_a_target_that_is_gone_settles_the_step_as_gone(stage: Stage) -> None:
    step = stage.plan(ISOLATE)
    stage.world.client("ec2").terminate_instances(InstanceIds=[stage.instance.instance_id])
    assert stage.settle(step.id).status == "gone"


@pytest.mark.parametrize(
    ("because", "status"),
    [("denied", "denied"), ("expired", "expired"), ("missing", "refused"), ("changed", "refused"), (None, "verified")],
)
def test_a_step_that_asks_runs_only_with_consent(stage: Stage, because: str | None, status: str) -> None:
    stage.consent.because = because
    step = stage.plan(ISOLATE, consent="ask")
    assert stage.settle(step.id).status == status
    assert stage.isolated() is (status == "verified")


def test_an_open_question_is_waited_for(stage: Stage) -> None:
    stage.consent.because = "pending"
    step = stage.plan(ISOLATE, consent="ask")
    assert stage.run(step.id) == Answer(status="again", after=60)
    stage.consent.because = None
    assert stage.settle(step.id).status == "verified"


def test_the_kill_switch_stops_what_has_not_begun(stage: Stage) -> None:
    step = stage.plan(ISOLATE)
    person = Actor(name="person", request="cli")
    stage.incidents.set_halt(True, person, stage.world.clock())
    assert stage.settle(step.id).status == "refused"
    assert not stage.isolated()


def test_the_kill_switch_leaves_nothing_half_open(stage: Stage) -> None:
    step = stage.plan(ISOLATE, CUT)
    stage.run(step.id)
    stage.incidents.set_halt(True, Actor(name="person", request="cli"), stage.world.clock())
    before = {interface: ["web"] for interface in stage.groups()}
    assert stage.settle(step.id).status == "failed"
    assert stage.isolated()
    assert stage.settle(step.id, mode="undo").status == "undone"
    assert stage.groups() == before


def test_undo_ignores_the_kill_switch_and_the_mode(stage: Stage) -> None:
    before = stage.groups()
    step = stage.plan(ISOLATE)
    stage.settle(step.id)
    person = Actor(name="person", request="cli")
    stage.incidents.set_halt(True, person, stage.world.clock())
    stage.incidents.set_mode("observe", person, stage.world.clock())
    assert stage.settle(step.id, mode="undo").status == "undone"
    assert stage.groups() == before


def test_a_mode_that_was_tightened_after_the_plan_holds(stage: Stage) -> None:
    step = stage.plan(ISOLATE)
    stage.incidents.set_mode("observe", Actor(name="person", request="cli"), stage.world.clock())
    assert stage.settle(step.id).status == "observed"
    assert not stage.isolated()


def test_a_fenced_incident_changes_nothing_more(stage: Stage) -> None:
    step = stage.plan(ISOLATE)
    story = stage.incidents.incident(INCIDENT)
    actor = Actor(name="plan", request="undo")
    stage.incidents.change_incident(story, story.model_copy(update={"fenced": 1}), "fenced", actor, START)
    assert stage.settle(step.id).status == "refused"
    assert not stage.isolated()


def test_a_plan_on_the_before_state_of_another_incident_is_not_made_again(stage: Stage) -> None:
    step = stage.plan(ISOLATE, joined=True)
    change_groups(stage)
    done = stage.settle(step.id)
    assert (done.status, done.plan) == ("stale", step.plan)


def test_an_undo_leaves_what_another_incident_still_holds(stage: Stage) -> None:
    step = stage.plan(ISOLATE)
    stage.settle(step.id)
    other = step.model_copy(update={"incident": "inc-ba9876543210", "version": 0, "head": ""})
    stage.ledger._table.write_all(
        *new_incident(
            stage.incidents.incident(INCIDENT).model_copy(update={"id": other.incident}), "opened", "triage", ()
        )[1]
    )
    stage.incidents.add_steps(other.incident, [other], Actor(name="plan", request="p"), START)
    joined = stage.incidents.steps(other.incident)[0]
    assert stage.ledger.baseline(stage.instance, "network") is not None
    stage.execute.handle(
        other.incident, joined.id, "respond", "run", Actor(name="execute", request="other"), lambda: 60.0
    )
    assert stage.settle(step.id, mode="undo").status == "undone"
    assert stage.isolated()
    stage.execute.handle(other.incident, joined.id, "undo", "run", Actor(name="execute", request="last"), lambda: 60.0)
    assert not stage.isolated()


def test_too_little_time_left_begins_no_change_and_gives_the_lease_back(stage: Stage) -> None:
    step = stage.plan(ISOLATE)
    stage.left = 5.0
    with pytest.raises(Retriable, match="5 s left"):
        stage.run(step.id)
    assert not stage.isolated()
    stage.left = 60.0
    assert stage.run(step.id).outcome == "verified"


def test_snapshots_are_verified_and_leave_no_before_state(stage: Stage) -> None:
    step = stage.plan("ebs.snapshot_volumes")
    assert stage.settle(step.id).status == "verified"
    assert stage.ledger.baseline(stage.instance, "evidence") is None
    assert stage.settle(step.id, mode="undo").status == "verified"


@pytest.mark.parametrize("operation", ["run", "secure"])
def test_a_run_that_comes_late_leaves_what_is_being_taken_back_to_the_undo(stage: Stage, operation: Operation) -> None:
    before = stage.groups()
    step = stage.plan(ISOLATE)
    stage.settle(step.id)
    verified = stage.step(step.id)
    stage.incidents.change_step(verified, verified.model_copy(update={"status": "undoing"}), PERSON, START)
    assert stage.run(step.id, operation) == Answer(status="settled")
    assert stage.step(step.id).status == "undoing"
    assert stage.settle(step.id, mode="undo").status == "undone"  # the control
    assert stage.groups() == before


def test_an_undo_that_does_not_read_back_yet_is_tried_again(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    before = stage.groups()
    step = stage.plan(ISOLATE)
    stage.settle(step.id)
    unit, lagging = action(ISOLATE), stage.step(step.id).plan
    assert lagging is not None
    draft = lagging.draft.model_copy(update={"before": {}})
    with monkeypatch.context() as patched:
        patched.setattr(type(unit), "plan", lambda *_: draft)
        with pytest.raises(Retriable, match="does not read back as it was before"):
            stage.run(step.id, mode="undo")
    assert stage.step(step.id).status == "undoing"
    assert stage.settle(step.id, mode="undo").status == "undone"
    assert stage.groups() == before


def test_what_was_begun_is_closed_even_where_its_next_intent_is_denied(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = stage.plan(ISOLATE, CUT)
    stage.run(step.id)
    assert not stage.isolated()  # half-way: in the untracking group
    stage.world.pass_time(seconds=120)
    with monkeypatch.context() as patched:
        patched.setattr(type(stage.ledger), "begin", refused)
        assert stage.run(step.id).outcome == "failed"
    assert stage.isolated()


@pytest.mark.parametrize("operation", ["run", "secure"])
def test_a_final_error_is_remembered_until_what_it_left_open_is_closed(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, operation: Operation
) -> None:
    step = stage.plan(ISOLATE, CUT)
    stage.run(step.id)
    stage.world.pass_time(seconds=120)
    isolate = type(action(ISOLATE))
    with monkeypatch.context() as patched:
        patched.setattr(isolate, "apply", refused)
        patched.setattr(isolate, "secure", throttled)
        with pytest.raises(Throttled):
            stage.run(step.id)
    assert not stage.isolated()
    assert stage.step(step.id).status == "running"

    def applied(*_: Any, **__: Any) -> Any:
        raise AssertionError("applied once more")

    monkeypatch.setattr(isolate, "apply", applied)
    assert stage.run(step.id, operation, request="another").outcome == "failed"
    done = stage.step(step.id)
    assert stage.isolated()
    assert (done.error, done.ending) == ("transact_write_items: not authorized; secured", None)


def test_what_is_to_end_can_be_taken_back_before_it_has_ended(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    before = stage.groups()
    step = stage.plan(ISOLATE, CUT)
    stage.run(step.id)
    stage.world.pass_time(seconds=120)
    with monkeypatch.context() as patched:
        patched.setattr(type(action(ISOLATE)), "apply", refused)
        patched.setattr(type(action(ISOLATE)), "secure", throttled)
        with pytest.raises(Throttled):
            stage.run(step.id)
    assert stage.settle(step.id, mode="undo").status == "undone"
    assert (stage.groups(), stage.step(step.id).ending) == (before, None)


@pytest.mark.parametrize("refuses", ["begin", "undo"])
def test_an_undo_that_is_refused_half_way_leaves_nothing_open(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, refuses: str
) -> None:
    before = stage.groups()
    step = stage.plan(ISOLATE, CUT)
    stage.run(step.id)
    assert not stage.isolated()  # half-way: in the untracking group
    with monkeypatch.context() as patched:
        patched.setattr(type(stage.ledger) if refuses == "begin" else type(action(ISOLATE)), refuses, refused)
        assert stage.run(step.id, mode="undo").outcome == "undo_failed"
    assert stage.isolated()
    assert "secured" in (stage.step(step.id).error or "")
    assert stage.settle(step.id, mode="undo").status == "undone"
    assert stage.groups() == before


def test_an_undo_that_is_refused_and_cannot_close_what_is_open_closes_it_next_time(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = stage.plan(ISOLATE, CUT)
    stage.run(step.id)
    isolate = type(action(ISOLATE))
    monkeypatch.setattr(isolate, "undo", refused)
    with monkeypatch.context() as patched:
        patched.setattr(isolate, "secure", throttled)
        with pytest.raises(Throttled):
            stage.run(step.id, mode="undo")
    assert not stage.isolated()
    assert stage.run(step.id, mode="undo", request="another").outcome == "undo_failed"
    assert stage.isolated()


def test_an_undo_of_what_was_done_that_is_refused_changes_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = stage.plan(ISOLATE)
    stage.settle(step.id)
    isolate = type(action(ISOLATE))
    monkeypatch.setattr(isolate, "undo", refused)
    monkeypatch.setattr(isolate, "secure", lambda *_: pytest.fail("there was nothing half-way"))
    assert stage.run(step.id, mode="undo").outcome == "undo_failed"


def throttled(*_: Any, **__: Any) -> Any:
    raise Throttled("modify_network_interface_attribute: slow down")


def refused(*_: Any, **__: Any) -> Any:
    raise Denied("transact_write_items: not authorized")


def test_an_undo_that_is_given_up_says_so_and_does_not_pass_for_done(stage: Stage) -> None:
    step = stage.plan(ISOLATE)
    stage.settle(step.id)
    assert stage.run(step.id, "secure", mode="undo").outcome == "undo_failed"
    assert stage.step(step.id).stands
    assert stage.isolated()


def test_a_step_that_failed_before_it_began_needs_no_undo(stage: Stage) -> None:
    step = stage.plan(ISOLATE, status="failed")
    assert stage.run(step.id, mode="undo") == Answer(status="settled")
    assert stage.step(step.id).status == "failed"
