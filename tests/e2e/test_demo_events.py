"""Every fixture, played as one about the estate: whatever kind it is, it ends in an incident or in a stated reason."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from sandbox.demo_file import FileScenes
from sandbox.demo_person import Itself
from sandbox.demo_sight import Sight
from sandbox.demo_stage import Stage
from sandbox.demo_terminal import Terminal
from sandbox.lab import Lab, lab
from sandbox.synthesis import Application

FINDINGS = Path(__file__).parents[1] / "fixtures" / "findings"
USABLE = sorted(
    path
    for path in FINDINGS.glob("*/*.json")
    if not path.name.endswith(".golden.json") and not path.name.startswith("error-")
)


@pytest.fixture(scope="module")
def standing(application: Application) -> Iterator[Lab]:
    """One lab for all: it takes longer to stand up than to play an event."""
    with lab(application, wall=True, patience=0.02) as running:
        yield running


class Played:
    """A stage, and what was printed on it."""

    def __init__(self, running: Lab) -> None:
        self._text = io.StringIO()
        console = Console(file=self._text, width=400)
        self.stage = Stage(Sight(running), Terminal(console), Itself(running.slack))

    def play(self, path: Path, *, as_estate: bool) -> str:
        FileScenes.read(str(path), as_estate)(self.stage)
        assert all(check.ok for check in self.stage.checks), self._text.getvalue()
        return self._text.getvalue()


@pytest.mark.parametrize("path", USABLE, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_fixture_ends_in_an_incident_or_in_a_stated_reason(standing: Lab, path: Path) -> None:
    played = Played(standing)
    printed = played.play(path, as_estate=True)
    assert "about account" not in printed
    if not played.stage.held:
        assert any(words in printed for words in ("nothing is done", "never acted on", "no incident was opened"))


def test_an_event_about_somebody_elses_instance_says_so_and_changes_nothing(standing: Lab) -> None:
    played = Played(standing)
    before = played.stage.sight.picture()
    printed = played.play(FINDINGS / "guardduty" / "instance-dns.json", as_estate=False)
    assert "it is about account 111122223333 in eu-west-1; the estate is 111122223333 in us-east-1" in printed
    assert "nothing to do: no step applies, or the target is gone" in printed
    assert played.stage.sight.picture() == before


def test_an_event_about_an_instance_that_the_estate_lacks_says_so(standing: Lab, tmp_path: Path) -> None:
    event = (FINDINGS / "guardduty" / "instance-dns.json").read_text().replace("eu-west-1", "us-east-1")
    path = tmp_path / "event.json"
    path.write_text(event.replace("424d296ec4f7f469a3b716413cb2ddd3", "f" * 32))
    assert "the estate has no instance i-0abc1234def567890" in Played(standing).play(path, as_estate=False)


def test_several_events_of_a_file_are_played_in_turn(standing: Lab, tmp_path: Path) -> None:
    probe = json.loads((FINDINGS / "guardduty" / "instance-port-probe.json").read_text())
    alert = json.loads((FINDINGS / "falco" / "minimal.json").read_text())
    path = tmp_path / "events.jsonl"
    path.write_text(f"{json.dumps(probe)}\n{json.dumps(alert)}\n")
    printed = Played(standing).play(path, as_estate=True)
    assert "1  guardduty: Recon:EC2/PortProbeUnprotectedPort" in printed
    assert "2  falco: " in printed
