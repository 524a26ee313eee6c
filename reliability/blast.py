"""I10, blast radius: what is protected is not touched, and nothing begins that the guard would not let begin."""

from __future__ import annotations

from collections.abc import Iterator

from firebreak.adapters.incident_reader import HALT_KEY, MODE_KEY
from firebreak.core.guard_rails import GuardRails
from firebreak.core.incident import StepRecord
from reliability.memory import MemoryWorld

PROTECTED = "i-0aaaaaaaaaaaaaaa0"
"""An instance that the settings protect."""

RAILS = GuardRails(protected_arns=(f"arn:aws:ec2:*:*:instance/{PROTECTED}",))
"""The guard rails that the stories are played with."""


def touched(resource: str) -> Iterator[str]:
    """Yield what is wrong with changing a resource of the estate."""
    if resource.partition("/")[0] == PROTECTED:
        yield f"{resource} is protected, and was changed"


def begun(world: MemoryWorld, step: StepRecord) -> Iterator[str]:
    """Yield what stood against a step at the moment its intent was recorded."""
    rows = world.table.rows
    if HALT_KEY in rows and rows[HALT_KEY]["on"]["BOOL"]:
        yield f"{step.action} began while the kill switch was on"
    if MODE_KEY in rows and rows[MODE_KEY]["mode"]["S"] == "observe":
        yield f"{step.action} began while the mode was observe"
    if step.consent == "auto":
        account = f"BUDGET#{step.action}#{step.target.account}"
        spent = [set(row["holders"]["SS"]) for key, row in rows.items() if key[0] == account]
        within = [holders for holders in spent if len(holders) <= RAILS.budget(step.action)]
        if not any(f"{step.incident}/{step.id}" in holders for holders in within):
            yield f"{step.action} began unasked and beyond its budget"
