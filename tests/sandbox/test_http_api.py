"""The HTTP API: the event of format 2.0, and who gets through a guarded route."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from sandbox.identity import access_key
from sandbox.world import Sandbox


def post(sandbox: Sandbox, path: str, body: bytes, **headers: str) -> tuple[int, Any]:
    pool = urllib3.PoolManager()
    answer = pool.request("POST", sandbox.api_url() + path, body=body, headers=headers)
    pool.clear()
    return answer.status, json.loads(answer.data)


def signed(sandbox: Sandbox, path: str, key: str) -> dict[str, str]:
    request = AWSRequest("POST", sandbox.api_url() + path, data=b"{}")
    SigV4Auth(Credentials(key, "x"), "execute-api", "us-east-1").add_auth(request)
    return dict(request.headers.items())


def test_the_function_gets_the_raw_body_and_lower_case_headers(sandbox: Sandbox) -> None:
    body = b"payload=%7B%22a%22%3A1%7D"
    kind = "application/x-www-form-urlencoded"
    status, answer = post(
        sandbox, "/slack/interactions?x=1", body, **{"X-Slack-Signature": "v0=1", "Content-Type": kind}
    )
    event = answer["event"]
    assert status == 200
    assert (event["version"], event["routeKey"], event["rawPath"]) == (
        "2.0",
        "POST /slack/interactions",
        "/slack/interactions",
    )
    assert event["headers"]["x-slack-signature"] == "v0=1"
    assert event["queryStringParameters"] == {"x": "1"}
    # API Gateway takes a form for binary and encodes it.
    assert event["isBase64Encoded"] is True
    assert "authorizer" not in event["requestContext"]


def test_text_is_handed_on_as_it_is(sandbox: Sandbox) -> None:
    _, answer = post(sandbox, "/slack/interactions", '{"ü": 1}'.encode(), **{"Content-Type": "application/json"})
    assert (answer["event"]["body"], answer["event"]["isBase64Encoded"]) == ('{"ü": 1}', False)


def test_a_guarded_route_needs_a_signature_of_somebody_known(sandbox: Sandbox) -> None:
    assert post(sandbox, "/approvals/a1", b"{}") == (403, {"message": "Forbidden"})
    assert post(sandbox, "/approvals/a1", b"{}", **signed(sandbox, "/approvals/a1", "AKIAIOSFODNN7EXAMPLE"))[0] == 403
    assert sandbox.functions.invocations == []
    key = access_key(f"administrator of {sandbox.account}")
    status, answer = post(sandbox, "/approvals/a1", b"{}", **signed(sandbox, "/approvals/a1", key))
    assert status == 200
    assert answer["event"]["pathParameters"] == {"id": "a1"}
    caller = answer["event"]["requestContext"]["authorizer"]["iam"]
    assert caller["userArn"] == f"arn:aws:iam::{sandbox.account}:user/administrator"


def test_a_user_of_the_estate_is_known_until_the_key_is_off(sandbox: Sandbox) -> None:
    iam = sandbox.client("iam")
    iam.create_user(UserName="alice")
    key = iam.create_access_key(UserName="alice")["AccessKey"]["AccessKeyId"]
    _, answer = post(sandbox, "/approvals/a1", b"{}", **signed(sandbox, "/approvals/a1", key))
    assert answer["event"]["requestContext"]["authorizer"]["iam"]["userArn"].endswith(":user/alice")
    iam.update_access_key(UserName="alice", AccessKeyId=key, Status="Inactive")
    assert post(sandbox, "/approvals/a1", b"{}", **signed(sandbox, "/approvals/a1", key))[0] == 403


@pytest.mark.parametrize("path", ["/nowhere", "/approvals", "/approvals/a/b"])
def test_what_no_route_takes_is_not_found(sandbox: Sandbox, path: str) -> None:
    assert post(sandbox, path, b"{}") == (404, {"message": "Not Found"})


def test_a_failing_function_is_an_internal_error(sandbox: Sandbox) -> None:
    sandbox.functions.kill_before("toy-triage", 1)
    api = next(iter(sandbox.cloud.apis.values()))
    triage = sandbox.functions.find("toy-triage").arn
    api.routes[:] = [type(api.routes[0])("POST /x", triage, iam=False)]
    assert post(sandbox, "/x", b"{}") == (500, {"message": "Internal Server Error"})


def test_the_boto_client_of_an_unknown_key_still_belongs_to_the_home_account(sandbox: Sandbox) -> None:
    sts = boto3.client(
        "sts",
        region_name="us-east-1",
        endpoint_url=sandbox.url,
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="x",
    )
    with pytest.raises(sts.exceptions.ClientError, match="InvalidClientTokenId"):
        sts.get_caller_identity()
    sts.close()
