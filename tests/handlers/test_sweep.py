"""The handler of Sweep: what wakes it, and what it does not take."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from firebreak.core.errors import InputError, TargetMissing
from firebreak.core.playbook import Playbooks
from firebreak.entry import logger
from firebreak.handlers import sweep
from tests.world import AUTOMATIC, World, world

SCHEDULED = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[World]:
    with world(
        tmp_path, {"FIREBREAK_SLACK_SECRET_ARN": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:x"}
    ) as place:
        place.configure(AUTOMATIC, Playbooks())
        yield place


def ended(detail: Any) -> dict[str, Any]:
    """What Step Functions tells of an execution (Step Functions Developer Guide, "EventBridge events")."""
    return {"source": "aws.states", "detail-type": sweep.ENDED, "detail": detail}


def test_a_schedule_does_what_is_due_and_logs_how_much(place: World, caplog: pytest.LogCaptureFixture) -> None:
    done = dict.fromkeys(("expired", "started", "closed", "read", "differ", "news", "unread"), 0)
    with caplog.at_level("INFO", logger=logger.service):
        assert place.function(sweep)(SCHEDULED) == done
    (record,) = (record for record in caplog.records if record.getMessage() == "swept")
    assert {name: vars(record)[name] for name in done} == done


@pytest.mark.parametrize("detail", [None, {}, {"name": "x"}, [], "text"], ids=str)
def test_an_event_that_does_not_say_which_execution_ended_is_refused(place: World, detail: Any) -> None:
    with pytest.raises(InputError):
        place.function(sweep)(ended(detail))


def test_an_execution_of_an_incident_that_is_unknown_fails_loudly(place: World) -> None:
    with pytest.raises(TargetMissing, match="no incident"):
        place.function(sweep)(ended({"name": "inc-0123456789ab-r1-respond-a1", "status": "FAILED"}))
