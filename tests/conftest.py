"""What holds for every test: the machine's own AWS is out of sight, and nothing leaves this machine."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Callable
from functools import wraps
from typing import Any

from hypothesis import HealthCheck, settings

# Examples are searched for without a clock: a busy machine is no failure. In CI they are the same at every run.
settings.register_profile("dev", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("dev"), derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "dev")

for variable in [name for name in os.environ if name.startswith(("AWS_", "CDK_", "FIREBREAK_"))]:
    del os.environ[variable]
os.environ |= {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "NO_PROXY": "localhost,127.0.0.1,::1",
    "no_proxy": "localhost,127.0.0.1,::1",
}


class LeftTheMachine(Exception):
    """A test tried to reach another machine. No OSError, lest a client take it for an outage and try again."""


def _guarded(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method of sockets that refuses addresses, its last argument, of other machines."""

    @wraps(method)
    def guarded(opened: socket.socket, *arguments: Any) -> Any:
        if opened.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(arguments[-1][0]):
            raise LeftTheMachine(f"a test tried to reach {arguments[-1][0]}; tests talk to this machine only")
        return method(opened, *arguments)

    return guarded


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


for name in ("connect", "connect_ex", "sendto"):
    setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))
