"""The stories that are played in the memory world: which events come, what people do, and where it has to end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from firebreak.ports import Actor
from reliability.blast import PROTECTED, RAILS
from reliability.injector import Call
from reliability.memory import MemoryWorld

INSTANCE = "i-0123456789abcdef0"
OTHER = "i-0fedcba9876543210"
PERSON = Actor(name="ana", request="as the story says")

PLAYBOOKS = """
playbooks:
  - name: contain
    description: Evidence, then containment, unasked.
    priority: 10
    match: {source: guardduty, type: "Backdoor:EC2/C&CActivity.*"}
    steps:
      - {action: scripted.collect, consent: auto}
      - {action: scripted.contain, consent: auto}
  - name: only-contain
    description: Containment alone.
    priority: 20
    match: {source: guardduty, type: "CryptoCurrency:EC2/*"}
    steps:
      - {action: scripted.contain, consent: auto}
  - name: ask
    description: Containment after a person agreed.
    priority: 30
    match: {source: guardduty, type: "Trojan:EC2/*"}
    steps:
      - {action: scripted.contain, consent: ask}
  - name: destroy
    description: Evidence, then destruction after a person agreed.
    priority: 40
    match: {source: guardduty, type: "Impact:EC2/*"}
    steps:
      - {action: scripted.collect, consent: auto}
      - {action: scripted.destroy, consent: ask}
"""

CONTAIN, ONLY, ASK, DESTROY = (
    "Backdoor:EC2/C&CActivity.B!DNS",
    "CryptoCurrency:EC2/BitcoinTool.B",
    "Trojan:EC2/BlackholeTraffic",
    "Impact:EC2/WinRMBruteForce",
)


@dataclass(frozen=True)
class Story:
    """One story.

    Attributes:
        play: what happens, in order; every part waits until the world is quiet.
        undone: whether it ends with everything taken back.
    """

    play: Callable[[MemoryWorld], None]
    undone: bool = False


def finding(world: MemoryWorld, kind: str, number: int = 1, *, severity: float = 8, target: str = INSTANCE) -> Any:
    """Return a finding about an instance as EventBridge delivers it."""
    when = world.clock.now().strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return {
        "version": "0",
        "id": f"00000000-0000-0000-0000-{number:012d}",
        "source": "aws.guardduty",
        "detail-type": "GuardDuty Finding",
        "account": "111122223333",
        "time": when,
        "region": "us-east-1",
        "resources": [],
        "detail": {
            "schemaVersion": "2.0",
            "accountId": "111122223333",
            "region": "us-east-1",
            "partition": "aws",
            "id": f"{number:032x}",
            "arn": f"arn:aws:guardduty:us-east-1:111122223333:detector/d/finding/{number:032x}",
            "type": kind,
            "severity": severity,
            "createdAt": when,
            "updatedAt": when,
            "resource": {"resourceType": "Instance", "instanceDetails": {"instanceId": target}},
            "service": {
                "serviceName": "guardduty",
                "archived": False,
                "count": 1,
                "action": {"actionType": "DNS_REQUEST", "dnsRequestAction": {"domain": "c2.example.com"}},
            },
        },
    }


def come(kind: str, *, copies: int = 1) -> Callable[[MemoryWorld], None]:
    """A finding comes, so many times."""

    def play(world: MemoryWorld) -> None:
        world.send(finding(world, kind), copies=copies)
        world.settle()

    return play


def released(world: MemoryWorld) -> None:
    """A person takes back what was done, as often as it takes: a command that fails is typed again."""
    for story in world.stories:
        if not story.over:
            world.undo(story.id)
            world.settle()


def answered(choice: str) -> Callable[[MemoryWorld], None]:
    """A person answers what is asked; a command that fails is typed again."""

    def play(world: MemoryWorld) -> None:
        for approval in asked(world):
            for _ in range(3):
                if world.answer(approval, choice) < 500:
                    break
            world.settle()

    return play


def asked(world: MemoryWorld) -> list[str]:
    """Return the questions that are open."""
    found: Mapping[tuple[str, str], Any] = world.table.rows
    return [
        key[0].removeprefix("APPROVAL#")
        for key, row in sorted(found.items())
        if key[1] == "APPROVAL" and row["status"]["S"] == "pending"
    ]


def waited(seconds: float) -> Callable[[MemoryWorld], None]:
    """Time passes."""
    return lambda world: world.clock.advance(seconds)


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


def _then(*parts: Callable[[MemoryWorld], None]) -> Callable[[MemoryWorld], None]:
    def play(world: MemoryWorld) -> None:
        for part in parts:
            part(world)

    return play


STORIES: dict[str, Story] = {
    "contain": Story(come(CONTAIN)),
    "only": Story(come(ONLY)),
    "undo": Story(_then(come(ONLY), released), undone=True),
    "twice": Story(_then(come(CONTAIN, copies=2), come(CONTAIN))),
    "ask": Story(_then(come(ASK), answered("approve"), released), undone=True),
    "deny": Story(_then(come(ASK), answered("deny"))),
    "expire": Story(_then(come(ASK), waited(7_200))),
    "destroy": Story(_then(come(DESTROY), answered("approve"))),
    "hasty": Story(_then(hasty, come(DESTROY), answered("approve"))),
    "drift": Story(_then(come(ONLY), touched, released), undone=True),
    "both": Story(_then(both, released), undone=True),
    "interrupted": Story(interrupted, undone=True),
    "halted": Story(halted),
    "raced": Story(raced),
    "switched": Story(switched),
    "tightened": Story(_then(come(ASK), tightened, answered("approve"))),
    "protected": Story(protected),
    "spent": Story(_then(spent, come(ONLY), answered("approve"))),
}
"""Every story by name."""
