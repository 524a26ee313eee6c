"""The lab: what it lets nobody overlook."""

from __future__ import annotations

from contextlib import nullcontext, suppress

import boto3
import pytest
from botocore.exceptions import ClientError

from sandbox.identity import access_key
from sandbox.lab import Unallowed, lab
from sandbox.synthesis import Application
from sandbox.world import REGION
from tests.e2e.conftest import application

__all__ = ["application"]


@pytest.mark.parametrize(("table", "ends"), [("others", "refused"), ("firebreak", "well")])
def test_a_lab_in_which_a_role_was_refused_does_not_end_well(application: Application, table: str, ends: str) -> None:
    refused = pytest.raises(Unallowed, match=r"dynamodb:GetItem on .*table/others")
    with refused if ends == "refused" else nullcontext(), lab(application) as standing:
        client = boto3.client(
            "dynamodb",
            region_name=REGION,
            endpoint_url=standing.sandbox.url,
            aws_access_key_id=access_key(standing.sandbox.functions.find("firebreak-triage").arn),
            aws_secret_access_key="sandbox",
        )
        with suppress(ClientError):  # a handler that takes the refusal for an answer
            client.get_item(TableName=table, Key={"pk": {"S": "GUARD"}, "sk": {"S": "MODE"}})
