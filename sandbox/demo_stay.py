"""Keeps the demo's sandbox running, for the other commands: `firebreak incidents list --sandbox`."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from firebreak.cli.console import SANDBOX_FILE, SandboxFile
from sandbox.demo_sight import Credentials, Sight
from sandbox.demo_terminal import Terminal


@contextmanager
def announced(credentials: Credentials, path: Path) -> Iterator[None]:
    """Say in a file, readable by its owner alone, how to reach the sandbox; take it away at the end.

    The file is put there whole, and taken away only while it is still ours: a second demo may have replaced it.
    """
    content = SandboxFile(**asdict(credentials)).model_dump_json(indent=1)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(content)
        unfinished.replace(path)
        yield
    finally:
        unfinished.unlink(missing_ok=True)
        if path.exists() and path.read_text() == content:
            path.unlink()


def stay(sight: Sight, terminal: Terminal, folder: Path) -> None:
    """Keep the sandbox running until somebody interrupts.

    Args:
        sight: of the sandbox.
        terminal: tells how to use it.
        folder: where the commands will be typed; the file goes below it.
    """
    with announced(sight.credentials, folder / SANDBOX_FILE):
        terminal.head(
            "The sandbox stays until Ctrl-C. In another terminal, in this folder:",
            "  firebreak incidents list --sandbox",
            "  firebreak approvals list --sandbox",
        )
        threading.Event().wait()
