"""A bucket that keeps what belongs to an incident: locked as long as it is kept, read by those who hold its policy."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.nag import acknowledge, wildcard
from stacks.names import reader_policy
from stacks.statement import allow


class Vault(Construct):
    """The bucket and the managed policy of its readers.

    Object Lock holds every version for as long as it is kept, in governance mode: a privileged person can still remove
    what must not be kept, and CloudTrail names them (Amazon S3 User Guide, "Locking objects with Object Lock"). What
    expires gets a delete marker first; the version behind it goes a day later.

    Args:
        scope: what it belongs to.
        id: what is kept, "RawEvents".
        prefix: what names start with.
        word: the same in names, "raw-events".
        key: encrypts it.
        days: how long each object is locked, and then gone.

    Attributes:
        bucket: the bucket.
    """

    def __init__(self, scope: Construct, id: str, *, prefix: str, word: str, key: kms.Key, days: int) -> None:
        super().__init__(scope, id)
        kept = cdk.Duration.days(days)
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            encryption=s3.BucketEncryption.KMS,
            encryption_key=key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            object_lock_enabled=True,
            object_lock_default_retention=s3.ObjectLockRetention.governance(kept),
            lifecycle_rules=[
                s3.LifecycleRule(
                    expiration=kept,
                    noncurrent_version_expiration=cdk.Duration.days(1),
                    abort_incomplete_multipart_upload_after=cdk.Duration.days(1),
                )
            ],
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        acknowledge(
            self.bucket,
            "who reads it is seen in CloudTrail's data events, which name the identity; a log bucket beside it would"
            " hold the same names under weaker protection",
            "S1",
        )
        objects = self.bucket.arn_for_objects("*")
        readers = iam.ManagedPolicy(
            self,
            "Readers",
            managed_policy_name=reader_policy(prefix, word),
            description=f"Firebreak: reads what is kept as {word.replace('-', ' ')}",
            statements=[
                allow(["s3:ListBucket"], [self.bucket.bucket_arn]),
                allow(["s3:GetObject", "s3:GetObjectVersion"], [objects]),
            ],
        )
        acknowledge(readers, "objects are named after incidents", wildcard(self, objects))
