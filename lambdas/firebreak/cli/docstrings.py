"""Docstrings of models, read: they are what people are told of a setting or parameter."""

from __future__ import annotations

import inspect
import re

from pydantic import BaseModel

ENTRY = re.compile(r"(?P<names>[a-z0-9_]+(?:, [a-z0-9_]+)*): (?P<text>.*)")


def meanings(model: type[BaseModel]) -> dict[str, str]:
    """Return what the docstring says of each attribute."""
    said: dict[str, str] = {}
    names: list[str] = []
    for line in (inspect.getdoc(model) or "").partition("Attributes:\n")[2].splitlines():
        entry = ENTRY.fullmatch(line[4:])
        if entry:
            names = entry["names"].split(", ")
            said |= dict.fromkeys(names, entry["text"])
        else:
            said |= {name: f"{said[name]} {line.strip()}".strip() for name in names}
    return said
