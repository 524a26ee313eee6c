"""Where a bare finding or alert comes from, as options: what its form lacks."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import click

from firebreak.core.source import Origin

F = TypeVar("F", bound=Callable[..., Any])


def _account(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and not (len(value) == 12 and value.isascii() and value.isdigit()):
        raise click.BadParameter("an account id has 12 digits", ctx, parameter)
    return value


def origin_options(command: F) -> F:
    """Give a command the options that say where bare forms come from, as its argument `origin`."""

    @click.option("--account", callback=_account, help="Account of findings that do not say theirs.")
    @click.option("--region", help="Region of findings that do not say theirs.")
    @click.option("--cluster", help="EKS cluster of alerts that do not say theirs.")
    @wraps(command)
    def given(*arguments: Any, account: str | None, region: str | None, cluster: str | None, **options: Any) -> Any:
        return command(*arguments, origin=Origin(account=account, region=region, cluster=cluster), **options)

    return given  # type: ignore[return-value]  # click's decorators keep what they wrap
