"""Secrets: read when needed, kept for minutes, never quoted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from firebreak.adapters.secrets import KEPT, Secret
from firebreak.core.errors import FirebreakError, SettingsError
from tests.faults import counted


class Vault:
    """A secret in moto, and a clock."""

    def __init__(self) -> None:
        self.client = boto3.client(
            "secretsmanager", region_name="eu-west-1", aws_access_key_id="testing", aws_secret_access_key="testing"
        )
        self.arn = self.client.create_secret(Name="s", SecretString="{}")["ARN"]
        self.elapsed = 0.0
        self.secret = Secret(lambda: self.client, self.arn, lambda: self.elapsed)

    def put(self, content: Any) -> None:
        text = content if isinstance(content, str) else json.dumps(content)
        self.client.put_secret_value(SecretId=self.arn, SecretString=text)


@pytest.fixture
def vault() -> Iterator[Vault]:
    with mock_aws():
        yield Vault()


def test_the_current_and_the_previous_signing_secret_hold(vault: Vault) -> None:
    vault.put({"signing_secret": "now", "previous": "before"})
    assert vault.secret.signing_secrets() == ("now", "before")


@pytest.mark.parametrize("previous", [{}, {"previous": ""}, {"previous": None}])
def test_without_a_rotation_one_secret_holds(vault: Vault, previous: dict[str, Any]) -> None:
    vault.put({"signing_secret": "now", **previous})
    assert vault.secret.signing_secrets() == ("now",)


def test_a_secret_is_read_once_in_five_minutes_and_a_rotation_holds_after_them(vault: Vault) -> None:
    vault.put({"bot_token": "first"})
    with counted() as calls:
        assert [vault.secret.bot_token() for _ in range(3)] == ["first"] * 3
        assert len(calls.seen) == 1
    vault.put({"bot_token": "second"})
    vault.elapsed = KEPT - 1
    assert vault.secret.bot_token() == "first"
    vault.elapsed = KEPT
    assert vault.secret.bot_token() == "second"


@pytest.mark.parametrize("content", ["hunter2", "[]", "[" * 10_000, {}, {"bot_token": ""}, {"bot_token": 7}])
def test_an_unusable_secret_is_an_error_that_does_not_quote_it(vault: Vault, content: Any) -> None:
    vault.put(content)
    with pytest.raises(SettingsError, match=r"bot_token|JSON object") as refusal:
        vault.secret.bot_token()
    assert "hunter2" not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_a_secret_that_cannot_be_read_is_an_error_of_ours(vault: Vault) -> None:
    vault.client.delete_secret(SecretId=vault.arn, ForceDeleteWithoutRecovery=True)
    with pytest.raises(FirebreakError):
        vault.secret.bot_token()


def test_no_client_is_made_before_a_secret_is_needed() -> None:
    def client() -> Any:
        raise AssertionError("made")

    secret = Secret(client, "arn")
    with pytest.raises(AssertionError, match="made"):
        secret.bot_token()
