"""The vault: an S3 bucket that locks what is put into it. What reads it again is in `vault_reader`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from firebreak.adapters.aws import translate
from firebreak.core.evidence import Kept


class Bucket:
    """`firebreak.ports.Vault` on S3.

    Args:
        client: makes a boto3 S3 client; called when something is kept, since making one costs more than the rest of a
            cold start and most invocations keep nothing.
        name: the bucket.
    """

    def __init__(self, client: Callable[[], Any], name: str) -> None:
        self._make = client
        self._name = name
        self._client: Any = None

    def keep(self, prefix: str, content: Any) -> Kept:
        """Store a JSON value under a prefix and its own SHA-256, once.

        The write is conditional on the name being free (Amazon S3 User Guide, "Conditional writes"): what is kept again
        adds no version.
        """
        body = json.dumps(content, ensure_ascii=False, sort_keys=True).encode("utf-8", "surrogatepass")
        sha256 = hashlib.sha256(body).hexdigest()
        name = f"{prefix}{sha256}.json"
        kept = Kept(where=f"s3://{self._name}/{name}", sha256=sha256, size=len(body))
        if self._client is None:
            self._client = self._make()
        try:
            self._client.put_object(
                Bucket=self._name,
                Key=name,
                Body=body,
                ContentType="application/json",
                ChecksumAlgorithm="SHA256",
                IfNoneMatch="*",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("PreconditionFailed", "ConditionalRequestConflict"):
                raise translate(error, "put_object") from error
        except BotoCoreError as error:
            raise translate(error, "put_object") from error
        return kept
