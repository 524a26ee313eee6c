"""The load cases count what they have to, and would notice if they did not."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

import pytest
from click.testing import CliRunner

from firebreak.adapters.finding_table import FindingTable, _seen
from firebreak.core.evidence import Artefact, Kept
from firebreak.pipeline.triage import Triage
from reliability import load, wrong
from reliability.contention import Contention, contention
from reliability.lanes import DAY, Poison, deaths, poison, redriven, replayed
from reliability.stories import STORIES
from reliability.storm import Storm, storm

ALERTS, KEYS = 2_000, 60


def test_of_eight_threads_one_alone_gets_each_key() -> None:
    assert contention(KEYS) == Contention(threads=8, keys=KEYS, opened=KEYS, taken=KEYS, begun=KEYS)


@pytest.mark.parametrize(
    ("without", "taken_by_several"),
    [
        (wrong.no_condition, {"opened", "begun"}),
        (wrong.no_lease, {"taken"}),
    ],
)
def test_without_its_condition_several_threads_get_a_key(
    without: Callable[[], AbstractContextManager[Any]], taken_by_several: set[str]
) -> None:
    with without():
        counts = contention(10)
    assert {name for name in ("opened", "taken", "begun") if getattr(counts, name) < 10} == taken_by_several
    assert not counts.right


@pytest.fixture(scope="module")
def stormed(folder: str) -> Storm:
    return storm(folder, ALERTS)


def test_in_a_storm_nothing_is_lost_and_the_critical_finding_does_not_notice_it(stormed: Storm) -> None:
    assert (stormed.sent, stormed.findings, stormed.left, stormed.lost) == (ALERTS + 1, stormed.kinds, 0, 0)
    assert stormed.during
    assert (stormed.calls, stormed.seconds) == (stormed.calm, stormed.calm_seconds)
    assert stormed.calls > 50
    assert replace(stormed, counted=stormed.sent).right


def test_every_delivery_of_a_storm_is_counted(stormed: Storm) -> None:
    assert stormed.counted == stormed.sent


@pytest.mark.parametrize(
    "wrong",
    [
        {"counted": ALERTS},
        {"findings": 1},
        {"left": 1},
        {"lost": 1},
        {"calls": 1_000},
        {"calls": 0, "calm": 0},
        {"seconds": 31.0},
        {"during": False},
    ],
    ids=str,
)
def test_a_storm_with_one_wrong_count_is_not_right(stormed: Storm, wrong: dict[str, Any]) -> None:
    good = replace(stormed, counted=stormed.sent)
    assert good.right
    assert not replace(good, **wrong).right


def test_repeats_that_are_coalesced_and_counted_as_one_are_noticed(folder: str) -> None:
    plain = FindingTable.repeat
    with patch.object(FindingTable, "repeat", lambda self, finding, now, deliveries: plain(self, finding, now, 1)):
        counts = storm(folder, 400)
    assert counts.counted < 200


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('{"source": "aws.guardduty", ', "not JSON"),
        ("\N{SNOWMAN} \t nothing of ours", "not JSON"),
        ("[]", "object"),
        ('{"source": "aws.guardduty", "detail-type": "GuardDuty Finding"}', "detail"),
    ],
    ids=["broken off", "prose", "a list", "without its detail"],
)
def test_a_poison_message_is_laid_aside_untouched_and_the_good_ones_are_handled(
    folder: str, body: str, reason: str
) -> None:
    counts = poison(folder, body)
    assert counts == Poison(6, 6, 1, 5, True, counts.reason, 0, 5)
    assert counts.right
    assert reason in counts.reason


def test_a_poison_message_that_is_acknowledged_is_noticed(folder: str) -> None:
    with wrong.acknowledged_first():
        counts = poison(folder)
    assert (counts.handled, counts.laid, counts.right) == (6, 0, False)


def test_a_consumer_that_dies_at_any_of_its_calls_leaves_one_incident_a_finding(folder: str) -> None:
    counts = deaths(folder, 4)
    assert counts.right
    assert counts.deaths >= 4 * 5  # each finding takes some five calls


def test_a_finding_that_is_marked_handled_before_its_execution_is_noticed(folder: str) -> None:
    plain = Triage._carry_on

    def early(self: Triage, group: Any, incident: Any, now: Any) -> None:
        kept = Kept(where="s3://bucket/event", sha256="0" * 64, size=0)
        event = Artefact(kept=kept, origin=group.finding.key, call="", actor="triage", at=now)
        self.findings.handled(group.finding, incident.id, event)
        plain(self, group, incident, now)

    with patch.object(Triage, "_carry_on", early):
        counts = deaths(folder, 2)
    assert 0 < counts.once < counts.deaths
    assert not counts.right


def test_what_was_laid_aside_is_handled_once_when_it_is_sent_again(folder: str) -> None:
    counts = redriven(folder)
    assert counts.right
    assert counts.refused >= 5


def test_a_finding_that_is_lost_instead_of_laid_aside_is_noticed(folder: str) -> None:
    with wrong.acknowledged_first():
        counts = redriven(folder)
    assert (counts.laid, counts.incidents, counts.right) == (0, 0, False)


@pytest.mark.parametrize("later", [60.0, DAY])
@pytest.mark.parametrize("story", STORIES)
def test_an_archive_that_is_replayed_changes_nothing(folder: str, story: str, later: float) -> None:
    counts = replayed(folder, (story,), later)
    assert counts.right, counts


def test_a_repeat_that_is_taken_for_news_is_noticed(folder: str) -> None:
    def never(self: FindingTable, finding: Any, now: Any, deliveries: int) -> Any:
        return _seen(self._table.get(f"FINDING#{finding.key}", "FINDING"))

    with patch.object(FindingTable, "repeat", never):
        counts = replayed(folder, ("only",))
    assert counts.new_revisions > 0
    assert not counts.right


@dataclass(frozen=True)
class Counts:
    """Counts as a case returns them."""

    many: int
    right: bool


@pytest.mark.parametrize(("second", "code"), [(True, 0), (False, 1)])
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_the_runner_prints_every_count_and_fails_where_one_is_not_right(
    monkeypatch: pytest.MonkeyPatch, second: bool, code: int, options: list[str]
) -> None:
    made: list[tuple[int, int]] = []

    def cases(folder: str, alerts: int, keys: int) -> Any:
        made.append((alerts, keys))
        return {"first": lambda: Counts(1_234, True), "second": lambda: Counts(5, second)}

    monkeypatch.setattr(load, "cases", cases)
    ran = CliRunner().invoke(load.main, [*options, "--alerts", "20"])
    assert (ran.exit_code, made) == (code, [(20, 1_000)])
    if options:
        said = json.loads(ran.stdout)
        assert said["first"] == {"right": True, "counts": {"many": 1_234, "right": True}}
        assert said["second"]["right"] is second
    else:
        assert "many 1,234" in ran.stdout
        assert ("wrong" in ran.stdout) is not second


def test_the_runner_has_every_case(folder: str) -> None:
    assert len(load.cases(folder, ALERTS, KEYS)) == 6
