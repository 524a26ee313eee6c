"""The synthesized application, kept between runs: where nothing has changed, nobody waits for Node.

An entry is a folder under .build, named after everything that a synthesis reads. It is put there whole by one rename,
and its contents are held against their checksum whenever it is read: what is broken is thrown away and made anew.
"""

from __future__ import annotations

import json
import platform
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from firebreak.core.deployment import Deployment
from sandbox.synthesis import Application, synthesize
from sandbox.template import Stack

ROOT = Path(__file__).parent.parent
READ = ("stacks", "lambdas", "falco", "cdk.json", "requirements.txt", "sandbox/synthesis.py", "sandbox/template.py")
"""Files and folders of the checkout that a synthesis reads, besides playbooks and settings."""
PACKAGES = ("aws-cdk-lib", "constructs", "cdk-nag", "jsii", "pydantic", "PyYAML")
"""What else has a say in what comes out."""
FILES = ("application.json", "config/deployment.json", "config/playbooks.json")
CHECKSUM = "checksum"


def key(deployment: Deployment, playbooks: Path, root: Path = ROOT) -> str:
    """Return the digest of everything that a synthesis depends on.

    Args:
        deployment: the settings.
        playbooks: the folder of the playbooks.
        root: the checkout.
    """
    told = [platform.python_version(), platform.machine(), *(f"{name} {version(name)}" for name in PACKAGES)]
    total = sha256(json.dumps([told, deployment.model_dump(mode="json")], sort_keys=True).encode())
    for base, path in _files(playbooks, root):
        content = path.read_bytes()
        total.update(f"{path.relative_to(base)}\0{len(content)}\0".encode() + content)
    return total.hexdigest()[:16]


def application(
    deployment: Deployment, playbooks: Path, *, root: Path = ROOT, build: Path = ROOT / ".build"
) -> tuple[Application, bool]:
    """Return the synthesized application, and whether it was there already.

    Args:
        deployment: the settings.
        playbooks: the folder of the playbooks; read only where the application has to be synthesized.
        root: the checkout.
        build: where entries are kept.

    Raises:
        PlaybookError: a playbook cannot be used.
    """
    folder = build / f"synthesis-{key(deployment, playbooks, root)}"
    if (kept := _read(folder)) is not None:
        return kept, True
    _write(folder, _made(deployment, playbooks))
    made = _read(folder)
    if made is None:
        raise OSError(f"{folder}: what was written there cannot be read back; is the disk full?")
    return made, False


def _made(deployment: Deployment, playbooks: Path) -> Application:
    from firebreak.operator_files import load_playbooks  # noqa: PLC0415  nothing of this is needed where all is kept

    return synthesize(deployment, load_playbooks(playbooks))


def _files(playbooks: Path, root: Path) -> Iterator[tuple[Path, Path]]:
    """Every file that is read, with the folder that its name is relative to."""
    for base, start in ((playbooks, playbooks), *((root, root / name) for name in READ)):
        for path in sorted(start.rglob("*")) if start.is_dir() else [start]:
            if path.is_file() and "__pycache__" not in path.parts:
                yield base, path


def _read(folder: Path) -> Application | None:
    try:
        contents = [(folder / name).read_bytes() for name in FILES]
        if (folder / CHECKSUM).read_text() != _checksum(contents):
            return None
        kept = json.loads(contents[0])
    except (OSError, ValueError):
        return None
    stacks = [Stack(**stack) for stack in kept["stacks"]]
    return Application(stacks, {"FIREBREAK_CONFIG": str(folder / "config")}, kept["rights"])


def _write(folder: Path, made: Application) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix="synthesis-", suffix=".unfinished", dir=folder.parent))
    try:
        shutil.copytree(made.environment["FIREBREAK_CONFIG"], unfinished / "config")
        kept = {"stacks": [asdict(stack) for stack in made.stacks], "rights": made.rights}
        (unfinished / FILES[0]).write_text(json.dumps(kept))
        (unfinished / CHECKSUM).write_text(_checksum([(unfinished / name).read_bytes() for name in FILES]))
        if _read(folder) is None:  # else someone else has just made the same
            shutil.rmtree(folder, ignore_errors=True)
            unfinished.rename(folder)
    except OSError:
        if _read(folder) is None:
            raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _checksum(contents: list[bytes]) -> str:
    total = sha256()
    for content in contents:
        total.update(f"{len(content)}\0".encode() + content)
    return total.hexdigest()
