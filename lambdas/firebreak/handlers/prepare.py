"""Prepare: woken at deployment, daily, when a VPC appears, and by Plan where it finds something missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from firebreak.clock import Clock, system_clock
from firebreak.core.deployment import CURRENT, Deployment
from firebreak.entry import Handler, lazily
from firebreak.wiring import Wiring

NEW_VPC = "AWS API Call via CloudTrail"


def build(environment: Mapping[str, str], clock: Clock = system_clock) -> Handler:
    """Build the function."""
    wiring = Wiring(environment, clock)
    deployment, settings = wiring.deployment(), wiring.settings

    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
        def remaining() -> float:
            return float(context.get_remaining_time_in_millis()) / 1000

        places = watched(deployment, settings.account, settings.region)
        # a schedule and a deployment carry the home account, and mean every place; a new VPC, and Plan, mean their own
        named = (event.get("account"), event.get("region"))
        if event.get("detail-type", NEW_VPC) == NEW_VPC:
            places = [place for place in places if place == named] or places
        done = wiring.prepare(remaining).handle(places)
        return {"intact": done.intact, "made": done.made, "finished": done.finished}

    return handle


def watched(deployment: Deployment, account: str, region: str) -> list[tuple[str, str]]:
    """Return every (account, region) that is watched; `account` and `region` stand for "current"."""
    if not deployment.members:
        return [(account, region)]
    return [
        (account if member.account == CURRENT else member.account, region if place == CURRENT else place)
        for member in deployment.members
        for place in member.regions
    ]


handler = lazily(build)
