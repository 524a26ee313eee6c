"""The worlds in which the contract suite tries the actions: one module per action, named after the action's file.

`scenes/ec2_isolate_instance.py` holds the scene of `ec2.isolate_instance`: a subclass of `Scene` called `World`. An
action without one fails the suite. The suite builds a world afresh for every check and for every crash point, hundreds
of times in a run: build only what the action looks at, in a few calls.

    class World(Scene):
        cases = {"defaults": {}, "cut tracked": {"cut_tracked": True}}

        def __init__(self, aws: Callable[[str], Any]) -> None:
            ...                     # aws("ec2") is a boto3 client for arranging; its calls are not recorded
            self.target = Instance(account=ACCOUNT, region=REGION, instance_id=...)

        def drift(self) -> None: ...
        def delete(self) -> None: ...
        def state(self) -> Json: ...

What the suite does itself: starts moto with the cures of `sandbox.moto_cures`, seeds its identifiers (so that two
worlds built alike are alike), makes the recorded clients, wraps the Kubernetes client, and crashes either at any call.
"""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from firebreak.adapters.aws import SessionClients
from firebreak.core.clients import Kubernetes
from firebreak.core.model import Json
from firebreak.core.target import Place

ACCOUNT = "123456789012"  # moto's own, so that the ARNs it makes are those of the target
REGION = "us-east-1"


class Scene(ABC):
    """A small world around one target.

    Attributes:
        cases: parameter sets of the action by name; every check runs for each of them. Declared reads and writes have
            to show in the union of all cases.
        target: what the action is tried on. Set by the constructor.
        uncalled: IAM actions the action declares although no case can provoke their call; each of these grants has to
            carry its `reason`.
    """

    cases: ClassVar[Mapping[str, dict[str, Json]]] = {"defaults": {}}
    uncalled: ClassVar[frozenset[str]] = frozenset()
    target: Place

    @abstractmethod
    def __init__(self, aws: Callable[[str], Any]) -> None:
        """Build the world. `aws` makes boto3 clients whose calls are not recorded."""

    def kubernetes(self, clients: SessionClients, cluster: str) -> Kubernetes:
        """Return a client of the scene's API server. The suite records the calls made through it.

        Args:
            clients: the recorded clients of the step, for a client that asks AWS for endpoint and token.
            cluster: the name the action asked for.
        """
        raise AssertionError(f"this scene has no Kubernetes, and the action asked for cluster {cluster}")

    @abstractmethod
    def drift(self) -> None:
        """Change the target's aspect as another person would: to a state that no plan found, makes or passes through.

        Called before `apply`, and (on another world) between `apply` and `undo`.
        """

    @abstractmethod
    def delete(self) -> None:
        """Let the target cease to exist, as AWS or Kubernetes would: a terminated instance, an object gone."""

    @abstractmethod
    def state(self) -> Json:
        """Return everything that the action may change, in a form that is equal whenever the state is the same.

        Nothing that differs between two runs that mean the same: generated ids of things made, times, order.
        """

    def secured(self) -> bool:
        """Tell whether nothing is left open. Asked only of actions that define `secure`, after a crash."""
        raise AssertionError("the action defines secure(), so its scene defines secured()")

    def elapse(self) -> None:  # noqa: B027  most worlds need no time
        """Let the time pass that an `Again`, or a verification that is not ok yet, asks for."""


def scene_of(action: str) -> type[Scene]:
    """Return the scene of an action.

    Raises:
        ModuleNotFoundError: the action has none.
        TypeError: the module defines no `World`.
    """
    module = importlib.import_module(f"{__name__}.{action.replace('.', '_')}")
    world = getattr(module, "World", None)
    if not (isinstance(world, type) and issubclass(world, Scene)):
        raise TypeError(f"{module.__name__} defines no class World(Scene)")
    return world
