"""Every fixture beside its golden findings, or its golden error."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest

from firebreak.core.errors import InputError
from firebreak.core.finding import Finding
from firebreak.core.intake import normalise
from firebreak.core.registry import sources
from tests.sources.findings import CASES, FOLDER, HERE


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_an_event_becomes_its_golden_findings(path: Path) -> None:
    event = json.loads(path.read_text())
    golden = json.loads(path.with_suffix(".golden.json").read_text())
    if isinstance(golden, dict):
        with pytest.raises(InputError) as caught:
            normalise(event, HERE, sources())
        assert {"error": type(caught.value).__name__, "message": str(caught.value)} == golden
        return
    found = normalise(event, HERE, sources())
    assert [finding.model_dump(mode="json", exclude_none=True) for finding in found] == golden
    assert [Finding.model_validate(each) for each in golden] == list(found)


def test_every_source_has_fixtures_and_every_golden_has_its_event() -> None:
    assert {path.parent.name for path in CASES} == set(sources())
    goldens = {path.with_suffix("").with_suffix(".json") for path in FOLDER.glob("*/*.golden.json")}
    assert goldens == set(CASES)


def test_normalising_changes_nothing_in_the_event() -> None:
    for path in CASES:
        event = json.loads(path.read_text())
        with suppress(InputError):
            normalise(event, HERE, sources())
        assert event == json.loads(path.read_text())
