"""The suite bites: each way to get an action wrong fails the check that is there for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from firebreak.actions.ebs_snapshot_volumes import SnapshotVolumes
from firebreak.actions.ec2_isolate_instance import IsolateInstance
from firebreak.core import registry
from firebreak.core.action import AnyAction
from firebreak.core.clients import Clients
from firebreak.core.errors import FirebreakError
from firebreak.core.grant import Grant
from firebreak.core.interfaces import Interfaces, move
from firebreak.core.plan import Again, Done, Draft, Plan, Progress, Verification
from tests.contract import test_actions as suite


def plan_that_writes(self: IsolateInstance, clients: Clients, *arguments: Any) -> Draft:
    draft = IsolateInstance.plan(self, clients, *arguments)
    for interface in Interfaces.model_validate(draft.before).interfaces:
        move(clients.aws("ec2"), interface.id, interface.groups)
    return draft


def plan_that_varies(self: IsolateInstance, *arguments: Any) -> Draft:
    draft = IsolateInstance.plan(self, *arguments)
    return draft.model_copy(update={"residual": (*draft.residual, str(id(draft)))})


def plan_that_names_too_much(self: IsolateInstance, *arguments: Any) -> Draft:
    draft = IsolateInstance.plan(self, *arguments)
    return draft.model_copy(update={"resources": (*draft.resources, "arn:aws:s3:::bucket")})


def plan_that_names_too_little(self: IsolateInstance, *arguments: Any) -> Draft:
    draft = IsolateInstance.plan(self, *arguments)
    return draft.model_copy(update={"resources": draft.resources[:2]})


def apply_whatever_is_there(self: IsolateInstance, clients: Clients, plan: Plan) -> Progress:
    for interface in Interfaces.model_validate(plan.before).interfaces:
        move(clients.aws("ec2"), interface.id, [interface.sealed])
    return Done()


def apply_one_alone(self: IsolateInstance, clients: Clients, plan: Plan) -> Progress:
    progress = IsolateInstance.apply(self, clients, plan)
    if isinstance(progress, Again):
        return progress
    interface = Interfaces.model_validate(plan.before).interfaces[0]
    move(clients.aws("ec2"), interface.id, [interface.sealed])
    return Done()


def apply_as_if_new(self: SnapshotVolumes, clients: Clients, plan: Plan) -> Progress:
    clients.aws("ec2").create_snapshots(InstanceSpecification={"InstanceId": plan.target.label})
    return Done()


def trusting_verify(self: AnyAction, clients: Clients, plan: Plan) -> Verification:
    return Verification(ok=True, saw=("it surely worked",))


def undo_nothing(self: IsolateInstance, clients: Clients, plan: Plan) -> Done:
    return Done()


def undo_whatever_is_there(self: IsolateInstance, clients: Clients, plan: Plan) -> Done:
    for interface in Interfaces.model_validate(plan.before).interfaces:
        move(clients.aws("ec2"), interface.id, interface.groups)
    return Done()


def secure_nothing(self: IsolateInstance, clients: Clients, plan: Plan) -> None:
    return None


ISOLATE, SNAPSHOT = IsolateInstance, SnapshotVolumes
FURTHER = Grant(action="ec2:StopInstances", resources=("arn:{partition}:ec2:{region}:{account}:instance/*",))
CUT = {"name": "ec2.isolate_instance", "case": "cut tracked"}
PLAIN = {"name": "ec2.isolate_instance", "case": "defaults"}
SNAP = {"name": "ebs.snapshot_volumes", "case": "defaults"}

FAULTS: list[tuple[Callable[..., None], type[AnyAction], dict[str, Any], dict[str, Any]]] = [
    (
        suite.test_the_whole_cycle_makes_exactly_the_declared_calls,
        ISOLATE,
        {"writes": (*ISOLATE.writes, FURTHER)},
        PLAIN,
    ),
    (suite.test_the_whole_cycle_makes_exactly_the_declared_calls, ISOLATE, {"writes": ()}, PLAIN),
    (suite.test_plan_makes_exactly_the_declared_reads, ISOLATE, {"reads": ISOLATE.reads[1:]}, PLAIN),
    (
        suite.test_plan_makes_exactly_the_declared_reads,
        ISOLATE,
        {"reads": (*ISOLATE.reads, Grant(action="ec2:DescribeVpcs"))},
        PLAIN,
    ),
    (suite.test_reads_read_and_nothing_is_granted_twice, ISOLATE, {"reads": (*ISOLATE.reads, FURTHER)}, PLAIN),
    (suite.test_reads_read_and_nothing_is_granted_twice, ISOLATE, {"writes": ISOLATE.writes * 2}, PLAIN),
    (suite.test_a_write_on_everything_says_why, ISOLATE, {"writes": (Grant(action="ec2:StopInstances"),)}, PLAIN),
    (suite.test_every_granted_iam_action_exists, ISOLATE, {"reads": (Grant(action="ec2:DescribeInstancez"),)}, PLAIN),
    (
        suite.test_what_is_implied_is_implied_by_a_call_that_it_makes,
        SNAPSHOT,
        {"writes": (SNAPSHOT.writes[0], Grant(action="iam:PassRole", implied_by="ec2:CreateSnapshots"))},
        SNAP,
    ),
    (suite.test_the_docstring_says_what_it_does_not_stop_and_what_comes_next, ISOLATE, {"__doc__": "Isolate."}, PLAIN),
    (suite.test_plan_changes_nothing_and_repeats_itself, ISOLATE, {"plan": plan_that_writes}, PLAIN),
    (suite.test_plan_changes_nothing_and_repeats_itself, ISOLATE, {"plan": plan_that_varies}, PLAIN),
    (
        suite.test_the_plans_resources_and_the_declared_patterns_cover_each_other,
        ISOLATE,
        {"plan": plan_that_names_too_much},
        PLAIN,
    ),
    (
        suite.test_the_plans_resources_and_the_declared_patterns_cover_each_other,
        ISOLATE,
        {"plan": plan_that_names_too_little},
        PLAIN,
    ),
    (suite.test_what_is_written_to_is_among_the_plans_resources, ISOLATE, {"plan": plan_that_names_too_little}, PLAIN),
    (suite.test_verification_fails_before_apply_and_passes_after, ISOLATE, {"verify": trusting_verify}, PLAIN),
    (suite.test_verification_only_reads, ISOLATE, {"verify": trusting_verify}, PLAIN),
    (suite.test_a_second_apply_changes_nothing, ISOLATE, {"apply": apply_one_alone}, PLAIN),
    (suite.test_a_second_apply_changes_nothing, SNAPSHOT, {"apply": apply_as_if_new}, SNAP),
    (suite.test_undo_restores_the_first_state_and_the_first_digest, ISOLATE, {"undo": undo_nothing}, PLAIN),
    (suite.test_a_second_undo_changes_nothing, ISOLATE, {"undo": undo_whatever_is_there}, PLAIN),
    (suite.test_undo_of_what_was_never_applied_changes_nothing, ISOLATE, {"undo": undo_whatever_is_there}, PLAIN),
    (
        suite.test_drift_before_apply_makes_the_plan_stale_and_nothing_is_written,
        ISOLATE,
        {"apply": apply_whatever_is_there},
        PLAIN,
    ),
    (
        suite.test_drift_after_apply_fails_verification_and_undo_writes_nothing,
        ISOLATE,
        {"undo": undo_whatever_is_there},
        PLAIN,
    ),
    (
        suite.test_drift_after_apply_fails_verification_and_undo_writes_nothing,
        ISOLATE,
        {"verify": trusting_verify},
        PLAIN,
    ),
    (suite.test_a_target_that_is_gone_is_missing_to_plan_and_apply, ISOLATE, {"apply": apply_whatever_is_there}, PLAIN),
    (suite.test_a_target_that_is_gone_is_missing_to_undo, ISOLATE, {"undo": undo_nothing}, PLAIN),
    (
        suite.test_apply_struck_at_any_call_and_run_again_ends_the_same,
        SNAPSHOT,
        {"apply": apply_as_if_new},
        SNAP | {"fault": "crash"},
    ),
    (
        suite.test_apply_struck_at_any_call_and_secured_leaves_nothing_open,
        ISOLATE,
        {"secure": secure_nothing},
        CUT | {"fault": "crash"},
    ),
    (
        suite.test_undo_takes_back_an_apply_that_was_struck_at_any_call,
        ISOLATE,
        {"undo": undo_nothing},
        PLAIN | {"fault": "throttle"},
    ),
]


@pytest.mark.parametrize(("check", "action", "fault", "arguments"), FAULTS)
def test_a_planted_fault_is_caught(
    monkeypatch: pytest.MonkeyPatch,
    check: Callable[..., None],
    action: type[AnyAction],
    fault: dict[str, Any],
    arguments: dict[str, Any],
) -> None:
    wanted = {key: arguments[key] for key in check.__annotations__ if key in arguments}
    check(**wanted)
    faulty = type("Faulty", (action,), {"__doc__": action.__doc__} | fault)()
    monkeypatch.setattr(registry, "actions", lambda: {action.name: faulty})
    with pytest.raises((AssertionError, pytest.fail.Exception, FirebreakError)):
        check(**wanted)
