"""What must hold of the whole state once nothing goes wrong any more; each check yields what does not."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from functools import cache

from firebreak.core.audit import AuditRecord, broken_link
from firebreak.core.errors import InputError
from firebreak.core.evidence import MANIFESTS
from firebreak.core.intake import normalise
from firebreak.core.proof import proved
from firebreak.core.registry import sources
from firebreak.core.source import Origin
from reliability.injector import Call
from reliability.memory import MemoryWorld

FINAL = ("verified", "undone", "failed", "stale", "gone", "refused", "denied", "expired", "unneeded", "observed")


def lost(world: MemoryWorld) -> Iterator[str]:
    """I1: what was sent is in an incident, was dropped with a reason, or lies in a queue or a dead letter queue."""
    held = Counter(
        message.body
        for kept in (world.queues.laid, world.queues.messages)
        for messages in kept.values()
        for message in messages
    )
    for body, copies in Counter(world.queues.sent).items():
        keys = _findings(body)
        if not keys and held[body] < copies:
            yield "I1 a message that nobody can use is in no dead letter queue"
        for finding in keys:
            row = world.table.rows.get((f"FINDING#{finding}", "FINDING"), {})
            if not held[body] and "handled" not in row and "dropped" not in row:
                yield f"I1 the finding {finding} is in no incident, no queue and no dead letter queue"
    for key, row in world.table.rows.items():
        if key[1] == "FINDING" and "incident" in row:
            incident = row["incident"]["S"]
            if (f"INCIDENT#{incident}", "INCIDENT") not in world.table.rows:
                yield f"I1 {key[0]} points to {incident}, which is not there"


@cache
def _findings(body: str) -> tuple[str, ...]:
    """The keys of the findings in a message."""
    try:
        return tuple(finding.key for finding in normalise(json.loads(body), Origin(), sources()))
    except (ValueError, InputError):
        return ()


def live(world: MemoryWorld) -> Iterator[str]:
    """I3: every step ends in a final state, told where it failed; nothing called released stands (I5)."""
    for message in (message for messages in world.queues.messages.values() for message in messages):
        yield f"I3 {message.id} is still in its queue, received {message.received} times"
    excused = ("undo_failed",) if world.estate.touched or world.injector.denied else ()
    for step in world.steps:
        if step.status not in (*FINAL, *excused) and not _given_up(world, step.incident):
            yield f"I3 {step.action} of {step.incident} r{step.revision} ends {step.status}"
        if step.status in ("failed", "undo_failed") and not any(
            step.action in notice for notice in world.services.notices
        ):
            yield f"I3 {step.action} failed and nobody was told"
    for story in world.stories:
        standing = [step.action for step in world.steps if step.incident == story.id and step.stands]
        if story.released_at is not None and standing:
            yield f"I5 {story.id} is said to be released, and {', '.join(standing)} is not taken back"
        if story.status == "acting" and not _given_up(world, story.id):
            yield f"I3 {story.id} ends {story.status}"


def _given_up(world: MemoryWorld, incident: str) -> bool:
    """Whether every attempt was used up, as people were told: each failed, or somebody aborted it."""
    return any(f"Incident {incident} needs a person" in notice for notice in world.services.notices)


def quiet(world: MemoryWorld) -> Iterator[str]:
    """I7: nothing runs on, and what was refused for good was not tried again."""
    running = [execution.name for execution in world.machines.all if execution.status == "RUNNING"]
    if running:
        yield f"I7 still running: {', '.join(running)}"
    for call in world.injector.denied:
        if call.by is None or call.by.dead or _unwritten(world, call):
            continue  # what was learnt died with it
        name = call.role.removeprefix("firebreak-").replace("-", ".", 1)
        of = call.by.event.get("incident"), call.by.event.get("revision")
        mine = [step for step in world.steps if step.action == name and (step.incident, step.revision) == of]
        if any(step.status == "verified" for step in mine):
            yield f"I7 {call.name} was refused for good and tried again"


def _unwritten(world: MemoryWorld, denied: Call) -> bool:
    """Whether the run that was refused could not write it down."""
    calls, struck = world.injector.calls, world.injector.struck
    refused = [calls[fault.call - 1] for fault in struck if fault.kind in ("reject", "deny", "conn_before")]
    return any(
        call.by is denied.by and call.number > denied.number and call.name == "dynamodb:transact_write_items"
        for call in refused
    )


def evidence(world: MemoryWorld) -> Iterator[str]:
    """I9: what is kept of an incident is what its manifests say, and an incident that was concluded has one."""
    stored = {f"s3://{bucket}/{name}": content for (bucket, name), content in world.services.objects.items()}
    trails: dict[str, list[AuditRecord]] = {}
    for record in _records(world):
        trails.setdefault(record.incident, []).append(record)
    for story in world.stories:
        manifests = [where for where in stored if f"/{MANIFESTS}{story.id}/" in where]
        if story.status in ("contained", "eradicated") and not manifests:
            yield f"I9 {story.id} is {story.status} and has no manifest"
        trail = [record for each in (story.id, *story.absorbed) for record in trails.get(each, ())]
        for found in proved(trail, manifests, stored.get, lambda where, at: False):
            if not found.proven:
                yield f"I9 {found.what} {found.where} is {found.verdict}: {found.because}"


def _records(world: MemoryWorld) -> Iterator[AuditRecord]:
    """The records of all trails, chain by chain."""
    for key, row in sorted(world.table.rows.items()):
        if key[0].startswith("AUDIT#") and "body" in row:
            yield AuditRecord.model_validate_json(row["body"]["S"])


def audit(world: MemoryWorld) -> Iterator[str]:
    """I9: every trail is whole, and ends where its incident or step stands."""
    chains: dict[tuple[str, str], list[AuditRecord]] = {}
    for record in _records(world):
        chains.setdefault((record.incident, record.chain), []).append(record)
    for (incident, chain), records in chains.items():
        if (link := broken_link(records)) is not None:
            yield f"I9 the trail {chain} of {incident} breaks at {link}"
    heads: dict[tuple[str, str], str] = {chain: records[-1].hash for chain, records in chains.items()}
    told: list[tuple[tuple[str, str], str]] = [
        *(((story.id, "incident"), story.head) for story in world.stories),
        *(((step.incident, step.id), step.head) for step in world.steps),
    ]
    for chain_key, head in told:
        if heads.get(chain_key) != head:
            yield f"I9 {chain_key[1]} of {chain_key[0]} is not where its trail ends"
