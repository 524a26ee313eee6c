"""The HTTP API, half of which is open to the internet."""

from __future__ import annotations

import json

from tests.stacks.template import Template, text


def test_the_public_route_is_throttled_and_the_other_is_under_iam(response: Template) -> None:
    routes = {one["RouteKey"]: one["AuthorizationType"] for one in response.all("AWS::ApiGatewayV2::Route").values()}
    assert routes == {"POST /slack/interactions": "NONE", "POST /approvals/{id}": "AWS_IAM"}
    stage = response.one("AWS::ApiGatewayV2::Stage")
    assert stage["RouteSettings"]["POST /slack/interactions"] == {
        "ThrottlingRateLimit": 5,
        "ThrottlingBurstLimit": 10,
    }


def test_the_access_log_holds_neither_body_nor_headers(response: Template) -> None:
    log = json.loads(response.one("AWS::ApiGatewayV2::Stage")["AccessLogSettings"]["Format"])
    assert not [value for value in log.values() if "body" in value.lower() or "header" in value.lower()]


def test_the_api_calls_answer_for_its_own_routes_alone(response: Template) -> None:
    answer = response.id_of("AWS::Lambda::Function", "Answer")
    permissions = [
        one
        for one in response.all("AWS::Lambda::Permission").values()
        if one["FunctionName"] == {"Fn::GetAtt": [answer, "Arn"]}
    ]
    assert len(permissions) == 2
    for one in permissions:
        assert one["Principal"] == "apigateway.amazonaws.com"
        assert text(one["SourceArn"]).endswith(("/slack/interactions", "/approvals/{id}"))
