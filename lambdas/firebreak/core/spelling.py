"""How operators may spell values in playbooks and settings: one value instead of a list, an account without quotes."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field

T = TypeVar("T")


class Misplaced(ValueError):
    """A value that is wrong because of another one.

    Args:
        path: where the wrong value is, from the model that says so: ("approvers", 0, "people").
        message: what is wrong and what to do.
    """

    def __init__(self, path: tuple[str | int, ...], message: str) -> None:
        super().__init__(message)
        self.path = path


def _several(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)  # what strict validation asks for
    return value if isinstance(value, tuple | dict) else (value,)


def _some(value: tuple[T, ...]) -> tuple[T, ...]:
    if not value:
        raise ValueError("an empty list fits nothing; leave the line out, or name what is meant")
    return value


def digits(value: Any) -> Any:
    # without quotes an account is a number to YAML; one that starts with a zero is text already
    return str(value) if type(value) is int else value


Several: TypeAlias = Annotated[tuple[T, ...], BeforeValidator(_several)]
"""A list, or one value of it; may be empty."""

Some: TypeAlias = Annotated[tuple[T, ...], BeforeValidator(_several), AfterValidator(_some)]
"""A list, or one value of it; not empty."""

Glob: TypeAlias = Annotated[str, Field(min_length=1, max_length=512)]
"""`*` stands for any run of characters, `?` for any one."""

Name: TypeAlias = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
"""Lower case words with dashes."""

AccountId: TypeAlias = Annotated[str, BeforeValidator(digits), Field(pattern=r"^[0-9]{12}$")]
"""Twelve digits."""
