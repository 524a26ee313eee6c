"""Whether the suites reach every call that the pipeline's code makes: a scan of it, so that no call can hide.

A place is a line of the code, "actions/ebs_snapshot_volumes.py:143". Every call that the injector counts tells the
places on its stack, and every line that calls a client, a cluster or the table has to be among them.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from types import FrameType

import botocore.session
from botocore import xform_name

import firebreak

CODE = Path(firebreak.__file__).parent

HELD = ("_client", "_table", "_pool", "_transport")
"""Attributes that hold what makes calls, whatever it is asked for."""

PAGED = ("pages", "call")
"""Methods that make calls under a name that is no operation: the pages of an AWS list, a request to Kubernetes."""

LAZY = ("pages", "query", "listing")
"""Methods that make calls as what they return is read, anywhere in the function that has it."""

ELSEWHERE: Mapping[str, str] = {
    "cli/*": "a person's command, held by the tests of the command line",
    "adapters/caller.py caller_arn": "a person's command asks who calls",
    "adapters/dead_letters.py *": "a person's command lists and redrives",
    "adapters/eventbridge.py *": "a person's command orders a step",
    "adapters/finding_table.py belongs_to": "a person's command waits for what comes of its order",
    "adapters/incident_table.py _set": "a person's command sets the mode and the kill switch",
    "adapters/ssm.py console_names": "a person's command asks for the names of a deployment",
    "adapters/vault_reader.py *": "a person's command reads what is kept",
    "adapters/stepfunctions.py status": "a person's command waits for its undo",
}
"""What no Lambda function runs, by file and function, with who does."""


@dataclass(frozen=True, order=True)
class Site:
    """A place in the code that makes a call.

    Attributes:
        file: below the package: "adapters/sns.py".
        function: which it is in, "" where it is in none.
        first, last: its lines.
        calls: what it calls, as it is written.
    """

    file: str
    function: str
    first: int
    last: int
    calls: str

    def __str__(self) -> str:
        return f"{self.file}:{self.first} {self.function}: {self.calls}"


def sites(code: Path = CODE) -> list[Site]:
    """Return every place that makes a call, in what Lambda functions run of a package."""
    trees = {
        str(file.relative_to(code)): ast.parse(file.read_text(encoding="utf-8")) for file in sorted(code.rglob("*.py"))
    }
    nodes = [(name, *found) for name, tree in trees.items() for found in _called(tree)]
    operations = _operations(frozenset(service for _, node, _ in nodes for service in _service(node)))
    found = [
        Site(name, around.name if around else "", *_lines(node, node.func, around), ast.unparse(node.func))
        for name, node, around in nodes
        if isinstance(node.func, ast.Attribute) and _calls(node.func, operations)
    ]
    return sorted(site for site in found if not any(_elsewhere(site, pattern) for pattern in ELSEWHERE))


def _elsewhere(site: Site, pattern: str) -> bool:
    return fnmatchcase(f"{site.file} {site.function}", pattern)


@dataclass(frozen=True)
class Reached:
    """What the suites came to.

    Attributes:
        sites: every place that makes a call.
        missed: those that no run has come to.
    """

    sites: tuple[Site, ...]
    missed: tuple[Site, ...]

    @classmethod
    def by(cls, places: Iterable[str], code: Path = CODE) -> Reached:
        """Hold the places that were on the stacks of calls against a package."""
        lines: dict[str, set[int]] = {}
        for place in places:
            file, _, line = place.rpartition(":")
            lines.setdefault(file, set()).add(int(line))
        every = tuple(sites(code))
        missed = (site for site in every if lines.get(site.file, set()).isdisjoint(range(site.first, site.last + 1)))
        return cls(every, tuple(missed))


def stack() -> Iterator[str]:
    """Yield the places on the stack of whoever asks."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if place := _place(frame.f_code.co_filename, frame.f_lineno):
            yield place
        frame = frame.f_back


@cache
def _place(file: str, line: int) -> str:
    path = Path(file)
    return f"{path.relative_to(CODE)}:{line}" if path.is_relative_to(CODE) else ""


def _called(node: ast.AST, around: ast.FunctionDef | None = None) -> Iterator[tuple[ast.Call, ast.FunctionDef | None]]:
    """Every call below a node, with the function that it is in."""
    for below in ast.iter_child_nodes(node):
        if isinstance(below, ast.Call):
            yield below, around
        yield from _called(below, below if isinstance(below, ast.FunctionDef) else around)


def _lines(node: ast.Call, function: ast.Attribute, around: ast.FunctionDef | None) -> tuple[int, int]:
    """Where a call is made: pages are asked for as they are read, anywhere in the function."""
    where = around if function.attr in LAZY and around is not None else node
    return where.lineno, where.end_lineno or where.lineno


def _calls(function: ast.Attribute, operations: frozenset[str]) -> bool:
    held = isinstance(function.value, ast.Attribute) and function.value.attr in HELD
    return held or function.attr in PAGED or function.attr in operations


def _service(node: ast.Call) -> Iterator[str]:
    """The service that a client is made of: `clients.aws("ec2")`, `session.client("sns", …)`."""
    named = isinstance(node.func, ast.Attribute) and node.func.attr in ("aws", "client") and node.args
    if named and isinstance(service := node.args[0], ast.Constant):
        yield str(service.value)


def _operations(services: frozenset[str]) -> frozenset[str]:
    """The operations of some services, as methods of their clients."""
    session = botocore.session.get_session()
    models = (session.get_service_model(service) for service in services)
    return frozenset(xform_name(operation) for model in models for operation in model.operation_names)
