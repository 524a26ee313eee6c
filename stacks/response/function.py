"""A Lambda function of Firebreak: a role of its own that can do nothing by itself, a log group, the one asset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.nag import acknowledge, wildcard
from stacks.names import function_role
from stacks.queue import dead_letters
from stacks.response.log import log_group
from stacks.statement import allow


class Function(Construct):
    """One function.

    Args:
        scope: what it belongs to.
        word: what the function is called everywhere: "execute-destructive".
        prefix: what names start with.
        code: the asset.
        handler: the module under `firebreak.handlers`.
        timeout: seconds it may take.
        environment: its variables, see docs/architecture.md.
        statements: what its role may do besides logs and traces.
        log_days: how long its logs are kept.
        wildcards: resources in the statements that hold one, each with the reason.
        asynchronous: whether events wake it, so that what it fails to handle goes to a queue of its own.

    Attributes:
        function: the function.
        dead_letters: that queue, where asynchronous.
        logs: where it logs to.
    """

    def __init__(
        self,
        scope: Construct,
        word: str,
        *,
        prefix: str,
        code: lambda_.Code,
        handler: str,
        timeout: int,
        environment: Mapping[str, str],
        statements: Sequence[iam.PolicyStatement],
        log_days: int,
        wildcards: Mapping[str, str],
        memory: int = 512,
        asynchronous: bool = False,
    ) -> None:
        super().__init__(scope, "".join(part.capitalize() for part in word.split("-")))
        self.dead_letters: sqs.Queue | None = dead_letters(self, "DeadLetters") if asynchronous else None
        self.logs = log_group(self, log_days)
        role = iam.Role(
            self,
            "Role",
            role_name=function_role(prefix, word),
            description=f"Firebreak: the function {word}",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        )
        for statement in (
            allow(["logs:CreateLogStream", "logs:PutLogEvents"], [self.logs.log_group_arn]),
            *statements,
        ):
            role.add_to_policy(statement)
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=f"{prefix}-{word}",
            description=f"Firebreak: {word}",
            code=code,
            handler=f"firebreak.handlers.{handler}.handler",
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            memory_size=memory,
            timeout=cdk.Duration.seconds(timeout),
            environment=dict(environment),
            role=role,
            log_group=self.logs,
            logging_format=lambda_.LoggingFormat.JSON,
            tracing=lambda_.Tracing.ACTIVE,
            dead_letter_queue=self.dead_letters,
            retry_attempts=2 if asynchronous else None,
        )
        acknowledge(
            self.function, "3.13 is the newest interpreter that the whole test suite is run on before deploying", "L1"
        )
        for resource, reason in wildcards.items():
            acknowledge(role, reason, wildcard(role, resource))
        acknowledge(role, "X-Ray has no resources to narrow the sending of traces to", "IAM5[Resource::*]")
