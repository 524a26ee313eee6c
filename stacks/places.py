"""Where the settings put things: "current" becomes what the credentials of `cdk deploy` point at."""

from __future__ import annotations

import aws_cdk as cdk

from firebreak.core.deployment import CURRENT, Deployment
from firebreak.core.errors import SettingsError


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


def stack_name(deployment: Deployment, what: str, account: str = CURRENT, region: str = CURRENT) -> str:
    """Return the name of a stack; account and region are in it where they are not the home's."""
    here, home = environment(deployment, account, region), environment(deployment)
    away = [mine for mine, its in ((here.account, home.account), (here.region, home.region)) if mine and mine != its]
    return "-".join([deployment.prefix, what, *away])


def bus_arn(deployment: Deployment, account: str = CURRENT, region: str = CURRENT) -> str:
    """Return our bus, as it is reached from an account and region.

    Raises:
        SettingsError: where that is, the settings leave open, so that nobody else can name it.
    """
    home = environment(deployment)
    here = environment(deployment, account, region)
    for what, mine, its in (("account", here.account, home.account), ("region", here.region, home.region)):
        if its is None and mine is not None:
            raise SettingsError(
                f"home.{what} is open, and events of {mine} are to be forwarded there; write it into the settings"
            )
    return (
        f"arn:{cdk.Aws.PARTITION}:events:{home.region or cdk.Aws.REGION}:{home.account or cdk.Aws.ACCOUNT_ID}"
        f":event-bus/{deployment.prefix}"
    )
