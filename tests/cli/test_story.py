"""Whether a trail holds is found out, whatever was done to it."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from firebreak.cli.story import broken
from firebreak.core.audit import AuditRecord

AT = datetime(2026, 11, 2, tzinfo=UTC)


def chain(name: str, length: int) -> list[AuditRecord]:
    records: list[AuditRecord] = []
    for number in range(1, length + 1):
        records.append(
            AuditRecord(
                incident="inc-1",
                chain=name,
                sequence=number,
                at=AT,
                event=f"event {number}",
                actor="plan/1",
                previous=records[-1].hash if records else "",
            )
        )
    return records


def test_a_trail_that_nobody_touched_holds() -> None:
    one, other = chain("incident", 3), chain("step", 2)
    assert broken([*one, *other], {"incident": one[-1].hash, "step": other[-1].hash}) == []
    assert broken([], {}) == []


@given(st.integers(2, 6), st.data())
def test_whatever_is_done_to_one_record_breaks_it(length: int, data: st.DataObject) -> None:
    records = chain("incident", length)
    head, place = records[-1].hash, data.draw(st.integers(0, length - 1))
    changed = records[place].model_copy(update={"actor": "someone else"})
    assert broken([*records[:place], changed, *records[place + 1 :]], {"incident": head})
    assert broken([*records[:place], *records[place + 1 :]], {"incident": head})
    assert broken([*records[:place], records[place], *records[place:]], {"incident": head})


def test_a_chain_that_is_gone_or_cut_short_is_told() -> None:
    records = chain("incident", 3)
    assert broken([], {"incident": records[-1].hash}) == [
        "incident: the newest record is not the one that its row names"
    ]
    assert broken(records[:2], {"incident": records[-1].hash}) != []
