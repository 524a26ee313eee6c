"""The page of the benchmarks: the table goes between its marks, and nothing else changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.figure import Figure
from benchmarks.page import PAGE, rows, write

FIGURES = [Figure("one", "other", (1.5,), "3 over 2", 1.2), Figure("two", "other", (1.0, 2.0), "x")]


def test_a_missed_aim_says_so() -> None:
    assert rows(FIGURES).splitlines()[2:] == [
        "| one | other | 1.50 |  | ≤ 1.2 (missed) | 3 over 2 |",
        "| two | other | 1.50 | 1.00–2.00 |  | x |",
    ]


def test_the_table_is_written_between_its_marks_and_written_again(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- measured -->\nold\n<!-- end of measured -->\nafter\n", encoding="utf-8")
    write(FIGURES, page)
    once = page.read_text(encoding="utf-8")
    assert once.startswith("before\n<!-- measured -->\n\n| Figure |")
    assert once.endswith("<!-- end of measured -->\nafter\n")
    assert "old" not in once
    write(FIGURES, page)
    assert page.read_text(encoding="utf-8") == once


def test_a_page_without_marks_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing", encoding="utf-8")
    with pytest.raises(ValueError, match="marks"):
        write(FIGURES, page)


def test_the_page_of_the_project_has_its_table() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert "| Figure | Over | Ratio |" in text
