"""The stories that are played in the memory world: which events come, what people do, and where it has to end."""

from __future__ import annotations

from collections.abc import Callable

from reliability.blast import PROTECTED, RAILS
from reliability.injector import Call
from reliability.intake import INTAKE
from reliability.memory import MemoryWorld
from reliability.telling import (
    ASK,
    CONTAIN,
    DESTROY,
    INSTANCE,
    ONLY,
    PERSON,
    Story,
    answered,
    come,
    finding,
    released,
    then,
    waited,
)


def both(world: MemoryWorld) -> None:
    """Two findings about one target, the second graver and of another kind, come almost together."""
    world.send(finding(world, ONLY, 1, severity=5))
    world.send(finding(world, CONTAIN, 2, severity=9))
    world.settle()


def touched(world: MemoryWorld) -> None:
    """Somebody else changes a door."""
    world.estate.touch(f"{INSTANCE}/door-1", "theirs")


def hasty(world: MemoryWorld) -> None:
    """A person agrees to destruction while the evidence is still being taken."""
    world.send(finding(world, DESTROY))
    world.settle(5)
    answered("approve")(world)


def interrupted(world: MemoryWorld) -> None:
    """A person takes it back while the doors are half closed."""
    world.send(finding(world, ONLY))
    world.settle(5)
    released(world)
    world.settle()
    released(world)


def halted(world: MemoryWorld) -> None:
    """A person throws the kill switch while the doors are half closed."""
    world.clock.after(2, lambda: world.incidents().set_halt(True, PERSON, world.clock.now()))
    world.send(finding(world, ONLY))
    world.settle()


def raced(world: MemoryWorld) -> None:
    """A person throws the kill switch when Execute has just read that it is off."""
    _meanwhile(world, lambda: world.incidents().set_halt(True, PERSON, world.clock.now()))


def switched(world: MemoryWorld) -> None:
    """A person sets the mode to observe when Execute has just read that it is another."""
    _meanwhile(world, lambda: tightened(world))


def _meanwhile(world: MemoryWorld, does: Callable[[], None]) -> None:
    """Play a story in which a person does something once, after the first call of Execute."""
    watch, does_it = world.injector.after, [does]

    def after(call: Call) -> None:
        watch(call)
        if call.function == "firebreak-execute" and does_it:
            does_it.pop()()

    world.injector.after = after
    world.send(finding(world, ONLY))
    world.settle()


def tightened(world: MemoryWorld) -> None:
    """A person sets the mode to observe."""
    world.incidents().set_mode("observe", PERSON, world.clock.now())


def protected(world: MemoryWorld) -> None:
    """A finding comes about an instance that is protected."""
    world.send(finding(world, ONLY, target=PROTECTED))
    world.settle()


def spent(world: MemoryWorld) -> None:
    """Other incidents have spent the budget of this hour."""
    action, limit = "scripted.contain", RAILS.budget("scripted.contain")
    for number in range(limit):
        world.incidents().spend(action, "111122223333", f"earlier/{number}", limit, world.clock.now())


STORIES: dict[str, Story] = {
    "contain": Story(come(CONTAIN)),
    "only": Story(come(ONLY)),
    "undo": Story(then(come(ONLY), released), undone=True),
    "twice": Story(then(come(CONTAIN, copies=2), come(CONTAIN))),
    "ask": Story(then(come(ASK), answered("approve"), released), undone=True),
    "deny": Story(then(come(ASK), answered("deny"))),
    "expire": Story(then(come(ASK), waited(7_200))),
    "destroy": Story(then(come(DESTROY), answered("approve"))),
    "hasty": Story(then(hasty, come(DESTROY), answered("approve"))),
    "drift": Story(then(come(ONLY), touched, released), undone=True),
    "both": Story(then(both, released), undone=True),
    "interrupted": Story(interrupted, undone=True),
    "halted": Story(halted),
    "raced": Story(raced),
    "switched": Story(switched),
    "tightened": Story(then(come(ASK), tightened, answered("approve"))),
    "protected": Story(protected),
    "spent": Story(then(spent, come(ONLY), answered("approve"))),
    **INTAKE,
}
"""Every story by name."""
