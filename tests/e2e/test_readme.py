"""The README's transcript is made of lines that the demo prints, in their order."""

from __future__ import annotations

import re
from pathlib import Path

from tests.e2e.test_demo import run

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"```console\n\$ make demo\n(?P<text>.*?)```", re.DOTALL)
CHANGING = re.compile(
    r"(?<=-)[0-9a-f]{12,17}\b|\+\d+\.\d\d s|\b10-0-\d+-\d+\b|\b10\.0\.\d+\.\d+\b|\bAKIA[A-Z0-9]{16}\b"
)
"""What differs from run to run: identifiers, addresses and times."""


def lines(text: str) -> list[str]:
    """Return the lines of a text without what differs from run to run, and without rules and the width of columns."""
    plain = [" ".join(CHANGING.sub("…", line).replace("─", "").split()) for line in text.splitlines()]
    return [line for line in plain if line]


def in_order(wanted: list[str], text: str) -> list[str]:
    """Return the lines that do not follow in a text after those before them."""
    missing, at = [], 0
    for line in wanted:
        found = text.find(line, at)
        if found < 0:
            missing.append(line)
        else:
            at = found + len(line)
    return missing


def test_the_transcript_is_what_the_demo_prints() -> None:
    shown = BLOCK.search((ROOT / "README.md").read_text(encoding="utf-8"))
    assert shown is not None
    code, out, _ = run("--yes")
    assert code == 0
    assert in_order(lines(shown["text"]), " ".join(lines(out))) == []


def test_a_line_that_is_not_printed_is_found() -> None:
    printed = " ".join(lines("+0.10 s changes i-0123456789abcdef0\n   and more ───\n+0.20 s verified"))
    assert in_order(lines("+0.99 s changes i-fedcba98765432100 and\n+0.3 s verified"), printed) == ["+0.3 s verified"]
    assert in_order(lines("+0.20 s verified\n+0.10 s changes"), printed) == ["… changes"]
