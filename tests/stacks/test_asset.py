"""The asset of the functions: the same input gives the same folder, and nothing of the operator's is in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from firebreak.core.deployment import Deployment
from firebreak.core.errors import SettingsError
from firebreak.core.playbook import Playbooks
from stacks import asset


@pytest.fixture(autouse=True)
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(asset, "BUILD", tmp_path / "build")
    return tmp_path / "build"


def test_it_holds_the_code_the_playbooks_and_the_settings() -> None:
    folder = asset.assemble(Deployment(prefix="mine"), Playbooks(), bundle=False)
    assert Deployment.model_validate_json((folder / "config/deployment.json").read_text()).prefix == "mine"
    assert Playbooks.model_validate_json((folder / "config/playbooks.json").read_text()) == Playbooks()
    for module in ("core/finding.py", "handlers/execute.py", "actions/ec2_isolate_instance.py", "settings.py"):
        assert (folder / "firebreak" / module).exists()


def test_it_holds_nothing_that_only_operators_run() -> None:
    folder = asset.assemble(Deployment(), Playbooks(), bundle=False)
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    assert not [name for name in names if "/cli/" in name or "operator_" in name or "__pycache__" in name]
    assert not [name for name in names if name.endswith(("requirements.txt", "requirements.in", ".pyc"))]
    imports = [path for path in folder.rglob("*.py") if "import yaml" in path.read_text()]
    assert imports == []


def test_the_same_input_is_the_same_folder_and_another_one_another() -> None:
    first = asset.assemble(Deployment(), Playbooks(), bundle=False)
    again = asset.assemble(Deployment(), Playbooks(), bundle=False)
    other = asset.assemble(Deployment(mode="observe", bulk_executions=11), Playbooks(), bundle=False)
    assert first == again != other


def test_settings_in_the_asset_are_spelt_in_one_way() -> None:
    folder = asset.assemble(Deployment(), Playbooks(), bundle=False)
    text = (folder / "config/deployment.json").read_text()
    assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n"


def test_wheels_that_were_not_built_are_asked_for(monkeypatch: pytest.MonkeyPatch, build: Path) -> None:
    monkeypatch.setattr(asset, "ROOT", build.parent)
    with pytest.raises(SettingsError, match=r"run `python -m stacks\.asset`"):
        asset.assemble(Deployment(), Playbooks(), bundle=True)


def test_wheels_are_kept_under_the_lock_they_were_built_from(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, build: Path
) -> None:
    lock = tmp_path / "requirements.txt"
    monkeypatch.setattr(asset, "LOCK", lock)
    lock.write_text("pydantic==1\n")
    first = asset.wheels()
    first.mkdir(parents=True)
    (first / "pydantic.py").write_text("")
    folder = asset.assemble(Deployment(), Playbooks(), bundle=True)
    assert (folder / "pydantic.py").exists()
    assert asset.fetch() == first, "nothing is fetched twice"
    lock.write_text("pydantic==2\n")
    assert asset.wheels() != first


def test_a_build_that_lost_a_race_uses_what_the_other_made(tmp_path: Path) -> None:
    winner, loser = tmp_path / "done", tmp_path / "unfinished"
    for folder in (winner, loser):
        folder.mkdir()
        (folder / "code.py").write_text("")
    asset._put(loser, winner)
    assert winner.exists()
    assert not loser.exists()
