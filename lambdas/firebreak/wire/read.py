"""Careful readers of foreign JSON: each takes whatever is there and gives a usable value or None, and never raises."""

from __future__ import annotations

import ipaddress
import json
import math
import re
from datetime import UTC, datetime, timedelta
from itertools import islice

from firebreak.core.model import Json

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""Stands for a time that the wire does not give: older than everything, so that it never hides news."""

TEXT_LIMIT = 1_000
"""Characters that are kept of a text for display."""

NAME_LIMIT = 512
"""Characters of a name or identifier; a longer one is none."""

MANY = 1_000
"""Elements of a list that are looked at."""

_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_DOMAIN = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})+\.?\Z")
_ACCOUNT = re.compile(r"[0-9]{12}\Z")
_REGION = re.compile(r"[a-z]{2,}(-[a-z0-9]+)*\Z")
_PARTITION = re.compile(r"aws(-[a-z0-9]+)*\Z")
_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{0,30})?\Z")


def member(value: Json, *path: str) -> Json:
    """Return what lies at a path of member names, or None where any part of it is missing."""
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def objects(value: Json) -> list[dict[str, Json]]:
    """Return the objects of a list; one object alone is a list of one (some writers unwrap it)."""
    if isinstance(value, dict):
        return [value] if value else []
    return [item for item in islice(value, MANY) if isinstance(item, dict)] if isinstance(value, list) else []


def texts(value: Json) -> list[str]:
    """Return the usable names of a list; one name alone is a list of one."""
    items = islice(value, MANY) if isinstance(value, list) else (value,)
    return [found for item in items if (found := name(item)) is not None]


def name(value: Json) -> str | None:
    """Return an identifier: printable, not empty, of bounded length."""
    if not isinstance(value, str) or not 0 < len(value) <= NAME_LIMIT or not value.isprintable():
        return None
    return value if value.strip() else None


def prose(value: Json) -> str | None:
    """Return any scalar as text for display, cut to size. Not for decisions."""
    if isinstance(value, bool) or value is None or isinstance(value, (dict, list)):
        return None
    if not isinstance(value, str):
        return number_text(value)
    cut = value[:TEXT_LIMIT]
    return cut.encode("utf-8", "replace").decode() or None


def number(value: Json) -> int | float | None:
    """Return a finite number, also from its text."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        text = value.strip() if len(value) < NAME_LIMIT else ""
        return (float(text) if "." in text else int(text)) if _NUMBER.match(text) else None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, int) else None


def number_text(value: int | float) -> str | None:
    """Return a number in digits, or None for one of more digits than anybody reads."""
    return None if isinstance(value, int) and value.bit_length() > 256 else str(value)


def whole(value: Json, low: int, high: int) -> int | None:
    """Return a whole number between two bounds, both included."""
    found = number(value)
    if found is None or not low <= found <= high or found != int(found):
        return None
    return int(found)


def flag(value: Json) -> bool:
    """Tell whether a member says yes, as true or as its text."""
    return value is True or (isinstance(value, str) and value.strip().lower() == "true")


def account(value: Json) -> str | None:
    """Return an account id: 12 digits. One that came as a number has lost nothing only if it still has all 12."""
    if isinstance(value, int) and not isinstance(value, bool) and 10**11 <= value < 10**12:
        return str(value)
    return value if isinstance(value, str) and _ACCOUNT.match(value) else None


def region(value: Json) -> str | None:
    """Return a region's name, if it is one by its characters."""
    return value if isinstance(value, str) and len(value) <= 32 and _REGION.match(value) else None


def partition(value: Json) -> str | None:
    """Return a partition: "aws", "aws-cn", "aws-us-gov", …"""
    return value if isinstance(value, str) and len(value) <= 32 and _PARTITION.match(value) else None


def ip(value: Json) -> str | None:
    """Return an IP address in its canonical text."""
    if not isinstance(value, str) or len(value) > 45 or "%" in value:
        return None
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        return None


def domain(value: Json) -> str | None:
    """Return a domain name in lower case if it is one by its characters; anything else is text for display only."""
    return value.rstrip(".").lower() if isinstance(value, str) and _DOMAIN.match(value) else None


def moment(value: Json) -> datetime | None:
    """Return a time in UTC from any form seen on the wire.

    ISO 8601 with or without zone (then UTC), with a space for the T, with 0 to 9 fraction digits; seconds,
    milliseconds, microseconds or nanoseconds since 1970, as number or digits.
    """
    try:
        since_1970 = number(value)
        if since_1970 is not None:
            return _since_1970(since_1970)
        if not isinstance(value, str) or len(value) > 64:
            return None
        found = datetime.fromisoformat(value.strip())
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        return found if found >= EPOCH else None  # Go writes year 1 for "no time"
    except (ValueError, OverflowError):
        return None


def _since_1970(value: int | float) -> datetime | None:
    for limit, per_second in ((10**11, 1), (10**14, 10**3), (10**17, 10**6), (10**20, 10**9)):
        if 0 <= value < limit:
            if isinstance(value, int):  # whole microseconds; a float would lose the last digits of nanoseconds
                return EPOCH + timedelta(microseconds=value * 10**6 // per_second)
            return EPOCH + timedelta(seconds=value / per_second)
    return None


def inner_json(value: Json) -> Json:
    """Return the value of a JSON text inside a member, or None if it is none."""
    if not isinstance(value, str):
        return None
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


def arn_resource(arn: Json, service: str) -> str | None:
    """Return what follows region and account in an ARN of a service, "cluster/prod"; None for anything else."""
    parts = arn.split(":", 5) if isinstance(arn, str) and len(arn) <= 2 * NAME_LIMIT else []
    if len(parts) < 6 or parts[0] != "arn" or parts[2] != service:
        return None
    return name(parts[5])


def last(path: str | None) -> str | None:
    """Return the part of a path after its last slash or colon."""
    return name(re.split("[/:]", path)[-1]) if path else None
