"""Buckets are named with their owner, and nothing that is no bucket is."""

from __future__ import annotations

from typing import NoReturn

import pytest

from firebreak.core.buckets import owned, unless
from firebreak.core.errors import AwsError, Refused
from firebreak.core.target import Bucket, Instance, Place

HERE = {"account": "111122223333", "region": "us-east-1"}


@pytest.mark.parametrize("name", ["customers", "a.b-c", "Old_Bucket", "x" * 255])
def test_a_bucket_is_named_with_its_owner(name: str) -> None:
    assert owned(Bucket(**HERE, name=name)) == {"Bucket": name, "ExpectedBucketOwner": "111122223333"}


@pytest.mark.parametrize(
    ("target", "because"),
    [
        (Bucket(**HERE, name="*"), "no name"),
        (Bucket(**HERE, name="customers*"), "no name"),
        (Bucket(**HERE, name="x" * 256), "no name"),
        (Bucket(**HERE, name="customers\n"), "no name"),
        (Bucket(**HERE, name="fast--use1-az4--x-s3"), "directory bucket"),
        (Instance(**HERE, instance_id="i-0123456789abcdef0"), "no name"),
    ],
    ids=lambda value: value.label if isinstance(value, Place) else value,
)
def test_what_is_no_general_purpose_bucket_is_refused(target: Place, because: str) -> None:
    with pytest.raises(Refused, match=because):
        owned(target)


def test_what_is_not_set_is_none_and_every_other_refusal_is_raised() -> None:
    def refuse() -> NoReturn:
        raise AwsError("NoSuchBucketPolicy", "GetBucketPolicy", "none")

    assert unless("NoSuchBucketPolicy", refuse) is None
    assert unless("NoSuchBucketPolicy", lambda: {"Policy": "{}"}) == {"Policy": "{}"}
    with pytest.raises(AwsError):
        unless("NoSuchTagSet", refuse)
