"""Where Firebreak keeps what it knows: the table, two vaults, the key over all of it, the secrets of Slack."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from firebreak.core.deployment import Retention
from stacks.nag import acknowledge
from stacks.response.vault import Vault


class Storage(Construct):
    """The table, the vaults, the secrets, and their key.

    Args:
        scope: the stack.
        prefix: what names start with.
        retention: how long raw events and evidence are kept.

    Attributes:
        key: encrypts the rest, and the notice topic.
        table: see docs/architecture.md, "The table".
        evidence: manifests of incidents.
        raw_events: events as they came. They can hold secrets from command lines, hence kept and read apart.
        bot_token: JSON `{"bot_token": …}`.
        signing_secret: JSON `{"signing_secret": …, "previous": …}`.
    """

    def __init__(self, scope: Construct, prefix: str, retention: Retention) -> None:
        super().__init__(scope, "Storage")
        self.key = self._key(prefix)
        self.table = self._table(prefix)
        self.evidence = Vault(
            self, "Evidence", prefix=prefix, word="evidence", key=self.key, days=retention.evidence
        ).bucket
        self.raw_events = Vault(
            self, "RawEvents", prefix=prefix, word="raw-events", key=self.key, days=retention.raw_events
        ).bucket
        self.bot_token = self._secret("BotToken", "bot_token", f"{prefix}/slack-bot-token")
        self.signing_secret = self._secret("SigningSecret", "signing_secret", f"{prefix}/slack-signing-secret")

    def _key(self, prefix: str) -> kms.Key:
        key = kms.Key(
            self,
            "Key",
            alias=f"{prefix}/storage",
            description="Firebreak: table, evidence, raw events, secrets, notices",
            enable_key_rotation=True,
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        stack = cdk.Stack.of(self)
        # As the AWS-managed keys do it: whoever may use the table or a bucket may use the key, but only through it.
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
