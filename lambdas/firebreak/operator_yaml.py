"""The YAML that operators may write: JSON's values, with comments, and with the line of each.

Playbooks and settings come out of reviews and editors, but also out of merge requests that run in a pipeline before
anyone has looked. So the text is bounded in size, depth and number of values, and what makes YAML surprising is not
there: no anchors and aliases (nor the bombs made of them), no tags, no second document, no key twice, and only
`true`, `false`, `null` and plain numbers are anything but text. `no` is a text, and so is `012345678901`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import yaml

from firebreak.core.display import clean
from firebreak.core.errors import InputError
from firebreak.core.model import Json

Where: TypeAlias = tuple[str | int, ...]

BYTES, DEPTH, VALUES = 256 * 1024, 16, 20_000

SAID = 300
"""Characters kept of what the YAML library says: it quotes names as long as the file."""

WORDS: dict[str, Json] = {"": None, "~": None, "null": None, "true": True, "false": False}
INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
REAL = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})(\.[0-9]{1,18})?([eE][-+]?[0-9]{1,2})?")


class YamlError(InputError):
    """A text that cannot be used.

    Args:
        line: from 1.
        reason: what is wrong and what to do.
    """

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"{line}: {reason}")
        self.line = line
        self.reason = reason


class Written:
    """The value of a text, and where each part of it was written.

    Args:
        value: the value, as JSON would have it.
        lines: the line of each path; a member of a mapping has its key's.
    """

    def __init__(self, value: Json, lines: dict[Where, int]) -> None:
        self.value = value
        self._lines = lines

    def line(self, where: Where) -> int:
        """Return the line of a path, or of the nearest thing around it that was written."""
        while where not in self._lines:
            where = where[:-1]
        return self._lines[where]


def read(path: Path) -> Written:
    """Read a file.

    Raises:
        YamlError: it cannot be used.
    """
    try:
        with path.open("rb") as file:
            content = file.read(BYTES + 1)
    except OSError as error:
        raise YamlError(1, f"cannot be read: {error.strerror}; mend the path or its permissions") from None
    if len(content) > BYTES:
        raise YamlError(1, f"is larger than {BYTES // 1024} KiB; split it")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise YamlError(line, "is not UTF-8; save the file in that encoding") from None
    return parse(text)


def parse(text: str) -> Written:
    """Parse a text.

    Raises:
        YamlError: it cannot be used.
    """
    try:
        _check(text)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = ": ".join(part for part in (error.context, error.problem) if part)
        quote = " (text that begins with * or & needs quotes)" if "alias" in said or "anchor" in said else ""
        raise YamlError(mark.line + 1 if mark else 1, f"{clean(said, SAID)}; mend the YAML{quote}") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise YamlError(line, f"holds the character U+{int(error.character):04X}; take it out") from None
    lines: dict[Where, int] = {(): 1}
    return Written(None if root is None else _value(root, (), lines), lines)


def _check(text: str) -> None:
    """Go through the events, which needs no recursion, and refuse what is too much or too clever."""
    depth = values = documents = 0
    for event in _events(text):
        mark, tag = event.start_mark, getattr(event, "tag", None)
        line = mark.line + 1 if mark else 1
        documents += isinstance(event, yaml.DocumentStartEvent)
        if documents > 1:
            raise YamlError(line, "begins a second document; one file holds one, so take out the `---`")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise YamlError(
                line, "uses an anchor or alias (`&` or `*` before a name); write the value out, or quote it"
            )
        if tag is not None:
            raise YamlError(line, f"uses the tag {str(tag)[:60]!r}; write the value without `!`, or quote it")
        values += isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent)
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEPTH:
            raise YamlError(line, f"nests deeper than {DEPTH} levels; nothing here needs that")
        if values > VALUES:
            raise YamlError(line, f"holds more than {VALUES} values; split the file")


def _events(text: str) -> Iterator[yaml.Event]:
    loader = yaml.SafeLoader(text)
    try:
        while loader.check_event():
            yield loader.get_event()  # type: ignore[no-untyped-call]  # of the library's stubs
    except (ValueError, OverflowError):
        # the library trusts numbers: of a character ("\\UFFFFFFFF") and of a version ("%YAML 999…") it takes any
        raise YamlError(loader.line + 1, "holds a number that no character or version has; mend it") from None
    finally:
        loader.dispose()


def _value(node: yaml.Node, where: Where, lines: dict[Where, int]) -> Json:
    if isinstance(node, yaml.MappingNode):
        return dict(_members(node, where, lines))
    if isinstance(node, yaml.SequenceNode):
        items = list[Json]()
        for index, item in enumerate(node.value):
            lines[(*where, index)] = item.start_mark.line + 1
            items.append(_value(item, (*where, index), lines))
        return items
    quoted = isinstance(node, yaml.ScalarNode) and node.style is not None
    return _text(node) if quoted else _plain(_text(node))


def _text(node: yaml.Node) -> str:
    """Return a scalar's text; `\\ud83d\\ude00` in quotes, as JSON writes it, is one character."""
    try:
        return str(node.value).encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise YamlError(node.start_mark.line + 1, "holds half a character (a lone surrogate); take it out") from None


def _members(node: yaml.MappingNode, where: Where, lines: dict[Where, int]) -> Iterator[tuple[str, Json]]:
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise YamlError(line, "a key is a list or a mapping; write a word")
        name = _text(key)
        if (*where, name) in lines:
            raise YamlError(line, f"{name[:60]!r} is written twice, first on line {lines[(*where, name)]}; keep one")
        lines[(*where, name)] = line
        yield name, _value(value, (*where, name), lines)


def _plain(text: str) -> Json:
    if text in WORDS:
        return WORDS[text]
    if INTEGER.fullmatch(text):
        return int(text)
    return float(text) if REAL.fullmatch(text) else text
