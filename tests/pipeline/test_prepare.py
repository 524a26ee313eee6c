"""Quarantine groups in every VPC: twice, half made, changed by a person, raced, refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from firebreak.adapters.aws import SessionClients
from firebreak.core.clients import Clients
from firebreak.core.errors import Denied, FirebreakError, Refused, Retriable
from firebreak.core.grant import Grant
from firebreak.core.quarantine import NAMES, TAG, Kind, drift, rules_of
from firebreak.pipeline.prepare import Prepare, Prepared, prepare_vpcs
from stacks.prepare import PREPARE
from tests.contract.bench import CachedSession, Crash, Recorder, Tape, permissions
from tests.contract.scenes import ACCOUNT, REGION
from tests.ec2_world import EVERYONE, cured_moto, vpc

RECORDER = Recorder()
RECORDED, ARRANGING = CachedSession(RECORDER), CachedSession()
SSH = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "198.51.100.7/32"}]}
SSH_RULE = ("in", "tcp", 22, 22, "198.51.100.7/32")
KINDS: tuple[Kind, ...] = ("sealed", "untrack")


@pytest.fixture
def ec2() -> Iterator[Any]:
    """An account with the default VPC removed: what is in it is what a test made."""
    with cured_moto():
        RECORDER.tape = Tape()
        client = ARRANGING.client("ec2")
        for found in client.describe_vpcs()["Vpcs"]:
            for subnet in client.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [found["VpcId"]]}])["Subnets"]:
                client.delete_subnet(SubnetId=subnet["SubnetId"])
            client.delete_vpc(VpcId=found["VpcId"])
        yield client


class Told:
    """Keeps what people are told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def tell(self, subject: str, lines: Sequence[str], *, incident: str | None = None) -> None:
        self.lines += lines


def clients() -> SessionClients:
    return SessionClients(RECORDED, REGION)


def run() -> Prepared:
    done = Prepared()
    prepare_vpcs(clients(), ACCOUNT, done)
    return done


def groups(ec2: Any, vpc_id: str) -> dict[Kind, Any]:
    found = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])["SecurityGroups"]
    by_name = {group["GroupName"]: group for group in found}
    return {kind: by_name[name] for kind, name in NAMES.items() if name in by_name}


def assert_prepared(ec2: Any, *vpcs: str) -> None:
    for each in vpcs:
        made = groups(ec2, each)
        assert set(made) == set(KINDS)
        for kind, group in made.items():
            assert drift(kind, group) == ""


@pytest.mark.parametrize("ipv6", [True, False])
def test_every_vpc_gets_its_groups_with_exactly_their_rules(ec2: Any, ipv6: bool) -> None:
    one, other = vpc(ec2, ipv6=ipv6)[0], vpc(ec2, "10.1.0.0/16", ipv6=not ipv6)[0]
    done = run()
    assert len(done.made) == 4
    assert not done.problems
    assert_prepared(ec2, one, other)
    assert groups(ec2, one)["sealed"]["Tags"] == [{"Key": TAG, "Value": "sealed"}]


def test_a_second_run_only_reads(ec2: Any) -> None:
    vpc(ec2)
    run()
    RECORDER.tape = tape = Tape()
    done = run()
    assert done == Prepared(intact=2)
    assert tape.calls
    assert not tape.writes


def test_its_role_allows_exactly_what_it_calls(ec2: Any) -> None:
    vpc(ec2)
    run()
    seen = RECORDER.tape.permissions
    ec2.revoke_security_group_egress(
        GroupId=groups(ec2, ec2.describe_vpcs()["Vpcs"][0]["VpcId"])["untrack"]["GroupId"], IpPermissions=EVERYONE[:1]
    )
    run()
    seen |= RECORDER.tape.permissions
    assert seen == permissions(PREPARE)
    marked = [grant for grant in PREPARE if isinstance(grant, Grant) and grant.action == "ec2:CreateSecurityGroup"]
    assert {"StringEquals": {f"aws:RequestTag/{TAG}": list(KINDS)}} in [grant.conditions for grant in marked]


@pytest.mark.parametrize("fault", ["crash", "throttle"])
def test_struck_at_any_call_and_run_again_the_groups_are_whole(fault: Any) -> None:
    for strike in count(1):
        with cured_moto():
            ec2 = ARRANGING.client("ec2")
            made = vpc(ec2)[0]
            RECORDER.tape = tape = Tape(strike=strike, fault=fault)
            try:
                first = run()
            except (Crash, Retriable):
                assert tape.struck
            else:
                if not tape.struck:
                    assert strike > 8
                    return
                assert all(isinstance(problem, Retriable) for problem in first.problems)
            RECORDER.tape = Tape()
            assert run().problems == []
            assert_prepared(ec2, made)


