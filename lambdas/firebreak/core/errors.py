"""Every error of Firebreak, one tree. Catch by type, never by text.

    FirebreakError
    ├── InputError              what we were given cannot be used
    │   ├── FindingError        an event that is ours but unusable; names the field
    │   ├── NotForFirebreak     an event that is not ours
    │   ├── PlaybookError       names file and line
    │   └── SettingsError       names file and line, or the variable
    ├── Refused                 a rule of ours forbids it: guard, consent, fence
    │   └── NoConsent           nobody has agreed to this plan, or not any more
    ├── TargetMissing           the target does not exist (any more)
    ├── PlanStale               the target is in a state that the plan neither found nor leaves
    ├── Permanent               trying again cannot help
    │   ├── Denied              the other side refused our identity
    │   ├── AwsError            any other refusal by AWS, with its code
    │   └── KubernetesError     any other refusal by a Kubernetes API server, with code, reason and causes
    └── Retriable               the same call may succeed later
        ├── Throttled           too fast; back off
        ├── Conflict            someone else wrote first; read again, decide again
        ├── Held                another run holds the lease
        ├── Unprepared          what containment needs beforehand is not there yet
        └── OutOfTime           too little time left in this invocation to make the next call safely

The message says what failed, on what, and what to do about it.
"""

from __future__ import annotations


class FirebreakError(Exception):
    """Root of the tree."""


class InputError(FirebreakError):
    """What we were given cannot be used; the same input will fail again."""


class FindingError(InputError):
    """An event that should be a finding but is unusable.

    Args:
        field: dotted path of the member that is unusable, as it is spelt on the wire.
        reason: what is wrong with it.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class NotForFirebreak(InputError):
    """An event that no source of ours claims, or that is another kind of message from a source."""


class PlaybookError(InputError):
    """A playbook that cannot be used. The message starts with file:line."""


class SettingsError(InputError):
    """A setting that cannot be used. The message starts with file:line or the variable's name."""


class Refused(FirebreakError):
    """A rule of ours forbids it: kill switch, mode, protection, missing or spent consent, fence."""


class NoConsent(Refused):
    """There is no consent to this plan for this execution, or not any more.

    Args:
        because: "missing", "pending", "denied", "expired", "cancelled", "superseded", "redeemed" (by another
            execution), "changed" (it was given to another plan) or "late" (its deadline has passed).
        message: which approval, and what to do.
    """

    def __init__(self, because: str, message: str) -> None:
        super().__init__(message)
        self.because = because


class TargetMissing(FirebreakError):
    """The target does not exist, or not any more."""


class PlanStale(FirebreakError):
    """The target was changed by someone else since the plan was made; nothing was overwritten."""


class Permanent(FirebreakError):
    """Trying the same again cannot help."""


class Denied(Permanent):
    """The other side does not let this identity do this."""


class AwsError(Permanent):
    """AWS refused a call for a reason of its own.

    Args:
        code: the error code, "InvalidGroup.NotFound".
        operation: the API operation, "ModifyNetworkInterfaceAttribute".
        message: what AWS said.
    """

    def __init__(self, code: str, operation: str, message: str) -> None:
        super().__init__(f"{operation}: {code}: {message}")
        self.code = code
        self.operation = operation


class KubernetesError(Permanent):
    """A Kubernetes API server refused a request for a reason of its own.

    Args:
        status: the HTTP status code.
        reason: the Status object's reason, "" where the answer had none.
        causes: (reason, field) of each cause in its details.
        message: what was asked and what the server said.
    """

    def __init__(self, status: int, reason: str, causes: tuple[tuple[str, str], ...], message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.causes = causes


class Retriable(FirebreakError):
    """The same call may succeed later."""


class Throttled(Retriable):
    """The other side asks us to slow down."""


class Conflict(Retriable):
    """Someone else wrote first. Read again and decide again."""


class Held(Retriable):
    """Another run holds the lease on this resource."""


class Unprepared(Retriable):
    """What containment needs beforehand is not there yet; Prepare makes it."""


class OutOfTime(Retriable):
    """Too little of this invocation is left to make the next call safely."""
