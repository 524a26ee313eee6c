"""A user with two keys, of which one is on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from firebreak.core.model import Json
from firebreak.core.target import GLOBAL, AccessKey
from tests.contract.scenes import ACCOUNT, Scene

NAME = "ana"


class World(Scene):
    def __init__(self, aws: Callable[[str], Any]) -> None:
        self.iam = aws("iam")
        user = self.iam.create_user(UserName=NAME)["User"]
        self.key, self.other = (self.iam.create_access_key(UserName=NAME)["AccessKey"]["AccessKeyId"] for _ in range(2))
        self._set("Inactive", self.other)
        self.target = AccessKey(
            account=ACCOUNT,
            region=GLOBAL,
            access_key_id=self.key,
            principal_id=user["UserId"],
            user_name=NAME,
            user_type="IAMUser",
        )

    def _set(self, status: str, key: str) -> None:
        self.iam.update_access_key(UserName=NAME, AccessKeyId=key, Status=status)

    def drift(self) -> None:
        self._set("Expired", self.key)

    def delete(self) -> None:
        self.iam.delete_access_key(UserName=NAME, AccessKeyId=self.key)

    def state(self) -> Json:
        keys = self.iam.list_access_keys(UserName=NAME)["AccessKeyMetadata"]
        return sorted([key["AccessKeyId"], key["Status"]] for key in keys)
