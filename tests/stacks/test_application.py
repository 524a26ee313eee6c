"""The application as an operator runs it: `python app.py`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from firebreak.core.playbook import Playbooks
from stacks.application import application, context
from stacks.node import packaged_node
from tests.stacks.conftest import ESTATE, MEMBER

ROOT = Path(__file__).parents[2]
SETTINGS = """
home: {account: "111122223333", region: eu-west-1}
members:
  - account: "111122223333"
    regions: [eu-west-1]
clusters:
  - {name: prod-a, account: "111122223333", region: eu-west-1}
detection: {detector: create}
"""
PLAYBOOK = """
playbooks:
  - name: tell
    description: Tells people.
    priority: 1
    match: {}
"""


def run(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the application in an environment that holds nothing but what is said here."""
    settings, folder = tmp_path / "firebreak.yaml", tmp_path / "playbooks"
    folder.mkdir(exist_ok=True)
    for path, text in ((settings, SETTINGS), (folder / "all.yaml", PLAYBOOK)):
        if not path.exists():
            path.write_text(text)
    said = {
        "FIREBREAK_SETTINGS": str(settings),
        "FIREBREAK_PLAYBOOKS": str(folder),
        "FIREBREAK_BUNDLE": "false",
        "CDK_OUTDIR": str(tmp_path / "out"),
        "HOME": os.environ["HOME"],  # jsii keeps its unpacked library there
        "PATH": "/nonexistent",
        "PYTHONPATH": f"{ROOT / 'lambdas'}{os.pathsep}{ROOT}",
        **environment,
    }
    return subprocess.run(
        [sys.executable, str(ROOT / "app.py")], env=said, cwd=tmp_path, capture_output=True, text=True, check=False
    )


def test_it_synthesizes_clean_under_every_check_without_system_node_credentials_or_network(tmp_path: Path) -> None:
    """CDK's own validation and cdk-nag are on; whatever either says is on one of the streams."""
    done = run(tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    stacks = {path.name.split(".")[0] for path in (tmp_path / "out").glob("*.template.json")}
    assert stacks == {f"firebreak-{what}" for what in ("response", "member", "detection", "falco", "clusters")}


def test_stacks_are_deployed_after_what_they_send_to_or_name(tmp_path: Path) -> None:
    application(ESTATE, Playbooks(), bundle=False, outdir=str(tmp_path)).synth()
    artifacts = json.loads((tmp_path / "manifest.json").read_text())["artifacts"]
    after = {
        name: {one for one in artifact.get("dependencies", ()) if not one.endswith(".assets")}
        for name, artifact in artifacts.items()
        if artifact["type"] == "aws:cloudformation:stack"
    }
    assert after == {
        "firebreak-response": set(),
        "firebreak-falco": {"firebreak-response"},
        **{name: {"firebreak-response"} for name in after if "-detection" in name},
        "firebreak-member": set(),
        f"firebreak-member-{MEMBER}": set(),
        "firebreak-clusters": {"firebreak-member"},
        f"firebreak-clusters-{MEMBER}": {f"firebreak-member-{MEMBER}"},
    }


def test_a_broken_playbook_fails_with_file_and_line(tmp_path: Path) -> None:
    folder = tmp_path / "playbooks"
    folder.mkdir()
    (folder / "all.yaml").write_text(PLAYBOOK.replace("priority", "prioritty"))
    done = run(tmp_path)
    assert done.returncode == 1
    assert f"{folder / 'all.yaml'}:5: unknown key 'prioritty'" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_broken_setting_fails_with_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "firebreak.yaml").write_text(SETTINGS + "mode: autoo\n")
    done = run(tmp_path)
    assert done.returncode == 1
    assert f"{tmp_path / 'firebreak.yaml'}:9: " in done.stderr
    assert "Traceback" not in done.stderr


def test_the_node_is_the_packaged_one_whatever_the_environment_says(tmp_path: Path) -> None:
    code = "import os, stacks; print(os.environ['JSII_NODE'])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"JSII_NODE": "/usr/bin/node", "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str(packaged_node())
    version = subprocess.run([packaged_node(), "--version"], capture_output=True, text=True, check=True).stdout
    assert version.startswith(("v22.", "v24."))


def test_the_feature_flags_are_read_without_the_command_line() -> None:
    assert context()["@aws-cdk/aws-lambda:useCdkManagedLogGroup"] is True
    assert context()["@aws-cdk/core:validateAgainstDefaultRules"] is True
