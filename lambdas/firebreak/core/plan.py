"""A plan: the state found, the changes in words, and the digest that consent is given to."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import Field

from firebreak.core.model import Json, Model, digest
from firebreak.core.target import Target

Stage: TypeAlias = Literal["preserve", "contain", "eradicate", "recover"]
STAGES: tuple[Stage, ...] = ("preserve", "contain", "eradicate", "recover")


class Change(Model):
    """One change, in words a person can judge.

    Attributes:
        resource: what changes: "eni-0a1b… (10.0.1.7)".
        what: the aspect: "security groups".
        before, after: its state now and then.
    """

    resource: str
    what: str
    before: str
    after: str


class Draft(Model):
    """What an action proposes for a target. The pipeline binds it to an incident and makes it a Plan.

    Attributes:
        before: the state found, as the action's `before` model dumps it (mode "json"). What undo restores.
        changes: what apply will do; empty means nothing to do.
        resources: ARNs that apply, verify and undo touch; the session policy is narrowed to them.
        effects: what else follows, for the person who judges: load balancers that lose a target, pods on a node.
        residual: what stays possible although the action succeeds.
    """

    before: Json
    changes: tuple[Change, ...]
    resources: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()
    residual: tuple[str, ...] = ()


class Plan(Draft):
    """A draft bound to its incident. Apply, verify and undo get this and nothing else.

    Attributes:
        action: name of the action.
        incident, revision, step: what it belongs to.
        target: what it changes.
        parameters: as the action's parameter model dumps them.
        policy: version of the playbooks it was decided under.
    """

    action: str
    incident: str
    revision: int = Field(ge=1)
    step: str
    target: Target
    parameters: Json
    policy: str

    @property
    def draft(self) -> Draft:
        """What the action proposed, without what it was bound to."""
        return Draft.model_validate(self.model_dump(include=set(Draft.model_fields)))

    @property
    def digest(self) -> str:
        """SHA-256 over everything in the plan. Consent is bound to it; derived names start from it."""
        return digest(self.model_dump(mode="json"))


class Done(Model):
    """`apply` or `undo` has nothing left to do.

    Attributes:
        notes: what a person should know about how it went: things that are gone and could not be restored.
    """

    notes: tuple[str, ...] = ()


class Again(Model):
    """`apply` or `undo` has done one phase and wants to be called again.

    Attributes:
        after: seconds until then, at least.
        because: what is waited for.
    """

    after: int = Field(ge=1, le=86_400)
    because: str


Progress: TypeAlias = Done | Again


class Verification(Model):
    """What `verify` read back.

    Attributes:
        ok: whether the target is in the state that the plan leaves.
        saw: what was read, in words; evidence of the outcome.
        residual: what isolation does not cut, as far as only a look afterwards can tell.
        after: seconds until it makes sense to look again, where not ok.
    """

    ok: bool
    saw: tuple[str, ...]
    residual: tuple[str, ...] = ()
    after: int = Field(default=5, ge=1, le=86_400)
