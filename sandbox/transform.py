"""Input templates of rule targets and pipes: text with `<placeholders>` in it.

"Amazon EventBridge input transformation" and "Amazon EventBridge Pipes input transformation" (EventBridge User Guide).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.paths import read

_TOKEN = re.compile(r'\\.|"|<([^<>"]+)>')


def render(template: str, lookup: Callable[[str], Any]) -> str:
    """Return a template with every placeholder replaced.

    Inside a JSON string a value becomes text, elsewhere it becomes JSON; either way what it contains cannot end the
    place it stands in.

    Args:
        template: the text.
        lookup: the value of a placeholder.
    """
    quoted = False

    def replace(found: re.Match[str]) -> str:
        nonlocal quoted
        if found[0] == '"':
            quoted = not quoted
        if found[1] is None:
            return found[0]
        value = lookup(found[1])
        if not quoted:
            return json.dumps(value)
        text = value if isinstance(value, str) else json.dumps(value)
        return json.dumps(text)[1:-1]

    return _TOKEN.sub(replace, template)


def target_input(target: Mapping[str, Any], event: Mapping[str, Any], rule_arn: str) -> str:
    """Return the text that a rule's target gets for an event."""
    if "Input" in target:
        return str(target["Input"])
    if "InputPath" in target:
        return json.dumps(read(target["InputPath"], event, {}))
    if "InputTransformer" not in target:
        return json.dumps(event)
    transformer = target["InputTransformer"]
    paths = transformer.get("InputPathsMap", {})
    reserved = {
        "aws.events.event.json": event,
        "aws.events.event": {name: value for name, value in event.items() if name != "detail"},
        "aws.events.rule-arn": rule_arn,
        "aws.events.rule-name": rule_arn.rpartition("/")[2],
    }
    template = transformer["InputTemplate"]
    return render(template, lambda name: reserved[name] if name in reserved else read(paths[name], event, {}))


def pipe_input(template: str, record: Mapping[str, Any]) -> str:
    """Return what a pipe hands on for one record. A body that is JSON is seen as that, any other as a string."""
    seen = {**record, "body": _implicit(record.get("body"))}
    return render(template, lambda path: read(path, seen, {}))


def _implicit(body: Any) -> Any:
    try:
        return json.loads(body, parse_constant=_refuse)
    except (TypeError, ValueError):
        return body


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
