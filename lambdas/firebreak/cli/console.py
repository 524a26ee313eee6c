"""The deployment that a command works on, at AWS or in the sandbox of a running demo.

At AWS it is found by its prefix: the response stack keeps its names in the SSM parameter `/<prefix>/console`
(`firebreak.core.console`). The sandbox holds the same parameter. How to reach it is in `.firebreak/sandbox.json`, which
whoever runs a sandbox writes once it can be used, readable by its owner alone, and removes at the end. The command
looks for this file in the current folder and in those above it:

    {
      "endpoint": "http://127.0.0.1:41789",    where AWS is; this machine and no other
      "region": "us-east-1",
      "account": "111122223333",
      "access_key_id": "AKIA…",                of an IAM user of the sandbox, whom approvals will name
      "secret_access_key": "…"
    }
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlparse

from pydantic import Field, ValidationError, field_validator

from firebreak.clock import system_clock
from firebreak.core.errors import SettingsError, TargetMissing
from firebreak.core.model import Model
from firebreak.ports import Actor

if TYPE_CHECKING:
    from firebreak.wiring_console import ConsoleWiring

SANDBOX_FILE = Path(".firebreak") / "sandbox.json"

now = system_clock
pause = time.sleep


class SandboxFile(Model):
    """What a running sandbox says of itself; see above."""

    endpoint: str
    region: str = Field(pattern=r"^[a-z]{2,}(-[a-z0-9]+)+$")
    account: str = Field(pattern=r"^\d{12}$")
    access_key_id: str = Field(min_length=1)
    secret_access_key: str = Field(min_length=1)

    @field_validator("endpoint")
    @classmethod
    def _is_here(cls, value: str) -> str:
        if urlparse(value).hostname not in ("127.0.0.1", "localhost", "::1"):
            raise ValueError("a sandbox is on this machine")
        return value

    @property
    def environment(self) -> dict[str, str]:
        """The same under the names that `firebreak.settings` reads."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": self.region,
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
        }


@dataclass(frozen=True)
class Asked:
    """Which deployment was asked for.

    Attributes:
        prefix: what its names start with.
        profile, region: of the AWS credentials; None leaves it to the environment.
        sandbox: whether it is the sandbox.
    """

    prefix: str
    profile: str | None = None
    region: str | None = None
    sandbox: bool = False


@dataclass(frozen=True)
class Console:
    """A deployment, as commands use it."""

    wiring: ConsoleWiring

    @cached_property
    def actor(self) -> Actor:
        """Who runs the command, for the audit trail: as AWS knows the caller, not as the machine does."""
        return Actor(name=self.wiring.caller(), request="firebreak")


def open_console(asked: Asked) -> Console:
    """Find a deployment.

    Raises:
        TargetMissing: there is none, or no sandbox runs.
        SettingsError: what says where it is cannot be used.
    """
    from firebreak.wiring_console import ConsoleWiring  # noqa: PLC0415 - boto3 takes a third of a second

    if asked.sandbox:
        environment = _sandbox(Path.cwd()).environment
    else:
        said = {"AWS_PROFILE": asked.profile, "AWS_REGION": asked.region}
        environment = {name: value for name, value in said.items() if value}
    return Console(ConsoleWiring(environment, asked.prefix, now))


def _sandbox(here: Path) -> SandboxFile:
    for folder in (here, *here.parents):
        path = folder / SANDBOX_FILE
        if not path.is_file():
            continue
        try:
            return SandboxFile.model_validate_json(path.read_bytes())
        except ValidationError as error:
            wrong = error.errors(include_url=False)[0]
            where = ".".join(map(str, wrong["loc"])) or "it"
            raise SettingsError(f"{path}: {where}: {wrong['msg']}; start the sandbox again") from None
    raise TargetMissing(f"no sandbox is running in {here}: there is no {SANDBOX_FILE}; start one with `make demo`")
