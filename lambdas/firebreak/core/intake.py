"""The way in: a JSON value from outside becomes findings, or one clear error."""

from __future__ import annotations

import json
from collections.abc import Mapping

from firebreak.core.errors import InputError, NotForFirebreak
from firebreak.core.finding import Finding
from firebreak.core.model import Json
from firebreak.core.source import Origin, Source

MAX_DEPTH = 100
"""Levels of nesting. Real findings have about 15; EventBridge lets 1,000 pass."""

MAX_CHARACTERS = 1_048_576
"""A PutEvents entry is at most 1 MB (Amazon EventBridge User Guide, "Amazon EventBridge quotas")."""


def normalise(event: Json, origin: Origin, sources: Mapping[str, Source]) -> tuple[Finding, ...]:
    """Turn one event into findings by the source that claims it.

    Args:
        event: any JSON value: a bus event, or a bare finding or alert without its envelope.
        origin: account, region and cluster for forms that lack them.
        sources: every source by name.

    Raises:
        FindingError: the event is a source's but unusable; names the field.
        NotForFirebreak: no source wants it, or it is refused as another form or kind of message; says what it is.
        InputError: it is not a JSON object, or not one that can be stored and hashed.
    """
    if not isinstance(event, dict):
        raise InputError(f"an event is a JSON object, this is {_kind(event)}")
    if not event:
        raise InputError("the event is an empty object")
    require_sound(event, "the event")
    for source in sources.values():
        if source.claims(event):
            return source.normalise(event, origin)
    raise NotForFirebreak(f"not for Firebreak: {_looks_like(event)}")


def require_sound(value: Json, what: str) -> None:
    """Refuse a value that is JSON in name only, in time and memory proportional to its size.

    Args:
        value: the value to look at.
        what: its name in the error.

    Raises:
        InputError: too deep, too large, or with a number or text that neither JSON nor UTF-8 has.
    """
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, (dict, list))
        ]
        if not level:
            break
    else:
        raise InputError(f"{what} is nested deeper than {MAX_DEPTH} levels")
    try:
        characters = json.dumps(value, ensure_ascii=False, allow_nan=False)
        characters.encode()
    except UnicodeEncodeError:
        raise InputError(f"{what} holds half a UTF-16 surrogate pair, which is no character") from None
    except ValueError as error:  # not a number, an infinity, or an integer of thousands of digits
        raise InputError(f"{what} holds a number that cannot be used: {error}") from None
    if len(characters) > MAX_CHARACTERS:
        raise InputError(f"{what} has {len(characters):,} characters; an event has at most {MAX_CHARACTERS:,}")


def _kind(value: Json) -> str:
    if isinstance(value, list):
        return f"a list of {len(value)}; give its elements one by one"
    return {str: "a text", bool: "true or false", type(None): "null"}.get(type(value), "a number")


_SHAPES: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"AwsAccountId", "ProductArn"}), "a Security Hub finding (ASFF)"),
    (frozenset({"AwsAccountId", "GeneratorId"}), "a Security Hub finding (ASFF)"),
    (frozenset({"class_uid"}), "an OCSF record"),
    (frozenset({"awsAccountId", "findingArn"}), "an Inspector finding"),
    (frozenset({"accountId", "resourcesAffected"}), "a Macie finding"),
    (frozenset({"eventSource", "eventName"}), "a CloudTrail record"),
    (frozenset({"Records"}), "a batch of records; give them one by one"),
)


def _looks_like(event: dict[str, Json]) -> str:
    source, kind = event.get("source"), event.get("detail-type")
    if isinstance(source, str) and isinstance(kind, str):
        return f"{source[:100]!r} {kind[:100]!r}"
    for members, shape in _SHAPES:
        if members <= event.keys():
            return f"this is {shape}"
    names = ", ".join(sorted(repr(str(name)[:40]) for name in event)[:6])
    return f"no source knows an object with the members {names}"
