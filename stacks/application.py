"""The CDK application: which stacks there are, in which accounts and regions."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

from firebreak.core.deployment import Deployment
from firebreak.core.playbook import Playbooks
from stacks.asset import code
from stacks.places import environment
from stacks.response.stack import ResponseStack

ROOT = Path(__file__).parent.parent


@cache
def context() -> dict[str, Any]:
    """Return the feature flags in cdk.json, which the CLI reads and nobody else does."""
    flags: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
    return flags


def application(
    deployment: Deployment, playbooks: Playbooks, *, bundle: bool = True, outdir: str | None = None
) -> cdk.App:
    """Return the application, ready for `synth()`. Makes no call to AWS and none to the network.

    Args:
        deployment: the settings.
        playbooks: what goes into the asset with them.
        bundle: whether the asset holds the wheels, too. Without them it cannot run in Lambda, but nothing has to be
            built beforehand.
        outdir: where the cloud assembly goes; by default where the CLI wants it, or into a temporary folder.

    Raises:
        SettingsError: the wheels were not built.
    """
    app = cdk.App(context=context(), outdir=outdir)
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    ResponseStack(
        app,
        f"{deployment.prefix}-response",
        deployment=deployment,
        code=code(deployment, playbooks, bundle=bundle),
        env=environment(deployment),
        description="Firebreak: findings in, contained resources out",
        termination_protection=True,
    )
    return app
