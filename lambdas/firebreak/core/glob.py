"""Globs of `*` (any run of characters) and `?` (any one), nothing else, case-sensitive.

Not fnmatch: that gives `[` a meaning, folds case on some systems, and its regular expressions can be made to
backtrack. Here a match takes at most len(pattern) × len(text) steps, whatever an operator or an attacker writes.
"""

from __future__ import annotations

from collections.abc import Iterable


def matches(pattern: str, text: str) -> bool:
    """Whether a glob matches the whole of a text."""
    return _matches(pattern, text, one="")


def any_matches(patterns: Iterable[str], text: str) -> bool:
    """Whether one of several globs matches the whole of a text."""
    return any(matches(pattern, text) for pattern in patterns)


def covers(wide: str, narrow: str) -> bool:
    """Whether every text that `narrow` matches is matched by `wide`.

    True is always right; False may be said of a few odd pairs such as `*?` and `?*`.
    """
    # a `*` of the narrow glob stands for any run, so that only a `*` of the wide one may take it
    return _matches(wide, narrow, one="*")


def _matches(pattern: str, text: str, one: str) -> bool:
    """Match greedily, going back to the last `*` alone. `one`: what `?` does not take."""
    at = position = 0
    star, resume = -1, 0
    while position < len(text):
        wanted = pattern[at] if at < len(pattern) else ""
        if wanted == "*":
            star, resume = at, position
            at += 1
        elif wanted and (wanted == text[position] or (wanted == "?" and text[position] != one)):
            at += 1
            position += 1
        elif star >= 0:
            resume += 1
            at, position = star + 1, resume
        else:
            return False
    return all(rest == "*" for rest in pattern[at:])
