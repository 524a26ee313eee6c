"""Who makes a call: the access keys of the sandbox and whom each stands for."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Caller:
    """Whom an access key stands for.

    Attributes:
        arn: of the user, or of the role's session ("arn:aws:sts::111122223333:assumed-role/<role>/<session>").
        account: the account the call is made in.
        role: ARN of the role behind the session, "" for a user.
        function: name of the function whose invocation makes the call, also through roles that it assumed; "" if none.
        session: session name.
        session_policy: the policy that narrows the session, "" if none.
        administrator: whether it may do everything: whoever stands the stacks up, and tests.
    """

    arn: str
    account: str
    role: str = ""
    function: str = ""
    session: str = ""
    session_policy: str = ""
    administrator: bool = False


class Identities:
    """Callers by access key id.

    Args:
        account: the account of keys that belong to nobody; nothing here checks signatures.
    """

    def __init__(self, account: str) -> None:
        self.account = account
        self._callers: dict[str, Caller] = {}

    def add(self, key: str, caller: Caller) -> None:
        """Have `key` stand for `caller` from now on."""
        self._callers[key] = caller

    def find(self, key: str) -> Caller | None:
        """Return whom `key` stands for; None if it was never registered."""
        return self._callers.get(key)


def access_key(of: str) -> str:
    """Return the access key id of something of ours, the same on every run."""
    return "AKIA" + hashlib.sha256(of.encode()).hexdigest()[:16].upper()


def session_arn(role_arn: str, session: str) -> str:
    """Return the ARN of a session of a role."""
    _, partition, _, _, account, resource = role_arn.split(":", 5)
    return f"arn:{partition}:sts::{account}:assumed-role/{resource.rpartition('/')[2]}/{session}"
