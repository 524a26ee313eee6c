"""Least privilege at work: the stories need what is granted, and what is not granted is refused.

Every call is judged by the policies of the synthesized templates (sandbox/judge.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from firebreak.adapters.sts import session_policy
from firebreak.core.deployment import Deployment
from firebreak.core.incident import StepRecord
from firebreak.core.registry import action, actions
from reliability.sandboxed import player
from reliability.scenes import USUAL
from reliability.shape import shapes
from sandbox.identity import access_key
from sandbox.journal import Call, Fault
from sandbox.judge_policies import listed
from sandbox.lab import DEPLOYMENT, Lab, lab
from sandbox.synthesis_cache import application
from sandbox.world import REGION
from tests.e2e.conftest import ROOT
from tests.e2e.story import Story

MEMBER, EXTERNAL_ID = "444455556666", "an-agreed-word"
TWO_ACCOUNTS = Deployment.model_validate(
    {
        **DEPLOYMENT.model_dump(exclude_unset=True),
        "members": [
            *DEPLOYMENT.model_dump(exclude_unset=True)["members"],
            {"account": MEMBER, "regions": [REGION], "external_id": EXTERNAL_ID},
        ],
    }
)

UNCALLED = {
    ("*", "logs:CreateLogStream", "Lambda writes the logs"),
    ("*", "logs:PutLogEvents", "Lambda writes the logs"),
    ("*", "xray:PutTraceSegments", "Lambda sends the traces"),
    ("*", "xray:PutTelemetryRecords", "Lambda sends the traces"),
    ("fn-triage", "sqs:*", "the event source mapping polls the lanes"),
    ("fn-decide", "dynamodb:DescribeStream", "the event source mapping reads the stream"),
    ("fn-decide", "dynamodb:Get[RS]*", "the event source mapping reads the stream"),
    ("fn-decide", "dynamodb:ListStreams", "the event source mapping reads the stream"),
    ("fn-decide", "kms:D*", "the event source mapping decrypts the stream"),
    ("fn-decide", "sqs:*", "the event source mapping lays aside what fails"),
    ("fn-sweep", "sqs:SendMessage", "Lambda lays aside what fails"),
    ("fn-prepare", "sqs:SendMessage", "Lambda lays aside what fails"),
    ("fn-ask", "dynamodb:DeleteItem", "error path: the token of a question that was decided before it was asked"),
    ("fn-triage", "dynamodb:DeleteItem", "error path: locks of an incident that ended and was stopped before freeing"),
    ("fn-plan", "dynamodb:DeleteItem", "error path: locks of an incident that ended and was stopped before freeing"),
    ("fn-triage", "sns:Publish", "no story has a finding whose playbook only tells"),
    ("fn-prepare", "sns:Publish", "error path: a network that cannot be prepared"),
    ("fn-execute-destructive", "dynamodb:*", "there is no destructive action yet; the handler is that of Execute"),
    ("fn-execute-destructive", "sns:Publish", "there is no destructive action yet; the handler is that of Execute"),
}
"""What is granted to a function or action and called in no story: role without prefix, action, why it is granted."""


STORIES = {"ebs.snapshot_volumes", "ec2.isolate_instance", "eks.cordon_node"}
"""The actions that the stories come to."""


@dataclass(frozen=True)
class Played:
    """A lab in which the stories were played, and the calls that were made in them."""

    lab: Lab
    calls: Sequence[Call]

    def arn(self, role: str, account: str | None = None) -> str:
        return f"arn:aws:iam::{account or self.lab.sandbox.account}:role/firebreak-{role}"

    def client(self, word: str, service: str) -> Any:
        """A client with the credentials of a function."""
        return self._client(service, access_key(self.lab.sandbox.functions.find(f"firebreak-{word}").arn))

    def session(self, word: str, role: str, service: str, **more: str) -> Any:
        """A client of a session that a function has with a role."""
        held = self.client(word, "sts").assume_role(RoleArn=self.arn(role), RoleSessionName="inc-test", **more)
        return self._client(service, held["Credentials"]["AccessKeyId"], held["Credentials"]["SessionToken"])

    def step(self, name: str) -> StepRecord:
        """The first step of an action that was taken back."""
        story = Story(self.lab)
        steps = [story.steps(incident.id).get(name) for incident in story.incidents()]
        return next(step for step in steps if step is not None and step.status == "undone")

    def _client(self, service: str, key: str, token: str | None = None) -> Any:
        return boto3.client(
            service,
            region_name=self.lab.sandbox.region,
            endpoint_url=self.lab.sandbox.url,
            aws_access_key_id=key,
            aws_secret_access_key="sandbox",  # nothing checks signatures
            aws_session_token=token,
            config=Config(retries={"max_attempts": 0}),
        )


@pytest.fixture(scope="module")
def played() -> Iterator[Played]:
    """Every way that calls are made in: contain and undo, ask, merge, prepare, fail, expire, try again."""
    alone = list(_by_themselves())  # one sandbox stands at a time
    with lab(application(TWO_ACCOUNTS, ROOT / "playbooks")[0], deployment=TWO_ACCOUNTS) as standing:
        story, sandbox = Story(standing), standing.sandbox
        first, second = (node for node, _ in sorted(standing.estate.nodes.items()))
        event = story.guardduty(standing.estate.bastion)
        story.put(event)
        story.put(event)
        _undo(story)
        # a quarantine group is gone, and Plan has it made; the instance is in an Auto Scaling group behind a balancer
        ec2 = sandbox.client("ec2")
        ec2.delete_security_group(GroupId=_sealed(standing))
        story.put(story.guardduty(standing.estate.web[0], number=2))
        # two names of one machine
        story.put(story.guardduty(standing.estate.nodes[second], number=3))
        _alert(story, second, 1)
        # the execution is stopped by someone while it asks; Sweep starts another, which goes on
        _alert(story, first, 2)
        asking = sandbox.executions("RUNNING")[-1]
        sandbox.client("stepfunctions").stop_execution(executionArn=asking.arn)
        sandbox.run_until_idle(600)
        story.answer("approve")
        _undo(story)
        # a change that is refused
        sandbox.faults.add(Fault("ec2:ModifyNetworkInterfaceAttribute", "UnauthorizedOperation", count=1))
        story.put(story.guardduty(standing.estate.web[2], number=4))
        # a question that nobody answers
        _alert(story, first, 3)
        sandbox.advance(3 * 3600)
        assert [failure for failure in story.failures() if "Unprepared" not in failure] == []
        yield Played(standing, [*sandbox.journal, *alone])
        story.refusals()  # the tests ask for what nobody may do


def _by_themselves() -> Iterator[Call]:
    """The calls of actions that the stories do not come to: each is done and taken back by itself."""
    for shape in shapes():
        if {step.action for step in shape.steps}.isdisjoint(STORIES) and shape.scene is USUAL:
            with player(shape) as played:
                assert played.play(()).violations == ()
                yield from list(played.lab.sandbox.journal)


def _sealed(standing: Lab) -> str:
    """The estate's quarantine group."""
    filters = [
        {"Name": "group-name", "Values": ["firebreak-sealed"]},
        {"Name": "vpc-id", "Values": [standing.estate.vpc]},
    ]
    (group,) = standing.sandbox.client("ec2").describe_security_groups(Filters=filters)["SecurityGroups"]
    return str(group["GroupId"])


