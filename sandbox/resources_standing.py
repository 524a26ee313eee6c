"""Resources that stand without effect."""

from __future__ import annotations

from sandbox.cloud import Cloud
from sandbox.resource import Made, Resource, creates

STANDS = {
    "AWS::ApiGatewayV2::Stage": "the front serves every API at once",
    "AWS::CDK::Metadata": "is about the CDK",
    "AWS::CloudWatch::Alarm": "moto evaluates no alarms; tests look at what the alarm would count",
    "AWS::CloudWatch::CompositeAlarm": "moto evaluates no alarms",
    "AWS::CloudWatch::Dashboard": "nobody looks at it",
    "AWS::EKS::PodIdentityAssociation": "no falcosidekick runs; alerts are put into its queue",
    "AWS::Events::EventBusPolicy": "resource policies are judged by the stack tests",
    "AWS::GuardDuty::Detector": "findings are injected, not detected",
    "AWS::Lambda::Permission": "resource policies are judged by the stack tests",
    "AWS::Logs::LogGroup": "functions run in this process and print there",
    "AWS::Logs::MetricFilter": "there are no logs to filter",
    "AWS::Logs::ResourcePolicy": "there are no logs to protect",
    "AWS::S3::BucketPolicy": "resource policies are judged by the stack tests",
    "AWS::SNS::Subscription": "no mail leaves this machine; what is published shows in the journal",
    "AWS::SNS::TopicPolicy": "resource policies are judged by the stack tests",
    "AWS::SQS::QueuePolicy": "resource policies are judged by the stack tests",
}
"""Types that stand without effect, each with its reason."""


def stands(cloud: Cloud, resource: Resource) -> Made:
    """Give what others may refer to, and do nothing."""
    name = next((str(value) for key, value in resource.properties.items() if key.endswith("Name")), resource.id)
    service = resource.type.split("::")[1].lower()
    arn = resource.arn(service, f"log-group:{name}:*" if service == "logs" else name)
    return Made(name, {"Arn": arn, "Id": resource.id})


for _kind in STANDS:
    creates(_kind, ignores=None)(stands)
