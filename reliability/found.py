"""What a suite found, counted run by run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from reliability.fault import Misfortune
from reliability.orders import EventSet
from reliability.run import Outcome

MOST_SHOWN = 20


@dataclass
class Found:
    """What a suite found.

    Attributes:
        suite: its name.
        runs: how many stories were played.
        struck: how many faults happened in them.
        sites: the calls that were struck, by who makes them and what.
        violations: what did not hold, each with the plan that shows it.
        more: how many violations there are beyond those.
        places: in the code, from which calls were made.
        cpu: seconds of CPU that its runs took.
    """

    suite: str
    runs: int = 0
    struck: int = 0
    sites: set[str] = field(default_factory=set)
    violations: list[tuple[str, Misfortune]] = field(default_factory=list)
    more: int = 0
    places: set[str] = field(default_factory=set)
    cpu: float = 0.0

    def add(self, misfortune: Misfortune, outcome: Outcome) -> None:
        """Count a run."""
        self.runs += 1
        self.struck += outcome.struck
        self.places |= outcome.places
        self.sites.update(
            outcome.sites[fault.call - 1] for fault in misfortune.faults if fault.call <= len(outcome.sites)
        )
        for violation in outcome.violations:
            if len(self.violations) < MOST_SHOWN:
                self.violations.append((violation, misfortune))
            else:
                self.more += 1

    def join(self, other: Found) -> None:
        """Count what another part of the suite found."""
        self.runs, self.struck = self.runs + other.runs, self.struck + other.struck
        self.sites |= other.sites
        self.places |= other.places
        self.violations += other.violations
        self.more += other.more


@dataclass
class Converging(Found):
    """What orders of deliveries came to: those of one set have to end alike.

    Attributes:
        sets: of which set each order is.
        ends: how the first order of each set ended.
    """

    sets: Mapping[Misfortune, EventSet] = field(default_factory=dict)
    ends: dict[EventSet, tuple[Misfortune, Any]] = field(default_factory=dict)

    def add(self, misfortune: Misfortune, outcome: Outcome) -> None:
        """Count a run, and hold its end against that of the others."""
        first, end = self.ends.setdefault(self.sets[misfortune], (misfortune, outcome.converged))
        apart = [
            f"I14 {part} end as {outcome.converged[part]}, and as {end[part]} after {first}"
            for part in end
            if outcome.converged[part] != end[part]
        ]
        super().add(misfortune, replace(outcome, violations=(*outcome.violations, *apart)))