def _alert(story: Story, node: str, number: int) -> None:
    story.alert(json.dumps({**story.falco(node), "uuid": f"5f3b8a5c-0000-4000-8000-{number:012d}"}))


def _undo(story: Story) -> None:
    for incident in story.incidents():
        if incident.status == "contained":
            story.undo(incident.id)


def granted(played: Played) -> dict[str, set[str]]:
    """What the roles of functions and actions are granted, by name without prefix."""
    roles = played.lab.sandbox.cloud.roles
    words = {
        function.role.rpartition("/")[2].removeprefix("firebreak-") for function in played.lab.sandbox.functions.all()
    } | {"observer", "prepare", *(name.replace(".", "-") for name in actions())}
    return {
        word: {
            permission
            for document in roles[played.arn(word)].policies
            for statement in listed(document["Statement"])
            if statement["Effect"] == "Allow"
            for permission in listed(statement["Action"])
        }
        for word in words
    }


def called(played: Played) -> dict[str, set[str]]:
    """What they were seen to need, from the decisions in the journal."""
    seen: dict[str, set[str]] = {}
    for call in played.calls:
        if call.caller is not None and call.caller.role:
            word = call.caller.role.rpartition("/")[2].removeprefix("firebreak-")
            seen.setdefault(word, set()).update(one.action for one in call.decisions if one.allowed)
    return seen


