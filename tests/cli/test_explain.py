"""`firebreak explain`: what the playbooks would do about an event, and why; nothing is looked up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from firebreak.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures" / "findings"
EVENT = str(FIXTURES / "guardduty" / "instance-dns.json")


def run(*words: str, text: str | None = None) -> Result:
    return CliRunner().invoke(main, ["explain", *words, "--playbooks", str(ROOT / "playbooks")], input=text)


def told(*words: str) -> dict[str, Any]:
    result = run(EVENT, "--json", *words)
    assert (result.exit_code, result.stderr) == (0, "")
    (finding,) = json.loads(result.stdout)["findings"]
    explanation: dict[str, Any] = finding
    return explanation


def test_without_circumstances_every_playbook_that_could_decide_is_named() -> None:
    explanation = told()
    assert explanation["decision"] is None
    assert explanation["possible"] == ["eks-node-traffic", "eks-node-by-tag", "ec2-command-and-control"]
    shown = run(EVENT).output
    assert "It depends on what is looked up" in shown
    for words in (
        "if a target is node",
        "ec2-command-and-control (priority 410)",
        "asks a person",
        "Why not the others",
    ):
        assert words in shown


@pytest.mark.parametrize(
    ("words", "playbook"),
    [
        (["--environment", "other"], "ec2-command-and-control"),
        (["--kind", "node"], "eks-node-traffic"),
        (["--fact", "instance.cluster=shop"], "eks-node-by-tag"),
        (["--tag", "team=payments"], "ec2-command-and-control"),
    ],
)
def test_with_circumstances_one_playbook_decides(words: list[str], playbook: str) -> None:
    explanation = told(*words)
    assert explanation["decision"]["playbook"] == playbook
    standings = {reason["playbook"]: reason["standing"] for reason in explanation["reasons"]}
    assert standings.pop(playbook) == "chosen"
    assert set(standings.values()) <= {"no match", "outranked"}
    shown = run(EVENT, *words).output
    assert f"Playbook {playbook} decides" in shown
    assert "ec2.isolate_instance" in shown


def test_a_sample_is_explained_as_never_acted_on() -> None:
    result = run(str(FIXTURES / "guardduty" / "sample-by-flag.json"))
    assert result.exit_code == 0
    assert "never acted on: sample" in result.output
    assert "Nobody is told" in result.output


def test_an_event_that_cannot_be_used_does_not_cost_the_others() -> None:
    good = json.loads(Path(EVENT).read_text(encoding="utf-8"))
    text = "\n".join(map(json.dumps, [{"source": "x", "detail-type": "y"}, good]))
    result = run("-", "--json", text=text)
    assert result.exit_code == 2
    assert [json.loads(line)["ok"] for line in result.stdout.splitlines()] == [False, True]
    plain = run("-", text=text)
    assert plain.stderr == "unusable: not for Firebreak: 'x' 'y'\n"
    assert "ec2-command-and-control" in plain.stdout


def test_hostile_text_is_shown_and_not_interpreted() -> None:
    hostile = json.loads(Path(EVENT).read_text(encoding="utf-8"))
    hostile["detail"]["type"] = "Backdoor:EC2/[red]x\x1b]0;owned\x07"
    shown = run("-", "--environment", "other", text=json.dumps(hostile)).output
    assert "[red]x" in shown
    assert "\x1b" not in shown
    assert "\x07" not in shown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--tag", "nonsense"], "'nonsense' is not KEY=VALUE"),
        (["--fact", "=x"], "'=x' is not KEY=VALUE"),
        (["--environment", "moon"], "'moon' is not one of"),
    ],
)
def test_circumstances_that_cannot_be_understood_end_with_two(words: list[str], said: str) -> None:
    result = run(EVENT, *words)
    assert result.exit_code == 2
    assert said in result.stderr


def test_no_line_is_wider_than_a_hundred_columns() -> None:
    for words in ([], ["--environment", "other"]):
        tables = run(EVENT, *words).output.partition("Why not the others")[2]
        assert max(map(len, tables.splitlines())) <= 100
