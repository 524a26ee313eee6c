"""The fixtures of findings, and a way in for tests."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

from firebreak.core.finding import Finding
from firebreak.core.intake import normalise
from firebreak.core.registry import sources
from firebreak.core.source import Origin

FOLDER = Path(__file__).parent.parent / "fixtures" / "findings"
HERE = Origin(account="111122223333", region="eu-west-1", cluster="prod-a")
"""What the operator gives for forms that lack it."""

CASES = sorted(path for path in FOLDER.glob("*/*.json") if not path.name.endswith(".golden.json"))


def fixture(source: str, case: str) -> dict[str, Any]:
    """Return one event, fresh."""
    event: dict[str, Any] = json.loads((FOLDER / source / f"{case}.json").read_text())
    return event


def one(event: object, origin: Origin = HERE) -> Finding:
    """Return the only finding of an event."""
    (finding,) = normalise(event, origin, sources())
    return finding


def changed(event: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return a copy with the member at a dotted path set, or taken out where the value is `...`."""
    copy = deepcopy(event)
    *parents, last = path.split(".")
    part: Any = copy
    for name in parents:
        part = part[int(name)] if isinstance(part, list) else part.setdefault(name, {})
    if value is ...:
        part.pop(last, None)
    else:
        part[last] = value
    return copy
