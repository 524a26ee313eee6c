"""The lab: the application standing in its sandbox, with an estate to defend, a cluster and a stand-in for Slack.

The demo plays in it, and the end-to-end tests run in it. Its settings are its own: mode auto, one person to ask.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import yaml

from firebreak.core.deployment import Deployment
from sandbox.estate import CLUSTER, Estate, seed
from sandbox.judge import Judge
from sandbox.judge_policies import Unjudged
from sandbox.slack import Slack, Workspace, over_http
from sandbox.synthesis import Application
from sandbox.world import ACCOUNT, REGION, Sandbox

PERSON = "U0ANA0000"
DEPLOYMENT = Deployment.model_validate(
    {
        "mode": "auto",
        "home": {"account": ACCOUNT, "region": REGION},
        "clusters": [{"name": CLUSTER, "account": ACCOUNT, "region": REGION}],
        "members": [{"account": ACCOUNT, "regions": [REGION]}],
        "people": [{"name": "ana", "slack": PERSON, "iam": [f"arn:aws:iam::{ACCOUNT}:user/ana"]}],
        "approvers": [{"people": ["ana"]}],
        "slack": {"channel": "C0FIREBREAK", "team": "T0FIREBREAK", "app": "A0FIREBREAK"},
    }
)
"""Settings of the lab."""


class Unallowed(Exception):
    """A role was refused a call: a grant is missing, or a call should not be made."""


@dataclass
class Lab:
    """Everything there is."""

    sandbox: Sandbox
    slack: Slack
    estate: Estate
    judge: Judge

    @property
    def table(self) -> str:
        """Name of Firebreak's table."""
        return self.sandbox.functions.find("firebreak-triage").environment["FIREBREAK_TABLE"]


@contextmanager
def lab(
    application: Application,
    *,
    deployment: Deployment = DEPLOYMENT,
    start: datetime | None = None,
    wall: bool = False,
    patience: float = float("inf"),
    tags: dict[str, str] | None = None,
    judged: bool = True,
) -> Iterator[Lab]:
    """Stand the application up with everything around it, and make what containment needs.

    Args:
        application: the synthesized stacks, with `deployment` and its playbooks in their configuration.
        deployment: the settings they were synthesized with.
        start, wall, patience: as the sandbox takes them.
        tags: on every instance of the estate.
        judged: whether calls are allowed only by the policies of the templates.

    Raises:
        Unjudged: when it is over, calls were met that the judge could not tell about.
        Unallowed: when it is over, calls of roles were refused and nobody has cleared `judge.refused`.
    """
    environment = {**application.environment, "FIREBREAK_SLACK_API": "{url}/slack/api"}
    with Sandbox(application.stacks, environment=environment, start=start, patience=patience) as sandbox:
        slack = _slack(sandbox, deployment)
        estate = seed(sandbox, tags=tags or {"environment": "test"})
        _apply(application.rights, estate)
        judge = Judge(sandbox.cloud)
        sandbox.front.judge = judge if judged else None
        sandbox.deployed()
        sandbox.run_until_idle()
        if wall:  # only now: what is stood up in virtual time takes a fraction of the work
            sandbox.clock.start()
        yield Lab(sandbox, slack, estate, judge)
        if judge.unjudged:
            raise Unjudged("\n".join(dict.fromkeys(judge.unjudged)))
        if judge.refused:
            raise Unallowed("\n".join(dict.fromkeys(judge.refused)))


def _slack(sandbox: Sandbox, deployment: Deployment) -> Slack:
    secrets = {name: _secret(sandbox, name) for name in ("bot-token", "signing-secret")}
    settings = deployment.slack
    if settings is None:
        raise ValueError("the lab asks people in Slack: its deployment needs `slack`")
    workspace = Workspace(
        settings.team,
        settings.app,
        settings.channel,
        secrets["bot-token"],
        secrets["signing-secret"],
        {person.slack: person.name for person in deployment.people if person.slack},
    )
    slack = Slack(workspace, sandbox.clock, over_http(f"{sandbox.api_url()}/slack/interactions"))
    sandbox.front.mount("/slack", slack)
    return slack


def _secret(sandbox: Sandbox, word: str) -> str:
    client = sandbox.client("secretsmanager")
    (found,) = (secret for secret in client.list_secrets()["SecretList"] if word in secret["Name"])
    content: dict[str, Any] = json.loads(client.get_secret_value(SecretId=found["ARN"])["SecretString"])
    return str(content[word.replace("-", "_")])


def _apply(manifests: str, estate: Estate) -> None:
    """Apply manifests to the cluster, as an operator does."""
    assert estate.cluster is not None
    for document in yaml.safe_load_all(manifests):
        plural = f"{document['kind'].lower()}s"
        estate.cluster.add(plural, document)
