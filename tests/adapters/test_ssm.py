"""A deployment is found by its parameter, or it is said what lacks."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from firebreak.adapters.ssm import console_names
from firebreak.core.errors import Denied, FirebreakError, SettingsError, TargetMissing

NAMES = {
    "prefix": "firebreak",
    "account": "111122223333",
    "region": "eu-west-1",
    "mode": "observe",
    "production_mode": "auto",
    "table": "firebreak",
    "state_machine": "arn:aws:states:eu-west-1:111122223333:stateMachine:firebreak-respond",
    "api": "https://example.execute-api.eu-west-1.amazonaws.com",
    "bus": "firebreak",
    "evidence": {"bucket": "evidence", "days": 365},
    "raw_events": {"bucket": "raw-events", "days": 90},
    "notices": "arn:aws:sns:eu-west-1:111122223333:firebreak-notices",
    "lanes": {
        lane: {"queue": f"https://{lane}", "dead_letters": f"https://{lane}-dead"} for lane in ("urgent", "bulk")
    },
}


@pytest.fixture
def ssm() -> Any:
    return boto3.client("ssm", "eu-west-1", aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key="secret")


def test_the_names_are_read(ssm: Any) -> None:
    with Stubber(ssm) as stub:
        stub.add_response("get_parameter", {"Parameter": {"Value": json.dumps(NAMES)}}, {"Name": "/firebreak/console"})
        assert console_names(ssm, "firebreak").model_dump(mode="json") == NAMES


@pytest.mark.parametrize(
    ("code", "error", "said"),
    [
        ("ParameterNotFound", TargetMissing, "no parameter /mine/console in eu-west-1"),
        ("AccessDenied", Denied, "denied"),
    ],
)
def test_a_parameter_that_cannot_be_read_is_told(ssm: Any, code: str, error: type[FirebreakError], said: str) -> None:
    with Stubber(ssm) as stub:
        stub.add_client_error("get_parameter", code, "denied")
        with pytest.raises(error, match=said):
            console_names(ssm, "mine")


@pytest.mark.parametrize(
    ("text", "said"), [("{", "Invalid JSON"), (json.dumps(NAMES | {"new": 1}), "new"), (json.dumps({}), "prefix")]
)
def test_one_of_another_version_is_told(ssm: Any, text: str, said: str) -> None:
    with Stubber(ssm) as stub:
        stub.add_response("get_parameter", {"Parameter": {"Value": text}})
        with pytest.raises(SettingsError, match=said) as raised:
            console_names(ssm, "firebreak")
    assert "version deployed" in str(raised.value)
