"""What an action declares and does. One file each under `firebreak/actions`; this is the contract they keep."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Generic, Literal, TypeAlias, TypeVar

from firebreak.core.clients import Clients
from firebreak.core.grant import Permission
from firebreak.core.model import Model
from firebreak.core.plan import Draft, Plan, Progress, Stage, Verification
from firebreak.core.target import Place

Effect: TypeAlias = Literal["collect", "reversible", "destructive"]
T = TypeVar("T", bound=Place)
P = TypeVar("P", bound=Model)
B = TypeVar("B", bound=Model)

DEFAULT_STAGE: dict[Effect, Stage] = {"collect": "preserve", "reversible": "contain", "destructive": "eradicate"}


class NoParameters(Model):
    """For actions that take none."""


class Action(ABC, Generic[T, P, B]):
    """One thing Firebreak can do to one kind of target.

    The docstring of each action is its documentation: a title line; what it does; a paragraph that starts with
    "Does not stop:"; a paragraph that starts with "Next:".

    Attributes:
        name: "ec2.isolate_instance"; the file is `ec2_isolate_instance.py`.
        effect: collect (takes evidence), reversible (undo restores the state before) or destructive.
        target: the class of target it works on.
        aspect: the side of the target it changes (network, credentials, capacity, …). Lease, before-state and drift are
            kept per target and aspect.
        parameters: model of its parameters; every one has a default.
        before: model of the state it records before the first change.
        reads: what `plan` may call; part of the observer role.
        writes: what apply, verify, secure and undo may call beyond `reads`.
        collects: reads of things that hold secrets, in the action's own role only.
    """

    name: ClassVar[str]
    effect: ClassVar[Effect]
    target: ClassVar[type[Place]]
    aspect: ClassVar[str]
    parameters: ClassVar[type[Model]] = NoParameters
    before: ClassVar[type[Model]]
    reads: ClassVar[tuple[Permission, ...]]
    writes: ClassVar[tuple[Permission, ...]]
    collects: ClassVar[tuple[Permission, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if inspect.isabstract(cls):
            return
        missing = [
            name
            for name in ("name", "effect", "target", "aspect", "before", "reads", "writes")
            if not hasattr(cls, name)
        ]
        if missing:
            raise TypeError(f"{cls.__name__} does not declare {', '.join(missing)}")
        if (cls.effect == "reversible") != (cls.undo is not Action.undo):
            raise TypeError(f"{cls.name} is {cls.effect}: exactly the reversible actions define undo")
        if not (cls.__doc__ or "").strip():
            raise TypeError(f"{cls.name} has no docstring, and the docstring is its documentation")

    @abstractmethod
    def plan(self, clients: Clients, target: T, parameters: P) -> Draft:
        """Read the target and say what would change. Changes nothing.

        Raises:
            TargetMissing: the target does not exist.
            Refused: the target may not be treated so; the message says why.
        """

    @abstractmethod
    def apply(self, clients: Clients, plan: Plan) -> Progress:
        """Do one phase. Applying twice equals once; states that the plan itself leaves half-way are carried on.

        Raises:
            PlanStale: the target is in a state that the plan neither found nor leaves. Nothing is written.
            TargetMissing: the target is gone.
        """

    @abstractmethod
    def verify(self, clients: Clients, plan: Plan) -> Verification:
        """Read the target again and say whether it is in the state that the plan leaves.

        A reversible action makes do with `reads` here: Sweep looks again as the observer for as long as a step stands.
        """

    def undo(self, clients: Clients, plan: Plan) -> Progress:
        """Restore exactly the state in `plan.before`, or raise PlanStale where someone else has changed it since."""
        raise NotImplementedError(f"{self.name} is {self.effect} and has no undo")

    def secure(self, clients: Clients, plan: Plan) -> None:
        """Close what a half-done apply may have left open. Run on every final failure, whatever the guard says."""

    @property
    def can_secure(self) -> bool:
        """Whether a half-done apply can leave something open."""
        return type(self).secure is not Action.secure

    @property
    def stage(self) -> Stage:
        """The stage its steps belong to unless a playbook says otherwise."""
        return DEFAULT_STAGE[self.effect]

    @property
    def target_kind(self) -> str:
        """The `kind` of the targets it works on."""
        return str(self.target.model_fields["kind"].default)


AnyAction: TypeAlias = Action[Any, Any, Any]
