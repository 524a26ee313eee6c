"""A small estate to defend: a network, a web tier that scales, an odd server, a cluster, a user, a bucket, a function.

Quarantine groups are not part of it: Prepare makes those.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.kubernetes import Cluster
from sandbox.world import Sandbox

IMAGE = "ami-12c6146b"
CLUSTER = "prod"


@dataclass
class Estate:
    """What there is.

    Attributes:
        vpc: VPC id.
        subnets: subnet ids, one per zone.
        groups: security group ids: web, node, admin.
        web: instances of the Auto Scaling group behind the target group.
        scaling_group: its name.
        target_group: its ARN.
        bastion: an instance with two interfaces.
        nodes: instance ids of the cluster's nodes by node name.
        cluster: the cluster, its API server included.
        user: IAM user name.
        key: the user's access key id.
        bucket: bucket name.
        function: name of a Lambda function, and of the queue that it polls.
    """

    vpc: str
    subnets: list[str]
    groups: dict[str, str]
    web: list[str] = field(default_factory=list)
    scaling_group: str = "web"
    target_group: str = ""
    bastion: str = ""
    nodes: dict[str, str] = field(default_factory=dict)
    cluster: Cluster | None = None
    user: str = "mallory"
    key: str = ""
    bucket: str = ""
    function: str = "orders"


def seed(
    sandbox: Sandbox,
    *,
    account: str | None = None,
    region: str | None = None,
    tags: Mapping[str, str] | None = None,
    access: Mapping[str, tuple[str, ...]] | None = None,
) -> Estate:
    """Seed an account of a sandbox with the estate. What it calls does not stay in the journal.

    Args:
        sandbox: a running sandbox.
        account, region: where; home by default.
        tags: on every instance besides its name.
        access: Kubernetes groups by IAM role ARN, as the cluster's access entries give them.
    """
    before = list(sandbox.journal)
    builder = _Builder(sandbox, account, region, tags or {})
    estate = builder.network()
    builder.web_tier(estate)
    builder.bastion(estate)
    builder.cluster(estate, access or {})
    builder.user_and_bucket(estate)
    builder.function(estate)
    sandbox.journal.clear()
    for call in before:
        sandbox.journal.add(call)
    return estate


class _Builder:
    def __init__(self, sandbox: Sandbox, account: str | None, region: str | None, tags: Mapping[str, str]) -> None:
        self._sandbox = sandbox
        self._account = account or sandbox.account
        self._region = region or sandbox.region
        self._tags = tags
        self._ec2 = self._client("ec2")

    def _client(self, service: str) -> Any:
        return self._sandbox.client(service, self._account, self._region)

    def network(self) -> Estate:
        ec2 = self._ec2
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]
        v6 = vpc["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"].partition("::")[0]
        subnets = [
            ec2.create_subnet(
                VpcId=vpc["VpcId"],
                CidrBlock=f"10.0.{number}.0/24",
                Ipv6CidrBlock=f"{v6[:-1]}{number}::/64",
                AvailabilityZone=f"{self._region}{zone}",
            )["Subnet"]["SubnetId"]
            for number, zone in enumerate("ab")
        ]
        estate = Estate(vpc["VpcId"], subnets, {})
        for name, port in (("web", 443), ("node", 10250), ("admin", 22)):
            group = ec2.create_security_group(GroupName=name, Description=name, VpcId=estate.vpc)["GroupId"]
            ec2.authorize_security_group_ingress(
                GroupId=group,
                IpPermissions=[
                    {
                        "IpProtocol": "tcp",
                        "FromPort": port,
                        "ToPort": port,
                        "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
                        "Ipv6Ranges": [{"CidrIpv6": "::/0"}],
                    }
                ],
            )
            estate.groups[name] = group
        return estate

    def web_tier(self, estate: Estate) -> None:
        elb, scaling = self._client("elbv2"), self._client("autoscaling")
        target = elb.create_target_group(Name="web", Protocol="HTTPS", Port=443, VpcId=estate.vpc)["TargetGroups"][0]
        estate.target_group = target["TargetGroupArn"]
        scaling.create_launch_configuration(
            LaunchConfigurationName="web",
            ImageId=IMAGE,
            InstanceType="m5.large",
            SecurityGroups=[estate.groups["web"]],
        )
        scaling.create_auto_scaling_group(
            AutoScalingGroupName=estate.scaling_group,
            LaunchConfigurationName="web",
            MinSize=2,
            MaxSize=6,
            DesiredCapacity=3,
            VPCZoneIdentifier=",".join(estate.subnets),
            TargetGroupARNs=[estate.target_group],
            Tags=[
                {"Key": key, "Value": value, "PropagateAtLaunch": True}
                for key, value in {"Name": "web", **self._tags}.items()
            ],
        )
        described = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[estate.scaling_group])
        estate.web = [each["InstanceId"] for each in described["AutoScalingGroups"][0]["Instances"]]

    def bastion(self, estate: Estate) -> None:
        interfaces = [
            {"DeviceIndex": index, "SubnetId": estate.subnets[0], "Groups": [estate.groups[group]]}
            for index, group in enumerate(("admin", "web"))
        ]
        estate.bastion = self._launch("bastion", NetworkInterfaces=interfaces)

    def cluster(self, estate: Estate, access: Mapping[str, tuple[str, ...]]) -> None:
        cluster = self._sandbox.clusters.add(CLUSTER, self._account, self._region)
        for principal, groups in access.items():
            self._sandbox.clusters.grant(CLUSTER, principal, *groups)
        for number, subnet in enumerate(estate.subnets):
            instance = self._launch(
                f"node-{number}",
                {f"kubernetes.io/cluster/{CLUSTER}": "owned", "eks:cluster-name": CLUSTER},
                SubnetId=subnet,
                SecurityGroupIds=[estate.groups["node"]],
            )
            described = self._ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
            name = described["PrivateDnsName"]
            zone = described["Placement"]["AvailabilityZone"]
            estate.nodes[name] = instance
            cluster.add(
                "nodes",
                {
                    "metadata": {
                        "name": name,
                        "labels": {"kubernetes.io/hostname": name, "topology.kubernetes.io/zone": zone},
                    },
                    "spec": {"providerID": f"aws:///{zone}/{instance}"},
                },
            )
            cluster.add(
                "pods",
                {
                    "metadata": {"name": f"shop-{number}", "namespace": "default", "labels": {"app": "shop"}},
                    "spec": {"nodeName": name, "containers": [{"name": "shop", "image": "shop:1"}]},
                    "status": {"phase": "Running"},
                },
            )
        estate.cluster = cluster

    def user_and_bucket(self, estate: Estate) -> None:
        iam, s3 = self._client("iam"), self._client("s3")
        iam.create_user(UserName=estate.user)
        estate.key = iam.create_access_key(UserName=estate.user)["AccessKey"]["AccessKeyId"]
        estate.bucket = f"customers-{self._account}"
        where = {"LocationConstraint": self._region}
        if self._region == "us-east-1":
            s3.create_bucket(Bucket=estate.bucket)
        else:
            s3.create_bucket(Bucket=estate.bucket, CreateBucketConfiguration=where)

    def function(self, estate: Estate) -> None:
        iam, sqs, functions = self._client("iam"), self._client("sqs"), self._client("lambda")
        trusted = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [trusted]})
        role = iam.create_role(RoleName=estate.function, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        code = {"ZipFile": b"never run"}
        functions.create_function(
            FunctionName=estate.function, Role=role, Handler="main.handle", Runtime="python3.13", Code=code
        )
        sqs.create_queue(QueueName=estate.function)
        queue = f"arn:aws:sqs:{self._region}:{self._account}:{estate.function}"
        functions.create_event_source_mapping(EventSourceArn=queue, FunctionName=estate.function)

    def _launch(self, name: str, tags: Mapping[str, str] | None = None, **placement: Any) -> str:
        every = {"Name": name, **self._tags, **(tags or {})}
        launched = self._ec2.run_instances(
            ImageId=IMAGE,
            InstanceType="m5.large",
            MinCount=1,
            MaxCount=1,
            MetadataOptions={"HttpTokens": "required", "HttpPutResponseHopLimit": 2},
            TagSpecifications=[
                {"ResourceType": "instance", "Tags": [{"Key": key, "Value": value} for key, value in every.items()]}
            ],
            **placement,
        )
        return str(launched["Instances"][0]["InstanceId"])
