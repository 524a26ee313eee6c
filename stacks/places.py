"""Where the settings put things: "current" becomes what the credentials of `cdk deploy` point at."""

from __future__ import annotations

import aws_cdk as cdk

from firebreak.core.deployment import CURRENT, Deployment


def environment(deployment: Deployment, account: str = CURRENT, region: str = CURRENT) -> cdk.Environment:
    """Return the environment of a stack; account and region are left open where the settings leave them open."""
    home = deployment.home
    account, region = (home.account if account == CURRENT else account), (home.region if region == CURRENT else region)
    return cdk.Environment(
        account=None if account == CURRENT else account, region=None if region == CURRENT else region
    )


def accounts(deployment: Deployment) -> tuple[str, ...]:
    """Return every account that Firebreak acts in; a token stands for one that synth does not know."""
    named = [environment(deployment, account).account for account, _ in places(deployment)]
    return tuple(dict.fromkeys(account or cdk.Aws.ACCOUNT_ID for account in named))


def places(deployment: Deployment) -> tuple[tuple[str, str], ...]:
    """Return every account and region that Firebreak watches, as the settings spell them, the home first."""
    return tuple((member.account, region) for member in deployment.watched for region in member.regions)
