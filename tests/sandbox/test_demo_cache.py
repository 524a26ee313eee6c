"""The kept synthesis: used where nothing changed, made anew where anything did, never believed where it is broken."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from firebreak.core.deployment import Deployment
from firebreak.core.playbook import Playbooks
from sandbox import synthesis_cache
from sandbox.synthesis import Application
from sandbox.synthesis_cache import CHECKSUM, FILES, application, key
from sandbox.template import Stack

DEPLOYMENT = Deployment()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with one file of each kind that a synthesis reads."""
    root = tmp_path / "checkout"
    for name in (
        "stacks/application.py",
        "lambdas/firebreak/core/plan.py",
        "falco/rules.yaml",
        "playbooks/ec2.yaml",
        "sandbox/synthesis.py",
        "sandbox/template.py",
        "cdk.json",
        "requirements.txt",
        "README.md",
    ):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"what {name} says\n")
    return root


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Stands in for the synthesis, which takes seconds; returns how often it was made."""
    times: list[str] = []

    def synthesize(deployment: Deployment, playbooks: Playbooks) -> Application:
        times.append(deployment.prefix)
        config = tmp_path / f"config-{len(times)}"
        config.mkdir()
        (config / "deployment.json").write_text(deployment.model_dump_json())
        (config / "playbooks.json").write_text(playbooks.model_dump_json())
        stack = Stack("response", {"Resources": {"Made": {"Type": len(times)}}}, "111122223333", "us-east-1")
        return Application([stack], {"FIREBREAK_CONFIG": str(config)}, f"rights {len(times)}")

    monkeypatch.setattr(synthesis_cache, "synthesize", synthesize)
    monkeypatch.setattr("firebreak.operator_files.load_playbooks", lambda folder: Playbooks(playbooks=()))
    return times


def stood_up(checkout: Path, deployment: Deployment = DEPLOYMENT) -> tuple[Application, bool]:
    return application(deployment, checkout / "playbooks", root=checkout, build=checkout / ".build")


def entry(checkout: Path) -> Path:
    (folder,) = (checkout / ".build").glob("synthesis-*")
    return folder


def test_a_second_run_takes_what_the_first_one_made(checkout: Path, made: list[str]) -> None:
    first, kept_first = stood_up(checkout)
    second, kept_second = stood_up(checkout)
    assert (kept_first, kept_second, len(made)) == (False, True, 1)
    assert first == second
    config = Path(second.environment["FIREBREAK_CONFIG"])
    assert json.loads((config / "deployment.json").read_text())["prefix"] == "firebreak"
    assert [path.name for path in (checkout / ".build").iterdir()] == [entry(checkout).name]


@pytest.mark.parametrize(
    "name",
    [
        "stacks/application.py",
        "lambdas/firebreak/core/plan.py",
        "falco/rules.yaml",
        "playbooks/ec2.yaml",
        "sandbox/synthesis.py",
        "sandbox/template.py",
        "cdk.json",
        "requirements.txt",
    ],
)
def test_a_file_that_changed_makes_it_anew(checkout: Path, made: list[str], name: str) -> None:
    before = key(DEPLOYMENT, checkout / "playbooks", checkout)
    stood_up(checkout)
    (checkout / name).write_text("something else\n")
    assert key(DEPLOYMENT, checkout / "playbooks", checkout) != before
    _, kept = stood_up(checkout)
    assert (kept, len(made)) == (False, 2)


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "stacks" / "new.py").write_text(""),
        lambda root: (root / "stacks" / "application.py").unlink(),
        lambda root: (root / "stacks" / "application.py").rename(root / "stacks" / "moved.py"),
        lambda root: shutil.copy(root / "playbooks" / "ec2.yaml", root / "playbooks" / "twice.yaml"),
    ],
)
def test_a_file_that_came_went_or_moved_changes_the_key(checkout: Path, change: Callable[[Path], object]) -> None:
    before = key(DEPLOYMENT, checkout / "playbooks", checkout)
    change(checkout)
    assert key(DEPLOYMENT, checkout / "playbooks", checkout) != before


def test_settings_and_versions_change_the_key(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = key(DEPLOYMENT, checkout / "playbooks", checkout)
    assert key(Deployment(prefix="other"), checkout / "playbooks", checkout) != before
    monkeypatch.setattr(synthesis_cache, "version", lambda name: "0.0.1")
    assert key(DEPLOYMENT, checkout / "playbooks", checkout) != before


def test_what_no_synthesis_reads_changes_nothing(checkout: Path) -> None:
    before = key(DEPLOYMENT, checkout / "playbooks", checkout)
    (checkout / "README.md").write_text("something else\n")
    compiled = checkout / "stacks" / "__pycache__" / "application.pyc"
    compiled.parent.mkdir()
    compiled.write_text("compiled")
    assert key(DEPLOYMENT, checkout / "playbooks", checkout) == before


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


def flip(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"response", b"responsf").replace(b"firebreak", b"firebreal") + b" ")


@pytest.mark.parametrize("damage", [cut, flip, Path.unlink])
@pytest.mark.parametrize("name", [*FILES, CHECKSUM])
def test_a_broken_entry_is_thrown_away(
    checkout: Path, made: list[str], name: str, damage: Callable[[Path], None]
) -> None:
    stood_up(checkout)
    damage(entry(checkout) / name)
    remade, kept = stood_up(checkout)
    assert (kept, len(made)) == (False, 2)
    assert remade.rights == "rights 2"
    assert stood_up(checkout)[1]


def test_a_run_that_died_half_way_leaves_nothing_that_is_believed(
    checkout: Path, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(source: str, target: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "copytree", full)
        with pytest.raises(OSError, match="No space left"):
            stood_up(checkout)
    assert list((checkout / ".build").iterdir()) == []
    assert not stood_up(checkout)[1]


def test_two_runs_at_once_end_with_one_entry(checkout: Path, made: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    real, other = vars(synthesis_cache)["synthesize"], list[bool]()

    def slow(deployment: Deployment, playbooks: Playbooks) -> Application:
        result: Application = real(deployment, playbooks)
        if not other:
            other.append(True)
            stood_up(checkout)  # someone else is faster
        return result

    monkeypatch.setattr(synthesis_cache, "synthesize", slow)
    first, _ = stood_up(checkout)
    assert first == stood_up(checkout)[0]
    assert [path.name for path in (checkout / ".build").iterdir()] == [entry(checkout).name]
