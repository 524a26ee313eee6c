"""A person at a terminal: runs the command against the standing sandbox, as an IAM user of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from firebreak.cli.main import main
from sandbox.cloud import RoleDocument
from sandbox.identity import Caller, access_key
from tests.e2e.story import Story


@dataclass
class Operator:
    """One person.

    Attributes:
        story: what the commands work on.
        name: of the IAM user.
    """

    story: Story
    name: str

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::{self.story.sandbox.account}:user/{self.name}"

    def sits_down(self, folder: Path, *more: str) -> None:
        """Take the rights of an operator and no other, and write how to reach the sandbox, as whoever runs one does.

        Args:
            more: managed policies to hold as well; "observer" is what that role may do.
        """
        sandbox = self.story.sandbox
        key, holder = access_key(self.name), f"arn:aws:iam::{sandbox.account}:role/holder-of-the-operator-policy"
        sandbox.cloud.roles[holder] = RoleDocument(
            {"Statement": []}, policies=[self._policy(name) for name in ("operator", *more)]
        )
        sandbox.cloud.identities.add(key, Caller(self.arn, sandbox.account, role=holder))
        found = {
            "endpoint": sandbox.url,
            "region": sandbox.region,
            "account": sandbox.account,
            "access_key_id": key,
            "secret_access_key": "nobody checks it here",
        }
        (folder / ".firebreak").mkdir(exist_ok=True)
        (folder / ".firebreak" / "sandbox.json").write_text(json.dumps(found), encoding="utf-8")

    def _policy(self, name: str) -> Any:
        if name == "observer":
            (policy,) = self.story.sandbox.cloud.roles[
                f"arn:aws:iam::{self.story.sandbox.account}:role/firebreak-observer"
            ].policies
            return policy
        iam = self.story.sandbox.client("iam")
        arn = f"arn:aws:iam::{self.story.sandbox.account}:policy/firebreak-{name}"
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        return iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]

    def types(self, *words: str, answers: str = "") -> Result:
        """Run a command and let everything it brings about happen."""
        result = CliRunner().invoke(main, [*words, "--sandbox"], input=answers)
        self.story.sandbox.run_until_idle(600)
        self.story.sandbox.advance(1)  # people are slower than virtual time, in which a message given back stays hidden
        return result

    def asks(self, *words: str) -> Any:
        """Run a command that has to succeed, and return the JSON that it prints."""
        result = self.types(*words, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)
