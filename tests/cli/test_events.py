"""Events out of files and pipes: every shape a person saves them in, and every way in which one breaks."""

from __future__ import annotations

import io
import json
import tracemalloc
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firebreak.cli import events
from firebreak.cli.events import read_events
from firebreak.core.errors import InputError

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
OBJECTS = st.dictionaries(st.text(), JSON_VALUES, max_size=4)


def read(text: str | bytes) -> list[Any]:
    """Return what is read, an error being its message."""
    data = text.encode() if isinstance(text, str) else text
    return [str(event) if isinstance(event, InputError) else event for event in read_events(io.BytesIO(data))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("\n \r\n\t\n", []),
        ('{"a":1}', [{"a": 1}]),
        ('{"a":1}\n{"a":2}\n', [{"a": 1}, {"a": 2}]),
        ('{"a":1}\r\n\r\n{"a":2}\r\n', [{"a": 1}, {"a": 2}]),
        ('\ufeff{"a":1}\n{"a":2}', [{"a": 1}, {"a": 2}]),
        ('{\n  "a": 1\n}\n', [{"a": 1}]),
        ('\ufeff{\r\n  "a": 1\r\n}\r\n', [{"a": 1}]),
        ('[{"a":1},{"a":2}]', [{"a": 1}, {"a": 2}]),
        ('[\n{"a":1},\n{"a":2}\n]\n', [{"a": 1}, {"a": 2}]),
        ("[]", []),
        ('{\n"a": 1\n}\n{\n"a": 2\n}\n', [{"a": 1}, {"a": 2}]),
        ('[1]\n{"a":2}', [[1], {"a": 2}]),
        ("null\ntrue\n7", [None, True, 7]),
        ('{"a":1,"a":2}', [{"a": 2}]),
        ('{"a":"\u2028\x85"}\n{"a":2}', [{"a": "\u2028\x85"}, {"a": 2}]),
    ],
)
def test_every_shape_gives_its_events(text: str, expected: list[Any]) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (b'{"a":1}\n{"a":\n{"a":3}\n', "line 2: not JSON: Expecting value at column 6"),
        (b'{"a":1}\nnonsense\n{"a":3}\n', "line 2: not JSON: Expecting value at column 1"),
        (b'{"a":1}\n{"a":"\xff"}\n{"a":3}\n', "line 2: not UTF-8: invalid start byte at byte 7"),
        (b'{"a":1}\n' + b"[" * 100_000 + b'\n{"a":3}\n', "line 2: nested too deep to be read"),
        (b'{"a":1}\n' + b"9" * 5_000 + b'\n{"a":3}\n', "line 2: Exceeds the limit"),
        (b'{"a":1}\n{"a":1} {"a":2}\n{"a":3}\n', "line 2: not JSON: Extra data at column 9"),
    ],
)
def test_a_broken_line_is_an_answer_and_the_next_one_is_read(text: bytes, error: str) -> None:
    first, broken, last = read(text)
    assert (first, last) == ({"a": 1}, {"a": 3})
    assert broken.startswith(error)


@pytest.mark.parametrize("first", ['{"a":', '{"a":1,', '{"a":"x', "{", "{]", "time=12:00 level=info", "[1,"])
def test_a_broken_first_line_does_not_cost_the_others(first: str) -> None:
    answers = read(first + "\n" + '{"a":2}\n' * 3)
    assert answers[1:] == [{"a": 2}] * 3
    assert "not JSON" in answers[0]


@pytest.mark.parametrize(
    "text", ['{\n  "a": 1,\n}', '{\n "a": [\n {"b": 1}\n {"c": 2}\n ]\n}', '[\n{"a":1},\n{"a":2\n]', '{"a":\n']
)
def test_broken_json_that_spans_lines_is_one_answer(text: str) -> None:
    (answer,) = read(text)
    assert answer.startswith(("not JSON: ", "line 1: not JSON: "))


def test_what_comes_before_the_break_is_kept() -> None:
    good, broken = read('{\n "a": 1\n}\n{\n "a": ]\n}\n')
    assert good == {"a": 1}
    assert broken == "not JSON: Expecting value at line 5, column 7"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_another_encoding_is_named_or_refused(encoding: str) -> None:
    data = '{"a":1}'.encode(encoding)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        with pytest.raises(InputError, match="UTF-16"):
            read(data)
    else:
        (answer,) = read(data)
        assert "not JSON" in answer


def test_a_line_that_is_too_long_is_told_and_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "LIMIT", 100)
    long = json.dumps({"a": "x" * 250})
    assert read(f'{{"a":1}}\n{long}\n{{"a":3}}')[1:] == [
        "line 2 is longer than 100 bytes; an event has at most 1 MB",
        {"a": 3},
    ]
    assert read(long) == ["line 1 is longer than 100 bytes; an event has at most 1 MB"]
    fits = json.dumps({"a": "x" * 91})
    assert (len(fits), read(fits)) == (100, [{"a": "x" * 91}])
    (spanning,) = read(json.dumps({"a": "x", "b": ["y"] * 30}, indent=1))
    assert spanning.startswith("the JSON that begins in line 1 is longer than 100 bytes")


def test_memory_does_not_grow_with_the_file() -> None:
    class Endless(io.RawIOBase):
        """Many lines that are made only when they are read."""

        def __init__(self) -> None:
            self.lines: Iterator[bytes] = (b'{"a":"%06d%s"}\n' % (n, b"x" * 1_000) for n in range(20_000))

        def readline(self, size: int | None = -1, /) -> bytes:
            return next(self.lines, b"")

    tracemalloc.start()
    try:
        count = len([None for _ in read_events(cast(BinaryIO, Endless()))])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 20_000
    assert peak < 1_000_000  # of 20 MB


@given(st.lists(JSON_VALUES, min_size=2, max_size=8), st.sampled_from(["\n", "\r\n", "\n\n", "\n \t\n"]), st.booleans())
def test_json_lines_are_read_back_as_they_were_written(values: list[Any], end: str, ascii_only: bool) -> None:
    text = end.join(json.dumps(value, ensure_ascii=ascii_only) for value in values)
    assert read(text) == values


@given(st.lists(OBJECTS, max_size=6), st.sampled_from([None, 0, 2]))
def test_a_list_is_read_as_its_events(values: list[Any], indent: int | None) -> None:
    assert read(json.dumps(values, indent=indent)) == values


@given(st.lists(OBJECTS.filter(bool), min_size=1, max_size=6))
def test_values_one_after_another_are_read_as_jq_prints_them(values: list[Any]) -> None:
    assert read("\n".join(json.dumps(value, indent=2) for value in values)) == values


@given(st.lists(st.binary(max_size=40), min_size=2, max_size=8))
def test_after_a_good_first_line_every_line_has_one_answer(lines: list[bytes]) -> None:
    lines = [b'{"a":1}', *(line.replace(b"\n", b"") for line in lines)]
    assert len(read(b"\n".join(lines))) == sum(1 for line in lines if line.strip())


@given(st.binary(max_size=200))
def test_no_bytes_at_all_break_the_reader(data: bytes) -> None:
    try:
        answers = list(read_events(io.BytesIO(data)))
    except InputError:
        assert data.lstrip().startswith((b"\xff\xfe", b"\xfe\xff")) or data.startswith(b"\xef\xbb\xbf")
        return
    assert len(answers) <= len(data)
