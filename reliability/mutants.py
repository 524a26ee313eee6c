"""The gate: some suite has to catch each wrong version, or the suites are blind.

A mutant is a mistake that was made somewhere: by us, by others, or in the literature.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from reliability import wrong, wrong_actions
from reliability.fault import Kind
from reliability.sandboxed import WORLD


@dataclass(frozen=True)
class Mutant:
    """One wrong version.

    Attributes:
        what: what it does wrong.
        caught_by: invariants of which one has to break: "I1".
        stories: where to look for it, the likeliest first.
        kind: the fault under which it shows, where it does not show in calm.
        put_in: replaces what it replaces while it is entered.
    """

    what: str
    caught_by: tuple[str, ...]
    put_in: Callable[[], AbstractContextManager[Any]]
    stories: tuple[str, ...] = ("only",)
    kind: Kind = "deny"


MUTANTS: dict[str, Mutant] = {
    "handled-first": Mutant("a finding is marked handled before its incident exists", ("I1",), wrong.handled_first),
    "acknowledged-first": Mutant(
        "messages are acknowledged though they failed", ("I1",), wrong.acknowledged_first, kind="reject"
    ),
    "before-state-again": Mutant("the before-state is read again at each run", ("I5", "I6"), wrong.before_state_again),
    "effect-first": Mutant("the change is made before the intent is recorded", ("I4", "I9"), wrong.effect_first),
    "no-condition": Mutant(
        "transactions are written whatever is there", ("I4", "I8", "I9"), wrong.no_condition, ("interrupted",)
    ),
    "no-consent": Mutant("consent is not looked at again when a step runs", ("I2",), wrong.no_consent, ("ask",)),
    "no-lease": Mutant("a lease keeps nobody out", ("I4",), wrong.no_lease, kind="freeze"),
    "short-lease": Mutant("a lease ends before its run must", ("I4",), wrong.short_lease, kind="freeze"),
    "no-drift-check": Mutant("undo does not look who changed it meanwhile", ("I5",), wrong.no_drift_check, ("drift",)),
    "insistent": Mutant("a permanent error is tried again", ("I7",), wrong.insistent),
    "swallowed": Mutant(
        "throttling passes for an empty answer", ("I3", "I4", "I5", "I7"), wrong.swallowed, ("contain",), "reject"
    ),
    "underived": Mutant(
        "what is made has a new name at each try", ("I4",), wrong.underived, ("contain",), "kill_after"
    ),
    "destroy-first": Mutant("destruction does not wait for evidence", ("I11",), wrong.destroy_first, ("hasty",)),
    "late-response": Mutant(
        "a late run goes on with what is being undone",
        ("I4", "I5", "I9"),
        wrong.late_response,
        ("interrupted",),
        "kill_after",
    ),
    "impatient-undo": Mutant(
        "an undo takes a read that lags for the last word", ("I3",), wrong.impatient_undo, ("undo",), "stale_read"
    ),
    "open-end": Mutant("what was begun is left half-way where an error is final", ("I4",), wrong.open_end),
    "presumed-undone": Mutant(
        "what is not known to have failed counts as undone", ("I5",), wrong.presumed_undone, ("undo",)
    ),
    "guarded-once": Mutant(
        "the guard is not asked again when a step runs", ("I10",), wrong.guarded_once, ("tightened",)
    ),
    "unprotected": Mutant("what is protected is overlooked", ("I10",), wrong.unprotected, ("protected",)),
    "overspent": Mutant("a budget bounds nothing", ("I10",), wrong.overspent, ("spent",)),
    "unfenced-halt": Mutant(
        "the kill switch is looked at only ahead of the intent", ("I10",), wrong.unfenced_halt, ("raced",)
    ),
    "any-node": Mutant(
        "a node of the same name passes for the one that was planned for",
        ("I12",),
        wrong_actions.any_node,
        (f"{WORLD}eks.cordon_node ask that is replaced by another of its name",),
    ),
    "unheld-mode": Mutant("the mode is looked at only ahead of the intent", ("I10",), wrong.unheld_mode, ("switched",)),
}
"""Every mutant by name."""
