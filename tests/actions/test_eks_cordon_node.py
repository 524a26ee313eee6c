"""What is special about eks.cordon_node, against an API server with RBAC and people who change things."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firebreak.actions.eks_cordon_node import TRIES, CordonNode
from firebreak.adapters.kubernetes import KubernetesClient
from firebreak.core.action import NoParameters
from firebreak.core.errors import Conflict, OutOfTime, PlanStale, Refused, Retriable, TargetMissing
from firebreak.core.plan import Done, Plan
from firebreak.core.scheduling import AUTOSCALER, KARPENTER
from firebreak.core.target import Instance, Node
from sandbox.kubernetes import Answer, Call, Cluster
from sandbox.kubernetes_kinds import BY_PATH
from sandbox.kubernetes_wire import Wire

TARGET = Node(account="111122223333", region="us-east-1", cluster="prod", name="blue")
PATH = "/api/v1/nodes/blue"
MERGE = "application/merge-patch+json"
NODES = BY_PATH["", "v1", "nodes"]
OURS = {KARPENTER: "true", AUTOSCALER: "true"}
ACTION = CordonNode()


class World:
    """A cluster with one node, a person who may do everything, and the clients of a step."""

    def __init__(self, spec: Any = None, annotations: Any = None, labels: Any = None) -> None:
        self.cluster = Cluster("prod")
        self.node = {
            "metadata": {"name": "blue", "annotations": dict(annotations or {}), "labels": dict(labels or {})},
            "spec": dict(spec or {}),
        }
        self.cluster.add("nodes", self.node)
        self.left = 900.0
        self._api = KubernetesClient(Wire(self.cluster), "https://api.example", lambda: "admin", lambda: self.left)

    def aws(self, service: str) -> Any:
        raise AssertionError(f"nothing to ask of {service}")

    def kubernetes(self, cluster: str) -> KubernetesClient:
        assert cluster == "prod"
        return self._api

    def pod(self, name: str, phase: str = "Running", node: str = "blue", **metadata: Any) -> None:
        spec = {"nodeName": node, "containers": [{"name": "main"}]}
        self.cluster.add("pods", {"metadata": {"name": name, **metadata}, "spec": spec, "status": {"phase": phase}})

    def person(self, patch: Any) -> None:
        """Somebody else changes the node, past every hook."""
        before, self.cluster.before = self.cluster.before, lambda call: None
        left, self.left = self.left, 900.0
        self._api.call("PATCH", PATH, body=patch, content_type=MERGE)
        self.cluster.before, self.left = before, left

    def replace(self) -> None:
        """The machine is gone, and another one has its name."""
        self.cluster.store.remove(self.cluster.store.get(NODES, "", "blue"))
        self.cluster.add("nodes", self.node)

    def kubelet_reports(self) -> None:
        record = self.cluster.store.get(NODES, "", "blue")
        beat = int(record.item["status"].get("beat", 0)) + 1
        self.cluster.store.update(record, {**record.item, "status": {"beat": beat}})

    def on_write(self, meanwhile: Callable[[], Any], times: int = 1) -> None:
        """Let something happen between the read and the write, the first `times` times."""
        left = [times]

        def before(call: Call) -> Answer | None:
            if call.verb == "patch" and left[0]:
                left[0] -= 1
                meanwhile()
            return None

        self.cluster.before = before

    @property
    def state(self) -> Any:
        item = self.cluster.store.get(NODES, "", "blue").item
        return (item["spec"], item["metadata"].get("annotations"), item["metadata"].get("labels"))

    @property
    def writes(self) -> int:
        return sum(call.verb == "patch" for call in self.cluster.calls)

    def plan(self) -> Plan:
        draft = ACTION.plan(self, TARGET, NoParameters())
        return Plan(
            **draft.model_dump(),
            action=ACTION.name,
            incident="inc-0123456789ab",
            revision=1,
            step="step-0123456789ab",
            target=TARGET,
            parameters={},
            policy="0" * 64,
        )


def owned(kind: str, **more: Any) -> dict[str, Any]:
    return {"ownerReferences": [{"kind": kind, "name": "x", "uid": "1", "controller": True}], **more}


def test_one_patch_cordons_and_keeps_both_autoscalers_away() -> None:
    world = World()
    assert ACTION.apply(world, world.plan()) == Done()
    spec, annotations, _ = world.state
    assert (spec["unschedulable"], annotations, world.writes) == (True, OURS, 1)


def test_the_changes_are_told_in_words() -> None:
    world = World(annotations={KARPENTER: "false"})
    told = [(change.what, change.before, change.after) for change in world.plan().changes]
    assert told == [
        ("scheduling", "schedulable", "cordoned"),
        (f"annotation {KARPENTER}", '"false"', '"true"'),
        (f"annotation {AUTOSCALER}", "absent", '"true"'),
    ]


def test_an_annotations_value_cannot_pose_as_our_words() -> None:
    world = World(annotations={KARPENTER: "x\n\x1b[31mapproved by \u202eecila" + "y" * 500})
    told = world.plan().changes[1].before
    assert len(told) < 70
    assert not set(told) & {"\n", "\x1b", "\u202e"}


def test_the_pods_on_the_node_are_counted_by_owner() -> None:
    world = World()
    world.pod("web-1", **owned("ReplicaSet"))
    world.pod("web-2", **owned("ReplicaSet"))
    world.pod("db-0", **owned("StatefulSet"))
    world.pod("bare")
    world.pod("odd", **owned("<!channel> approve"))
    world.pod("logs", **owned("DaemonSet"))
    world.pod("proxy", **owned("Node", annotations={"kubernetes.io/config.mirror": "x"}))
    world.pod("finished", "Succeeded", **owned("Job"))
    world.pod("failed", "Failed")
    world.pod("elsewhere", node="green")
    assert world.plan().effects == (
        "5 pods keep running on it: 2 of ReplicaSet, 1 of StatefulSet, 1 of no controller, 1 of other controllers",
        "besides, 1 DaemonSet and 1 static pods, which a cordon does not concern",
    )


def test_an_empty_node_is_said_to_be_empty() -> None:
    assert World().plan().effects == ("0 pods keep running on it",)


def test_more_pods_than_fit_a_page_are_all_counted() -> None:
    world = World()
    for number in range(260):
        world.pod(f"web-{number}", **owned("ReplicaSet"))
    assert world.plan().effects == ("260 pods keep running on it: 260 of ReplicaSet",)
    assert [call.verb for call in world.cluster.calls] == ["get", "list", "list"]


def test_a_node_that_is_being_deleted_is_told_as_such() -> None:
    world = World()
    record = world.cluster.store.get(NODES, "", "blue")
    record.item["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert world.plan().effects[-1] == "the node is being deleted already, and a cordon does not stop that"


@pytest.mark.parametrize(
    ("labels", "why"),
    [
        ({"node-role.kubernetes.io/control-plane": ""}, "control plane"),
        ({"node-role.kubernetes.io/master": "true"}, "control plane"),
        ({"eks.amazonaws.com/compute-type": "fargate"}, "Fargate"),
    ],
)
def test_control_plane_and_fargate_are_refused_with_the_reason(labels: dict[str, str], why: str) -> None:
    with pytest.raises(Refused, match=why):
        World(labels=labels).plan()
    assert World(labels={"eks.amazonaws.com/compute-type": "ec2"}).plan().changes


def test_a_plan_for_something_else_is_refused() -> None:
    world = World()
    other = Instance(account="111122223333", region="us-east-1", instance_id="i-0123456789abcdef0")
    plan = world.plan().model_copy(update={"target": other})
    with pytest.raises(Refused, match="works on nodes"):
        ACTION.apply(world, plan)


# --- the state before


@pytest.mark.parametrize("known", [None, "true", "false", "30m"])
@pytest.mark.parametrize("unschedulable", [False, True])
def test_undo_lifts_only_our_own_cordon_and_gives_annotations_back(unschedulable: bool, known: str | None) -> None:
    annotations = {"team": "web", **({KARPENTER: known} if known else {})}
    world = World({"unschedulable": True} if unschedulable else {}, annotations)
    found, plan = world.state, world.plan()
    ACTION.apply(world, plan)
    assert world.state[0]["unschedulable"] is True
    ACTION.undo(world, plan)
    assert world.state == found


def test_a_node_that_somebody_cordoned_gets_only_what_is_missing() -> None:
    world = World({"unschedulable": True}, {AUTOSCALER: "true"})
    plan = world.plan()
    assert [change.what for change in plan.changes] == [f"annotation {KARPENTER}"]
    ACTION.apply(world, plan)
    ACTION.undo(world, plan)
    assert world.state[:2] == ({"unschedulable": True, "taints": world.state[0]["taints"]}, {AUTOSCALER: "true"})


def test_a_node_that_is_as_we_leave_it_needs_nothing() -> None:
    world = World({"unschedulable": True}, OURS)
    plan = world.plan()
    assert plan.changes == ()
    assert ACTION.verify(world, plan).ok
    assert (ACTION.apply(world, plan), ACTION.undo(world, plan), world.writes) == (Done(), Done(), 0)


words = st.one_of(st.none(), st.sampled_from(["true", "false", ""]), st.text(max_size=12))
taints = st.lists(
    st.fixed_dictionaries({"key": st.sampled_from(["a", "b", "c"]), "effect": st.just("NoSchedule")}),
    unique_by=lambda taint: taint["key"],
)


@given(unschedulable=st.booleans(), karpenter=words, autoscaler=words, others=taints, again=st.integers(1, 3))
def test_apply_and_undo_however_often_leave_the_node_as_found(
    unschedulable: bool, karpenter: str | None, autoscaler: str | None, others: list[Any], again: int
) -> None:
    values = {KARPENTER: karpenter, AUTOSCALER: autoscaler, "team": "web"}
    annotations = {key: value for key, value in values.items() if value is not None}
    world = World({"taints": others, **({"unschedulable": True} if unschedulable else {})}, annotations)
    found, plan = world.state, world.plan()
    for _ in range(again):
        ACTION.apply(world, plan)
    assert ACTION.verify(world, plan).ok
    for _ in range(again):
        ACTION.undo(world, plan)
    assert world.state == found
    assert world.plan().digest == plan.digest


def test_the_taints_of_the_node_controller_are_nobodys_change() -> None:
    world = World()
    plan = world.plan()
    ACTION.apply(world, plan)
    world.person({"spec": {"taints": [{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}]}})
    assert ACTION.verify(world, plan).ok
    assert ACTION.apply(world, plan) == Done()
    assert ACTION.undo(world, plan) == Done()
    assert world.plan().digest == plan.digest


# --- other people

UNCORDON: Any = {"spec": {"unschedulable": None}}
CHANGES_AFTER: dict[str, Any] = {
    "uncordoned by hand": UNCORDON,
    "annotation changed": {"metadata": {"annotations": {KARPENTER: "false"}}},
    "annotation removed": {"metadata": {"annotations": {AUTOSCALER: None}}},
    "uncordoned and one annotation removed": {**UNCORDON, "metadata": {"annotations": {AUTOSCALER: None}}},
}


@pytest.mark.parametrize("what", CHANGES_AFTER)
def test_what_a_person_changed_after_us_stays(what: str) -> None:
    world = World()
    plan = world.plan()
    ACTION.apply(world, plan)
    world.person(CHANGES_AFTER[what])
    found, written = world.state, world.writes
    assert not ACTION.verify(world, plan).ok
    for verb in (ACTION.apply, ACTION.undo):
        with pytest.raises(PlanStale, match="nothing was written"):
            verb(world, plan)
    assert (world.state, world.writes) == (found, written)


CHANGES_BEFORE: dict[str, Any] = {
    "cordoned by hand": {"spec": {"unschedulable": True}},
    "annotated": {"metadata": {"annotations": {KARPENTER: "true"}}},
    "annotated otherwise": {"metadata": {"annotations": {AUTOSCALER: "false"}}},
}


@pytest.mark.parametrize("what", CHANGES_BEFORE)
@pytest.mark.parametrize("when", ["before the read", "between read and write"])
def test_what_a_person_changed_before_us_makes_the_plan_stale(what: str, when: str) -> None:
    world = World()
    plan = world.plan()
    if when == "before the read":
        world.person(CHANGES_BEFORE[what])
    else:
        world.on_write(lambda: world.person(CHANGES_BEFORE[what]))
    with pytest.raises(PlanStale):
        ACTION.apply(world, plan)
    spec, annotations, _ = world.state
    assert not (spec.get("unschedulable") and (annotations or {}).get(AUTOSCALER) == "true")


def test_a_person_who_does_the_very_same_has_done_it_for_us() -> None:
    world = World()
    plan = world.plan()
    world.on_write(lambda: world.person({"spec": {"unschedulable": True}, "metadata": {"annotations": OURS}}))
    assert ACTION.apply(world, plan) == Done()


@pytest.mark.parametrize("reports", range(TRIES))
def test_a_kubelets_reports_are_met_by_reading_again(reports: int) -> None:
    world = World()
    plan = world.plan()
    world.on_write(world.kubelet_reports, reports)
    assert ACTION.apply(world, plan) == Done()
    assert ACTION.verify(world, plan).ok


def test_a_node_that_never_holds_still_is_left_alone() -> None:
    world = World()
    found, plan = world.state, world.plan()
    world.on_write(world.kubelet_reports, TRIES)
    with pytest.raises(Conflict, match="nothing was written"):
        ACTION.apply(world, plan)
    assert (world.state, world.writes) == (found, TRIES)


@pytest.mark.parametrize("verb", [ACTION.apply, ACTION.undo, ACTION.verify], ids=["apply", "undo", "verify"])
@pytest.mark.parametrize("gone", [True, False], ids=["gone", "replaced"])
def test_another_node_of_the_same_name_is_another_node(verb: Any, gone: bool) -> None:
    world = World()
    plan = world.plan()
    if verb is not ACTION.apply:
        ACTION.apply(world, plan)
    world.replace()
    if gone:
        world.cluster.store.remove(world.cluster.store.get(NODES, "", "blue"))
    written = world.writes
    with pytest.raises(TargetMissing):
        verb(world, plan)
    assert world.writes == written


def test_a_node_replaced_between_read_and_write_is_not_written_to() -> None:
    world = World()
    plan = world.plan()
    world.on_write(world.replace)
    with pytest.raises(TargetMissing):
        ACTION.apply(world, plan)
    assert "unschedulable" not in world.state[0]


# --- crashes and late awakenings


@pytest.mark.parametrize("verb", ["apply", "undo"])
@pytest.mark.parametrize("applied", [True, False])
def test_an_answer_that_never_came_is_made_good_by_running_again(verb: str, applied: bool) -> None:
    world = World(annotations={KARPENTER: "false"})
    found, plan = world.state, world.plan()
    if verb == "undo":
        ACTION.apply(world, plan)
    lost = Answer(504, "gateway timeout")
    if applied:
        world.cluster.after = lambda call, answer: lost if call.verb == "patch" else answer
    else:
        world.cluster.before = lambda call: lost if call.verb == "patch" else None
    with pytest.raises(Retriable):
        getattr(ACTION, verb)(world, plan)
    world.cluster.before, world.cluster.after = lambda call: None, lambda call, answer: answer
    getattr(ACTION, verb)(world, plan)
    assert ACTION.verify(world, plan).ok == (verb == "apply")
    if verb == "undo":
        assert world.state == found


def test_a_frozen_run_that_wakes_after_the_undo_changes_nothing() -> None:
    world = World()
    found, plan = world.state, world.plan()

    def meanwhile() -> None:
        ACTION.apply(world, plan)
        ACTION.undo(world, plan)
        world.left = 0.0  # its lease and its time are over when it wakes

    world.on_write(meanwhile)
    with pytest.raises(OutOfTime):
        ACTION.apply(world, plan)
    assert world.state == found


@given(
    events=st.lists(
        st.sampled_from(["apply", "undo", "beat", "uncordon", "karpenter", "autoscaler", "replace"]), max_size=8
    )
)
def test_no_order_of_events_writes_over_somebody_else(events: list[str]) -> None:
    """Whatever happens: after apply or undo the node is as found, as we leave it, or as somebody else wanted it."""
    world = World()
    plan = world.plan()
    fields = {
        "uncordon": UNCORDON,
        "karpenter": {"metadata": {"annotations": {KARPENTER: "mine"}}},
        "autoscaler": {"metadata": {"annotations": {AUTOSCALER: None}}},
    }
    for event in events:
        found = world.state
        if event == "beat":
            world.kubelet_reports()
        elif event == "replace":
            world.replace()
        elif event in fields:
            world.person(fields[event])
        else:
            try:
                getattr(ACTION, event)(world, plan)
            except (PlanStale, TargetMissing):
                assert world.state == found
            else:
                annotations = world.state[1] or {}
                sides = (world.state[0].get("unschedulable"), annotations.get(KARPENTER), annotations.get(AUTOSCALER))
                assert sides == ((True, "true", "true") if event == "apply" else (None, None, None))