@pytest.mark.parametrize(
    ("kind", "side", "rule"),
    [
        ("sealed", "ingress", EVERYONE[0]),
        (
            "sealed",
            "egress",
            {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]},
        ),
        (
            "untrack",
            "ingress",
            {"IpProtocol": "udp", "FromPort": 53, "ToPort": 53, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]},
        ),
    ],
)
def test_a_group_that_a_person_changed_is_told_and_left_alone(ec2: Any, kind: Kind, side: str, rule: Any) -> None:
    changed, other = vpc(ec2)[0], vpc(ec2, "10.1.0.0/16")[0]
    run()
    group = groups(ec2, changed)[kind]["GroupId"]
    getattr(ec2, f"authorize_security_group_{side}")(GroupId=group, IpPermissions=[rule])
    for each in groups(ec2, other).values():
        ec2.delete_security_group(GroupId=each["GroupId"])
    before, told = groups(ec2, changed), Told()
    RECORDER.tape = tape = Tape()
    with pytest.raises(Refused, match=rf"{group}.*not as Firebreak made it"):
        Prepare(lambda *_: clients(), told).handle([(ACCOUNT, REGION)])
    assert len(told.lines) == 1
    assert group in told.lines[0]
    assert groups(ec2, changed) == before
    assert not any(group in call.sent for call in tape.writes)
    assert_prepared(ec2, other)


def test_a_rule_that_a_person_adds_while_a_group_is_made_is_not_taken_for_ours(ec2: Any) -> None:
    made = vpc(ec2)[0]
    client = boto3.Session(region_name=REGION).client("ec2")

    def meddle(params: Any, **_: Any) -> None:
        if not rules_of(groups(ec2, made)["untrack"]) & {SSH_RULE}:
            ec2.authorize_security_group_ingress(GroupId=params["GroupId"], IpPermissions=[SSH])

    client.meta.events.register("provide-client-params.ec2.AuthorizeSecurityGroupIngress", meddle)

    class Session:
        def client(self, *_: Any, **__: Any) -> Any:
            return client

    done = Prepared()
    prepare_vpcs(SessionClients(Session(), REGION), ACCOUNT, done)
    assert [type(problem) for problem in done.problems] == [Retriable]
    assert [type(problem) for problem in run().problems] == [Refused]
    assert SSH_RULE in rules_of(groups(ec2, made)["untrack"])


def test_a_group_of_that_name_that_we_did_not_make_is_not_finished(ec2: Any) -> None:
    made = vpc(ec2)[0]
    ec2.create_security_group(GroupName=NAMES["sealed"], Description="by hand", VpcId=made)
    done = run()
    assert [type(problem) for problem in done.problems] == [Refused]
    assert groups(ec2, made)["sealed"]["IpPermissionsEgress"]


class Racing:
    """A session in which another run is faster at one operation: its call is made twice."""

    def __init__(self, operation: str) -> None:
        self._client = boto3.Session(region_name=REGION).client("ec2")
        self._other = ARRANGING.client("ec2")
        self._client.meta.events.register(f"provide-client-params.ec2.{operation}", self._faster)
        self.raced = 0

    def _faster(self, params: Any, model: Any, **_: Any) -> None:
        method = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in model.name).lstrip("_")
        getattr(self._other, method)(**params)
        self.raced += 1

    def client(self, *_: Any, **__: Any) -> Any:
        return self._client


@pytest.mark.parametrize(
    "operation",
    [
        "CreateSecurityGroup",
        "RevokeSecurityGroupEgress",
        "AuthorizeSecurityGroupIngress",
        "AuthorizeSecurityGroupEgress",
    ],
)
def test_two_runs_at_once_do_not_get_into_each_others_way(ec2: Any, operation: str) -> None:
    made = vpc(ec2, ipv6=False)[0]
    racing, done = Racing(operation), Prepared()
    prepare_vpcs(SessionClients(racing, REGION), ACCOUNT, done)
    assert racing.raced
    assert done.problems == []
    assert_prepared(ec2, made)


def test_a_vpc_that_goes_away_meanwhile_does_not_keep_the_others_from_it(ec2: Any) -> None:
    vpcs = sorted(vpc(ec2, f"10.{number}.0.0/16")[0] for number in range(3))
    client = boto3.Session(region_name=REGION).client("ec2")

    def gone(params: Any, **_: Any) -> None:
        if params["body"]["VpcId"] == vpcs[1]:
            raise ClientError({"Error": {"Code": "InvalidVpcID.NotFound", "Message": vpcs[1]}}, "CreateSecurityGroup")

    client.meta.events.register("before-call.ec2.CreateSecurityGroup", gone)

    class Session:
        def client(self, *_: Any, **__: Any) -> Any:
            return client

    done = Prepared()
    prepare_vpcs(SessionClients(Session(), REGION), ACCOUNT, done)
    assert len(done.problems) == 2
    assert_prepared(ec2, vpcs[0], vpcs[2])


@pytest.mark.parametrize(("error", "expected"), [(Denied("no role"), Refused), (Retriable("later"), Retriable)])
def test_an_account_that_cannot_be_entered_is_told_and_the_others_are_prepared(
    ec2: Any, error: FirebreakError, expected: type[FirebreakError]
) -> None:
    made, told = vpc(ec2)[0], Told()

    def enter(account: str, region: str) -> Clients:
        if account != ACCOUNT:
            raise error
        return clients()

    with pytest.raises(expected, match="444455556666 us-east-1"):
        Prepare(enter, told).handle([("444455556666", REGION), (ACCOUNT, REGION)])
    assert told.lines == [f"444455556666 us-east-1: {error}"]
    assert_prepared(ec2, made)


def test_people_are_told_nothing_where_all_is_well(ec2: Any) -> None:
    vpc(ec2)
    told = Told()
    done = Prepare(lambda *_: clients(), told).handle([(ACCOUNT, REGION)])
    assert len(done.made) == 2
    assert told.lines == []
