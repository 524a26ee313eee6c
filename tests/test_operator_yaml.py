"""The YAML that operators may write."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from firebreak.operator_yaml import BYTES, DEPTH, VALUES, YamlError, parse, read


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("012345678901", "012345678901"),
        ("111122223333", 111122223333),
        ("no", "no"),
        ("on", "on"),
        ("Yes", "Yes"),
        ("true", True),
        ("True", "True"),
        ("null", None),
        ("~", None),
        ('""', ""),
        ('"true"', "true"),
        ("'5'", "5"),
        ("5", 5),
        ("-5", -5),
        ("0", 0),
        ("0x10", "0x10"),
        ("0o17", "0o17"),
        ("017", "017"),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("2026-11-02", "2026-11-02"),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("1e999", "1e999"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("9" * 5000, "9" * 5000),
        ("|\n  two\n  lines\n", "two\nlines\n"),
        ("<<", "<<"),
        ("\ufeff5", 5),
    ],
)
def test_only_what_looks_like_json_is_anything_but_text(text: str, value: Any) -> None:
    found = parse(f"key: {text}").value["key"] if not text.startswith("\ufeff") else parse(text[1:]).value
    assert found == value
    assert type(found) is type(value)


def test_every_value_knows_its_line() -> None:
    written = parse("a: 1\nb:\n  - x\n  - c: 2\n    d: [3,\n      4]\n")
    lines = {
        (): 1,
        ("a",): 1,
        ("b",): 2,
        ("b", 0): 3,
        ("b", 1): 4,
        ("b", 1, "c"): 4,
        ("b", 1, "d"): 5,
        ("b", 1, "d", 1): 6,
        ("b", 1, "missing", "deeper"): 4,
        ("missing",): 1,
    }
    assert {where: written.line(where) for where in lines} == lines


BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (BOMB, 1, "anchor or alias"),
        ("a: *b", 1, "anchor or alias"),
        ("a: 1\nb: *:Runtime/*", 2, "alias"),
        ("a: !!python/object/apply:os.system [echo]", 1, "uses the tag"),
        ("a: !mine x", 1, "uses the tag"),
        ("a: !!str 5", 1, "uses the tag"),
        ("a: 1\n---\nb: 2", 2, "second document"),
        ("a: 1\na: 2", 2, "'a' is written twice, first on line 1"),
        ("? [1]\n: 2", 1, "a key is a list or a mapping"),
        ("a: [1,\n 2", 2, "mend the YAML"),
        ("a:\n\t- b", 2, "mend the YAML"),
        ("a: 'x", 1, "mend the YAML"),
        ("a\n b: c", 2, "mend the YAML"),
        ("a: \x00", 1, "U+0000"),
        ("a: 1\nb: \x07", 2, "U+0007"),
        ("a: \ud800", 1, "U+D800"),
        ('a: "\\ud800"', 1, "half a character"),
        ('a: 1\n"\\udfff": 1', 2, "half a character"),
        ('a: "\\UFFFFFFFF"', 1, "no character or version"),
        ('a: 1\nb: "\\U00110000"', 2, "no character or version"),
        (f"%YAML {'9' * 5_000}.1\n---\na: 1", 1, "no character or version"),
        (f"a: !{'x' * 5_000}!y z", 1, "undefined tag handle"),
        ("[" * (DEPTH + 1), 1, f"deeper than {DEPTH}"),
        ("[" * 100_000, 1, "deeper than"),
        ("- " * (DEPTH + 1) + "x", 1, "deeper than"),
        ("[" + "x," * VALUES + "]", 1, f"more than {VALUES} values"),
    ],
)
def test_what_is_too_clever_too_much_or_broken_is_refused_with_its_line(text: str, line: int, reason: str) -> None:
    with pytest.raises(YamlError, match=r"^\d+: ") as caught:
        parse(text)
    assert caught.value.line == line
    assert reason in caught.value.reason
    assert caught.value.reason.isprintable()
    assert len(caught.value.reason) < 500


def test_the_bounds_themselves_are_taken() -> None:
    assert parse("[" * DEPTH + "]" * DEPTH).value
    assert len(parse("[" + "x," * (VALUES - 2) + "x]").value) == VALUES - 1


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        (b"a: 1\nb: \xff\n", 2, "is not UTF-8"),
        ("a: é".encode("latin-1"), 1, "is not UTF-8"),
        ("a: 1".encode("utf-16"), 1, "is not UTF-8"),
        ("a: 1".encode("utf-16-le"), 1, "U+0000"),
        (b"#" * (BYTES + 1), 1, "larger than"),
    ],
)
def test_a_file_in_another_encoding_or_too_large_is_refused(
    tmp_path: Path, content: bytes, line: int, reason: str
) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(content)
    with pytest.raises(YamlError) as caught:
        read(path)
    assert (caught.value.line, reason in caught.value.reason) == (line, True)


def test_a_file_with_a_byte_order_mark_and_windows_line_ends_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes("\ufeffa: ü\r\nb: 2\r\n".encode())
    written = read(path)
    assert written.value == {"a": "ü", "b": 2}
    assert written.line(("b",)) == 2


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nowhere.yaml"):
        with pytest.raises(YamlError, match="cannot be read"):
            read(path)


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc_-.", min_size=1, max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(_json)
def test_what_is_written_as_json_or_yaml_comes_back(value: Any) -> None:
    assert parse(json.dumps(value)).value == value
    assert parse(json.dumps(value, ensure_ascii=False)).value == value


@given(_json)
def test_yaml_that_a_tool_dumped_comes_back_where_it_needs_no_tricks(value: Any) -> None:
    text = yaml.safe_dump(value, allow_unicode=True)
    if not any(mark in text for mark in ("&", "*", "!", "---")):
        assert parse(text).value == value


@given(st.text(max_size=200) | st.text("[]{}:,-&*!?|>'\"% \n#\t", max_size=60))
def test_any_text_is_a_value_or_a_told_mistake(text: str) -> None:
    with contextlib.suppress(YamlError):
        json.dumps(parse(text).value, allow_nan=False).encode()
