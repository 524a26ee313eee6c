"""Each application is synthesized once a session; CDK's own validation has a test of its own."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from firebreak.core.deployment import Deployment, Detection, Home, Member, WatchedCluster
from firebreak.core.playbook import Playbooks
from stacks.application import application
from tests.stacks.template import Template

SECURITY, MEMBER = "111122223333", "444455556666"
EXTERNAL_ID = "an-agreed-word"

ESTATE = Deployment(
    home=Home(account=SECURITY, region="eu-west-1"),
    members=(
        Member(account=SECURITY, regions=("eu-west-1", "us-east-1"), external_id="not-asked-for-at-home"),
        Member(account=MEMBER, regions=("eu-west-1",), external_id=EXTERNAL_ID),
    ),
    clusters=(
        WatchedCluster(name="prod-a", account=SECURITY, region="eu-west-1"),
        WatchedCluster(name="Prod_B", account=MEMBER, region="eu-west-1"),
    ),
    detection=Detection(detector="create", s3_data_events=False),
    notice_emails=("security@example.com",),
)
"""Two accounts, two regions, two clusters; everything that can be switched on is, but one feature."""


def synthesize(deployment: Deployment, folder: Path) -> dict[str, Template]:
    """Return the templates of an application by stack name."""
    application(deployment, Playbooks(), bundle=False, outdir=str(folder)).synth()
    return {
        path.name.removesuffix(".template.json"): Template(
            path.name.removesuffix(".template.json"), json.loads(path.read_text())
        )
        for path in sorted(folder.glob("*.template.json"))
    }


@pytest.fixture(scope="session", autouse=True)
def quick() -> Iterator[None]:
    """CDK's validation takes nearly all of the time of a synthesis."""
    before = os.environ.get("CDK_VALIDATION")
    os.environ["CDK_VALIDATION"] = "false"
    yield
    if before is None:
        del os.environ["CDK_VALIDATION"]
    else:
        os.environ["CDK_VALIDATION"] = before


@pytest.fixture(scope="session")
def estate(quick: None, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Template]:
    """The templates of ESTATE."""
    return synthesize(ESTATE, tmp_path_factory.mktemp("estate"))


@pytest.fixture(scope="session")
def empty(quick: None, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Template]:
    """The templates of a deployment whose settings are all defaults."""
    return synthesize(Deployment(), tmp_path_factory.mktemp("empty"))


@pytest.fixture(scope="session")
def response(estate: Mapping[str, Template]) -> Template:
    """The response stack of ESTATE."""
    return estate["firebreak-response"]
