"""What reads a vault again, under the credentials of whoever wants to know."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from firebreak.adapters.aws import translate

SCHEME = "s3://"


class VaultReader:
    """Reads S3 buckets.

    Args:
        client: boto3 S3 client.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def fetch(self, where: str) -> bytes | None:
        """Return what is at a place, None where nothing is (any more).

        Args:
            where: "s3://bucket/name".

        Raises:
            Denied: it may not be read.
        """
        bucket, _, name = where.removeprefix(SCHEME).partition("/")
        try:
            return bytes(self._client.get_object(Bucket=bucket, Key=name)["Body"].read())
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "NoSuchBucket"):
                return None
            raise translate(error, "get_object") from error
        except BotoCoreError as error:
            raise translate(error, "get_object") from error

    def places(self, bucket: str, prefix: str) -> Iterator[str]:
        """Return where everything is whose name starts with a prefix.

        Raises:
            Denied: it may not be listed.
        """
        try:
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                yield from (f"{SCHEME}{bucket}/{found['Key']}" for found in page.get("Contents", ()))
        except (ClientError, BotoCoreError) as error:
            raise translate(error, "list_objects_v2") from error
