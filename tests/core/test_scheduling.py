"""The state of a node that a cordon changes, and the patch from one state to another."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from firebreak.core.scheduling import AUTOSCALER, KARPENTER, Scheduling, patch, scheduling
from sandbox.kubernetes_patch import merge

values = st.one_of(st.none(), st.sampled_from(["true", "false", ""]), st.text(max_size=8))
states = st.builds(
    Scheduling, uid=st.just("0a1b"), unschedulable=st.booleans(), do_not_disrupt=values, scale_down_disabled=values
)


def node(state: Scheduling) -> Any:
    pairs = {KARPENTER: state.do_not_disrupt, AUTOSCALER: state.scale_down_disabled, "team": "web"}
    annotations = {key: value for key, value in pairs.items() if value is not None}
    spec = {"unschedulable": True} if state.unschedulable else {}
    return {"metadata": {"uid": state.uid, "annotations": annotations}, "spec": spec}


def test_a_node_without_annotations_or_spec_is_schedulable() -> None:
    found = scheduling({"metadata": {"uid": "0a1b", "annotations": None}, "spec": None})
    assert found == Scheduling(uid="0a1b", unschedulable=False, do_not_disrupt=None, scale_down_disabled=None)


def test_false_means_the_same_as_absent() -> None:
    told = {"metadata": {"uid": "0a1b"}, "spec": {"unschedulable": False}}
    assert scheduling(told) == scheduling({"metadata": {"uid": "0a1b"}, "spec": {}})


@given(states)
def test_what_is_read_is_what_the_node_says(state: Scheduling) -> None:
    assert scheduling(node(state)) == state


@given(states, states)
def test_a_patch_leads_from_any_state_to_any_other_and_touches_nothing_else(
    start: Scheduling, goal: Scheduling
) -> None:
    difference = patch("7", start, goal)
    assert (difference["metadata"]["uid"], difference["metadata"]["resourceVersion"]) == ("0a1b", "7")
    reached = merge(node(start), difference)
    assert scheduling(reached) == goal
    assert reached["metadata"]["annotations"]["team"] == "web"
    members = difference.get("spec", {}).keys() | difference["metadata"].get("annotations", {}).keys()
    assert members == {
        name
        for name, was, will in (
            ("unschedulable", start.unschedulable, goal.unschedulable),
            (KARPENTER, start.do_not_disrupt, goal.do_not_disrupt),
            (AUTOSCALER, start.scale_down_disabled, goal.scale_down_disabled),
        )
        if was != will
    }


@given(states)
def test_the_cordoned_state_is_one_and_stays(state: Scheduling) -> None:
    assert state.cordoned.cordoned == state.cordoned
    assert state.cordoned.words == f'cordoned, {KARPENTER} "true", {AUTOSCALER} "true"'