def refused(do: Callable[[], Any]) -> str:
    """The error code that a call is refused with; "" if it is not."""
    try:
        do()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def test_nothing_is_refused_in_the_stories(played: Played) -> None:
    assert [call for call in played.calls for one in call.decisions if not one.allowed] == []
    assert len({call.function for call in played.calls if call.decisions}) == 9, (
        "all but ExecuteDestructive were judged"
    )


def test_every_call_of_a_role_is_judged_and_its_decisions_are_in_the_journal(played: Played) -> None:
    by_roles = [call for call in played.calls if call.caller is not None and call.caller.role]
    assert len(by_roles) > 100
    assert {call.name for call in by_roles if not call.decisions} <= {"sts:GetCallerIdentity"}


def test_what_is_granted_and_never_called_is_on_the_list_with_its_reason(played: Played) -> None:
    seen = called(played)
    spare = {
        (word, action) for word, actions_ in granted(played).items() for action in actions_ - seen.get(word, set())
    }
    fits = {
        (word, action): [entry for entry in UNCALLED if fnmatchcase(word, entry[0]) and fnmatchcase(action, entry[1])]
        for word, action in spare
    }
    assert sorted(pair for pair, entries in fits.items() if not entries) == [], "granted, and no story needs it"
    needed = {entry for entries in fits.values() for entry in entries}
    assert sorted(UNCALLED - needed) == [], "on the list, and either called by now or granted no more"


class TestAnswer:
    """The public function's own credentials, in the hands of whoever takes it over."""

    def test_it_cannot_resume_the_machine(self, played: Played) -> None:
        def send(word: str) -> str:
            states = played.client(word, "stepfunctions")
            return refused(lambda: states.send_task_success(taskToken="made-up", output="{}"))

        assert (send("answer"), send("decide")) == ("AccessDeniedException", "InvalidToken")

    def test_it_cannot_edit_an_approval(self, played: Played) -> None:
        def edit(word: str) -> str:
            return refused(
                lambda: played.client(word, "dynamodb").update_item(
                    TableName=played.lab.table,
                    Key=key("APPROVAL#ap-1", "APPROVAL"),
                    UpdateExpression="SET approved = :yes",
                    ConditionExpression="attribute_exists(pk)",
                    ExpressionAttributeValues={":yes": {"BOOL": True}},
                )
            )

        assert (edit("answer"), edit("decide")) == ("AccessDeniedException", "ConditionalCheckFailedException")

    def test_it_cannot_edit_an_approval_in_the_middle_of_a_transaction(self, played: Played) -> None:
        def vote(also: str) -> str:
            items = [
                {"Put": {"TableName": played.lab.table, "Item": key(pk, "x"), "ConditionExpression": "pk = :never"}}
                for pk in ("VOTE#ap-1", also)
            ]
            for item in items:
                item["Put"]["ExpressionAttributeValues"] = {":never": {"S": "never"}}
            return refused(lambda: played.client("answer", "dynamodb").transact_write_items(TransactItems=items))

        assert vote("APPROVAL#ap-1") == "AccessDeniedException"
        assert vote("REPLAY#ap-1") == "TransactionCanceledException"

    def test_it_cannot_read_a_task_token(self, played: Played) -> None:
        def read(word: str, pk: str) -> str:
            table, where = played.lab.table, key(pk, pk.partition("#")[0])
            return refused(lambda: played.client(word, "dynamodb").get_item(TableName=table, Key=where))

        assert read("answer", "TOKEN#ap-1") == "AccessDeniedException"
        assert (read("decide", "TOKEN#ap-1"), read("answer", "APPROVAL#ap-1")) == ("", "")

    def test_it_cannot_start_an_execution(self, played: Played) -> None:
        first = played.lab.sandbox.executions()[0]

        def start(word: str) -> str:
            states = played.client(word, "stepfunctions")
            return refused(lambda: states.start_execution(stateMachineArn=first.machine, name=first.name, input="{}"))

        assert (start("answer"), start("triage")) == ("AccessDeniedException", "ExecutionAlreadyExists")


