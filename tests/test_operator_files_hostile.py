"""Playbooks and settings made to break whoever reads them: taken, or refused in a few short lines that say where."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from firebreak import operator_yaml
from firebreak.core.deployment import Deployment
from firebreak.core.errors import InputError, PlaybookError, SettingsError
from firebreak.operator_files import ERRORS_SHOWN, REASON, load_deployment, load_playbooks
from firebreak.operator_yaml import BYTES, VALUES
from tests.hostile import HIDDEN, require_fit
from tests.test_operator_files import ACTIONS, GOOD
from tests.wire.anything import ANYTHING, TEXT

LONGEST = (ERRORS_SHOWN + 1) * (REASON + 200)
"""Characters of an error: its lines, each after a path."""

SETTINGS = """\
home: {account: 111122223333, region: eu-central-1}
mode: approve
people:
  - {name: ada, iam: "arn:aws:iam::111122223333:user/ada"}
approvers:
  - {people: ada}
guard:
  budgets: {test.act: 3}
  protected_tags: {team: [a, b]}
approval: {expire_after_minutes: 60}
"""

HOSTILE_TEXT = st.text("[]{}:,-&*!?|>'\"%#@`~\\ \n\t0123456789.eExuU<=abc\u202e\x07\x85\u2028\ufeff\ud800", max_size=80)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile")


@contextmanager
def told(file: Path, error: type[InputError]) -> Iterator[None]:
    """Let a file be taken, or refused by an error of its kind whose every line is short, plain and says where."""
    try:
        yield
    except error as refusal:
        said = str(refusal)
        require_fit(said, LONGEST, ERRORS_SHOWN + 1)
        if re.match(rf"{re.escape(str(file))}:\d+: .", said) is None:
            raise AssertionError(f"does not say where: {said[:200]!a}") from None


def read_both(folder: Path, content: bytes) -> None:
    """Read a text as playbooks and as settings."""
    file = folder / "one.yaml"
    file.write_bytes(content)
    with told(file, PlaybookError):
        load_playbooks(folder, ACTIONS.__getitem__, ACTIONS, {"guardduty", "falco"})
    with told(file, SettingsError):
        load_deployment(file, ACTIONS)


BOMB = "a: &a [x, x]\n" + "".join(f"{n}: &{n} [*{m}, *{m}]\n" for m, n in zip("abcdefgh", "bcdefghi", strict=True))


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        "playbooks: &a [*a]",
        "<<: *a",
        "[" * 10_000,
        "{a: " * 10_000,
        "- " * 10_000 + "x",
        "? " * 10_000 + "x",
        "playbooks: " + "[" * 15 + "]" * 15,
        json.dumps({"playbooks": "x" * 200_000}),
        "a" * (BYTES - 1),
        '"' + "\\u202e" * 10_000 + '": 1',
        "\n" * 100_000 + "a: [",
        "#" * (BYTES + 1),
        "playbooks: " + "9" * 100_000,
        "playbooks: [.nan, .inf, -.inf, 1e99, 1e999, 0x10, 1_000, 12:30:45]",
        "mode: auto\nmode: observe\n",
        '{"mode": "auto", "mode": "observe"}',
        "%YAML " + "9" * 5_000 + ".1\n---\n",
        "%YAML 1." + "9" * 5_000 + "\n---\n",
        '"\\UFFFFFFFF"',
        '"\\U00110000"',
        '"\\ud800"',
        "!" + "x" * 100_000 + "!y z",
        "!<%FF> x",
        "%TAG !" + "x" * 10_000 + "! a\n%TAG !" + "x" * 10_000 + "! b\n---\n",
        "!!python/object/apply:os.system [echo]",
        "!!binary aGVsbG8=",
        "a: \x00",
        "a: \x85b",
        "a: \u2028b",
        "\ufeff\ufeffmode: auto",
        *(f"{key}: {json.dumps([HIDDEN, {HIDDEN: HIDDEN}])}" for key in Deployment.model_fields),
    ],
)
def test_a_file_made_to_break_its_reader_is_refused_with_file_and_line(folder: Path, text: str) -> None:
    content = text.encode("utf-8", "surrogatepass")
    read_both(folder, content)


@settings(max_examples=60)
@given(HOSTILE_TEXT)
@example('"\\UFFFFFFFF"')
def test_any_text_is_taken_or_refused_with_file_and_line(folder: Path, text: str) -> None:
    read_both(folder, text.encode("utf-8", "surrogatepass"))


@settings(max_examples=60)
@given(st.binary(max_size=60))
def test_any_bytes_are_taken_or_refused_with_file_and_line(folder: Path, content: bytes) -> None:
    read_both(folder, content)


@settings(max_examples=60)
@given(st.sampled_from([GOOD, SETTINGS]), st.integers(0, 1_000), st.integers(0, 20), HOSTILE_TEXT)
def test_a_good_file_damaged_anywhere_is_taken_or_refused_with_file_and_line(
    folder: Path, good: str, place: int, length: int, text: str
) -> None:
    place %= len(good)
    damaged = good[:place] + text + good[place + length :]
    read_both(folder, damaged.encode("utf-8", "surrogatepass"))


WRITTEN: dict[str, Any] = {
    "name": "first",
    "description": "x",
    "priority": 10,
    "match": {
        "source": "guardduty",
        "tags": {"team": "a"},
        "facts": {"pod.node": "a"},
        "severity": {"at_least": "low"},
    },
    "steps": [{"action": "test.act", "consent": "ask", "with": {"seconds": 90}}],
}


@st.composite
def odd_playbook(draw: st.DrawFn) -> Any:
    """A good playbook in which a member anywhere was replaced, or one was added."""
    made = json.loads(json.dumps(WRITTEN))
    part = made
    while True:
        key = draw(st.sampled_from(sorted(part)))
        below = part[key][0] if isinstance(part[key], list) else part[key]
        if not isinstance(below, dict) or draw(st.booleans()):
            break
        part = below
    part[draw(TEXT) if draw(st.booleans()) else key] = draw(ANYTHING)
    return made


@settings(max_examples=60)
@given(odd_playbook())
@example({**WRITTEN, "match": {"source": "x" * 10_000}})
@example({**WRITTEN, "match": {"source": HIDDEN.encode("utf-8", "replace").decode()}})
@example({**WRITTEN, "match": {"kind": "x" * 10_000}})
def test_any_value_in_a_playbook_is_taken_or_refused_with_file_and_line(folder: Path, playbook: Any) -> None:
    read_both(folder, json.dumps({"playbooks": [playbook]}).encode())


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from(sorted(Deployment.model_fields)), ANYTHING, max_size=4))
@example({"guard": {"budgets": {"x" * 10_000: 3}}})
@example({"people": [{"name": "ada"}], "approvers": [{"people": "\u202e" * 10_000}]})
@example({"approvers": [{"people": "x" * 10_000}]})
@example({"environment": {"production": {"x": "\u202e"}, "other": {"x": "\u202e"}}})
def test_any_value_in_the_settings_is_taken_or_refused_with_file_and_line(folder: Path, values: Any) -> None:
    read_both(folder, json.dumps(values).encode())


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "- " * 100_000, "[" + "x," * 100_000, "a: &a [x]\n" + "b: *a\n" * 20_000, BOMB * 100]
)
def test_no_more_is_read_than_the_bounds_allow_and_nothing_is_built(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []
    events = operator_yaml._events

    def counted(text: str) -> Iterator[Any]:
        for event in events(text):
            seen.append(event)
            yield event

    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("built from a text that is refused")

    monkeypatch.setattr(operator_yaml, "_events", counted)
    monkeypatch.setattr(yaml, "compose", never)
    with pytest.raises(operator_yaml.YamlError):
        operator_yaml.parse(text)
    assert len(seen) <= VALUES + 10
