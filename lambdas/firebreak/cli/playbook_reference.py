"""docs/playbook-reference.md: what playbooks and settings may say, and what the shipped playbooks do.

Everything in it comes from the models, their docstrings and the playbooks, so that it cannot say anything else.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Iterator
from typing import Any, cast

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from firebreak.cli.docstrings import meanings
from firebreak.cli.guardduty_types import KnownType, known_types
from firebreak.core.deployment import Deployment
from firebreak.core.finding import Severity
from firebreak.core.glob import any_matches
from firebreak.core.playbook import Match, Playbook, Playbooks, SeverityRange
from firebreak.operator_files import WrittenStep

INTRODUCTION = """\
## Playbooks

A playbook says which findings get which steps, under which consent. Operators edit `playbooks/*.yaml`; each file holds
a list under `playbooks`. `firebreak playbooks check` and `cdk synth` refuse a mistake with its file and line;
`firebreak explain FILE` says which playbook takes a finding, and why none of the others does.

The playbook with the lowest priority number whose conditions all hold decides, alone. Where none does, people are told.
Before each step the guard is asked as well, and can only tighten: see `guard` and `mode` below.

```yaml
playbooks:
  - name: web-servers
    description: Web servers of the shop that talk to an attacker's server.
    priority: 405
    match:
      source: guardduty
      type: "Backdoor:EC2/*"
      severity: {at_least: high}
      tags: {role: web}
    steps:
      - action: ebs.snapshot_volumes
        consent: auto
      - action: ec2.isolate_instance
        consent: ask
        with: {cut_tracked: true}
```

It is YAML without its surprises: no anchors, aliases, tags or second documents, no key twice. `true`, `false`, `null`
and plain numbers are what they are, everything else is text. In globs `*` stands for any run of characters and `?` for
any one. Where a list is asked for, one value may be written without it.
"""

SHIPPED = """\
## The shipped playbooks

By priority. Steps say which consent they need; those that find no target of their kind are left out."""

ROUTES = """\
## What takes which GuardDuty type

For each documented type the shipped playbooks whose type, source and severity fit, in the order in which they are
asked; posture, kind of target and tags choose among them, and `victims` comes before all. Types that none takes go to
`everything-else`."""


def render(playbooks: Playbooks) -> str:
    """Return the page, without its title.

    Args:
        playbooks: the shipped ones.
    """
    parts = [
        INTRODUCTION,
        _table("### A playbook", Playbook),
        _table("### `match`", Match),
        _table("### `match.severity`", SeverityRange),
        _table("### A step", WrittenStep),
        "## Settings",
        f"`firebreak.yaml` holds one deployment's settings; every one may be left out. {_lead(Deployment)}",
        *_settings(Deployment, ""),
        SHIPPED,
        *(_shipped(playbook) for playbook in playbooks.playbooks),
        ROUTES,
        _routes(playbooks),
    ]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _lead(model: type[BaseModel]) -> str:
    paragraphs = inspect.getdoc(model) or ""
    return " ".join(paragraphs.split("Attributes:")[0].split())


def _table(title: str, model: type[BaseModel]) -> str:
    said = meanings(model)
    rows = ["| Key | Default | Meaning |", "|---|---|---|"]
    for name, field in model.model_fields.items():
        key = field.alias or name
        rows.append(f"| `{key}` | {_default(field)} | {_cell(said[key])} |")
    return "\n\n".join((title, _lead(model), "\n".join(rows)))


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        return "see below"
    shown: Any = to_jsonable_python(value.word if hasattr(value, "word") else value)
    return "–" if shown in (None, [], {}, "") else f"`{json.dumps(shown, ensure_ascii=False)}`"


def _settings(model: type[BaseModel], path: str) -> Iterator[str]:
    if path:
        yield _table(f"### `{path}`", model)
    else:
        yield _table("### All of them", model).replace(f"\n\n{_lead(model)}", "", 1)
    for name, field in model.model_fields.items():
        inner = next((part for part in _parts(field.annotation) if issubclass(part, BaseModel)), None)
        if inner is not None:
            listed = isinstance(field.default, tuple)
            yield from _settings(inner, f"{path}.{name}".lstrip(".") + ("[]" if listed else ""))


def _parts(annotation: Any) -> Iterator[type]:
    """Return the classes an annotation is made of."""
    if inspect.isclass(annotation):
        yield cast(type, annotation)
    for part in getattr(annotation, "__args__", ()):
        yield from _parts(part)


def _shipped(playbook: Playbook) -> str:
    conditions = _conditions(playbook.match) or ["everything"]
    steps = [
        f"{number}. `{step.action}`, {step.stage}, {'asks' if step.consent == 'ask' else 'unasked'}"
        for number, step in enumerate(playbook.steps, 1)
    ] or [f"No steps; people are {'told' if playbook.notify else 'not told'}."]
    return "\n\n".join(
        (
            f"### {playbook.name} ({playbook.priority})",
            playbook.description,
            "Takes " + "; ".join(conditions) + ".",
            "\n".join(steps),
        )
    )


def _conditions(match: Match) -> list[str]:
    written = match.model_dump(mode="json", exclude_defaults=True)
    severity = written.pop("severity", None)
    said = [
        f"{key} {_either([str(each) for each in (value if isinstance(value, list) else [value])])}"
        for key, value in written.items()
        if key not in ("tags", "facts")
    ]
    for name in ("tags", "facts"):
        said += [f"{name[:-1]} `{key}` {_either(map(str, values))}" for key, values in written.get(name, {}).items()]
    return said if severity is None else [*said, f"severity {match.severity}"]


def _either(values: Iterable[str]) -> str:
    return " or ".join(f"`{value}`" for value in values)


def _routes(playbooks: Playbooks) -> str:
    rows = ["| Type | Documented severity | Resource | Playbooks |", "|---|---|---|---|"]
    for known in known_types():
        takers = [playbook.name for playbook in playbooks.playbooks if _takes(playbook.match, known)]
        rows.append(
            f"| `{known.type}` | {'/'.join(known.severities)} | {', '.join(known.resources)} | "
            f"{', '.join(takers) or '–'} |"
        )
    return "\n".join(rows)


def _takes(match: Match, known: KnownType) -> bool:
    return (
        match.source == "guardduty"
        and match.type is not None
        and any_matches(match.type, known.type)
        and (match.severity is None or any(_in_range(match.severity, word) for word in known.severities))
    )


def _in_range(severity: SeverityRange, word: str) -> bool:
    bands = {band.word: band for band in Severity}
    return word == "Varies" or severity.at_least <= bands[word.lower()] <= severity.at_most


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
