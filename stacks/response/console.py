"""What the command line has to know, where it can find it by the deployment's prefix alone."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from firebreak.core.console import ConsoleNames, console_parameter


class Console(Construct):
    """One SSM parameter. It holds names and no secret: what may be done with them is for IAM to say.

    Args:
        scope: the stack.
        names: what it says.
    """

    def __init__(self, scope: Construct, names: ConsoleNames) -> None:
        super().__init__(scope, "Console")
        ssm.StringParameter(
            self,
            "Names",
            parameter_name=console_parameter(names.prefix),
            description="Firebreak: where the command line finds this deployment",
            string_value=cdk.Stack.of(self).to_json_string(names.model_dump(mode="json")),
        )
