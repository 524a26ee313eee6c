"""What stories of the memory world are told in: the playbooks, the findings, what people do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from firebreak.ports import Actor
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
  - name: quiet
    description: Neither acts nor tells.
    priority: 50
    match: {source: guardduty, type: "Stealth:EC2/*"}
    notify: false
    steps: []
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


def then(*parts: Callable[[MemoryWorld], None]) -> Callable[[MemoryWorld], None]:
    """One thing after the other."""

    def play(world: MemoryWorld) -> None:
        for part in parts:
            part(world)

    return play
