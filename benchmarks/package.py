"""How large what is deployed is, and how soon the command answers."""

from __future__ import annotations

import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from benchmarks.figure import Figure, ratios

ROOT = Path(__file__).parent.parent


def figures(asset: Path, runs: int) -> Iterator[Figure]:
    """Measure the asset's own code and the start of `firebreak --help`.

    Args:
        asset: the assembled asset, without the wheels.
        runs: pairs of fresh processes.
    """
    raw = sum(path.stat().st_size for path in asset.rglob("*") if path.is_file())
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(asset.rglob("*")):
            archive.write(path, path.relative_to(asset))
    size = len(packed.getvalue())
    yield Figure(
        "our code in the asset, zipped", "unzipped", (size / raw,), f"{size / 1e3:.0f} kB over {raw / 1e3:.0f} kB"
    )
    command = [sys.executable, "-c", "from firebreak.cli.main import main; main(['--help'])"]
    ours, theirs = [], []
    for _ in range(runs):
        ours.append(_seconds(command))
        theirs.append(_seconds([sys.executable, "-c", "import click, rich.console"]))
    yield Figure(
        "`firebreak --help`, wall time",
        "importing click and rich's console",
        ratios(ours, theirs),
        f"{min(ours) * 1000:.0f} ms over {min(theirs) * 1000:.0f} ms",
    )


def _seconds(command: list[str]) -> float:
    begun = time.perf_counter()
    path = {"PYTHONPATH": str(ROOT / "lambdas")}
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT, env=path)  # noqa: S603 - our own commands
    return time.perf_counter() - begun
