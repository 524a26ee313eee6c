"""What is generated in the documents is current."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.generate import BLOCK, current, pages
from tests.architecture.tree import ROOT, shown


@pytest.mark.parametrize("page", pages(), ids=shown)
def test_a_page_is_current(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text == current(text), "run `make docs`"


def test_an_outdated_page_is_made_current_and_then_stays() -> None:
    old = "before\n<!-- generated: actions -->\nlast year's\n<!-- end of actions -->\nafter\n"
    new = current(old)
    assert "last year's" not in new
    assert "`ec2.isolate_instance`" in new
    assert new.startswith("before\n")
    assert new.endswith("\nafter\n")
    assert current(new) == new


def test_a_page_that_names_no_block_of_ours_is_an_error() -> None:
    with pytest.raises(ModuleNotFoundError):
        current("<!-- generated: nothing -->\n<!-- end of nothing -->")


def test_every_block_is_on_a_page() -> None:
    used = {found["name"] for page in pages() for found in BLOCK.finditer(page.read_text(encoding="utf-8"))}
    assert used == {path.stem for path in (ROOT / "docs" / "blocks").glob("*.py")}
