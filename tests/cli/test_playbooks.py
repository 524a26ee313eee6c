"""`firebreak playbooks check`: what a synth would say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from firebreak.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
GOOD = """\
playbooks:
  - name: mine
    description: Mine.
    priority: 10
    match:
      source: guardduty
      type: "Backdor:EC2/*"
    steps:
      - action: ec2.isolate_instance
        consent: ask
"""


def test_the_shipped_ones_are_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    result = CliRunner().invoke(main, ["playbooks", "check"])
    assert (result.exit_code, result.stderr) == (0, "")
    assert "no errors, 0 warnings" in result.stdout


def test_a_type_that_nobody_documents_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(GOOD, encoding="utf-8")
    result = CliRunner().invoke(main, ["playbooks", "check", str(tmp_path)])
    assert result.exit_code == 0
    assert "warning: mine: Backdor:EC2/* fits no finding type" in result.stderr
    told = json.loads(CliRunner().invoke(main, ["playbooks", "check", str(tmp_path), "--json"]).stdout)
    assert (len(told["warnings"]), told["playbooks"]) == (1, [{"name": "mine", "priority": 10}])


@pytest.mark.parametrize(
    ("good", "bad", "line", "said"),
    [
        ("consent: ask", "consent: ask\n        colour: red", 11, "colour"),
        ("ec2.isolate_instance", "ec2.isolate_instanse", 9, "ec2.isolate_instance"),
        ("priority: 10", "priority: ten", 4, "ten"),
        ("playbooks:", "playbooks: [", 2, ""),
    ],
)
def test_a_mistake_is_shown_with_file_and_line(tmp_path: Path, good: str, bad: str, line: int, said: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD.replace(good, bad), encoding="utf-8")
    result = CliRunner().invoke(main, ["playbooks", "check", str(tmp_path)])
    assert result.exit_code == 2
    assert result.stderr.startswith(f"firebreak: {path}:{line}: ")
    assert said in result.stderr


def test_a_warning_shows_no_character_that_changes_how_it_reads(tmp_path: Path) -> None:
    hidden = GOOD.replace("Backdor:EC2/*", "Back\\u202edor\\e[2J:EC2/*")
    (tmp_path / "mine.yaml").write_text(hidden, encoding="utf-8")
    result = CliRunner().invoke(main, ["playbooks", "check", str(tmp_path)])
    assert "warning: mine: Backdor[2J:EC2/* fits no finding type" in result.stderr
