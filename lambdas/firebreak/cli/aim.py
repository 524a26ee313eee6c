"""What a person points at: an action, a target, and parameters, as they are typed."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple, TypeVar

import click
from pydantic import TypeAdapter, ValidationError

from firebreak.cli.console import Console
from firebreak.cli.options import pairs, scalar
from firebreak.core import registry
from firebreak.core.action import AnyAction
from firebreak.core.model import Model
from firebreak.core.target import GLOBAL, Place, Target

F = TypeVar("F", bound=Callable[..., Any])


class Aim(NamedTuple):
    """An action, what it is to work on, and how."""

    action: AnyAction
    target: Place
    parameters: Model


class Typed(NamedTuple):
    """The same as it was typed."""

    action: str
    target: str
    account: str | None
    region: str | None
    about: tuple[str, ...]
    parameters: tuple[str, ...]

    def aim(self, console: Console) -> Aim:
        """Return what is meant, on this deployment.

        Raises:
            click.BadParameter: there is no such action, or the target or a parameter cannot be used.
        """
        try:
            action = registry.action(self.action)
        except KeyError as error:
            raise click.BadParameter(str(error.args[0]), param_hint="ACTION") from None
        return Aim(action, self._target(action.target, console), self._parameters(action))

    def _target(self, kind: type[Place], console: Console) -> Place:
        names, identity = console.wiring.names, kind.identity
        parts = self.target.split("/", len(identity) - 1)
        if len(parts) != len(identity):
            spelt = "/".join(name.upper() for name in identity)
            raise click.BadParameter(f"{self.target!r} is not {spelt}", param_hint="TARGET")
        given = {
            "kind": kind.model_fields["kind"].default,
            "partition": console.wiring.caller().split(":")[1],
            "account": self.account or names.account,
            "region": GLOBAL if kind.worldwide else self.region or names.region,
            **pairs("--about", self.about),
            **dict(zip(identity, parts, strict=True)),
        }
        try:
            return TypeAdapter[Place](Target).validate_python(given)
        except ValidationError as error:
            raise click.BadParameter(_wrong(error), param_hint="TARGET") from None

    def _parameters(self, action: AnyAction) -> Model:
        given = {key: scalar(value) for key, value in pairs("--param", self.parameters).items()}
        try:
            return action.parameters.model_validate(given)
        except ValidationError as error:
            said = f"{_wrong(error)}; `firebreak actions show {action.name}` names what it takes"
            raise click.BadParameter(said, param_hint="--param") from None


def aimed(command: F) -> F:
    """Give a command an action and a target, as `typed`."""

    @click.argument("action")
    @click.argument("target")
    @click.option("--target-account", help="Account of the target; the deployment's own unless given.")
    @click.option("--target-region", help="Region of the target; the deployment's own unless given.")
    @click.option("--about", multiple=True, metavar="NAME=VALUE", help="More about the target: user_name=ana.")
    @click.option("--param", "parameters", multiple=True, metavar="NAME=VALUE", help="A parameter of the action.")
    @wraps(command)
    def typed(
        *arguments: Any,
        action: str,
        target: str,
        target_account: str | None,
        target_region: str | None,
        about: tuple[str, ...],
        parameters: tuple[str, ...],
        **options: Any,
    ) -> Any:
        meant = Typed(action, target, target_account, target_region, about, parameters)
        return command(*arguments, meant, **options)

    return typed  # type: ignore[return-value]  # click's decorators keep what they wrap


def _wrong(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"] if part != first["loc"][0] or len(first["loc"]) == 1)
    return f"{where}: {first['msg']}"
