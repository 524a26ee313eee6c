"""Where Firebreak keeps what it knows: the table, the evidence bucket, the key over both, the secrets of Slack."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from firebreak.core.deployment import Retention
from stacks.nag import acknowledge


class Storage(Construct):
    """The table, the evidence bucket, the secrets, and their key.

    Args:
        scope: the stack.
        prefix: what names start with.
        retention: how long evidence is kept.

    Attributes:
        key: encrypts the rest, and the notice topic.
        table: see docs/architecture.md, "The table".
        evidence: raw events and manifests; versioned, with Object Lock available.
        bot_token: JSON `{"bot_token": …}`.
        signing_secret: JSON `{"signing_secret": …, "previous": …}`.
    """

    def __init__(self, scope: Construct, prefix: str, retention: Retention) -> None:
        super().__init__(scope, "Storage")
        self.key = self._key(prefix)
        self.table = self._table(prefix)
        self.evidence = self._evidence(retention)
        self.bot_token = self._secret("BotToken", "bot_token", f"{prefix}/slack-bot-token")
        self.signing_secret = self._secret("SigningSecret", "signing_secret", f"{prefix}/slack-signing-secret")

    def _key(self, prefix: str) -> kms.Key:
        key = kms.Key(
            self,
            "Key",
            alias=f"{prefix}/storage",
            description="Firebreak: table, evidence, secrets, notices",
            enable_key_rotation=True,
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        stack = cdk.Stack.of(self)
        # As the AWS-managed keys do it: whoever may use the table or the bucket may use the key, but only through it.
        services = ("dynamodb", "s3", "secretsmanager", "sns")
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="ThroughTheServices",
                principals=[iam.AnyPrincipal()],
                actions=["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:DescribeKey"],
                resources=["*"],
                conditions={
                    "StringEquals": {
                        "kms:CallerAccount": stack.account,
                        "kms:ViaService": [f"{name}.{stack.region}.{stack.url_suffix}" for name in services],
                    }
                },
            )
        )
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="NoticesOfAlarms",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=["*"],
                conditions={"StringEquals": {"aws:SourceAccount": stack.account}},
            )
        )
        return key

    def _table(self, prefix: str) -> dynamodb.Table:
        table = dynamodb.Table(
            self,
            "Table",
            table_name=prefix,
            partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="sk", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=self.key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
            time_to_live_attribute="ttl",  # replay marks: what the five-minute window refuses anyway
            deletion_protection=True,
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        table.add_global_secondary_index(
            index_name="listing",
            partition_key=dynamodb.Attribute(name="listing", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="listed_at", type=dynamodb.AttributeType.STRING),
        )
        return table

    def _evidence(self, retention: Retention) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "Evidence",
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self.key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            object_lock_enabled=True,
            lifecycle_rules=[
                s3.LifecycleRule(
                    expiration=cdk.Duration.days(retention.evidence),
                    noncurrent_version_expiration=cdk.Duration.days(retention.evidence),
                    abort_incomplete_multipart_upload_after=cdk.Duration.days(1),
                )
            ],
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        acknowledge(
            bucket,
            "who reads evidence is seen in CloudTrail's data events, which name the identity; a log bucket beside it"
            " would hold the same names under weaker protection",
            "S1",
        )
        return bucket

    def _secret(self, id: str, member: str, name: str) -> secretsmanager.Secret:
        secret = secretsmanager.Secret(
            self,
            id,
            secret_name=name,
            description="Firebreak: written by the operator after deployment; random, hence useless, until then",
            encryption_key=self.key,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template="{}",  # noqa: S106 - an empty object, which the random value is put into
                generate_string_key=member,
                exclude_punctuation=True,
            ),
        )
        acknowledge(secret, "Slack issues this value; nothing at AWS can rotate it", "SMG4")
        return secret
