"""Stories of what comes in: what opens no incident of its own, what waits, and what turns out to be one thing."""

from __future__ import annotations

from collections.abc import Mapping

from firebreak.core.finding import Order
from firebreak.core.target import Instance
from firebreak.sources.person import Wanted, event
from reliability.memory import MemoryWorld
from reliability.telling import INSTANCE, ONLY, OTHER, Story, come, finding, released, then

UNKNOWN = "Recon:EC2/Portscan"
"""A type that no playbook of the stories acts on."""

QUIET = "Stealth:EC2/Quiet"
"""A type whose playbook neither acts nor tells."""

URGENT, BULK = 0, 1


def crowded(world: MemoryWorld) -> None:
    """More comes in the bulk lane than may run at once; Sweep starts what waits."""
    for number, target in enumerate((INSTANCE, OTHER), 1):
        world.send(finding(world, ONLY, number, target=target), lane=BULK)
    world.settle()
    world.sweep()


def sample(world: MemoryWorld) -> None:
    """Somebody tries the detector out."""
    event = finding(world, ONLY)
    event["detail"]["service"]["additionalInfo"] = {"sample": True}
    world.send(event)
    world.settle()


def poison(world: MemoryWorld) -> None:
    """A message comes that nobody can use, and a finding after it."""
    world.post('{"source": "aws.guardduty", "detail": ')
    come(ONLY)(world)


def again(world: MemoryWorld) -> None:
    """Another finding comes about what was released."""
    world.send(finding(world, ONLY, 2))
    world.settle()


def one_machine(world: MemoryWorld) -> None:
    """Two names come that turn out to be one machine's, when each has an incident."""
    world.estate.names[OTHER] = INSTANCE
    for number, target in enumerate((INSTANCE, OTHER), 1):
        world.send(finding(world, ONLY, number, target=target))
    world.settle()


def younger_first(world: MemoryWorld) -> None:
    """It turns out while the older incident is not planned yet."""
    world.estate.names[INSTANCE] = OTHER
    for number, target in enumerate((INSTANCE, OTHER), 1):
        world.send(finding(world, ONLY, number, target=target))
    world.settle()


def order(world: MemoryWorld, action: str, number: int = 1) -> None:
    """A person orders a step."""
    wanted = Wanted(
        id=f"{number:032x}",
        order=Order(action=action, by="arn:aws:iam::111122223333:user/ana", reason="because"),
        target=Instance(account="111122223333", region="us-east-1", instance_id=INSTANCE),
    )
    sent = event(wanted, "111122223333", "us-east-1", world.clock.now())
    world.send({**sent, "id": f"00000000-0000-0000-0001-{number:012d}"})
    world.settle()


def ordered(world: MemoryWorld) -> None:
    """A person orders a step, and orders it again."""
    for number in (1, 2):
        order(world, "scripted.contain", number)


def joined(world: MemoryWorld) -> None:
    """A person orders a step about the target of an incident."""
    come(ONLY)(world)
    order(world, "scripted.collect")


INTAKE: Mapping[str, Story] = {
    "crowded": Story(then(crowded, released), undone=True),
    "sample": Story(sample),
    "told": Story(then(come(UNKNOWN), come(UNKNOWN))),
    "untold": Story(come(QUIET)),
    "poison": Story(then(poison, released), undone=True),
    "again": Story(then(come(ONLY), released, again, released), undone=True),
    "ordered": Story(then(ordered, released), undone=True),
    "ordered amid": Story(then(joined, released), undone=True),
    "merged": Story(then(one_machine, released), undone=True),
    "merged back": Story(then(younger_first, released), undone=True),
}
"""Every story by name."""
