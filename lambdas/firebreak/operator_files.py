"""What operators write, checked: playbooks and settings from YAML to validated models, every error with file and line.

Read at synth, so that a mistake fails there, and by the command line. Left out of the asset: the functions get the
outcome as JSON.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Collection, Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from pydantic import Field, ValidationError

from firebreak.core import registry
from firebreak.core.action import AnyAction
from firebreak.core.deployment import Deployment
from firebreak.core.display import clean
from firebreak.core.errors import InputError, PlaybookError, SettingsError
from firebreak.core.incident import Consent
from firebreak.core.model import Json, Model
from firebreak.core.plan import Stage
from firebreak.core.playbook import Playbook, Playbooks, PlaybookStep
from firebreak.core.spelling import Misplaced
from firebreak.operator_yaml import Where, Written, YamlError, read

Find = Callable[[str], AnyAction]
M = TypeVar("M", bound=Model)

ACTION_NAME = re.compile(r"[a-z0-9]+\.[a-z0-9_]+")
ERRORS_SHOWN, ERRORS_READ, REASON = 10, 100, 1_000
"""Mistakes of one value that are told, and that are put into words at all; characters of one, as it quotes the file."""


class WrittenStep(Model):
    """A step as it is written.

    Attributes:
        action: the action's name; `firebreak actions list` names them.
        with: its parameters; what is left out has the action's default.
        consent: "auto" runs it where the guard agrees, "ask" asks a person first. Destructive steps ask.
        stage: preserve, contain, eradicate or recover; left out, what the action's effect suggests.
    """

    action: str
    parameters: dict[str, Json] = Field(default={}, alias="with")
    consent: Consent
    stage: Stage | None = None


class _File:
    """One file: its values, their lines, and the error that its mistakes raise."""

    def __init__(self, path: Path, error: type[InputError]) -> None:
        self.path = path
        self.error = error
        try:
            self.written: Written = read(path)
        except YamlError as found:
            raise error(f"{path}:{found.line}: {found.reason}") from None

    def at(self, where: Where) -> str:
        """Return file:line of a path."""
        return f"{self.path}:{self.written.line(where)}"

    def wrong(self, where: Where, reason: str) -> InputError:
        """Return the error of a value at a path."""
        return self.error(f"{self.at(where)}: {clean(reason, REASON)}")

    def checked(self, model: type[M], value: Json, where: Where) -> M:
        """Return the model of a value at a path. Strict: a quoted number is no number, and 1 is not true."""
        try:
            return model.model_validate_json(json.dumps(value), strict=True)
        except ValidationError as error:
            said = list(dict.fromkeys(islice(self._mistakes(error, model, where), ERRORS_READ)))
            left = len(said) - ERRORS_SHOWN + max(error.error_count() - ERRORS_READ, 0)
            more = [f"… and {left} more"] if left > 0 else []
            raise self.error("\n".join((*said[:ERRORS_SHOWN], *more))) from None

    def _mistakes(self, error: ValidationError, model: type[Model], where: Where) -> Iterator[str]:
        for mistake in error.errors(include_url=False):
            cause = mistake.get("ctx", {}).get("error")
            path = (*where, *mistake["loc"], *(cause.path if isinstance(cause, Misplaced) else ()))
            name = str(mistake["loc"][-1]) if mistake["loc"] else ""
            match mistake["type"]:
                case "extra_forbidden":
                    reason = f"unknown key {name[:60]!r}; {_near(name, _keys(model))}"
                case "missing":
                    reason = f"{name} is missing; write it"
                case "value_error":
                    reason = str(cause)
                case _:
                    reason = f"{name or 'this'} is {_shown(mistake['input'])}: {mistake['msg']}"
            yield str(self.wrong(path, reason))


def load_playbooks(
    folder: Path,
    find: Find = registry.action,
    actions: Collection[str] | None = None,
    sources: Collection[str] | None = None,
) -> Playbooks:
    """Read every playbook of a folder.

    Args:
        folder: holds `*.yaml` files, each with a list under `playbooks`.
        find: returns an action by its name, or raises KeyError.
        actions, sources: the names there are; the registry's where they are not given.

    Raises:
        PlaybookError: one cannot be used; starts with file:line.
    """
    known_actions = registry.actions() if actions is None else actions
    known_sources = registry.sources() if sources is None else sources
    places: list[tuple[_File, Where, Playbook]] = []
    for file in _files(folder):
        for where, playbook in _playbooks(file, find, known_actions):
            source = playbook.match.source
            if source is not None and source not in known_sources:
                raise file.wrong((*where, "match", "source"), f"no source {source!r}; {_near(source, known_sources)}")
            _stands_apart(file, where, playbook, places)
            places.append((file, where, playbook))
    places.sort(key=lambda place: place[2].priority)
    for index, (file, where, playbook) in enumerate(places):
        for _, _, earlier in places[:index]:
            if earlier.match.covers(playbook.match):
                raise file.wrong(
                    (*where, "match"),
                    f"{playbook.name} can never match: {earlier.name} (priority {earlier.priority}) takes everything "
                    f"that it would; give it a lower priority number, or narrow the other",
                )
    return Playbooks(playbooks=tuple(playbook for _, _, playbook in places))


def load_deployment(path: Path, actions: Collection[str] | None = None) -> Deployment:
    """Read the settings of a deployment. A file in which everything is a comment gives the defaults.

    Args:
        path: `firebreak.yaml`, wherever it lives.
        actions: the names of the actions there are; the registry's where they are not given.

    Raises:
        SettingsError: it cannot be used; starts with file:line.
    """
    file = _File(path, SettingsError)
    value = {} if file.written.value is None else file.written.value
    deployment = file.checked(Deployment, value, ())
    known = registry.actions() if actions is None else actions
    for action in deployment.guard.budgets:
        if action not in known:
            raise file.wrong(("guard", "budgets", action), f"no action {action!r}; {_near(action, known)}")
    return deployment


def _files(folder: Path) -> Iterator[_File]:
    if not folder.is_dir():
        raise PlaybookError(f"{folder}:1: no such folder; name the one that holds the playbooks")
    paths = sorted(
        path
        for path in folder.iterdir()
        if path.suffix in (".yaml", ".yml") and not path.name.startswith(".") and path.is_file()
    )
    if not paths:
        raise PlaybookError(f"{folder}:1: holds no *.yaml file; without playbooks nothing is ever done")
    yield from (_File(path, PlaybookError) for path in paths)


def _playbooks(file: _File, find: Find, actions: Collection[str]) -> Iterator[tuple[Where, Playbook]]:
    value = file.written.value
    if not isinstance(value, dict) or not isinstance(value.get("playbooks"), list) or not value["playbooks"]:
        raise file.wrong(("playbooks",), "is not a list of playbooks under the key `playbooks`; write one")
    if spare := [key for key in value if key != "playbooks"]:
        raise file.wrong((spare[0],), f"unknown key {spare[0][:60]!r}; a file holds `playbooks` and nothing else")
    for index, written in enumerate(value["playbooks"]):
        where: Where = ("playbooks", index)
        if not isinstance(written, dict):
            raise file.wrong(where, f"is {_shown(written)}, not a playbook; write name, priority, match and steps")
        steps = written.get("steps", [])
        if isinstance(steps, list):
            read_steps = [
                _step(file, (*where, "steps", number), step, find, actions) for number, step in enumerate(steps)
            ]
            if again := [number for number, step in enumerate(read_steps) if _same_step(step, read_steps[:number])]:
                raise file.wrong((*where, "steps", again[0]), "the same step is written before; take one out")
            steps = [step.model_dump(mode="json") for step in read_steps]
        yield where, file.checked(Playbook, written | {"steps": steps}, where)


def _step(file: _File, where: Where, written: Json, find: Find, actions: Collection[str]) -> PlaybookStep:
    step = file.checked(WrittenStep, written, where)
    try:
        action = find(step.action) if ACTION_NAME.fullmatch(step.action) else None
    except KeyError:
        action = None
    if action is None:
        raise file.wrong((*where, "action"), f"no action {step.action[:60]!r}; {_near(step.action, actions)}")
    if action.effect == "destructive" and step.consent == "auto":
        raise file.wrong((*where, "consent"), f"{action.name} is destructive and always asks; write `consent: ask`")
    stage = step.stage or action.stage
    if action.effect == "destructive" and stage == "preserve":
        raise file.wrong((*where, "stage"), f"{action.name} is destructive, and preserve only keeps; leave it out")
    parameters = file.checked(action.parameters, step.parameters, (*where, "with"))
    return PlaybookStep(
        action=action.name,
        parameters=parameters.model_dump(mode="json"),
        consent=step.consent,
        stage=stage,
        effect=action.effect,
        target_kind=action.target_kind,
    )


def _same_step(step: PlaybookStep, others: Collection[PlaybookStep]) -> bool:
    return any((step.action, step.parameters) == (other.action, other.parameters) for other in others)


def _stands_apart(
    file: _File, where: Where, playbook: Playbook, earlier: Collection[tuple[_File, Where, Playbook]]
) -> None:
    for other_file, other_where, other in earlier:
        for what in ("name", "priority"):
            if getattr(playbook, what) == getattr(other, what):
                raise file.wrong(
                    (*where, what),
                    f"{what} {getattr(playbook, what)} is taken by {other_file.at((*other_where, what))}; "
                    f"every playbook has its own",
                )


@cache
def _keys(model: type[Model]) -> frozenset[str]:
    schema: dict[str, Any] = model.model_json_schema()
    return frozenset(key for part in (schema, *schema.get("$defs", {}).values()) for key in part.get("properties", {}))


def _near(word: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(word[:60], sorted(known), n=1)
    return f"did you mean {near[0]}?" if near else f"there is {', '.join(sorted(known)) or 'none'}"


def _shown(value: Any) -> str:
    text = "empty" if value is None else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
