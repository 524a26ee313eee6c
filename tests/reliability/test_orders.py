"""Every order of one set of events ends alike, and as it should."""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from typing import Any

import pytest

from firebreak.adapters.finding_table import FindingTable
from firebreak.core.incident import Incident
from firebreak.pipeline.triage import Triage
from reliability.fault import Misfortune
from reliability.found import Converging
from reliability.naming import named
from reliability.orders import PREFIX, SETS, EventSet, orders
from reliability.run import play
from reliability.suites import converging

FEW = 25
ENDS = (
    ("contained", {"collect": ["verified"], "contain": ["verified"]}),
    ("contained", {"collect": ["verified"], "contain": ["verified"]}),
    ("contained", {"contain": ["verified"]}),
    ("open", {"contain": ["denied"]}),
    ("contained", {"collect": ["verified"], "contain": ["verified"]}),
    ("closed", {"collect": ["verified"], "contain": ["undone"]}),
    ("closed contained", {"collect": ["verified"], "contain": ["undone", "verified"]}),
    ("contained", {"collect": ["verified"], "contain": ["verified"]}),
)


def found(folder: str, limit: int = FEW) -> Converging:
    alike = converging(limit, seed=1)
    for misfortune in alike.sets:
        alike.add(misfortune, play(misfortune, folder))
    return alike


def test_every_order_of_a_set_ends_alike_and_as_it_should(folder: str) -> None:
    alike = found(folder)
    assert [f"{violation}: make replay PLAN='{plan}'" for violation, plan in alike.violations] == []
    for events, (statuses, steps) in zip(SETS, ENDS, strict=True):
        _, end = alike.ends[events]
        assert " ".join(sorted(incident[0] for incident in end["incidents"])) == statuses, events.what
        ended: dict[str, list[str]] = {}
        for action, _, status in end["steps"]:
            ended.setdefault(action.removeprefix("scripted."), []).append(status)
        assert ended == steps, events.what


def test_a_copy_that_passes_for_news_is_noticed(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FindingTable, "repeat", lambda self, finding, now, deliveries: None)
    assert any(violation.startswith("I14") for violation, _ in found(folder, 6).violations)


def test_a_revision_that_is_not_started_is_noticed(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = Triage._carry_on

    def only_first(self: Triage, group: Any, incident: Incident, now: datetime) -> None:
        if incident.revision == 1:
            plain(self, group, incident, now)

    monkeypatch.setattr(Triage, "_carry_on", only_first)
    assert any(violation.startswith("I14") for violation, _ in found(folder, 6).violations)


def test_orders_are_all_there_are_or_so_many_drawn_that_repeat() -> None:
    assert list(EventSet("two", "ab").orders()) == [
        *("ab", "a,b", "a-b", "a~b"),
        *("ba", "b,a", "b-a", "b~a"),
    ]
    assert set(EventSet("one, and one late", "a", ",u", "b").orders()) == {"a,ub"}
    assert list(orders(5, 3)) == list(orders(5, 3)) != list(orders(5, 4))
    assert all(named(misfortune.story) for _, misfortune in islice(orders(5, 3), 20))


@pytest.mark.parametrize("name", ["", "nothing", "ab", f"{PREFIX}ab?"])
def test_what_is_no_story_and_no_order_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="called"):
        named(name)


def test_an_order_is_read_back_from_its_plan() -> None:
    plan = Misfortune(f"{PREFIX}a,b")
    assert Misfortune.read(str(plan)) == plan
