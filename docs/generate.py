"""Keeps the generated parts of the pages current: `make docs`.

A page is the README or any page under docs. In it, what stands between `<!-- generated: NAME -->` and
`<!-- end of NAME -->` is what `render()` of `docs/blocks/NAME.py` returns, and is never edited by hand. The picture
docs/flow.svg is what docs/flow.py draws.
"""

from __future__ import annotations

import importlib
import re
from pathlib import Path

from docs import flow

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"<!-- generated: (?P<name>\w+) -->\n.*?<!-- end of (?P=name) -->", re.DOTALL)


def pages() -> list[Path]:
    """Return the pages of the project."""
    return [page for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))) if page.exists()]


def current(text: str) -> str:
    """Return the text of a page with its generated parts rendered anew.

    Raises:
        ModuleNotFoundError: the page names a block that docs/blocks does not have.
    """
    return BLOCK.sub(lambda found: _block(found["name"]), text)


def _block(name: str) -> str:
    rendered: str = importlib.import_module(f"docs.blocks.{name}").render()
    return f"<!-- generated: {name} -->\n{rendered.strip()}\n<!-- end of {name} -->"


if __name__ == "__main__":
    for page in pages():
        page.write_text(current(page.read_text(encoding="utf-8")), encoding="utf-8")
    flow.FILE.write_text(flow.render(), encoding="utf-8")
