"""What a story came to, in one form that any two runs can be compared by."""

from __future__ import annotations

from typing import Any

from reliability.memory import MemoryWorld


def canonical(world: MemoryWorld) -> dict[str, Any]:
    """Return the state without what may differ between runs: times, hashes, tries."""
    return {
        "incidents": sorted((story.status, story.revision, len(story.targets)) for story in world.stories),
        "steps": {f"{step.action} {step.target.label}": step.status for step in world.steps},
        "doors": dict(world.estate.doors),
        "things": sorted(world.estate.things),
        "copies": sorted(of for of, _ in world.estate.copies.values()),
    }
