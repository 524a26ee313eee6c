"""Resources that hold something: tables, queues, topics, buckets, secrets, keys. Made in moto."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from sandbox.cloud import Cloud
from sandbox.resource import Made, Resource, creates


@creates(
    "AWS::DynamoDB::Table",
    uses="TableName KeySchema AttributeDefinitions GlobalSecondaryIndexes BillingMode StreamSpecification"
    " TimeToLiveSpecification",
    # moto neither encrypts nor restores, and nothing here deletes a table
    ignores="SSESpecification PointInTimeRecoverySpecification DeletionProtectionEnabled",
)
def table(cloud: Cloud, resource: Resource) -> Made:
    """A table, with its stream."""
    properties = resource.properties
    name = resource.name("TableName")
    arguments: dict[str, Any] = {
        "TableName": name,
        "KeySchema": properties["KeySchema"],
        "AttributeDefinitions": properties["AttributeDefinitions"],
        "BillingMode": properties.get("BillingMode", "PAY_PER_REQUEST"),
    }
    if "GlobalSecondaryIndexes" in properties:
        arguments["GlobalSecondaryIndexes"] = [
            {key: value for key, value in index.items() if key in ("IndexName", "KeySchema", "Projection")}
            for index in properties["GlobalSecondaryIndexes"]
        ]
    if "StreamSpecification" in properties:
        view = properties["StreamSpecification"]["StreamViewType"]
        arguments["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": view}
    client = cloud.client("dynamodb", resource.account, resource.region)
    described = client.create_table(**arguments)["TableDescription"]
    if "TimeToLiveSpecification" in properties:
        client.update_time_to_live(
            TableName=name,
            TimeToLiveSpecification={
                "Enabled": properties["TimeToLiveSpecification"]["Enabled"],
                "AttributeName": properties["TimeToLiveSpecification"]["AttributeName"],
            },
        )
    return Made(name, {"Arn": described["TableArn"], "StreamArn": described.get("LatestStreamArn", "")})


@creates(
    "AWS::SQS::Queue",
    uses="QueueName VisibilityTimeout MessageRetentionPeriod DelaySeconds RedrivePolicy ReceiveMessageWaitTimeSeconds",
    ignores="SqsManagedSseEnabled KmsMasterKeyId RedriveAllowPolicy",  # moto encrypts nothing and asks nobody
)
def queue(cloud: Cloud, resource: Resource) -> Made:
    """A queue; moto lays messages aside by its redrive policy."""
    properties = resource.properties
    name = resource.name("QueueName", 80)
    attributes = {
        key: str(properties[key])
        for key in ("VisibilityTimeout", "MessageRetentionPeriod", "DelaySeconds")
        if key in properties
    }
    if "RedrivePolicy" in properties:
        attributes["RedrivePolicy"] = json.dumps(properties["RedrivePolicy"])
    client = cloud.client("sqs", resource.account, resource.region)
    url = client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    arn = resource.arn("sqs", name)
    cloud.queues[arn] = url
    return Made(url, {"Arn": arn, "QueueName": name, "QueueUrl": url})


@creates("AWS::SNS::Topic", uses="TopicName", ignores="KmsMasterKeyId DisplayName TracingConfig")
def topic(cloud: Cloud, resource: Resource) -> Made:
    """A topic; what is published shows in the journal."""
    name = resource.name("TopicName", 256)
    arn = cloud.client("sns", resource.account, resource.region).create_topic(Name=name)["TopicArn"]
    return Made(arn, {"TopicArn": arn, "TopicName": name})


@creates("AWS::KMS::Key", uses="KeyPolicy Description", ignores="EnableKeyRotation PendingWindowInDays")
def key(cloud: Cloud, resource: Resource) -> Made:
    """A key."""
    made = cloud.client("kms", resource.account, resource.region).create_key(
        Policy=json.dumps(resource.properties["KeyPolicy"]), Description=resource.properties.get("Description", "")
    )["KeyMetadata"]
    return Made(made["KeyId"], {"Arn": made["Arn"], "KeyId": made["KeyId"]})


@creates("AWS::KMS::Alias", uses="AliasName TargetKeyId")
def alias(cloud: Cloud, resource: Resource) -> Made:
    """A key's other name."""
    name, target = resource.properties["AliasName"], resource.properties["TargetKeyId"]
    target = target.rpartition("/")[2] if target.startswith("arn:") else target
    cloud.client("kms", resource.account, resource.region).create_alias(AliasName=name, TargetKeyId=target)
    return Made(name)


@creates(
    "AWS::S3::Bucket",
    uses="BucketName VersioningConfiguration ObjectLockEnabled PublicAccessBlockConfiguration",
    # moto encrypts nothing, expires nothing and logs nowhere
    ignores="BucketEncryption LifecycleConfiguration OwnershipControls LoggingConfiguration ObjectLockConfiguration",
)
def bucket(cloud: Cloud, resource: Resource) -> Made:
    """A bucket."""
    properties = resource.properties
    name = resource.name("BucketName", 63).lower()
    client = cloud.client("s3", resource.account, resource.region)
    arguments: dict[str, Any] = {
        "Bucket": name,
        "ObjectLockEnabledForBucket": properties.get("ObjectLockEnabled", False),
    }
    if resource.region != "us-east-1":
        arguments["CreateBucketConfiguration"] = {"LocationConstraint": resource.region}
    client.create_bucket(**arguments)
    if "VersioningConfiguration" in properties:
        client.put_bucket_versioning(Bucket=name, VersioningConfiguration=properties["VersioningConfiguration"])
    if "PublicAccessBlockConfiguration" in properties:
        blocked = properties["PublicAccessBlockConfiguration"]
        client.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=blocked)
    domain = f"{name}.s3.amazonaws.com"
    return Made(name, {"Arn": f"arn:aws:s3:::{name}", "DomainName": domain, "RegionalDomainName": domain})


@creates("AWS::SecretsManager::Secret", uses="Name GenerateSecretString SecretString", ignores="KmsKeyId Description")
def secret(cloud: Cloud, resource: Resource) -> Made:
    """A secret. What CloudFormation would draw at random is made from its name, the same on every run."""
    properties = resource.properties
    name = resource.name("Name", 512)
    text = properties.get("SecretString", hashlib.sha256(name.encode()).hexdigest()[:32])
    if "GenerateSecretString" in properties and "GenerateStringKey" in properties["GenerateSecretString"]:
        wanted = properties["GenerateSecretString"]
        text = json.dumps({**json.loads(wanted.get("SecretStringTemplate", "{}")), wanted["GenerateStringKey"]: text})
    client = cloud.client("secretsmanager", resource.account, resource.region)
    arn = client.create_secret(Name=name, SecretString=text)["ARN"]
    return Made(arn, {"Id": arn})


@creates("AWS::SSM::Parameter", uses="Name Type Value", ignores="Description Tier")
def parameter(cloud: Cloud, resource: Resource) -> Made:
    """A parameter."""
    name, value = resource.name("Name", 1011), resource.properties["Value"]
    kind = resource.properties["Type"]
    cloud.client("ssm", resource.account, resource.region).put_parameter(Name=name, Value=value, Type=kind)
    return Made(name, {"Type": kind, "Value": value})
