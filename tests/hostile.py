"""What every test of hostile input shares: characters that must not be shown, and how that is told."""

from __future__ import annotations

import unicodedata

HIDDEN = "\x1b\x1b[2J\x00\x07\x7f\x9b\u202e\u2066\u200b\u2028\ud800\udfff"
"""Controls of a terminal, NUL, DEL, directions, what is invisible, a line end that few expect, halves of pairs."""


def require_fit(text: str, longest: int, lines: int = 1) -> None:
    """Assert that a text can be shown, logged and stored: short, and without what changes how it reads.

    Args:
        text: what people are shown.
        longest: characters that it may have.
        lines: how many lines it may have.
    """
    assert len(text) <= longest, f"{len(text)} characters: {text[:200]!a}"
    shown = text.split("\n")
    assert len(shown) <= lines, f"{len(shown)} lines: {text[:200]!a}"
    # Cc, Cf, Cs, Co, Cn; Zl and Zp
    odd = {char for line in shown for char in line if unicodedata.category(char)[0] == "C" or char in "\u2028\u2029"}
    assert not odd, ascii(odd)
