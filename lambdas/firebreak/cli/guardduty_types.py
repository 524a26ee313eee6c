"""The finding types that GuardDuty documents, to tell a playbook's typing error from a type yet to come.

Nothing that decides about a finding reads this: GuardDuty makes new types, and playbooks take them by their globs.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from firebreak.core.glob import matches
from firebreak.core.playbook import Playbooks


class KnownType(NamedTuple):
    """A documented type (Amazon GuardDuty User Guide, "GuardDuty finding types").

    Attributes:
        type: "Backdoor:EC2/C&CActivity.B".
        resources: values that `resource.resourceType` may have; "varies" where that is not documented.
        severities: the documented default, or several where it depends on the event, or "Varies".
    """

    type: str
    resources: tuple[str, ...]
    severities: tuple[str, ...]


@cache
def known_types() -> tuple[KnownType, ...]:
    """Return every documented type, sorted."""
    text = files("firebreak.cli").joinpath("guardduty_types.csv").read_text("utf-8")
    return tuple(
        KnownType(row["type"], tuple(row["resource"].split("|")), tuple(row["severity"].split("/")))
        for row in csv.DictReader(text.splitlines())
    )


def doubts(playbooks: Playbooks) -> tuple[str, ...]:
    """Return a line for each glob that no documented type fits: a typing error, or a type that is newer than this."""
    return tuple(
        f"{playbook.name}: {glob} fits no finding type that GuardDuty documents; compare its spelling"
        for playbook in playbooks.playbooks
        if playbook.match.source == "guardduty"
        for glob in playbook.match.type or ()
        if not any(matches(glob, known.type) for known in known_types())
    )
