"""A bucket whose owner has turned on one of the four flags."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from firebreak.core.model import Json
from firebreak.core.target import Bucket
from tests.contract.scenes import ACCOUNT, REGION, Scene

NAME = "customers-example"


class World(Scene):
    def __init__(self, aws: Callable[[str], Any]) -> None:
        self.s3 = aws("s3")
        self.s3.create_bucket(Bucket=NAME)
        self._put(BlockPublicPolicy=True)
        self.target = Bucket(account=ACCOUNT, region=REGION, name=NAME)

    def _put(self, **flags: bool) -> None:
        self.s3.put_public_access_block(Bucket=NAME, PublicAccessBlockConfiguration=flags)

    def drift(self) -> None:
        self._put(BlockPublicAcls=True, IgnorePublicAcls=True)

    def delete(self) -> None:
        self.s3.delete_bucket(Bucket=NAME)

    def state(self) -> Json:
        return self.s3.get_public_access_block(Bucket=NAME)["PublicAccessBlockConfiguration"]
