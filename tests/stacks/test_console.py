"""What the command line finds, and what its users are allowed."""

from __future__ import annotations

import json

import pytest

from firebreak.core.console import ConsoleNames, console_parameter
from tests.stacks.iam import allowed
from tests.stacks.template import Template, text


@pytest.fixture(scope="module")
def names(response: Template) -> ConsoleNames:
    parameter = response.one("AWS::SSM::Parameter")
    assert parameter["Name"] == console_parameter("firebreak") == "/firebreak/console"
    return ConsoleNames.model_validate(json.loads(text(parameter["Value"])))


def test_the_parameter_names_every_part(response: Template, names: ConsoleNames) -> None:
    assert (names.prefix, names.account, names.region) == ("firebreak", "111122223333", "eu-west-1")
    assert (names.mode, names.production_mode) == ("observe", "auto")
    assert names.table == f"<{response.id_of('AWS::DynamoDB::Table', 'Storage')}>"
    assert names.state_machine == f"<{response.id_of('AWS::StepFunctions::StateMachine', '')}>"
    assert names.api == f"<{response.id_of('AWS::ApiGatewayV2::Api', '')}.ApiEndpoint>"
    for lane, queues in names.lanes.items():
        urls = [response.id_of("AWS::SQS::Queue", part) for part in _parts(response, lane)]
        assert [queues.queue, queues.dead_letters] == [f"<{url}>" for url in urls]
    assert set(names.lanes) == {"urgent", "bulk"}


def _parts(response: Template, lane: str) -> tuple[str, str]:
    queues = [id for id in response.all("AWS::SQS::Queue") if id.startswith(f"Lanes{lane.capitalize()}")]
    (dead,) = [id for id in queues if "DeadLetters" in id]
    (own,) = [id for id in queues if "DeadLetters" not in id]
    return own, dead


@pytest.fixture(scope="module")
def policy(response: Template) -> list[dict[str, object]]:
    (found,) = [
        one
        for one in response.all("AWS::IAM::ManagedPolicy").values()
        if one["ManagedPolicyName"] == "firebreak-operator"
    ]
    statements: list[dict[str, object]] = found["PolicyDocument"]["Statement"]
    return statements


@pytest.mark.parametrize(
    ("action", "key", "may"),
    [
        ("dynamodb:GetItem", "APPROVAL#1", True),
        ("dynamodb:Query", "VOTE#1", True),
        ("dynamodb:GetItem", "TOKEN#1", False),
        ("dynamodb:PutItem", "GUARD", True),
        ("dynamodb:PutItem", "INCIDENT#inc-1", True),
        ("dynamodb:PutItem", "AUDIT#guard", True),
        ("dynamodb:UpdateItem", "INCIDENT#inc-1", True),
        ("dynamodb:DeleteItem", "LOCK#x", True),
        ("dynamodb:PutItem", "APPROVAL#1", False),
        ("dynamodb:UpdateItem", "APPROVAL#1", False),
        ("dynamodb:PutItem", "VOTE#1", False),
        ("dynamodb:PutItem", "LEDGER#x", False),
        ("dynamodb:DeleteItem", "AUDIT#inc-1", False),
        ("dynamodb:Scan", "INCIDENT#inc-1", False),
    ],
)
def test_an_operator_reads_the_table_and_writes_what_commands_write(
    response: Template, policy: list[dict[str, object]], action: str, key: str, may: bool
) -> None:
    table = f"<{response.id_of('AWS::DynamoDB::Table', 'Storage')}.Arn>"
    assert allowed(policy, action, table, {"dynamodb:LeadingKeys": [key]}) is may


@pytest.mark.parametrize("action", ["states:SendTaskSuccess", "sts:AssumeRole", "states:StopExecution"])
def test_an_operator_decides_and_changes_nothing_directly(policy: list[dict[str, object]], action: str) -> None:
    assert not allowed(policy, action, "*", {})
    assert action not in json.dumps(policy)
