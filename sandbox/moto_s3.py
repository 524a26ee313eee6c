"""What moto answers about buckets otherwise than AWS documents, set right. Installed with the other cures."""

from __future__ import annotations

from functools import wraps
from typing import Any

from moto.s3.exceptions import BucketAccessDeniedError
from moto.s3.responses import S3Response


def owners() -> None:
    """A call that says whose the bucket has to be is refused where it is somebody else's.

    Amazon S3 User Guide, "Verifying bucket ownership with bucket owner condition": 403 AccessDenied. moto looks at no
    owner.
    """
    original = S3Response._authenticate_and_authorize_s3_action

    @wraps(original)
    def authorize(self: Any, bucket_name: str | None = None, key_name: str | None = None) -> None:
        expected = self.headers.get("x-amz-expected-bucket-owner")
        if expected and bucket_name and self.backend.get_bucket(bucket_name).account_id != expected:
            raise BucketAccessDeniedError(bucket=bucket_name)
        original(self, bucket_name, key_name)

    S3Response._authenticate_and_authorize_s3_action = authorize  # type: ignore[method-assign]
