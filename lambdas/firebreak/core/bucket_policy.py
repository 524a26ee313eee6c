"""The text of a bucket policy: one statement more, and whether two texts say the same."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from firebreak.core.display import clean
from firebreak.core.model import Json, digest

LIMIT = 20 * 1024
"""Bytes of a bucket policy ("Bucket policies for Amazon S3" in the Amazon S3 User Guide)."""

_UNIQUE_ID = re.compile(r"(AIDA|AROA)[A-Z0-9]+")


def statements(text: str | None) -> list[Json]:
    """Return the statements of a policy, none where there is no policy."""
    if text is None:
        return []
    found = json.loads(text)["Statement"]
    return found if isinstance(found, list) else [found]


def has(text: str | None, statement: Json) -> bool:
    """Tell whether a policy has a statement."""
    return _plain(statement) in map(_plain, statements(text))


def with_statement(text: str | None, statement: Json) -> str:
    """Return a policy that has one statement more, the others unchanged and before it."""
    policy = {"Version": "2012-10-17"} if text is None else json.loads(text)
    whole = {**policy, "Statement": [*statements(text), statement]}
    return json.dumps(whole, separators=(",", ":"), ensure_ascii=False)


def same(one: str | None, other: str | None) -> bool:
    """Tell whether two policies are the same, however they are spaced, and whether or not one thing is in a list."""
    if one is None or other is None:
        return one is other
    return bool(_plain(json.loads(one)) == _plain(json.loads(other)))


def difference(found: str | None, known: str | None) -> str:
    """Say in what one policy differs from another, for people."""
    if found is None or known is None:
        return "there is no policy" if found is None else "there is a policy"
    now, then = ({digest(_plain(each)): _name(each) for each in statements(text)} for text in (found, known))
    parts = (
        *(f"{now[each]} is new" for each in now.keys() - then.keys()),
        *(f"{then[each]} is gone" for each in then.keys() - now.keys()),
    )
    return "; ".join(sorted(parts)) or "its statements are the same, in another order or under another version"


def lost_principals(text: str | None) -> tuple[str, ...]:
    """Return the principals of a policy that do not exist any more.

    S3 shows the unique id of a user or role that was deleted, and takes no policy that has one ("Invalid principal in
    policy"; "AWS JSON policy elements: Principal" in the IAM User Guide).
    """
    return tuple(sorted({each for statement in statements(text) for each in _principals(statement) if _lost(each)}))


def _principals(statement: Json) -> Iterator[str]:
    for member in ("Principal", "NotPrincipal"):
        named = statement.get(member)
        listed = named.get("AWS", ()) if isinstance(named, dict) else ()
        yield from [listed] if isinstance(listed, str) else listed


def _lost(principal: str) -> bool:
    return _UNIQUE_ID.fullmatch(principal) is not None


def _name(statement: Json) -> str:
    sid = statement.get("Sid")
    return f'statement "{clean(sid, 60)}"' if sid else "a statement without a name"


def _plain(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _plain(member) for key, member in value.items()}
    if isinstance(value, list):
        return _plain(value[0]) if len(value) == 1 else [_plain(member) for member in value]
    return value
