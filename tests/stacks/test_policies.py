"""What the functions' own roles can do, decided as IAM would decide it."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

import pytest

from tests.stacks.conftest import MEMBER, SECURITY
from tests.stacks.iam import allowed
from tests.stacks.template import Template, listed, statements, text

WORDS = (
    "triage",
    "plan",
    "ask",
    "answer",
    "decide",
    "execute",
    "execute-destructive",
    "close",
    "sweep",
    "prepare",
)
WITHOUT_RESOURCES = {
    "ec2:Describe*": "EC2 describes have no resources",
    "autoscaling:Describe*": "Auto Scaling describes have no resources",
    "elasticloadbalancing:Describe*": "Elastic Load Balancing describes have no resources",
    "xray:*": "X-Ray has no resources",
    "logs:*Delivery": "log delivery has no resources",
    "logs:ListLogDeliveries": "log delivery has no resources",
    "logs:PutResourcePolicy": "resource policies of CloudWatch Logs have no resources",
    "logs:DescribeResourcePolicies": "resource policies of CloudWatch Logs have no resources",
    "logs:DescribeLogGroups": "log delivery looks for its group among all",
    "dynamodb:ListStreams": "the event source mapping lists the streams of the table",
    "lambda:ListEventSourceMappings": "lists of event source mappings have no resources",
}


def role(response: Template, word: str) -> list[dict[str, Any]]:
    return response.role_statements(f"firebreak-fn-{word}")


@pytest.fixture(scope="module")
def table(response: Template) -> str:
    return f"<{response.id_of('AWS::DynamoDB::Table', 'Storage')}.Arn>"


def on(key: str) -> dict[str, list[str]]:
    return {"dynamodb:LeadingKeys": [key]}


def test_every_function_has_a_role_of_its_own(response: Template) -> None:
    functions = response.all("AWS::Lambda::Function").values()
    roles = [text(function["Role"]) for function in functions]
    assert len(set(roles)) == len(roles) == len(WORDS)
    assert {function["FunctionName"] for function in functions} == {f"firebreak-{word}" for word in WORDS}
    assert not [one for one in response.all("AWS::IAM::Role").values() if "ManagedPolicyArns" in one]


def test_nothing_is_granted_with_a_wildcard_for_an_action(estate: Mapping[str, Template]) -> None:
    seen = 0
    for template in estate.values():
        for holder, statement in statements(template):
            for action in listed(statement["Action"]):
                seen += 1
                assert statement["Effect"] == "Deny" or "*" not in action, f"{template.name} {holder}: {action}"
    assert seen > 100


def test_only_what_has_no_resources_is_granted_on_all(estate: Mapping[str, Template]) -> None:
    for template in estate.values():
        for holder, statement in statements(template):
            if statement["Effect"] == "Allow" and "*" in [text(one) for one in listed(statement["Resource"])]:
                for action in listed(statement["Action"]):
                    assert any(fnmatchcase(action, pattern) for pattern in WITHOUT_RESOURCES), f"{holder}: {action}"


@pytest.mark.parametrize("word", WORDS)
def test_no_function_can_change_the_estate(response: Template, word: str) -> None:
    services = {action.split(":")[0] for one in role(response, word) for action in listed(one["Action"])}
    assert services <= {
        "dynamodb",
        "logs",
        "xray",
        "sqs",
        "sns",
        "s3",
        "sts",
        "states",
        "secretsmanager",
        "kms",
        "lambda",
    }
    for one in role(response, word):
        for action in listed(one["Action"]):
            if action.startswith("s3:"):
                assert action == "s3:PutObject"
            if action.startswith("kms:"):
                assert word == "decide", "reads the stream, which the table's key encrypts"
            if action.startswith("lambda:"):
                assert (word, action) == ("plan", "lambda:InvokeFunction"), "wakes Prepare where a group is missing"
                assert "Prepare" in text(one["Resource"])


class TestAnswer:
    """The public function. Its input comes from the internet."""

    def test_it_looks_at_an_approval_and_holds_others_to_it(self, response: Template, table: str) -> None:
        for action in ("dynamodb:GetItem", "dynamodb:ConditionCheckItem"):
            assert allowed(role(response, "answer"), action, table, on("APPROVAL#ap-1"))

    @pytest.mark.parametrize("key", ["VOTE#ap-1", "REPLAY#ab", "AUDIT#inc-1"])
    def test_it_puts_votes_replay_marks_and_audit_rows(self, response: Template, table: str, key: str) -> None:
        assert allowed(role(response, "answer"), "dynamodb:PutItem", table, on(key))

    @pytest.mark.parametrize(
        "action", ["PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "PartiQLUpdate", "PartiQLInsert"]
    )
    def test_it_cannot_edit_an_approval(self, response: Template, table: str, action: str) -> None:
        assert not allowed(role(response, "answer"), f"dynamodb:{action}", table, on("APPROVAL#ap-1"))

    @pytest.mark.parametrize("action", ["GetItem", "BatchGetItem", "Query", "Scan", "ConditionCheckItem", "PutItem"])
    def test_it_cannot_read_or_make_a_task_token(self, response: Template, table: str, action: str) -> None:
        assert not allowed(role(response, "answer"), f"dynamodb:{action}", table, on("TOKEN#ap-1"))

    @pytest.mark.parametrize(
        "key", ["INCIDENT#inc-1", "LEDGER#a", "GUARD", "FINDING#f", "VOTE", "XVOTE#ap-1", "BUDGET#a"]
    )
    def test_it_can_write_nothing_else(self, response: Template, table: str, key: str) -> None:
        assert not allowed(role(response, "answer"), "dynamodb:PutItem", table, on(key))

    def test_it_cannot_smuggle_another_key_in(self, response: Template, table: str) -> None:
        keys = {"dynamodb:LeadingKeys": ["VOTE#ap-1", "APPROVAL#ap-1"]}
        assert not allowed(role(response, "answer"), "dynamodb:PutItem", table, keys)

    def test_a_request_without_keys_is_not_one_with_good_keys(self, response: Template, table: str) -> None:
        assert not allowed(role(response, "answer"), "dynamodb:GetItem", table)

    def test_it_touches_nothing_but_table_signing_secret_logs_and_traces(self, response: Template, table: str) -> None:
        actions = {action for one in role(response, "answer") for action in listed(one["Action"])}
        assert {action for action in actions if action.split(":")[0] not in ("logs", "xray")} == {
            "dynamodb:GetItem",
            "dynamodb:ConditionCheckItem",
            "dynamodb:PutItem",
            "secretsmanager:GetSecretValue",
        }
        (secret,) = [
            text(one["Resource"])
            for one in role(response, "answer")
            if "secretsmanager:GetSecretValue" in one["Action"]
        ]
        assert "SigningSecret" in secret


@pytest.mark.parametrize("word", ["answer", "triage", "plan", "execute", "execute-destructive", "close", "prepare"])
def test_task_tokens_are_out_of_reach_of_what_resumes_nothing(response: Template, table: str, word: str) -> None:
    assert not allowed(role(response, word), "dynamodb:GetItem", table, on("TOKEN#ap-1"))
    assert not allowed(role(response, word), "states:SendTaskSuccess", "*")


@pytest.mark.parametrize("word", ["ask", "decide", "sweep"])
def test_task_tokens_are_within_reach_of_what_keeps_and_uses_them(response: Template, table: str, word: str) -> None:
    assert allowed(role(response, word), "dynamodb:GetItem", table, on("TOKEN#ap-1"))


@pytest.mark.parametrize(
    ("verb", "words"),
    [
        ("Query", {"plan", "execute", "execute-destructive", "close", "decide", "sweep"}),
        ("BatchGetItem", {"plan", "ask", "execute", "execute-destructive"}),
        ("ConditionCheckItem", {"ask", "answer", "execute", "execute-destructive"}),
        ("Scan", set()),
        ("BatchWriteItem", set()),
    ],
)
def test_a_function_has_only_the_verbs_it_uses(response: Template, verb: str, words: set[str]) -> None:
    def has(word: str) -> bool:
        return any(f"dynamodb:{verb}" in listed(one["Action"]) for one in role(response, word))

    assert {word for word in WORDS if has(word)} == words


def test_only_decide_and_sweep_resume_the_machine(response: Template) -> None:
    def actions(word: str) -> set[str]:
        return {action for one in role(response, word) for action in listed(one["Action"])}

    resuming = {word for word in WORDS if "states:SendTaskSuccess" in actions(word)}
    starting = {word for word in WORDS if "states:StartExecution" in actions(word)}
    assert (resuming, starting) == ({"decide", "sweep"}, {"triage", "plan", "sweep"})


@pytest.mark.parametrize(
    ("word", "roles"),
    [
        ("plan", {"observer"}),
        ("sweep", {"observer"}),
        ("prepare", {"prepare"}),
        ("execute", {"ec2-isolate_instance", "ebs-snapshot_volumes", "eks-cordon_node"}),
        *((word, set()) for word in ("triage", "ask", "answer", "decide", "close", "execute-destructive")),
    ],
)
def test_a_function_assumes_its_roles_in_our_accounts_and_no_others(
    response: Template, word: str, roles: set[str]
) -> None:
    everything = {"observer", "prepare", "ec2-isolate_instance", "ebs-snapshot_volumes", "eks-cordon_node", "fn-plan"}
    for name in everything:
        for account, ours in ((SECURITY, True), (MEMBER, True), ("999999999999", False)):
            can = allowed(
                role(response, word),
                "sts:AssumeRole",
                f"arn:aws:iam::{account}:role/firebreak-{name}",
                {"aws:ResourceAccount": account},
            )
            assert can == (name in roles and ours), (name, account)


def test_the_state_machine_calls_its_five_functions_and_does_nothing_else(response: Template) -> None:
    found = response.role_statements("firebreak-respond")
    actions = {action for one in found for action in listed(one["Action"])}
    assert {action for action in actions if action.split(":")[0] not in ("logs", "xray")} == {"lambda:InvokeFunction"}
    (invoke,) = [one for one in found if one["Action"] == "lambda:InvokeFunction"]
    functions = response.all("AWS::Lambda::Function")
    named = {functions[text(arn).strip("<>").removesuffix(".Arn")]["FunctionName"] for arn in invoke["Resource"]}
    assert named == {f"firebreak-{word}" for word in ("plan", "ask", "execute", "execute-destructive", "close")}
