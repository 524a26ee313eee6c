"""The HTTP API: people's answers, from Slack and from the command line."""

from __future__ import annotations

import json

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as http
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.nag import acknowledge
from stacks.response.log import log_group

LOGGED = {
    "at": "$context.requestTime",
    "from": "$context.identity.sourceIp",
    "route": "$context.routeKey",
    "status": "$context.status",
    "request": "$context.requestId",
    "error": "$context.error.message",
    "caller": "$context.identity.userArn",
}
"""Never the body or the headers: they hold signatures and what people wrote."""


class Api(Construct):
    """Two routes to the same function: one that Slack signs, one that IAM guards.

    Args:
        scope: the stack.
        prefix: what its name starts with.
        answer: the function.
        log_days: how long the access log is kept.
    """

    def __init__(self, scope: Construct, prefix: str, answer: lambda_.IFunction, log_days: int) -> None:
        super().__init__(scope, "Api")
        self.api = http.HttpApi(
            self,
            "Api",
            api_name=f"{prefix}-approvals",
            description="Firebreak: answers to questions",
            create_default_stage=False,
        )
        integration = integrations.HttpLambdaIntegration("Answer", answer)
        (interactions,) = self.api.add_routes(
            path="/slack/interactions", methods=[http.HttpMethod.POST], integration=integration
        )
        (approvals,) = self.api.add_routes(
            path="/approvals/{id}",
            methods=[http.HttpMethod.POST],
            integration=integration,
            authorizer=authorizers.HttpIamAuthorizer(),
        )
        acknowledge(
            interactions,
            "Slack cannot sign for IAM; the function checks Slack's signature over the raw body before anything else",
            "APIG4",
        )
        self.stage = http.HttpStage(
            self,
            "Stage",
            http_api=self.api,
            auto_deploy=True,
            throttle=http.ThrottleSettings(rate_limit=5, burst_limit=10),
        )
        # Each route has its own allowance: a flood on the public one does not keep an operator from denying.
        stage = self.stage.node.default_child
        assert isinstance(stage, http.CfnStage)
        stage.access_log_settings = http.CfnStage.AccessLogSettingsProperty(
            destination_arn=log_group(self, log_days).log_group_arn, format=json.dumps(LOGGED)
        )
        stage.route_settings = {
            route: {"ThrottlingRateLimit": 5, "ThrottlingBurstLimit": 10}
            for route in ("POST /slack/interactions", "POST /approvals/{id}")
        }
        self.stage.node.add_dependency(interactions, approvals)
        cdk.CfnOutput(self, "Interactions", value=f"{self.api.api_endpoint}/slack/interactions")
        cdk.CfnOutput(self, "Approvals", value=f"{self.api.api_endpoint}/approvals")
