"""How a command finds the deployment or sandbox it works on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from firebreak.cli.main import main

SANDBOX = {
    "endpoint": "http://127.0.0.1:9",
    "region": "us-east-1",
    "account": "111122223333",
    "access_key_id": "AKIAIOSFODNN7EXAMPLE",
    "secret_access_key": "secret",
}


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No credentials, region or sandbox of whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def run(*words: str) -> Result:
    result = CliRunner().invoke(main, ["incidents", "list", *words])
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""
    return result


def write(folder: Path, text: str) -> None:
    (folder / ".firebreak").mkdir()
    (folder / ".firebreak" / "sandbox.json").write_text(text, encoding="utf-8")


def test_without_a_sandbox_it_says_how_to_start_one() -> None:
    result = run("--sandbox")
    assert result.exit_code == 4
    assert "make demo" in result.stderr


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"endpoint": "https://sandbox.example"}, "endpoint: Value error, a sandbox is on this machine"),
        ({"account": "1"}, "account"),
        ({"colour": "red"}, "colour: Extra inputs"),
        (None, "Invalid JSON"),
    ],
)
def test_a_sandbox_file_that_cannot_be_used_is_an_error(
    tmp_path: Path, change: dict[str, Any] | None, said: str
) -> None:
    write(tmp_path, "{" if change is None else json.dumps(SANDBOX | change))
    result = run("--sandbox")
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_sandbox_that_died_cannot_be_reached(tmp_path: Path) -> None:
    write(tmp_path, json.dumps(SANDBOX))
    result = run("--sandbox")
    assert result.exit_code == 5
    assert "127.0.0.1:9" in result.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--profile", "nobody", "--region", "eu-west-1"), 2, "nobody"),
        ((), 2, "--region"),
        (("--region", "no where"), 2, "--region"),
        (("--region", "eu-west-1"), 5, "credentials"),
    ],
)
def test_what_lacks_at_aws_is_named(words: tuple[str, ...], code: int, said: str) -> None:
    result = run(*words)
    assert (result.exit_code, said in result.stderr) == (code, True), result.stderr
