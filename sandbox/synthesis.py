"""The stacks of the application, synthesized in this process, and the settings that its functions find beside them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from firebreak.core.deployment import Deployment
from firebreak.core.playbook import Playbooks
from sandbox.template import Stack


@dataclass(frozen=True)
class Application:
    """What a sandbox is made of.

    Attributes:
        stacks: the synthesized stacks.
        environment: what every function finds beside its own variables: where its configuration is.
        rights: the manifests that give Firebreak's roles their rights in a cluster, as YAML.
    """

    stacks: Sequence[Stack]
    environment: Mapping[str, str]
    rights: str


def synthesize(deployment: Deployment, playbooks: Playbooks) -> Application:
    """Synthesize the application, without the wheels that only Lambda needs.

    Args:
        deployment: the settings.
        playbooks: what goes into the asset with them.
    """
    from stacks.application import application  # noqa: PLC0415  starts Node, which takes a second
    from stacks.asset import assemble  # noqa: PLC0415
    from stacks.rbac import manifests  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="firebreak-") as folder:
        assembly = application(deployment, playbooks, bundle=False, outdir=folder).synth()
        stacks = [
            Stack(
                artifact.stack_name,
                json.loads(Path(artifact.template_full_path).read_text()),
                _known(artifact.environment.account),
                _known(artifact.environment.region),
            )
            for artifact in assembly.stacks
        ]
    asset = assemble(deployment, playbooks, bundle=False)
    return Application(stacks, {"FIREBREAK_CONFIG": str(asset / "config")}, manifests())


def _known(place: str) -> str | None:
    """CDK spells an environment that synth does not know "unknown-account"."""
    return None if place.startswith("unknown-") else place
