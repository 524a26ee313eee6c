"""What a command ends with, so that scripts can tell. The same for every command; `firebreak --help` lists them."""

from __future__ import annotations

from firebreak.core.errors import Conflict, FirebreakError, InputError, PlanStale, Refused, TargetMissing

DONE = 0
BROKEN = 1
"""A mistake of Firebreak's own."""
MISUSED = 2
"""What was given cannot be used."""
NOT_ALLOWED = 3
"""Refused: by a rule, by the state things are in, or by the person who was asked."""
NOT_FOUND = 4
NO_AWS = 5
"""AWS could not be reached or does not allow it."""
AMISS = 6
"""Done, and the outcome is not what it should be."""
INTERRUPTED = 130


def code_of(error: FirebreakError) -> int:
    """Return the exit code of one of our errors."""
    match error:
        case InputError():
            return MISUSED
        case Refused() | Conflict() | PlanStale():
            return NOT_ALLOWED
        case TargetMissing():
            return NOT_FOUND
        case _:
            return NO_AWS
