"""The CDK application: which stacks there are, in which accounts and regions."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

from firebreak.core.deployment import Deployment, Member
from firebreak.core.playbook import Playbooks
from stacks.asset import code
from stacks.clusters import ClustersStack
from stacks.detection import DetectionStack
from stacks.falco import FalcoStack
from stacks.member import MemberStack
from stacks.places import bus_arn, environment, stack_name
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
    built = code(deployment, playbooks, bundle=bundle)
    response = ResponseStack(
        app,
        stack_name(deployment, "response"),
        deployment=deployment,
        code=built,
        env=environment(deployment),
        description="Firebreak: findings in, contained resources out",
        termination_protection=True,
    )
    if deployment.clusters:
        FalcoStack(
            app,
            stack_name(deployment, "falco"),
            deployment=deployment,
            bus_arn=bus_arn(deployment),
            env=environment(deployment),
            description="Firebreak: Falco's alerts, a queue and a pipe for each cluster",
        ).add_stack_dependency(response, "its pipes send to the bus")
    for member in deployment.watched:
        _member(app, deployment, member, response)
    return app


def _member(app: cdk.App, deployment: Deployment, member: Member, response: cdk.Stack) -> None:
    roles = MemberStack(
        app,
        stack_name(deployment, "member", member.account),
        deployment=deployment,
        member=member,
        env=environment(deployment, member.account, member.regions[0]),
        description="Firebreak: a role for each action, one to look things up, one to prepare",
    )
    for region in member.regions:
        env = environment(deployment, member.account, region)
        DetectionStack(
            app,
            stack_name(deployment, "detection", member.account, region),
            deployment=deployment,
            bus_arn=bus_arn(deployment, member.account, region),
            home=env == environment(deployment),
            env=env,
            description="Firebreak: from the default bus to Firebreak's",
        ).add_stack_dependency(response, "its rules send to the bus")
        here = [one for one in deployment.clusters if environment(deployment, one.account, one.region) == env]
        if here:
            ClustersStack(
                app,
                stack_name(deployment, "clusters", member.account, region),
                deployment=deployment,
                clusters=here,
                env=env,
                description="Firebreak: access to clusters, and what Falco sends with",
            ).add_stack_dependency(roles, "EKS refuses access entries of roles that do not exist")
