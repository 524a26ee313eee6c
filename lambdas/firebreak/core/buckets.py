"""S3 buckets, read and named so that no one else's bucket is ever meant."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from firebreak.core.display import clean
from firebreak.core.errors import AwsError, Refused
from firebreak.core.target import Bucket, Place

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]")
_DIRECTORY = "--x-s3"


def owned(target: Place) -> dict[str, str]:
    """Return the arguments by which a call names a bucket and whose it has to be.

    Names are given anew once a bucket is deleted, to whoever asks first; S3 refuses where the owner is another account.

    Raises:
        Refused: it is no general purpose bucket, or its name is none that S3 gives (which an ARN would not survive).
    """
    if not isinstance(target, Bucket) or not _NAME.fullmatch(target.name):
        raise Refused(f"{clean(target.label)} is no name of a bucket")
    if target.name.endswith(_DIRECTORY):
        raise Refused(f"{target.name} is a directory bucket: nothing in it can be public, and it takes no such change")
    return {"Bucket": target.name, "ExpectedBucketOwner": target.account}


def unless(code: str, read: Callable[[], Any]) -> Any:
    """Return what a read answers, or None where S3 says by an error code that nothing of the kind is set."""
    try:
        return read()
    except AwsError as error:
        if error.code != code:
            raise
        return None
