"""Cold starts: CPU and memory of importing and building each handler, over boto3 with the same clients."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.figure import Figure, ratios

ROOT = Path(__file__).parent.parent
AIMS = {"triage": 1.5, "answer": 1.2}
HANDLERS = ("triage", "plan", "ask", "answer", "decide", "execute", "close", "sweep", "prepare")


def figures(config: Path, runs: int, tick: Callable[[], None]) -> Iterator[Figure]:
    """Measure each handler.

    Args:
        config: folder of `playbooks.json` and `deployment.json`.
        runs: pairs of fresh processes for each.
        tick: called after each pair.
    """
    for name in HANDLERS:
        made = ",".join(_probe("handler", name, str(config))["made"])  # also warms the file cache
        ours, theirs = [], []
        for _ in range(runs):
            ours.append(_probe("handler", name, str(config)))
            theirs.append(_probe("clients", made))
            tick()
        clients = made.replace(",", ", ") or "no client"
        yield Figure(
            f"{name}: CPU of import and build",
            f"boto3 with {clients}",
            ratios([run["cpu"] for run in ours], [run["cpu"] for run in theirs]),
            f"{_best(ours, 'cpu') * 1000:.0f} ms over {_best(theirs, 'cpu') * 1000:.0f} ms",
            AIMS.get(name),
        )
        yield Figure(
            f"{name}: memory after build",
            f"boto3 with {clients}",
            ratios([run["memory"] for run in ours], [run["memory"] for run in theirs]),
            f"{_best(ours, 'memory'):.0f} MB over {_best(theirs, 'memory'):.0f} MB",
        )


def _best(runs: list[dict[str, float]], what: str) -> float:
    return min(run[what] for run in runs)


def _probe(*arguments: str) -> dict[str, Any]:
    environment = {
        **os.environ,
        "PYTHONPATH": f"{ROOT / 'lambdas'}{os.pathsep}{ROOT}",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    done = subprocess.run(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-m", "benchmarks.probe", *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env=environment,
    )
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer
