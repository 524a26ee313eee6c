"""Names that several stacks, or other accounts, have to know beforehand. See docs/architecture.md, "Names"."""

from __future__ import annotations

from hashlib import sha256

from firebreak.core.action import AnyAction
from firebreak.core.deployment import WatchedCluster


def notice_topic(prefix: str) -> str:
    """Return the topic by which people are told."""
    return f"{prefix}-notices"


def machine_name(prefix: str) -> str:
    """Return the state machine's name."""
    return f"{prefix}-respond"


def function_role(prefix: str, word: str) -> str:
    """Return the role of a function, "execute-destructive"."""
    return f"{prefix}-fn-{word}"


def operator_policy(prefix: str) -> str:
    """Return the managed policy of people who run the command."""
    return f"{prefix}-operator"


def reader_policy(prefix: str, word: str) -> str:
    """Return the managed policy of people who read what is kept, "raw-events" or "evidence"."""
    return f"{prefix}-{word}-reader"


def observer_role(prefix: str) -> str:
    """Return the role that looks things up in an account."""
    return f"{prefix}-observer"


def prepare_role(prefix: str) -> str:
    """Return the role that makes the quarantine groups."""
    return f"{prefix}-prepare"


def action_role(prefix: str, action: AnyAction) -> str:
    """Return the role of an action."""
    return f"{prefix}-{action.name.replace('.', '-')}"


def forward_role(prefix: str) -> str:
    """Return what the roles start with that forward events from the default buses; the region follows."""
    return f"{prefix}-forward-"


def of_cluster(prefix: str, what: str, cluster: WatchedCluster) -> str:
    """Return a name for something that belongs to a cluster, unique and short enough for a role."""
    identity = "/".join((cluster.account, cluster.region, cluster.name))
    return f"{prefix}-{what}-{cluster.name.lower()[:24]}-{sha256(identity.encode()).hexdigest()[:8]}"
