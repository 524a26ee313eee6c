"""What GuardDuty's wire does that its documentation does not say, row by row, and what must not follow from it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from firebreak.core.errors import FindingError, NotForFirebreak
from firebreak.core.finding import Actor, Remote, Severity
from firebreak.core.source import Origin
from firebreak.core.target import Instance, LambdaFunction, S3Object
from firebreak.sources.guardduty import GuardDuty
from tests.sources.findings import changed, fixture, one

DNS = fixture("guardduty", "instance-dns")
CONNECTION = fixture("guardduty", "instance-brute-forced")
RESOURCE = "detail.resource"
SERVICE = "detail.service"
ACTION = f"{SERVICE}.action.networkConnectionAction"


@pytest.mark.parametrize(
    ("severity", "band", "score"),
    [
        (0, Severity.INFO, "0"),
        (1, Severity.LOW, "1"),
        (3.9, Severity.LOW, "3.9"),
        (3.95, Severity.LOW, "3.95"),
        (4, Severity.MEDIUM, "4"),
        (6.9, Severity.MEDIUM, "6.9"),
        (7.0, Severity.HIGH, "7.0"),
        (8.9, Severity.HIGH, "8.9"),
        (9, Severity.CRITICAL, "9"),
        (10.0, Severity.CRITICAL, "10.0"),
        ("8.5", Severity.HIGH, "8.5"),
        (" 5 ", Severity.MEDIUM, "5"),
        ("High", Severity.HIGH, "high"),
        ("informational", Severity.INFO, "informational"),
    ],
)
def test_severity_is_a_band_whatever_its_json_type(severity: Any, band: Severity, score: str) -> None:
    found = one(changed(DNS, "detail.severity", severity))
    assert (found.severity, found.score) == (band, score)


@pytest.mark.parametrize("severity", [-1, 11, 10**400, "much", "", True, [8], {}, "1" * 600])
def test_a_severity_off_the_scale_is_named(severity: Any) -> None:
    with pytest.raises(FindingError) as caught:
        one(changed(DNS, "detail.severity", severity))
    assert caught.value.field == "detail.severity"


@pytest.mark.parametrize("field", ["id", "type", "severity", "accountId", "region", "resource"])
@pytest.mark.parametrize("value", [..., None], ids=["absent", "null"])
def test_what_a_finding_cannot_do_without_is_named_as_on_the_wire(field: str, value: Any) -> None:
    with pytest.raises(FindingError) as caught:
        one(changed(DNS, f"detail.{field}", value), Origin())
    assert caught.value.field == f"detail.{field}"
    assert caught.value.reason == "missing"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("accountId", "999999999"),
        ("accountId", "xxxxxxxxxxxx"),
        ("accountId", "1111222233334"),
        ("accountId", "１１１１２２２２３３３３"),
        ("accountId", 12345),
        ("accountId", True),
        ("region", "${region}"),
        ("region", ""),
        ("region", "EU-WEST-1"),
        ("region", 1),
        ("id", ""),
        ("id", "   "),
        ("id", "a\nb"),
        ("id", "x" * 257),
        ("id", "ü" * 129),
        ("id", 5),
        ("type", ["Backdoor:EC2/Spambot"]),
        ("type", "T:" + "x" * 600),
        ("resource", "instance"),
        ("resource", []),
    ],
)
def test_what_is_there_but_unusable_is_named(field: str, value: Any) -> None:
    with pytest.raises(FindingError) as caught:
        one(changed(DNS, f"detail.{field}", value))
    assert caught.value.field == f"detail.{field}"


def test_an_account_id_as_a_number_keeps_its_digits() -> None:
    assert one(changed(DNS, "detail.accountId", 111122223333)).account == "111122223333"


def test_the_surroundings_speak_only_where_the_finding_is_silent() -> None:
    bare = fixture("guardduty", "instance-bare")
    elsewhere = Origin(account="444455556666", region="us-east-1")
    assert one(bare, elsewhere).account == "111122223333"
    silent = changed(changed(bare, "accountId", ...), "region", ...)
    assert (one(silent, elsewhere).account, one(silent, elsewhere).region) == ("444455556666", "us-east-1")
    with pytest.raises(FindingError, match="accountId: missing; give --account"):
        one(silent, Origin())
    with pytest.raises(FindingError, match="accountId: 'redacted' is not"):
        one(changed(bare, "accountId", "redacted"), elsewhere)


def test_a_member_spelt_otherwise_is_pointed_at() -> None:
    bare = changed(fixture("guardduty", "instance-bare"), "accountId", ...)
    with pytest.raises(FindingError, match="there is 'accountid', spelt otherwise"):
        one(changed(bare, "accountid", 111122223333), Origin())


def test_the_owner_is_whose_finding_it_is_not_whose_bus_carried_it() -> None:
    copy = one(fixture("guardduty", "administrator-copy"))
    assert copy.account == "111122223333"
    assert copy.key == one(DNS).key


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (SERVICE, ...),
        (SERVICE, None),
        (SERVICE, "guardduty"),
        (f"{SERVICE}.action", ...),
        (f"{SERVICE}.action", {}),
        (f"{SERVICE}.action", []),
        (f"{SERVICE}.evidence", None),
        (f"{SERVICE}.additionalInfo", ...),
        (f"{SERVICE}.additionalInfo", {"unusual": 22, "value": "not json"}),
        (f"{SERVICE}.additionalInfo", {"unusual": {"isps": "example"}, "recentApiCalls": {"api": "x"}}),
        (f"{SERVICE}.additionalInfo", {"value": "[" * 5000}),
        (f"{RESOURCE}.instanceDetails.platform", None),
        (f"{RESOURCE}.instanceDetails.iamInstanceProfile", None),
        (f"{RESOURCE}.instanceDetails.networkInterfaces", ...),
        (f"{RESOURCE}.instanceDetails.networkInterfaces", []),
        (f"{RESOURCE}.instanceDetails.productCodes", {}),
        (f"{RESOURCE}.instanceDetails.launchTime", 1492735675000),
        (f"{RESOURCE}.instanceDetails.tags", {"0": {"key": "Name", "value": "x"}}),
        (f"{RESOURCE}.kubernetesDetails", {"kubernetesWorkloadDetails": None}),
        (f"{RESOURCE}.resourceType", ...),
        (f"{RESOURCE}.resourceType", ""),
        ("detail.title", ...),
        ("detail.description", None),
        ("detail.partition", ...),
        ("detail.arn", ...),
        ("resources", ...),
        ("debug", True),
        ("detail.resources.tags", "flattened"),
        ("id", ...),
    ],
)
def test_what_is_odd_elsewhere_costs_neither_the_finding_nor_its_target(path: str, value: Any) -> None:
    found = one(changed(DNS, path, value))
    assert [each.key for each in found.targets] == [each.key for each in one(DNS).targets]
    assert (found.type, found.key, found.sample, found.archived) == (one(DNS).type, one(DNS).key, False, False)


@pytest.mark.parametrize(
    ("path", "value", "remotes"),
    [
        (f"{ACTION}.remoteIpDetails.geoLocation", {"lat": "12.5", "lon": 3}, (Remote(ip="198.51.100.7", port=40022),)),
        (f"{ACTION}.remoteIpDetails.country", {}, (Remote(ip="198.51.100.7", port=40022),)),
        (f"{ACTION}.remoteIpDetails.organization.asn", 64496, (Remote(ip="198.51.100.7", port=40022),)),
        (f"{ACTION}.blocked", "false", (Remote(ip="198.51.100.7", port=40022),)),
        (f"{ACTION}.remotePortDetails.port", "40022", (Remote(ip="198.51.100.7", port=40022),)),
        (f"{ACTION}.remotePortDetails.port", 70000, (Remote(ip="198.51.100.7"),)),
        (f"{ACTION}.remotePortDetails", ..., (Remote(ip="198.51.100.7"),)),
        (f"{ACTION}.remoteIpDetails.ipAddressV4", "${ip}", ()),
        (f"{ACTION}.remoteIpDetails.ipAddressV4", "fe80::1%<b>", ()),
        (f"{ACTION}.remoteIpDetails.ipAddressV4", "", ()),
        (
            f"{ACTION}.remoteIpDetails.ipAddressV6",
            "2001:DB8:0::7",
            (Remote(ip="198.51.100.7", port=40022), Remote(ip="2001:db8::7", port=40022)),
        ),
    ],
)
def test_the_other_end_is_read_from_whatever_it_comes_as(path: str, value: Any, remotes: tuple[Remote, ...]) -> None:
    assert one(changed(CONNECTION, path, value)).remotes == remotes


def test_of_hundreds_of_other_ends_fifty_are_kept_each_once() -> None:
    kubernetes = fixture("guardduty", "eks-audit-workload")
    addresses = [f"198.51.100.{number % 200}" for number in range(400)]
    found = one(changed(kubernetes, f"{SERVICE}.action.kubernetesApiCallAction.sourceIPs", addresses))
    assert len(found.remotes) == 50
    assert len(set(found.remotes)) == 50
    users = [{"id": str(number), "user": {"name": f"user-{number}"}} for number in range(400)]
    assert len(one(changed(fixture("guardduty", "attack-sequence"), f"{PARTS}.actors", users)).actors) == 50


def test_a_port_probe_that_came_unwrapped_is_a_list_of_one() -> None:
    probe = fixture("guardduty", "instance-port-probe")
    path = f"{SERVICE}.action.portProbeAction.portProbeDetails"
    alone = probe["detail"]["service"]["action"]["portProbeAction"]["portProbeDetails"][0]
    assert one(changed(probe, path, alone)).remotes == (Remote(ip="198.51.100.8"),)


@pytest.mark.parametrize(("count", "expected"), [("2594", 2594), (3, 3), (..., 1), ("many", 1), (0, 1), (10**300, 1)])
def test_count_may_be_text_or_absent(count: Any, expected: int) -> None:
    assert one(changed(DNS, f"{SERVICE}.count", count)).count == expected


@pytest.mark.parametrize(
    ("archived", "expected"), [(True, True), ("true", True), ("false", False), (False, False), (None, False)]
)
def test_archived_may_be_text_or_absent(archived: Any, expected: bool) -> None:
    found = one(changed(DNS, f"{SERVICE}.archived", archived))
    assert found.archived is expected
    assert found.drop_reason == ("archived" if expected else None)


AT = datetime(2026, 11, 2, 9, 58, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-02T09:58:11Z",
        "2026-11-02T09:58:11.000Z",
        "2026-11-02 09:58:11",
        "2026-11-02 09:58:11.000000000",
        "2026-11-02T09:58:11.000000000Z",
        "2026-11-02T10:58:11+01:00",
        1793613491,
        1793613491.0,
        1793613491000,
        "1793613491",
    ],
)
def test_times_come_in_many_forms(text: Any) -> None:
    found = one(changed(changed(DNS, "detail.createdAt", text), "detail.updatedAt", text))
    assert (found.created_at, found.updated_at) == (AT, AT)


def test_a_time_that_is_missing_is_taken_from_the_next_best_and_never_hides_news() -> None:
    without = changed(changed(DNS, "detail.createdAt", ...), "detail.updatedAt", "yesterday")
    found = one(without)
    assert found.created_at == datetime(2026, 11, 2, 9, 51, 40, tzinfo=UTC)  # eventFirstSeen
    assert found.updated_at == datetime(2026, 11, 2, 9, 56, 2, tzinfo=UTC)  # eventLastSeen
    assert one(changed(without, SERVICE, ...)).updated_at == datetime(2026, 11, 2, 10, 0, 5, tzinfo=UTC)  # arrival
    bare = one(fixture("guardduty", "partial"))
    assert bare.updated_at == datetime(1970, 1, 1, tzinfo=UTC)
    assert bare.later(one(fixture("guardduty", "partial") | {"updatedAt": "2026-11-02T09:58:11Z"})).updated_at == AT


@pytest.mark.parametrize(
    ("more", "sample"),
    [
        ({"sample": True}, True),
        ({"sample": "true"}, True),
        ({"value": '{"sample":true}'}, True),
        ({"value": '{"sample":false}'}, False),
        ({"sample": False, "value": "{}"}, False),
        ({"value": '{"userAgent":"\\"sample\\":true"}'}, False),
        ({"value": '[{"sample":true}]'}, False),
        ({"value": "{" * 100}, False),
        (None, False),
    ],
)
def test_a_sample_says_so_in_either_encoding(more: Any, sample: bool) -> None:
    found = one(changed(DNS, f"{SERVICE}.additionalInfo", more))
    assert found.sample is sample
    assert found.drop_reason == ("sample" if sample else None)


def test_nobody_can_pass_for_a_sample_by_choosing_a_name() -> None:
    key = fixture("guardduty", "access-key")
    assert one(changed(key, f"{RESOURCE}.accessKeyDetails.accessKeyId", "GeneratedFindingAccessKeyId")).sample
    for path, value in (
        (f"{RESOURCE}.accessKeyDetails.userName", "GeneratedFindingUserName"),
        (f"{RESOURCE}.accessKeyDetails.principalId", "AROACKCEVSQ6C2EXAMPLE:GeneratedFindingSession"),
        (f"{SERVICE}.action.awsApiCallAction.userAgent", "GeneratedFinding"),
        (f"{RESOURCE}.instanceDetails.tags", [{"key": "GeneratedFindingTag", "value": "GeneratedFindingValue"}]),
        ("detail.title", "[SAMPLE] GeneratedFinding"),
    ):
        assert not one(changed(key, path, value)).sample


@pytest.mark.parametrize("form", ["error-api-form", "error-api-form-bare"])
def test_the_api_form_is_refused_as_such(form: str) -> None:
    with pytest.raises(NotForFirebreak, match="PascalCase form, the answer of the GetFindings API"):
        one(fixture("guardduty", form))


def test_a_whole_answer_of_get_findings_is_refused_as_such() -> None:
    with pytest.raises(NotForFirebreak, match="GetFindings"):
        one({"Findings": [fixture("guardduty", "error-api-form-bare")]})


def test_a_stub_of_the_api_form_is_refused_as_such_too() -> None:
    with pytest.raises(NotForFirebreak, match="GetFindings"):
        one({"Severity": 8, "Type": "Execution:Runtime/ReverseShell", "Service": {"ServiceName": "guardduty"}})


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("GuardDuty Runtime Protection Healthy", "covers a resource again"),
        ("GuardDuty Malware Protection Post Scan Action Failed", "could not be tagged"),
        ("AWS API Call via CloudTrail", "called GuardDuty's API"),
        ("GuardDuty Something New", "another message"),
    ],
)
def test_other_messages_of_guardduty_are_told_apart(kind: str, says: str) -> None:
    with pytest.raises(NotForFirebreak, match=f"{kind}.*{says}"):
        one({"source": "aws.guardduty", "detail-type": kind, "detail": {}})


@pytest.mark.parametrize("detail", [..., None, "text", [], 1])
def test_an_envelope_without_a_finding_names_detail(detail: Any) -> None:
    with pytest.raises(FindingError) as caught:
        one(changed(DNS, "detail", detail))
    assert caught.value.field == "detail"


def test_an_envelope_that_lost_its_source_still_holds_a_finding() -> None:
    assert one({"detail": DNS["detail"]}).key == one(DNS).key


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"AwsAccountId": "111122223333", "Types": ["TTPs/x"], "Resources": [], "Id": "arn:aws:guardduty:x"},
        {"awsAccountId": "111122223333", "type": "PACKAGE_VULNERABILITY", "severity": "HIGH", "resources": []},
        {"class_uid": 2004, "finding_info": {}},
        {"source": "aws.securityhub", "detail-type": "Findings Imported V2", "detail": DNS["detail"]},
        {"source": "someone", "detail-type": "GuardDuty Finding", "detail": DNS["detail"]},
    ],
)
def test_nothing_else_is_claimed(event: dict[str, Any]) -> None:
    assert not GuardDuty().claims(event)


def test_details_of_an_instance_do_not_make_it_a_target() -> None:
    for case in ("access-key", "s3-bucket"):
        event = fixture("guardduty", case)
        assert event["detail"]["resource"]["instanceDetails"]
        assert not any(isinstance(each, Instance) for each in one(event).targets)


def test_whoever_assumes_a_role_cannot_point_at_an_instance_by_the_session_name() -> None:
    session = "AROACKCEVSQ6C2EXAMPLE:i-0abc1234def567890"
    key = changed(fixture("guardduty", "access-key"), f"{RESOURCE}.accessKeyDetails.principalId", session)
    assert [each.kind for each in one(key).targets] == ["access_key"]
    found = one(fixture("guardduty", "access-key-of-an-instance"))  # here GuardDuty itself says whose keys they are
    assert [each.kind for each in found.targets] == ["access_key", "instance"]


def test_an_instance_id_that_is_none_is_kept_by_name_where_nothing_can_act_on_it() -> None:
    found = one(changed(DNS, f"{RESOURCE}.instanceDetails.instanceId", "${instance_id}"))
    assert [(each.kind, each.label) for each in found.targets] == [("resource", "Instance/${instance_id}")]


def test_a_function_is_known_by_its_arn_alone() -> None:
    function = changed(fixture("guardduty", "lambda"), f"{RESOURCE}.lambdaDetails.functionName", ...)
    (target,) = one(function).targets
    assert isinstance(target, LambdaFunction)
    assert target.name == "resize"


@pytest.mark.parametrize(("alias", "kind"), [("DBInstance", "database"), ("AWSS3Bucket", "bucket")])
def test_other_spellings_of_resource_types_are_understood(alias: str, kind: str) -> None:
    event = fixture("guardduty", "rds" if kind == "database" else "s3-bucket")
    assert one(changed(event, f"{RESOURCE}.resourceType", alias)).targets[0].kind == kind


def test_an_object_key_may_be_long_and_odd_and_its_target_still_has_a_key_of_its_own() -> None:
    malware = fixture("guardduty", "s3-object-malware")
    path = f"{RESOURCE}.s3BucketDetails.0.s3ObjectDetails.0.key"
    keys = ["ü" * 512, "ü" * 511 + "ö", "a\nb\x00", " ", "x" * 1024]
    found = [one(changed(malware, path, key)).targets[0] for key in keys]
    assert [each.object_key for each in found if isinstance(each, S3Object)] == keys
    assert len({each.key for each in found}) == len(keys)
    for none in ("", "x" * 1025, None, 5):
        assert [each.kind for each in one(changed(malware, path, none)).targets] == ["bucket"]


def test_one_bucket_where_a_list_is_usual() -> None:
    event = fixture("guardduty", "s3-bucket")
    alone = event["detail"]["resource"]["s3BucketDetails"][0]
    assert [each.label for each in one(changed(event, f"{RESOURCE}.s3BucketDetails", alone)).targets] == [
        "example-data"
    ]


def test_targets_live_where_the_finding_says() -> None:
    china = changed(changed(DNS, "detail.partition", "aws-cn"), "detail.region", "cn-north-1")
    (target,) = one(china).targets
    assert target.key == "aws-cn/111122223333/cn-north-1/instance/i-0abc1234def567890"
    silent = changed(changed(china, "detail.partition", ...), "detail.arn", "arn:aws-cn:guardduty:cn-north-1:x:y/z")
    assert one(silent).partition == "aws-cn"


SEQUENCE = fixture("guardduty", "attack-sequence")
PARTS = f"{SERVICE}.detection.sequence"


def test_a_sequence_names_its_instances_its_actors_and_its_ends() -> None:
    found = one(SEQUENCE)
    assert [each.label for each in found.targets if each.kind == "instance"] == [
        "i-0abc1234def567890",
        "i-0def1234abc567890",
    ]
    assert found.actors == (
        Actor(
            principal_id="AROACKCEVSQ6C2EXAMPLE:i-0abc1234def567890",
            access_key_id="ASIAIOSFODNN7EXAMPLE",
            name="web",
        ),
    )
    assert found.remotes == (Remote(ip="198.51.100.7", domain="c2.example", port=443),)
    assert found.sequence == SEQUENCE["detail"]["arn"]


def test_members_of_a_group_are_targets_only_where_the_sequence_names_no_instance() -> None:
    group = [SEQUENCE["detail"]["service"]["detection"]["sequence"]["resources"][2]]
    found = one(changed(SEQUENCE, f"{PARTS}.resources", group))
    assert [each.label for each in found.targets if each.kind == "instance"] == [
        "i-0aaaaaaaaaaaaaaaa",
        "i-0abc1234def567890",
    ]


def test_a_group_of_thousands_is_cut_and_says_so() -> None:
    group = SEQUENCE["detail"]["service"]["detection"]["sequence"]["resources"][2]
    many = [f"i-{number:017x}" for number in range(900)]
    wide = changed(group, "data.autoscalingAutoScalingGroup.ec2InstanceUids", many)
    found = one(changed(SEQUENCE, f"{PARTS}.resources", [wide]))
    assert len(found.targets) == 200
    assert found.tags["targets_left_out"] == "702"  # the group itself and the actor's key besides


def test_an_actors_key_is_a_target_even_where_no_resource_names_it() -> None:
    found = one(changed(SEQUENCE, f"{PARTS}.resources", []))
    assert [(each.kind, each.region) for each in found.targets] == [("access_key", "global")]
    assert found.posture == "acting"


def test_a_resource_of_another_account_keeps_its_account() -> None:
    found = one(changed(SEQUENCE, f"{PARTS}.resources.1.accountId", "444455556666"))
    assert [each.account for each in found.targets[:2]] == ["111122223333", "444455556666"]


@pytest.mark.parametrize("path", [f"{SERVICE}.detection", PARTS, f"{PARTS}.signals", f"{RESOURCE}.resourceType"])
def test_a_sequence_is_told_by_its_type_whatever_it_lacks(path: str) -> None:
    found = one(changed(SEQUENCE, path, ...))
    assert found.severity == Severity.CRITICAL
    assert found.sequence == SEQUENCE["detail"]["arn"]
    assert found.posture == ("acting" if found.targets else "unknown")


def test_what_an_attacker_may_have_written_is_bounded_and_kept_apart() -> None:
    evil = "<script>" * 200
    event = changed(DNS, "detail.title", evil)
    event = changed(event, f"{SERVICE}.action.dnsRequestAction.domain", f"{evil}.example")
    event = changed(event, f"{RESOURCE}.instanceDetails.tags", [{"key": f"k{n}", "value": evil} for n in range(500)])
    found = one(event)
    assert found.remotes == ()
    assert found.untrusted["title"].startswith("<script>")
    assert max(map(len, found.untrusted.values())) <= 1_000
    assert len(found.untrusted) <= 40
    trusted = found.model_dump(mode="json", exclude={"untrusted"})
    assert "<script>" not in str(trusted)
    assert not any("k0" in tag for tag in found.tags)
