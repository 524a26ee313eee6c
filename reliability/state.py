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


def converged(world: MemoryWorld) -> dict[str, Any]:
    """Return what has to be the same whatever the order in which events came, and how often.

    Left out is what tells the order itself: times and what is derived from them, ids, the number of revisions and
    executions, which of two incidents was first, its title, which playbook was the first to want a step, and whether
    people were asked about it before another playbook did it unasked.
    """
    told = canonical(world)
    findings = {key[0]: row for key, row in world.table.rows.items() if key[1] == "FINDING"}
    return {
        **{part: told[part] for part in ("doors", "things", "copies")},
        "steps": sorted((step.action, step.target.label, step.status) for step in world.steps),
        "incidents": sorted(
            (
                story.status,
                story.severity.name,
                sorted(target.key for target in story.targets),
                sorted(story.seen),
                bool(story.released_at),
            )
            for story in world.stories
            if story.status != "merged"
        ),
        "findings": {key: ("handled" in row, row["deliveries"]["N"]) for key, row in sorted(findings.items())},
        "locks": sorted(key[0] for key in world.table.rows if key[0].startswith("LOCK#")),
        "laid aside": sum(map(len, world.queues.laid.values())),
    }
