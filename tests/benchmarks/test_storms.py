"""The loads of the benchmarks do what they say, in small."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import storms
from benchmarks.events import falco, guardduty
from firebreak.core.intake import normalise
from firebreak.core.registry import sources
from firebreak.core.source import Origin
from firebreak.operator_files import load_playbooks
from sandbox.lab import DEPLOYMENT

ROOT = Path(__file__).parents[2]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "deployment.json").write_text(DEPLOYMENT.model_dump_json(), encoding="utf-8")
    (tmp_path / "playbooks.json").write_text(load_playbooks(ROOT / "playbooks").model_dump_json(), encoding="utf-8")
    return tmp_path


def test_the_alerts_of_a_storm_are_one_finding_and_the_news_are_not() -> None:
    where = (storms.ACCOUNT, storms.REGION)
    alerts = [falco(*where, number, storms.START) for number in range(3)]
    news = [guardduty(*where, f"i-{number:017x}", number, storms.START) for number in range(3)]
    keys = [{normalise(event, Origin(), sources())[0].key for event in events} for events in (alerts, news)]
    assert [len(each) for each in keys] == [1, 3]


def test_every_event_is_counted_and_a_storm_costs_one_write_a_batch(config: Path) -> None:
    ticks: list[None] = []
    figures = {figure.name: figure for figure in storms.figures(config, 100, 20, lambda: ticks.append(None))}
    assert len(ticks) == 14
    storm = figures["conditional writes: a storm of 100 identical Falco alerts"]
    assert storm.detail == "12 over 100"
    assert figures["conditional writes: news, no two about one target"].detail == "60 over 20"
    assert figures["conditional writes: repeats of findings whose incidents are open"].detail == "20 over 20"
