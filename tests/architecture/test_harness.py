"""The guards of tests/conftest.py hold, and so do those of the Makefile."""

from __future__ import annotations

import os
import socket
import subprocess

import botocore.session
import pytest

from tests.architecture.tree import ROOT
from tests.conftest import LeftTheMachine


@pytest.mark.parametrize("address", ["198.51.100.7", "10.0.0.1", "169.254.169.254", "0.0.0.0", "example.com", "::"])
@pytest.mark.parametrize("method", ["connect", "connect_ex"])
def test_no_test_reaches_another_machine(address: str, method: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as client, pytest.raises(LeftTheMachine):
        getattr(client, method)((address, 80))


def test_no_test_sends_a_datagram_to_another_machine() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client, pytest.raises(LeftTheMachine):
        client.sendto(b"query", ("198.51.100.7", 53))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_test_reaches_its_own_machine(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection((host, server.getsockname()[1])) as client:
            client.sendall(b"hello")
            peer, _ = server.accept()
        with peer:
            assert peer.recv(5) == b"hello"


def test_no_credentials_region_or_endpoint_of_the_developer_are_in_sight() -> None:
    session = botocore.session.Session()
    assert session.get_config_variable("region") is None
    assert session.get_config_variable("ca_bundle") is None
    assert session.available_profiles == []
    assert session.get_credentials() is None


@pytest.mark.parametrize("target", ["demo", "test", "unit", "e2e", "synth", "bench"])
def test_make_hides_the_developers_aws(target: str) -> None:
    mine = {
        "AWS_PROFILE": "production",
        "AWS_ENDPOINT_URL_S3": "http://198.51.100.7",
        "CDK_DEFAULT_ACCOUNT": "111122223333",
    }
    commands = _dry_run(target, mine)
    hidden = [line for line in commands.splitlines() if line.startswith("env ")]
    assert hidden
    for line in hidden:
        assert all(f"-u {name} " in line for name in mine), line
        assert "AWS_SHARED_CREDENTIALS_FILE=/dev/null" in line


def test_make_deploy_uses_the_developers_aws() -> None:
    assert "-u AWS_PROFILE" not in _dry_run("deploy", {"AWS_PROFILE": "production"})


def _dry_run(target: str, environment: dict[str, str]) -> str:
    answer = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", target],
        cwd=ROOT,
        env=os.environ | environment | {"MAKEFLAGS": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    return answer.stdout
