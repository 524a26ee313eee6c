"""What Slack refuses in a message, told before it is sent: a question that Slack refuses is one that nobody sees.

Source: "Block Kit reference", Slack developer documentation. Only the blocks that Firebreak sends are known; any other
is a fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

Check: TypeAlias = Callable[[str, dict[str, Any]], Iterator[str]]

BLOCKS = 50
HEADER = 150
TEXT = 3000
FALLBACK = 40_000
BLOCK_ID = 255
ACTION_ID = 255
CONTEXT_ELEMENTS = 10
BUTTONS = 25
LABEL = 75
VALUE = 2000
STYLES = ("primary", "danger")


def faults(message: Any) -> list[str]:
    """Return what is wrong with a message, each fault with its place; empty where Slack takes it."""
    return list(_message(message))


def _message(message: Any) -> Iterator[str]:
    if not isinstance(message, dict):
        yield "message: not an object"
        return
    yield from _text("text", message.get("text"), FALLBACK)
    blocks = message.get("blocks")
    if not isinstance(blocks, list) or not 1 <= len(blocks) <= BLOCKS:
        yield f"blocks: 1 to {BLOCKS} are taken"
        return
    identifiers = [block.get("block_id") for block in blocks if isinstance(block, dict) and "block_id" in block]
    if len(set(map(str, identifiers))) != len(identifiers):
        yield "blocks: a block_id comes twice"
    for number, block in enumerate(blocks):
        yield from _one_of(f"blocks[{number}]", block, _BLOCKS)


def _one_of(where: str, element: Any, kinds: Mapping[str, Check]) -> Iterator[str]:
    kind = element.get("type") if isinstance(element, dict) else None
    if not isinstance(kind, str) or kind not in kinds:
        yield f"{where}: type {kind!r} is not one of {', '.join(kinds)}"
        return
    if "block_id" in element:
        yield from _text(f"{where}.block_id", element["block_id"], BLOCK_ID)
    yield from kinds[kind](where, element)


def _header(where: str, block: dict[str, Any]) -> Iterator[str]:
    yield from _plain(f"{where}.text", block.get("text"), HEADER)


def _context(where: str, block: dict[str, Any]) -> Iterator[str]:
    yield from _elements(where, block, CONTEXT_ELEMENTS, {"plain_text": _plain_element})


def _actions(where: str, block: dict[str, Any]) -> Iterator[str]:
    yield from _elements(where, block, BUTTONS, {"button": _button})
    ids = [button.get("action_id") for button in block.get("elements") or () if isinstance(button, dict)]
    if len(set(map(str, ids))) != len(ids):
        yield f"{where}.elements: an action_id comes twice"


def _rich_text(where: str, block: dict[str, Any]) -> Iterator[str]:
    yield from _elements(where, block, None, {"rich_text_section": _run, "rich_text_preformatted": _run})


def _run(where: str, element: dict[str, Any]) -> Iterator[str]:
    yield from _elements(where, element, None, {"text": _run_text})


def _run_text(where: str, element: dict[str, Any]) -> Iterator[str]:
    yield from _text(f"{where}.text", element.get("text"), TEXT)


def _button(where: str, button: dict[str, Any]) -> Iterator[str]:
    yield from _plain(f"{where}.text", button.get("text"), LABEL)
    yield from _text(f"{where}.action_id", button.get("action_id"), ACTION_ID)
    yield from _text(f"{where}.value", button.get("value"), VALUE)
    if "style" in button and button["style"] not in STYLES:
        yield f"{where}.style: {button['style']!r} is not one of {', '.join(STYLES)}"


def _plain(where: str, element: Any, limit: int) -> Iterator[str]:
    if not isinstance(element, dict) or element.get("type") != "plain_text":
        yield f"{where}: not plain_text"
        return
    yield from _text(f"{where}.text", element.get("text"), limit)


def _plain_element(where: str, element: dict[str, Any]) -> Iterator[str]:
    yield from _plain(where, element, TEXT)


def _elements(
    where: str,
    block: dict[str, Any],
    limit: int | None,
    kinds: Mapping[str, Check],
) -> Iterator[str]:
    elements = block.get("elements")
    if not isinstance(elements, list) or not elements or (limit is not None and len(elements) > limit):
        yield f"{where}.elements: 1 to {limit or 'any number'} are taken"
        return
    for number, element in enumerate(elements):
        yield from _one_of(f"{where}.elements[{number}]", element, kinds)


def _text(where: str, text: Any, limit: int) -> Iterator[str]:
    if not isinstance(text, str) or not 1 <= len(text) <= limit:
        yield f"{where}: 1 to {limit} characters are taken"


_BLOCKS = {"header": _header, "context": _context, "actions": _actions, "rich_text": _rich_text}
