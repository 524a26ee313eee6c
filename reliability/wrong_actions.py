"""Wrong versions of the real actions, for the sandbox world."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from firebreak.actions import eks_cordon_node
from firebreak.core import scheduling


@contextmanager
def any_node() -> Iterator[None]:
    """Take whichever node has the name for the one that was planned for, in what is read and in what is sent."""
    read, write = eks_cordon_node._node, scheduling.patch

    def same(clients: Any, target: Any, known: Any) -> Any:
        node = read(clients, target)
        return {**node, "metadata": {**node["metadata"], "uid": known.uid}}

    def unbound(*states: Any) -> Any:
        body = write(*states)
        return {**body, "metadata": {key: value for key, value in body["metadata"].items() if key != "uid"}}

    with patch.object(eks_cordon_node, "_same_node", same), patch.object(eks_cordon_node, "patch", unbound):
        yield
