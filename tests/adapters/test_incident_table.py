"""What is decided for an incident is recorded all at once."""

from __future__ import annotations

import pytest

from firebreak.adapters.incident_table import TOGETHER
from firebreak.core.errors import Conflict, TargetMissing
from firebreak.core.incident import StepRecord
from tests.pipeline.stage import INCIDENT, Stage
from tests.pipeline.test_plan import ACTOR
from tests.world import START


def steps_like(step: StepRecord, number: int) -> list[StepRecord]:
    return [
        step.model_copy(update={"id": f"step-{order:03d}", "order": order, "version": 0, "head": ""})
        for order in range(number)
    ]


@pytest.mark.parametrize("number", [0, 1, TOGETHER, TOGETHER + 1, 3 * TOGETHER])
def test_a_decision_brings_its_steps_each_with_its_trail(stage: Stage, number: int) -> None:
    pattern = stage.plan("ec2.isolate_instance")
    before = stage.incidents.incident(INCIDENT)
    acting = before.model_copy(update={"status": "acting"})
    steps = steps_like(pattern.model_copy(update={"revision": 2}), number)
    after = stage.incidents.decide(before, acting, steps, {"why": "é"}, ACTOR, START, "a note")
    file = stage.incidents.file(INCIDENT)
    assert file.incident == after
    assert file.incident.status == "acting"
    assert [step.id for step in file.steps] == [pattern.id, *(step.id for step in steps)]
    assert file.decided == {after.revision}
    assert stage.incidents.decisions(INCIDENT) == [{"why": "é"}]
    assert stage.chains()


def test_a_decision_about_an_incident_that_moved_meanwhile_leaves_nothing(stage: Stage) -> None:
    step = stage.plan("ec2.isolate_instance")
    before = stage.incidents.incident(INCIDENT)
    acting = before.model_copy(update={"status": "acting"})
    stage.incidents.change_incident(before, acting, "moved", ACTOR, START)
    with pytest.raises(Conflict):
        stage.incidents.decide(before, acting, steps_like(step, 1), {}, ACTOR, START)
    file = stage.incidents.file(INCIDENT)
    assert [each.id for each in file.steps] == [step.id]
    assert file.decided == frozenset()


def test_a_decision_that_another_try_recorded_is_not_recorded_again(stage: Stage) -> None:
    before = stage.incidents.incident(INCIDENT)
    moved = stage.incidents.decide(before, before, [], {"first": True}, ACTOR, START)
    with pytest.raises(Conflict):
        stage.incidents.decide(moved, moved, [], {"first": False}, ACTOR, START)
    assert stage.incidents.decisions(INCIDENT) == [{"first": True}]


def test_the_file_of_an_unknown_incident_is_missing(stage: Stage) -> None:
    assert stage.incidents.file(INCIDENT).incident.id == INCIDENT
    with pytest.raises(TargetMissing, match="incidents list"):
        stage.incidents.file("inc-unknown")
