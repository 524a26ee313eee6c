"""What moto answers about buckets otherwise than AWS documents, set right. Installed with the other cures."""

from __future__ import annotations

from functools import wraps
from typing import Any

from moto.s3.exceptions import BucketAccessDeniedError
from moto.s3.models import S3Backend
from moto.s3.responses import S3Response
from moto.s3.utils import bucket_policy_is_public


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


def public_policies() -> None:
    """A bucket whose block refuses public policies takes none, not even one that is only a little less public.

    Amazon S3 User Guide, "Blocking public access to your Amazon S3 storage", BlockPublicPolicy: calls to
    PutBucketPolicy are rejected if the policy allows public access. moto takes it.
    """
    original = S3Backend.put_bucket_policy

    @wraps(original)
    def put(self: Any, bucket_name: str, policy: bytes) -> None:
        block = self.get_bucket(bucket_name).public_access_block
        if block and block.block_public_policy and bucket_policy_is_public(policy):
            raise BucketAccessDeniedError(bucket=bucket_name)
        original(self, bucket_name, policy)

    S3Backend.put_bucket_policy = put  # type: ignore[method-assign]
