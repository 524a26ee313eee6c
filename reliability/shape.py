"""The step shapes of the shipped playbooks, each as a playbook of its own that any event of its kind meets.

What no playbook asks for is a shape too: every action alone, with each of its flags turned over, and in each of its
scenes.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from firebreak.core.deployment import Deployment
from firebreak.core.playbook import Match, Playbook, Playbooks, PlaybookStep
from firebreak.core.registry import action, actions
from firebreak.operator_files import load_playbooks
from reliability.leads import Lead, lead
from reliability.scenes import PLACES, USUAL, Scene
from sandbox.lab import DEPLOYMENT
from sandbox.synthesis import Application
from sandbox.synthesis_cache import ROOT, application

SHIPPED = ROOT / "playbooks"


@dataclass(frozen=True)
class Shape:
    """Steps that one playbook or more have.

    Attributes:
        name: "ebs.snapshot_volumes auto, ec2.isolate_instance ask".
        steps: the steps.
        lead: an event that leads to what they are about.
        shared: how many playbooks have them.
        scene: where they are played.
    """

    name: str
    steps: tuple[PlaybookStep, ...]
    lead: Lead
    shared: int = 0
    scene: Scene = USUAL

    @classmethod
    def of(cls, steps: tuple[PlaybookStep, ...]) -> Shape:
        """Return the shape of some steps.

        Raises:
            ValueError: no event leads to what a step is about.
        """
        return cls(", ".join(map(_said, steps)), steps, lead({step.target_kind for step in steps}))

    @property
    def playbook(self) -> Playbook:
        """A playbook of these steps for everything that comes."""
        match = Match.model_validate({"source": self.lead.source})
        return Playbook(name="shape", description=self.name, priority=1, match=match, steps=self.steps)


def shapes(folder: Path = SHIPPED) -> list[Shape]:
    """Return every shape of the playbooks in a folder, and those of what none of them asks for, by name."""
    found: dict[str, Shape] = {}
    for playbook in load_playbooks(folder).playbooks:
        if playbook.steps:
            shape = Shape.of(playbook.steps)
            known = found.get(shape.name, shape)
            found[shape.name] = replace(known, shared=known.shared + 1)
    asked = {_said(step).replace(" ask", " auto") for shape in found.values() for step in shape.steps}
    for step in _every_way():
        if _said(step).replace(" ask", " auto") not in asked:
            shape = Shape.of((step,))
            found[shape.name] = shape
    for place in PLACES:
        step = next(step for step in _every_way() if step.action == place.action)
        name = f"{_said(step)} {place.where}"
        found[name] = Shape(name, (step,), place.lead, scene=place.scene)
    return sorted(found.values(), key=lambda shape: shape.name)


@contextmanager
def standing(shape: Shape) -> Iterator[tuple[Application, Deployment]]:
    """Yield the application with one shape as its only playbook, and no budget that its many runs could exceed."""
    built, _ = application(DEPLOYMENT, SHIPPED)
    guard = DEPLOYMENT.guard.model_copy(update={"actions_per_hour": 10_000})
    deployment = DEPLOYMENT.model_copy(update={"guard": guard})
    with TemporaryDirectory(prefix="firebreak-") as folder:
        config = Path(folder)
        shutil.copytree(built.environment["FIREBREAK_CONFIG"], config, dirs_exist_ok=True)
        (config / "playbooks.json").write_text(Playbooks(playbooks=(shape.playbook,)).model_dump_json())
        (config / "deployment.json").write_text(json.dumps(deployment.model_dump(mode="json")))
        yield replace(built, environment={**built.environment, "FIREBREAK_CONFIG": folder}), deployment


def _every_way() -> Iterator[PlaybookStep]:
    """Every action as it is by itself, and with each of its flags turned over."""
    for name, unit in actions().items():
        plain: dict[str, Any] = unit.parameters().model_dump(mode="json")
        flags = [flag for flag, value in plain.items() if isinstance(value, bool)]
        for parameters in (plain, *({**plain, flag: not plain[flag]} for flag in flags)):
            yield PlaybookStep(
                action=name,
                parameters=parameters,
                consent="ask",
                stage=unit.stage,
                effect=unit.effect,
                target_kind=unit.target_kind,
            )


def _said(step: PlaybookStep) -> str:
    plain = action(step.action).parameters().model_dump(mode="json")
    said = {name: value for name, value in step.parameters.items() if value != plain.get(name)}
    return f"{step.action} {step.consent}" + (f" {json.dumps(said, sort_keys=True)}" if said else "")
