"""The page of the fault harness: the tables go between its marks, and say what was not caught."""

from __future__ import annotations

from pathlib import Path

import pytest

from reliability.coverage import Reached, Site
from reliability.fault import Fault, Misfortune
from reliability.found import Found
from reliability.page import PAGE, Result, rows, write
from reliability.suites import Caught

PLAN = Misfortune("only", (Fault(3, "reject"),))
GOOD = Found("singles", 1_200, 1_100, {"plan dynamodb:query"}, cpu=90.0)
BAD = Found("pairs", 10, 20, set(), [("I1 lost", PLAN)], more=2)
SITE = Site("adapters/sns.py", "tell", 40, 40, "self._client.publish")
ALL, SOME = Reached((SITE,), ()), Reached((SITE,), (SITE,))
CAUGHT = Caught("no-lease", 297, "I4 left half open", PLAN)


@pytest.mark.parametrize(
    ("suites", "caught", "reached", "clean"),
    [
        ((GOOD,), {"no-lease": CAUGHT}, ALL, True),
        ((GOOD, BAD), {"no-lease": CAUGHT}, ALL, False),
        ((GOOD,), {"no-lease": None}, ALL, False),
        ((GOOD,), {"no-lease": CAUGHT}, SOME, False),
    ],
)
def test_a_result_is_clean_where_all_held_every_mutant_was_caught_and_every_call_was_made(
    suites: tuple[Found, ...], caught: dict[str, Caught | None], reached: Reached, clean: bool
) -> None:
    assert Result(suites, caught, reached, 240, 1.0, 1.0).clean is clean


def test_ten_minutes_of_cpu_may_be_spent_for_240_calls() -> None:
    assert Result((), {}, ALL, 240, 600.0, 1.0).frugal
    assert not Result((), {}, ALL, 240, 601.0, 1.0).frugal


def test_the_tables_say_what_was_found_and_what_was_not_caught() -> None:
    lines = list(rows(Result((GOOD, BAD), {"no-lease": CAUGHT, "effect-first": None}, SOME, 1_200, 90.0, 60.0)))
    assert "| singles | 1,200 | 1,100 | 1 | 1.5 | 0 |" in lines
    assert "| pairs | 10 | 20 | 0 | 0.0 | 3 |" in lines
    assert "| no-lease: a lease keeps nobody out | I4 | 297 |" in lines
    assert any(line.startswith("| effect-first: ") and line.endswith("| nothing |  |") for line in lines)
    assert "0 of 1 places in the code that call out were played." in lines
    assert lines[-1] == "1,200 calls in stories and shapes; 1.5 minutes of CPU, of 50 that may be spent."


def test_the_tables_are_written_between_the_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- played -->\nold\n<!-- end of played -->\nafter\n", encoding="utf-8")
    write(Result((GOOD,), {}, ALL, 240, 1.0, 1.0), page)
    once = page.read_text(encoding="utf-8")
    assert once.startswith("before\n<!-- played -->\n\n| Suite |")
    assert once.endswith("<!-- end of played -->\nafter\n")
    assert "old" not in once


def test_the_page_has_its_marks() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text.count("<!-- played -->") == text.count("<!-- end of played -->") == 1


def test_a_page_without_marks_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing", encoding="utf-8")
    with pytest.raises(ValueError, match="marks"):
        write(Result((), {}, ALL, 240, 0.0, 0.0), page)
