"""Each event of the sandbox world leads to what it is said to lead to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from firebreak.core.registry import sources
from firebreak.core.source import Origin
from reliability.leads import LEADS, Lead, lead
from sandbox.lab import DEPLOYMENT, Lab, lab
from sandbox.synthesis_cache import ROOT, application


@pytest.fixture(scope="module")
def made() -> Iterator[Lab]:
    built, _ = application(DEPLOYMENT, ROOT / "playbooks")
    with lab(built) as standing:
        yield standing


FINDINGS = [event for event in LEADS if event.source == "guardduty"]


@pytest.mark.parametrize("event", FINDINGS, ids=lambda event: "-".join(sorted(event.kinds)))
def test_a_finding_leads_to_every_kind_of_target_that_it_is_said_to(
    made: Lab, event: Lead, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(made.sandbox, "put_event", sent.append)
    event.send(made, 1)
    (finding,) = sources()["guardduty"].normalise(
        sent[0], Origin(account=made.sandbox.account, region=made.sandbox.region)
    )
    assert {target.kind for target in finding.targets} == event.kinds


def test_the_first_event_that_leads_to_all_of_it_is_taken() -> None:
    assert lead({"instance"}).source == "guardduty"
    assert lead({"instance", "node"}).source == "falco"
    assert lead({"bucket"}).kinds == {"bucket"}
    with pytest.raises(ValueError, match="no event leads to moon; add one to LEADS"):
        lead({"moon"})
