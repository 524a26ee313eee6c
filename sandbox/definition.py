"""What a definition of a state machine may use, so that nothing unknown turns up half-way through a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_COMMON = {"Type", "Comment", "InputPath", "OutputPath", "Next", "End"}
_SHAPED = {*_COMMON, "Parameters", "ResultSelector", "ResultPath", "Retry", "Catch"}
_FIELDS: dict[str, set[str]] = {
    "Pass": {*_COMMON, "Parameters", "ResultPath", "Result"},
    "Task": {*_SHAPED, "Resource", "TimeoutSeconds", "TimeoutSecondsPath", "HeartbeatSeconds"},
    "Choice": {"Type", "Comment", "InputPath", "OutputPath", "Choices", "Default"},
    "Wait": {*_COMMON, "Seconds", "SecondsPath", "Timestamp", "TimestampPath"},
    "Succeed": {"Type", "Comment", "InputPath", "OutputPath"},
    "Fail": {"Type", "Comment", "Error", "Cause", "ErrorPath", "CausePath"},
    "Parallel": {*_SHAPED, "Branches"},
    "Map": {*_SHAPED, "ItemsPath", "ItemSelector", "ItemProcessor", "Iterator", "MaxConcurrency"},
}


class DefinitionError(ValueError):
    """A definition that is wrong, or uses what the interpreter does not know."""


def check(definition: Mapping[str, Any], runs: Callable[[str], bool]) -> None:
    """Refuse a definition that the interpreter would not run to the letter.

    Args:
        definition: the definition.
        runs: whether a task of this resource can be run.

    Raises:
        DefinitionError: names the state and the field.
    """
    if definition.get("QueryLanguage", "JSONPath") != "JSONPath":
        raise DefinitionError("only JSONPath is known")
    states = definition["States"]
    if definition["StartAt"] not in states:
        raise DefinitionError(f"StartAt names no state: {definition['StartAt']}")
    for name, state in states.items():
        unknown = set(state) - _FIELDS.get(state["Type"], set())
        if unknown:
            raise DefinitionError(f"{name} ({state['Type']}): unknown {', '.join(sorted(unknown))}")
        targets = [state.get("Next"), state.get("Default")]
        targets += [rule.get("Next") for rule in (*state.get("Choices", ()), *state.get("Catch", ()))]
        if lost := {target for target in targets if target is not None} - set(states):
            raise DefinitionError(f"{name}: goes to {', '.join(sorted(lost))}, which is not there")
        if state["Type"] not in ("Choice", "Succeed", "Fail") and ("Next" in state) == bool(state.get("End")):
            raise DefinitionError(f"{name}: needs either Next or End")
        if state["Type"] == "Task" and not runs(state["Resource"]):
            raise DefinitionError(f"{name}: the sandbox runs no tasks of {state['Resource']}")
        for inner in (*state.get("Branches", ()), state.get("ItemProcessor"), state.get("Iterator")):
            if inner is not None:
                if inner.get("ProcessorConfig", {}).get("Mode", "INLINE") != "INLINE":
                    raise DefinitionError(f"{name}: only inline Maps are known")
                check(inner, runs)
