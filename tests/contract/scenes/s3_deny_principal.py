"""A bucket without a policy."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from firebreak.core.model import Json
from firebreak.core.target import Bucket
from tests.contract.scenes import ACCOUNT, REGION, Scene

NAME = "customers-example"
SOMEONES = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "Reports",
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::999999999999:role/reports"},
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{NAME}/*",
        }
    ],
}


class World(Scene):
    cases = {"everyone outside": {}, "a role": {"principal": f"arn:aws:iam::{ACCOUNT}:role/shop"}}

    def __init__(self, aws: Callable[[str], Any]) -> None:
        self.s3 = aws("s3")
        self.s3.create_bucket(Bucket=NAME)
        self.target = Bucket(account=ACCOUNT, region=REGION, name=NAME)

    def drift(self) -> None:
        self.s3.put_bucket_policy(Bucket=NAME, Policy=json.dumps(SOMEONES))

    def delete(self) -> None:
        self.s3.delete_bucket(Bucket=NAME)

    def state(self) -> Json:
        try:
            return self.s3.get_bucket_policy(Bucket=NAME)["Policy"]
        except ClientError:
            return None