def key(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def as_it_is(played: Played, eni: str) -> dict[str, Any]:
    """A change of an interface's groups that changes nothing."""
    (found,) = played.lab.sandbox.client("ec2").describe_network_interfaces(NetworkInterfaceIds=[eni])[
        "NetworkInterfaces"
    ]
    return {"NetworkInterfaceId": eni, "Groups": [group["GroupId"] for group in found["Groups"]]}


def interface(played: Played, instance: str) -> str:
    filters = [{"Name": "attachment.instance-id", "Values": [instance]}]
    found = played.lab.sandbox.client("ec2").describe_network_interfaces(Filters=filters)["NetworkInterfaces"]
    return str(found[0]["NetworkInterfaceId"])


def test_plan_cannot_change_the_estate_and_the_role_of_the_action_can(played: Played) -> None:
    change = as_it_is(played, interface(played, played.lab.estate.bastion))
    plan = played.client("plan", "ec2")
    assert refused(lambda: plan.modify_network_interface_attribute(**change)) == "UnauthorizedOperation"
    isolate = played.session("execute", "ec2-isolate_instance", "ec2")
    assert refused(lambda: isolate.modify_network_interface_attribute(**change)) == ""


def test_the_observer_changes_nothing(played: Played) -> None:
    bastion = played.lab.estate.bastion
    change = as_it_is(played, interface(played, bastion))
    ec2 = played.session("plan", "observer", "ec2")
    whole = {"InstanceId": bastion, "ExcludeBootVolume": False}
    writes: Mapping[str, Callable[[], Any]] = {
        "isolate": lambda: ec2.modify_network_interface_attribute(**change),
        "snapshot": lambda: ec2.create_snapshots(InstanceSpecification=whole),
        "stop": lambda: ec2.stop_instances(InstanceIds=[bastion]),
        "tag": lambda: ec2.create_tags(Resources=[bastion], Tags=[{"Key": "a", "Value": "b"}]),
        "group": lambda: ec2.create_security_group(GroupName="x", Description="x", VpcId=played.lab.estate.vpc),
    }
    assert {name: refused(write) for name, write in writes.items()} == dict.fromkeys(writes, "UnauthorizedOperation")
    assert refused(lambda: ec2.describe_instances(InstanceIds=[bastion])) == ""


def test_a_function_takes_on_its_own_roles_and_no_others(played: Played) -> None:
    roles = ("observer", "prepare", "ec2-isolate_instance", "fn-plan", "respond")
    can = {
        word: {role for role in roles if refused(lambda: played.session(word, role, "ec2")) == ""}  # noqa: B023
        for word in ("plan", "sweep", "prepare", "execute", "execute-destructive", "answer", "triage")
    }
    assert can == {
        "plan": {"observer"},
        "sweep": {"observer"},
        "prepare": {"prepare"},
        "execute": {"ec2-isolate_instance"},
        "execute-destructive": set(),
        "answer": set(),
        "triage": set(),
    }


@pytest.mark.parametrize(
    ("word", "more", "code"),
    [
        ("execute", {"ExternalId": EXTERNAL_ID}, ""),
        ("execute", {"ExternalId": "guessed-word"}, "AccessDenied"),
        ("execute", {}, "AccessDenied"),
        ("plan", {"ExternalId": EXTERNAL_ID}, "AccessDenied"),
    ],
)
def test_a_members_roles_ask_for_the_agreed_word(played: Played, word: str, more: Mapping[str, str], code: str) -> None:
    sts = played.client(word, "sts")
    arn = played.arn("ec2-isolate_instance", MEMBER)
    assert refused(lambda: sts.assume_role(RoleArn=arn, RoleSessionName="inc-test", **more)) == code


def test_the_session_of_a_step_reaches_its_plans_resources_and_no_others(played: Played) -> None:
    step = played.step("ec2.isolate_instance")
    assert step.plan is not None
    policy = session_policy(action(step.action), step.plan)
    ours = next(arn for arn in step.plan.resources if ":network-interface/" in arn).rpartition("/")[2]
    foreign = interface(played, played.lab.estate.web[2])
    # into the groups of the plan, so that only the interface tells the two calls apart
    groups = as_it_is(played, ours)["Groups"]
    narrow = played.session("execute", "ec2-isolate_instance", "ec2", Policy=policy)
    wide = played.session("execute", "ec2-isolate_instance", "ec2")

    def move(ec2: Any, eni: str) -> str:
        change = {"NetworkInterfaceId": eni, "Groups": groups}
        return refused(lambda: ec2.modify_network_interface_attribute(**change))

    assert foreign != ours
    assert (move(narrow, ours), move(narrow, foreign)) == ("", "UnauthorizedOperation")
    refusal = list(played.lab.sandbox.journal.calls("ec2:ModifyNetworkInterfaceAttribute"))[-1].decisions
    assert any("no session policy allows" in one.because for one in refusal)
    assert move(wide, foreign) == ""


def test_functions_can_put_evidence_each_in_its_own_place_and_read_none(played: Played) -> None:
    find = played.lab.sandbox.functions.find
    buckets = {
        "manifests": find("firebreak-close").environment["FIREBREAK_EVIDENCE_BUCKET"],
        "events": find("firebreak-triage").environment["FIREBREAK_RAW_EVENTS_BUCKET"],
    }

    def put(word: str, bucket: str, place: str) -> str:
        s3 = played.client(word, "s3")
        of = {"Bucket": buckets[bucket], "Key": f"{place}/inc-test/x.json"}
        return refused(lambda: s3.put_object(**of, Body=b"{}"))

    words = ("triage", "close", "plan", "execute", "answer")
    tries = [(word, bucket, place) for word in words for bucket in buckets for place in buckets]
    can = {each for each in tries if put(*each) == ""}
    assert can == {("triage", "events", "events"), ("close", "manifests", "manifests")}
    for word, bucket, place in can:
        s3 = played.client(word, "s3")
        of = {"Bucket": buckets[bucket], "Key": f"{place}/inc-test/x.json"}
        assert refused(lambda: s3.get_object(**of)) == "AccessDenied"  # noqa: B023
        assert refused(lambda: s3.delete_object(**of)) == "AccessDenied"  # noqa: B023


def test_credentials_that_nobody_gave_out_are_good_for_nothing(played: Played) -> None:
    stranger = played._client("dynamodb", "AKIAIOSFODNN7EXAMPLE")
    table = played.lab.table
    assert refused(lambda: stranger.scan(TableName=table)) == "UnrecognizedClientException"
    assert refused(lambda: played.lab.sandbox.client("dynamodb").scan(TableName=table)) == ""
