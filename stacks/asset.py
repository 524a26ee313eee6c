"""The one asset of all functions, put together without Docker: our code, its wheels, playbooks and settings.

The wheels are fetched by a step of their own, once per lock file: `python -m stacks.asset`. Synth needs no network.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path

from aws_cdk import aws_lambda as lambda_

from firebreak.core.deployment import Deployment
from firebreak.core.errors import SettingsError
from firebreak.core.model import Model, canonical
from firebreak.core.playbook import Playbooks

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "lambdas" / "firebreak"
LOCK = ROOT / "lambdas" / "requirements.txt"
BUILD = ROOT / ".build"
PLATFORM = ("manylinux2014_aarch64", "3.13")
LEFT_OUT = ("cli", "operator_files.py", "operator_yaml.py", "wiring_console.py")
"""What operators run, on their own machine."""


def wheels() -> Path:
    """Return where the wheels for the lock file as it is now belong."""
    return BUILD / f"wheels-{sha256(LOCK.read_bytes()).hexdigest()[:16]}"


def fetch() -> Path:
    """Install the locked packages, for the platform and interpreter of the functions, and return where.

    Raises:
        subprocess.CalledProcessError: pip failed; it has said why.
    """
    if (done := wheels()).exists():
        return done
    BUILD.mkdir(exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix="wheels-", suffix=".unfinished", dir=BUILD))
    platform, python = PLATFORM
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    target = ["--platform", platform, "--implementation", "cp", "--python-version", python, "--target", str(unfinished)]
    pinned = ["--only-binary=:all:", "--require-hashes", "--requirement", str(LOCK)]
    subprocess.run([*command, *target, *pinned], check=True)  # noqa: S603 - our own words
    _put(unfinished, done)
    return done


def assemble(deployment: Deployment, playbooks: Playbooks, *, bundle: bool) -> Path:
    """Put the asset together in a folder named after its contents, and return the folder.

    Args:
        deployment, playbooks: go in as checked JSON, so that the functions parse no YAML.
        bundle: whether the wheels go in.

    Raises:
        SettingsError: the wheels were not built.
    """
    if bundle and not wheels().exists():
        raise SettingsError(
            f"{wheels().relative_to(ROOT)}: the wheels of the functions are not built; run `python -m stacks.asset`"
        )
    files = {path.relative_to(SOURCE.parent): path.read_bytes() for path in sorted(_sources())}
    files[Path("config/deployment.json")] = _checked(deployment)
    files[Path("config/playbooks.json")] = _checked(playbooks)
    folder = BUILD / f"asset-{_digest(files, wheels() if bundle else None)}"
    if not folder.exists():
        BUILD.mkdir(exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix="asset-", suffix=".unfinished", dir=BUILD))
        unfinished.chmod(0o755)
        if bundle:
            shutil.copytree(wheels(), unfinished, dirs_exist_ok=True)
        for path, content in files.items():
            (unfinished / path).parent.mkdir(parents=True, exist_ok=True)
            (unfinished / path).write_bytes(content)
        _put(unfinished, folder)
    return folder


def code(deployment: Deployment, playbooks: Playbooks, *, bundle: bool) -> lambda_.Code:
    """Return the asset for the functions."""
    return lambda_.Code.from_asset(str(assemble(deployment, playbooks, bundle=bundle)))


def _sources() -> Iterator[Path]:
    for path in SOURCE.rglob("*"):
        inside = path.relative_to(SOURCE)
        if path.is_file() and inside.parts[0] not in LEFT_OUT and "__pycache__" not in inside.parts:
            yield path


def _checked(content: Model) -> bytes:
    return (canonical(content.model_dump(mode="json")) + "\n").encode()


def _digest(files: Mapping[Path, bytes], wheels: Path | None) -> str:
    total = sha256(wheels.name.encode() if wheels else b"")
    for path, content in files.items():
        total.update(f"{path}\0{len(content)}\0".encode() + content)
    return total.hexdigest()[:16]


def _put(unfinished: Path, folder: Path) -> None:
    """Give a folder its final name, unless someone else has just made the same."""
    try:
        unfinished.rename(folder)
    except OSError:
        if not folder.exists():
            raise
        shutil.rmtree(unfinished)


if __name__ == "__main__":
    fetch()
