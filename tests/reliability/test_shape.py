"""What the sandbox world plays follows from the playbooks and actions that are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from firebreak.core.registry import action, actions
from firebreak.operator_files import load_playbooks
from reliability.shape import SHIPPED, Shape, shapes

SCRATCH = """
playbooks:
  - name: scratch
    description: Nobody wrote a test for it.
    priority: 1
    match: {source: guardduty}
    steps:
      - {action: ec2.isolate_instance, consent: auto, with: {untrack_seconds: 90}}
"""


def test_every_shipped_playbook_with_steps_has_its_shape() -> None:
    named = {shape.name: shape for shape in shapes()}
    playbooks = [playbook for playbook in load_playbooks(SHIPPED).playbooks if playbook.steps]
    assert {Shape.of(playbook.steps).name for playbook in playbooks} <= set(named)
    assert sum(shape.shared for shape in named.values()) == len(playbooks)


def test_every_action_and_both_sides_of_its_flags_are_in_a_shape() -> None:
    seen = [(step.action, step.parameters) for shape in shapes() for step in shape.steps]
    for name, unit in actions().items():
        for parameter, value in unit.parameters().model_dump(mode="json").items():
            sides = {parameters[parameter] for action, parameters in seen if action == name}
            assert sides == ({True, False} if isinstance(value, bool) else {value})
        assert name in dict(seen)


def test_a_playbook_that_is_added_is_played_with_no_test_written(tmp_path: Path) -> None:
    (tmp_path / "scratch.yaml").write_text(SCRATCH)
    found = {shape.name: shape.shared for shape in shapes(tmp_path)}
    assert found['ec2.isolate_instance auto {"untrack_seconds": 90}'] == 1
    assert {name.split()[0] for name in found} == set(actions())


def test_a_step_about_what_no_event_leads_to_is_named_with_what_to_do() -> None:
    (step,) = next(shape.steps for shape in shapes() if len(shape.steps) == 1)
    lost = step.model_copy(update={"target_kind": "moon"})
    with pytest.raises(ValueError, match="no event leads to moon; add one to LEADS"):
        Shape.of((lost,))
    assert Shape.of((step,)).lead.source == "guardduty"
    assert action(step.action).target_kind == "instance"
