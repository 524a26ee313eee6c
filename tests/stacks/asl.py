"""The Amazon States Language as far as Respond uses it: is a definition well-formed, and what does a run pass?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

TERMINAL = {"Succeed", "Fail"}


def nested(machine: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a machine and every machine inside its Maps and Parallels."""
    yield machine
    for state in machine["States"].values():
        for inner in [*state.get("Branches", ()), *([state["ItemProcessor"]] if "ItemProcessor" in state else [])]:
            yield from nested(inner)


def states(machine: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return every state at every depth, by name."""
    return {name: state for inner in nested(machine) for name, state in inner["States"].items()}


def targets(state: dict[str, Any]) -> set[str]:
    """Return where a state may go on."""
    found = {state["Next"]} if "Next" in state else set()
    found |= {state["Default"]} if "Default" in state else set()
    found |= {choice["Next"] for choice in state.get("Choices", ())}
    return found | {catch["Next"] for catch in state.get("Catch", ())}


def mistakes(machine: dict[str, Any]) -> list[str]:
    """Return what is wrong with a definition, in words."""
    names = [name for inner in nested(machine) for name in inner["States"]]
    found = [f"{name} is used twice" for name in {name for name in names if names.count(name) > 1}]
    for inner in nested(machine):
        found += _mistakes(inner)
    return found


def _mistakes(machine: dict[str, Any]) -> Iterator[str]:
    here = machine["States"]
    reached, rest = set(), {machine["StartAt"]}
    while rest:
        name = rest.pop()
        if name not in here:
            yield f"there is no state {name}"
        elif name not in reached:
            reached.add(name)
            rest |= targets(here[name])
    for name in here.keys() - reached:
        yield f"{name} cannot be reached"
    for name, state in here.items():
        ends = state.get("End", False) or state["Type"] in TERMINAL
        if state["Type"] == "Choice":
            if "Default" not in state:
                yield f"{name} has no default"
        elif ends == ("Next" in state):
            yield f"{name} has to go on or to end, one of the two"
