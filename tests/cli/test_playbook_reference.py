"""The generated reference of playbooks and settings."""

from __future__ import annotations

import re
from pathlib import Path

from firebreak.cli.guardduty_types import known_types
from firebreak.cli.playbook_reference import render
from firebreak.core.deployment import Deployment
from firebreak.core.playbook import Match, Playbook
from firebreak.operator_files import load_playbooks
from tests.core.findings import ISOLATE, a_playbook, of
from tests.playbooks.shipped import PLAYBOOKS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "playbook-reference.md"


def test_the_committed_page_says_what_would_be_rendered_now() -> None:
    assert render(PLAYBOOKS).strip() in PAGE.read_text(encoding="utf-8"), "run `make docs`"


def test_every_setting_condition_playbook_and_documented_type_is_in_it() -> None:
    page = render(PLAYBOOKS)
    for name in (*Playbook.model_fields, *Match.model_fields, *Deployment.model_fields, "with", "consent"):
        assert f"| `{name}` |" in page
    for playbook in PLAYBOOKS.playbooks:
        assert f"### {playbook.name} ({playbook.priority})" in page
    for known in known_types():
        assert f"| `{known.type}` |" in page


def test_it_follows_the_playbooks() -> None:
    plain = of(a_playbook("mine", 7, ISOLATE, match=Match(tags={"role": ("web",)}, environment=("other",))))
    page = render(plain)
    assert "### mine (7)" in page
    assert "Takes environment `other`; tag `role` `web`." in page
    assert "1. `ec2.isolate_instance`, contain, unasked" in page
    assert "people are not told" in render(of(a_playbook("quiet", 7, notify=False)))


def test_every_table_is_rectangular() -> None:
    for table in re.findall(r"(?:^\|.*\n)+", render(PLAYBOOKS), re.MULTILINE):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(widths) == 1, table.splitlines()[0]


def test_the_example_in_it_is_a_playbook(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", render(PLAYBOOKS), re.DOTALL)
    (tmp_path / "example.yaml").write_text(example, encoding="utf-8")
    (playbook,) = load_playbooks(tmp_path).playbooks
    assert [step.consent for step in playbook.steps] == ["auto", "ask"]
