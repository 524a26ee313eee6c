"""Options that several commands share."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, TypeVar

import click

from firebreak.cli.console import Asked, Console, open_console
from firebreak.core.errors import Denied
from firebreak.core.model import Scalar

F = TypeVar("F", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for other programs.")
yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask.")


def examples(*lines: str) -> str:
    """Return the end of a command's help."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def pairs(option: str, given: Iterable[str]) -> dict[str, str]:
    """Return what was given as KEY=VALUE, time and again.

    Raises:
        click.BadParameter: something has no key or no "=".
    """
    found = dict[str, str]()
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise click.BadParameter(f"{text!r} is not KEY=VALUE", param_hint=option)
        found[key] = value
    return found


def scalar(text: str) -> Scalar:
    """Return what a value means: true, false, null and numbers are taken as such, all else as text."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, str | int | float | bool | None) else text


def on_deployment(command: F) -> F:
    """Give a command a deployment to work on, as its first argument, and the options that say which."""

    @click.option(
        "--prefix",
        "--stack",
        default="firebreak",
        show_default=True,
        envvar="FIREBREAK_PREFIX",
        show_envvar=True,
        help="What the names of the deployment start with.",
    )
    @click.option("--profile", help="AWS profile of the home account; else as the AWS CLI finds credentials.")
    @click.option("--region", help="The deployment's home region; else as the AWS CLI finds it.")
    @click.option(
        "--sandbox",
        is_flag=True,
        envvar="FIREBREAK_SANDBOX",
        show_envvar=True,
        help="Work on the sandbox of a running demo instead of AWS.",
    )
    @wraps(command)
    def opened(
        *arguments: Any, prefix: str, profile: str | None, region: str | None, sandbox: bool, **options: Any
    ) -> Any:
        try:
            console: Console = open_console(Asked(prefix=prefix, profile=profile, region=region, sandbox=sandbox))
            return command(console, *arguments, **options)
        except Denied as error:
            raise Denied(f"{error} The managed policy {prefix}-operator allows what this command needs.") from error

    return opened  # type: ignore[return-value]  # click's decorators keep what they wrap
