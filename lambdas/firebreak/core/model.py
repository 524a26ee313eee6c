"""The base of every value that crosses a boundary, and its canonical form."""

from __future__ import annotations

import hashlib
import json
from typing import Any, TypeAlias

from pydantic import BaseModel, ConfigDict

Scalar: TypeAlias = str | int | float | bool | None
Json: TypeAlias = Any  # a JSON value; pydantic's recursive JsonValue costs 30 ms at import


class Model(BaseModel):
    """A frozen value of ours. Unknown members are errors: our own formats are strict, foreign ones are not."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def canonical(value: Json) -> str:
    """Return the one JSON text of a value: keys sorted, no spaces, not-a-number refused.

    Raises:
        ValueError: the value holds a NaN or an infinity.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(value: Json) -> str:
    """Return the SHA-256 of the canonical JSON text of a value, as 64 hex digits."""
    return hashlib.sha256(canonical(value).encode("utf-8", "surrogatepass")).hexdigest()
