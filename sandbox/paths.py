"""The part of JSONPath, and the intrinsic functions, that state machines of ours may use.

Amazon States Language, "Paths", "Reference Paths", "Payload Template" and "Intrinsic Functions".
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any

_STEP = re.compile(
    r"""\.(?P<name>[\w-]+) | \['(?P<quoted>[^']*)'\] | \[(?P<index>-?\d+)\] | (?P<all>\[\*\]|\.\*)""", re.X
)
_FORMAT = re.compile(r"\\\\|\\'|\\\{|\\\}|\{\}")


class StateError(Exception):
    """How a state fails.

    Args:
        error: error name, "States.TaskFailed" or a function's own.
        cause: for people.
    """

    def __init__(self, error: str, cause: str = "") -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause


def read(path: str, data: Any, context: Any) -> Any:
    """Return what a path ("$.a.b[0]", "$$.Execution.Name") selects.

    Raises:
        StateError: nothing is there (States.Runtime), or the path is beyond what we know.
    """
    root, rest = (context, path[2:]) if path.startswith("$$") else (data, path[1:])
    if not path.startswith("$"):
        raise StateError("States.Runtime", f"{path!r} is not a path")
    values, many = [root], False
    at = 0
    while at < len(rest):
        step = _STEP.match(rest, at)
        if step is None:
            raise StateError("States.Runtime", f"the sandbox does not know the path {path!r}")
        at = step.end()
        if step["all"]:
            many = True
            values = [item for value in values for item in (value.values() if isinstance(value, dict) else value)]
        else:
            values = [found for value in values for found in _child(value, step)]
    if not many and not values:
        raise StateError("States.Runtime", f"the path {path!r} selects nothing in the state's input")
    return values if many else values[0]


def exists(path: str, data: Any, context: Any) -> bool:
    """Tell whether a path selects something."""
    try:
        read(path, data, context)
    except StateError:
        return False
    return True


def write(path: str | None, data: Any, value: Any) -> Any:
    """Return `data` with `value` at a reference path; None discards the value, "$" replaces the data."""
    if path is None:
        return data
    if path == "$":
        return value
    names = [step["name"] or step["quoted"] for step in _STEP.finditer(path[1:])]
    if not names or None in names:
        raise StateError("States.ResultPathMatchFailure", f"{path!r} is not a reference path the sandbox knows")
    copy = json.loads(json.dumps(data))
    if not isinstance(copy, dict):
        raise StateError("States.ResultPathMatchFailure", f"cannot put {path!r} into what is not an object")
    inner = copy
    for name in names[:-1]:
        inner = inner.setdefault(name, {})
        if not isinstance(inner, dict):
            raise StateError("States.ResultPathMatchFailure", f"cannot put {path!r}: {name} is not an object")
    inner[names[-1]] = value
    return copy


def fill(template: Any, data: Any, context: Any) -> Any:
    """Return a payload template with its paths and intrinsic functions worked out."""
    if isinstance(template, Mapping):
        filled = {}
        for key, value in template.items():
            if key.endswith(".$"):
                filled[key[:-2]] = evaluate(value, data, context)
            else:
                filled[key] = fill(value, data, context)
        return filled
    if isinstance(template, list):
        return [fill(value, data, context) for value in template]
    return template


def evaluate(expression: str, data: Any, context: Any) -> Any:
    """Return the value of a path or of a call of an intrinsic function."""
    if not expression.startswith("States."):
        return read(expression, data, context)
    value, end = _expression(expression, 0, data, context)
    if expression[end:].strip():
        raise StateError("States.Runtime", f"cannot read {expression!r} from {expression[end:]!r} on")
    return value


def _child(value: Any, step: re.Match[str]) -> list[Any]:
    if step["index"] is not None:
        index = int(step["index"])
        return [value[index]] if isinstance(value, list) and -len(value) <= index < len(value) else []
    name = step["name"] if step["name"] is not None else step["quoted"]
    return [value[name]] if isinstance(value, dict) and name in value else []


def _expression(text: str, at: int, data: Any, context: Any) -> tuple[Any, int]:
    """Read one argument or call; return its value and where it ends."""
    while text[at : at + 1].isspace():
        at += 1
    if text.startswith("States.", at):
        return _call(text, at, data, context)
    if text.startswith("'", at):
        literal = re.compile(r"'((?:[^'\\]|\\.)*)'").match(text, at)
        if literal is None:
            raise StateError("States.Runtime", f"unfinished text in {text!r}")
        return literal[1], literal.end()
    plain = re.compile(r"[^,)]+").match(text, at)
    if plain is None:
        raise StateError("States.Runtime", f"cannot read {text!r} at {at}")
    word = plain[0].strip()
    value = read(word, data, context) if word.startswith("$") else json.loads(word)
    return value, plain.end()


def _call(text: str, at: int, data: Any, context: Any) -> tuple[Any, int]:
    head = re.compile(r"States\.(\w+)\(").match(text, at)
    if head is None or head[1] not in _INTRINSICS:
        raise StateError("States.Runtime", f"the sandbox does not know the intrinsic function in {text!r}")
    arguments: list[Any] = []
    at = head.end()
    while True:
        while text[at : at + 1].isspace() or text[at : at + 1] == ",":
            at += 1
        if text[at : at + 1] == ")":
            break
        if at >= len(text):
            raise StateError("States.Runtime", f"unfinished call in {text!r}")
        value, at = _expression(text, at, data, context)
        arguments.append(value)
    try:
        return _INTRINSICS[head[1]](*arguments), at + 1
    except (TypeError, ValueError, IndexError) as error:
        raise StateError("States.IntrinsicFailure", f"States.{head[1]}: {error}") from error


def _format(template: str, *values: Any) -> str:
    rest = list(values)

    def one(found: re.Match[str]) -> str:
        if found[0] != "{}":
            return found[0][1]
        value = rest.pop(0)
        return value if isinstance(value, str) else json.dumps(value)

    text = _FORMAT.sub(one, template)
    if rest:
        raise ValueError("more values than places for them")
    return text


def _merge(first: dict[str, Any], second: dict[str, Any], deep: bool) -> dict[str, Any]:
    if deep:
        raise ValueError("deep merging is not supported")
    return {**first, **second}


def _unique(values: list[Any]) -> list[Any]:
    seen = {json.dumps(value, sort_keys=True): value for value in reversed(values)}
    return list(reversed(seen.values()))


_INTRINSICS: dict[str, Callable[..., Any]] = {
    "Array": lambda *values: list(values),
    "ArrayContains": lambda values, wanted: wanted in values,
    "ArrayGetItem": lambda values, index: values[index],
    "ArrayLength": len,
    "ArrayPartition": lambda values, size: [values[at : at + size] for at in range(0, len(values), size)],
    "ArrayRange": lambda first, last, step: list(range(first, last + (1 if step > 0 else -1), step)),
    "ArrayUnique": _unique,
    "Base64Decode": lambda text: base64.b64decode(text).decode(),
    "Base64Encode": lambda text: base64.b64encode(text.encode()).decode(),
    "Format": _format,
    "Hash": lambda text, algorithm: hashlib.new(algorithm.replace("-", ""), text.encode()).hexdigest(),
    "JsonMerge": _merge,
    "JsonToString": lambda value: json.dumps(value, separators=(",", ":")),
    "MathAdd": lambda first, second: first + second,
    "StringSplit": lambda text, at: [part for part in re.split("[" + re.escape(at) + "]", text) if part],
    "StringToJson": json.loads,
    "UUID": lambda: str(uuid.uuid4()),
}
