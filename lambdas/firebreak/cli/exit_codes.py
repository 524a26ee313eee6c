"""What a command ends with, so that scripts can tell. The same for every command; `firebreak --help` lists them."""

from __future__ import annotations

from firebreak.core.errors import Conflict, FirebreakError, InputError, PlanStale, Refused, TargetMissing

DONE, BROKEN, MISUSED, NOT_ALLOWED, NOT_FOUND, NO_AWS, AMISS = range(7)
INTERRUPTED = 130  # 128 and the number of the signal, as shells have it

EXIT_CODES = {
    DONE: "done",
    BROKEN: "a mistake of Firebreak's own",
    MISUSED: "what was given cannot be used: an option, a file, an event, a playbook",
    NOT_ALLOWED: "refused: by a rule, by the state things are in, or because you said no",
    NOT_FOUND: "there is no such incident, question, action, message or deployment",
    NO_AWS: "AWS could not be reached or does not allow it",
    AMISS: "done, and the outcome is not what it should be",
    INTERRUPTED: "interrupted",
}


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
