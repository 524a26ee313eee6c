"""Small pieces of a Lambda world on moto, for tests."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

NAME = "orders"


def function(aws: Callable[[str], Any], name: str = NAME) -> str:
    """Make a function with a role; return its ARN."""
    iam = aws("iam")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    made = aws("lambda").create_function(
        FunctionName=name, Role=role, Handler="main.handle", Runtime="python3.13", Code={"ZipFile": b"code"}
    )
    return str(made["FunctionArn"])


def mapping(aws: Callable[[str], Any], queue: str, name: str = NAME, *, enabled: bool = True) -> str:
    """Have a function poll a new queue; return the mapping's id."""
    sqs = aws("sqs")
    url = sqs.create_queue(QueueName=queue)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    made = aws("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName=name, Enabled=enabled)
    return str(made["UUID"])
