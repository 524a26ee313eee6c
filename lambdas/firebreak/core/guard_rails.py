"""The guard rails as operators set them: modes, what production is, what is protected, how much runs unasked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from firebreak.core.model import Model
from firebreak.core.playbook import Environment
from firebreak.core.spelling import Glob, Misplaced, Several, Some

GuardMode: TypeAlias = Literal["observe", "approve", "auto"]
"""observe: plan and tell, change nothing. approve: ask a person before every change. auto: follow the playbook."""

MODES: tuple[GuardMode, ...] = ("observe", "approve", "auto")
"""Tightest first."""


def effective_mode(ceiling: GuardMode, wish: str | None) -> GuardMode:
    """Return the mode that holds: the tighter of the two.

    Args:
        ceiling: what the settings allow at most.
        wish: what the table says; None where it says nothing. A word that is no mode is taken for the tightest.
    """
    if wish is None:
        return ceiling
    wished = next((mode for mode in MODES if mode == wish), MODES[0])
    return min(ceiling, wished, key=MODES.index)


class EnvironmentTag(Model):
    """How the tags of a target tell what it serves. Keys and values are compared without regard to case.

    Attributes:
        tag: the tag's key.
        production: values that mean production.
        other: values that mean anything less. Every further value, and no tag, is unknown and counts as production.
    """

    tag: str = Field(default="environment", min_length=1, max_length=128)
    production: Some[str] = ("production", "prod", "live")
    other: Some[str] = ("development", "dev", "test", "sandbox")

    @model_validator(mode="after")
    def _apart(self) -> EnvironmentTag:
        if both := {word.casefold() for word in self.production} & {word.casefold() for word in self.other}:
            raise Misplaced(("other",), f"{min(both)} is also listed under production; take it out of one of them")
        return self

    def of(self, tags: Mapping[str, str]) -> Environment:
        """Return what a target with these tags serves. Where spellings of the key disagree, the graver value holds."""
        values = {value.casefold() for key, value in tags.items() if key.casefold() == self.tag.casefold()}
        if values & {word.casefold() for word in self.production}:
            return "production"
        return "other" if values and values <= {word.casefold() for word in self.other} else "unknown"


class GuardRails(Model):
    """What is asked before each step, whatever a playbook says.

    Attributes:
        production_mode: a ceiling of its own for targets in production, unknown ones included.
        protected_tags: a target that bears one of these is never touched. Per key, globs over the value; the default
            protects whatever bears the tag `firebreak:protected`, even with the value "false".
        protected_arns: globs over ARNs that are never touched.
        targets_per_finding: a finding that names more targets than this asks before each step.
        actions_per_hour: so often an action runs in one account and hour before a person is asked.
        budgets: other numbers for some actions, by name.
    """

    production_mode: GuardMode = "auto"
    protected_tags: dict[str, Some[Glob]] = {"firebreak:protected": ("*",)}
    protected_arns: Several[Glob] = ()
    targets_per_finding: int = Field(default=3, ge=0, le=100)
    actions_per_hour: int = Field(default=10, ge=0, le=10_000)
    budgets: dict[str, Annotated[int, Field(ge=0, le=10_000)]] = {}

    def budget(self, action: str) -> int:
        """Return how often an action runs by itself in one account and hour."""
        return self.budgets.get(action, self.actions_per_hour)
