"""Text that somebody else wrote, made fit to be shown to a person.

Pod names, tags, domains and command lines are the attacker's to choose. What is shown must read as one line of data,
in the order it is written, and link to nowhere. Escaping for one medium (Slack, a terminal, HTML) comes on top.
"""

from __future__ import annotations

import re
import unicodedata

CAP = 200
"""Characters of one text."""

MARKS = 30
"""Marks on one letter, as many as Unicode's stream-safe text has (UAX #15). More bury the lines around, and
sorting them takes time by the square of their number."""

NEWLINE = "⏎"
CUT = "…"

_LINE_END = re.compile("\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_HIDDEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and marks, by category, that show as nothing."""

_SCHEME = re.compile(r"(?i)\b([a-z][a-z0-9+-]*)://")
_BARE_SCHEME = re.compile(r"(?i)\b(javascript|vbscript|data|mailto|tel|slack|file):(?!\])")
_DOMAIN_DOT = re.compile(r"(?<=[^\W_])\.(?=[^\W\d_]{2})")  # no top-level domain has one letter


def clean(text: object, cap: int = CAP) -> str:
    """Return a text as one visible line: composed, without control, direction and zero-width characters, cut to size.

    Cleaning twice is cleaning once. Line ends become a visible mark, so that nothing can pose as a line of ours.

    Args:
        text: whatever was found.
        cap: characters that may remain.
    """
    whole = str(text)
    part = whole[: cap * 20]  # so that a megabyte costs nothing
    shown = "".join(map(_visible, _LINE_END.sub(NEWLINE, part)))
    # once more, since composing takes some marks apart
    shown = _few_marks(unicodedata.normalize("NFC", _few_marks(shown)))
    if len(shown) <= cap and len(part) == len(whole):
        return shown
    return shown[: cap - 1].removesuffix(CUT) + CUT


def defang(text: str) -> str:
    """Return a text in which nothing reads as a link: hxxps[:]//evil[.]example. Defanging twice is defanging once."""
    text = _SCHEME.sub(lambda found: re.sub("(?i)^http", "hxxp", found[1]) + "[:]//", text)
    return _DOMAIN_DOT.sub("[.]", _BARE_SCHEME.sub(r"\1[:]", text))


def untrusted(text: object, cap: int = CAP) -> str:
    """Return a text cleaned, defanged and cut to size: what every medium shows of what somebody else wrote."""
    return clean(defang(clean(text, cap)), cap)


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Zs" or character == "\t":
        return " "
    # Cc, Cf, Cs, Co, Cn: controls, directions and joiners, halves of pairs, private and unassigned ones
    if category[0] == "C" or character in _HIDDEN or unicodedata.name(character, "").startswith("VARIATION SELECTOR"):
        return ""
    return character


def _few_marks(text: str) -> str:
    if text.isascii():
        return text
    kept, run = list[str](), 0
    for character in text:
        run = run + 1 if unicodedata.combining(character) else 0
        if run <= MARKS:
            kept.append(character)
    return "".join(kept)
