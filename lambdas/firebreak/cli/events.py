"""Reads events from a file or pipe, one after another and in bounded memory: JSON Lines, or JSON.

Which of the two it is shows in the first line that is not blank. If that is whole JSON, every line is an event of its
own, whatever the others hold: a line that cannot be used is an answer, and the next one is read. If it is only the
beginning of a value, the text is JSON that spans lines: one value, or several one after another, as `jq` prints them.
A list that is all there is, is a list of events: that is how a batch of them is saved; among other lines it is an event
like any other, and not a good one.

What JSON leaves open is taken as the pipeline takes it (`json.loads`): of a key that is there twice the last one
counts. What is JSON in name only (NaN, half a surrogate pair, endless nesting) is refused where events are normalised.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import BinaryIO, NamedTuple

from firebreak.core.errors import InputError
from firebreak.core.model import Json

LIMIT = 16 * 1024 * 1024
"""Bytes of a line, and of JSON that spans lines. An event has at most 1 MB."""

_SPACE = re.compile(r"[ \t\n\r]*")  # matches everywhere, be it nothing
_BOM = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


class _Line(NamedTuple):
    number: int
    text: bytes


def read_events(stream: BinaryIO) -> Iterator[Json | InputError]:
    """Yield every event, or why it cannot be read, in order.

    Raises:
        InputError: the whole is no UTF-8 text.
    """
    lines = _lines(stream)
    first = next(lines, None)
    if first is None:
        return
    if first.text.startswith(_UTF_16):
        raise InputError("this is UTF-16; save it as UTF-8")
    if _begins(first):
        yield from _spanning(first, lines)
        return
    second = next(lines, None)
    value = _parsed(first)
    if second is None and isinstance(value, list):
        yield from value
        return
    yield value
    if second is not None:
        yield from map(_parsed, chain([second], lines))


def _lines(stream: BinaryIO) -> Iterator[_Line]:
    """Yield the lines that are not blank. One that is too long is cut just past the limit, by which it is known."""
    number = 0
    while text := stream.readline(LIMIT + 1):
        number += 1
        rest = text
        while len(rest) > LIMIT and not rest.endswith(b"\n"):
            rest = stream.readline(LIMIT + 1)
        if number == 1:
            text = text.removeprefix(_BOM)
        if text.strip():
            yield _Line(number, text)


def _begins(line: _Line) -> bool:
    """Whether a line is the beginning of an object or list that goes on in the next one."""
    try:
        text = line.text.decode()
        if not text.lstrip().startswith(("{", "[")):
            return False
        json.loads(text)
    except json.JSONDecodeError as error:
        return error.pos >= len(text.rstrip())
    except (ValueError, RecursionError):
        return False
    return False


def _spanning(first: _Line, rest: Iterator[_Line]) -> Iterator[Json | InputError]:
    """Yield the values of JSON that spans lines, or, where it turns out to be broken lines, line by line."""
    held, size = [first], len(first.text)
    for line in rest:
        held.append(line)
        size += len(line.text)
        if size > LIMIT:
            break
    values, broken = _values(b"".join(line.text for line in held)) if size <= LIMIT else ([], _too_long(first))
    if broken is not None and _are_events(held):
        yield from map(_parsed, chain(held, rest))
        return
    if len(values) == 1 and broken is None and isinstance(values[0], list):
        yield from values[0]
        return
    yield from values
    if broken is not None:
        yield broken


def _values(text: bytes) -> tuple[list[Json], InputError | None]:
    """Return the values in a text, one after another, and what is wrong behind them."""
    values: list[Json] = []
    decoder, place = json.JSONDecoder(), 0
    try:
        whole = text.decode().rstrip()
        while place < len(whole):
            value, place = decoder.raw_decode(whole, _SPACE.match(whole, place).end())  # type: ignore[union-attr]
            values.append(value)
    except (ValueError, RecursionError) as error:
        return values, _unreadable(error)
    return values, None


def _are_events(lines: Iterable[_Line]) -> bool:
    """Whether most lines begin an object at their very start, as lines of JSON Lines do, and JSON's own do not."""
    starts = [line.text.startswith(b"{") for line in lines]
    return len(starts) > 1 and sum(starts) * 2 > len(starts)


def _parsed(line: _Line) -> Json | InputError:
    if len(line.text) > LIMIT:
        return InputError(f"line {line.number} is longer than {LIMIT:,} bytes; an event has at most 1 MB")
    try:
        return json.loads(line.text.rstrip().decode())
    except (ValueError, RecursionError) as error:
        return _unreadable(error, f"line {line.number}: ")


def _too_long(line: _Line) -> InputError:
    return InputError(
        f"the JSON that begins in line {line.number} is longer than {LIMIT:,} bytes; give one event a line (JSON Lines)"
    )


def _unreadable(error: Exception, where: str = "") -> InputError:
    match error:
        case json.JSONDecodeError():
            place = f"column {error.colno}" if where else f"line {error.lineno}, column {error.colno}"
            return InputError(f"{where}not JSON: {error.msg} at {place}")
        case UnicodeDecodeError():
            return InputError(f"{where}not UTF-8: {error.reason} at byte {error.start + 1}")
        case RecursionError():
            return InputError(f"{where}nested too deep to be read")
        case _:
            return InputError(f"{where}{error}")
