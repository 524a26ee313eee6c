"""Keeps the surroundings out: the developer's own AWS settings, proxies, and what else the environment carries."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

FOREIGN = ("AWS_", "CDK_", "JSII_", "POWERTOOLS_", "FIREBREAK_", "MOTO_")
LOOPBACK = "localhost,127.0.0.1,::1"


@contextmanager
def hermetic() -> Iterator[None]:
    """Run without any credentials, profile, region or endpoint of the environment, and without a proxy to ourselves."""
    before = dict(os.environ)
    for name in before:
        if name.startswith(FOREIGN):
            del os.environ[name]
    bypass = ",".join(filter(None, (LOOPBACK, before.get("NO_PROXY") or before.get("no_proxy"))))
    os.environ |= {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": bypass,
        "no_proxy": bypass,
    }
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
