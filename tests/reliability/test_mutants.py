"""Each wrong version is caught, and by what it breaks."""

from __future__ import annotations

import pytest

from reliability.mutants import MUTANTS
from reliability.suites import catch, likeliest, replay


@pytest.mark.parametrize("name", MUTANTS)
def test_a_wrong_version_is_caught_and_its_plan_replays(folder: str, name: str) -> None:
    caught = catch(name, folder, likeliest(folder, name))
    assert caught is not None, f"{name}: {MUTANTS[name].what}, and nothing breaks"
    ((_, outcome),) = replay([caught.plan], folder)
    invariant = caught.violation.split()[0]  # what follows it may name what AWS made anew
    assert invariant in {violation.split()[0] for violation in outcome.violations}
