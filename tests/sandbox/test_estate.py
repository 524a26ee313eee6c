"""The estate that the demo and the end-to-end tests defend."""

from __future__ import annotations

import boto3
import pytest

from firebreak.adapters.aws import SessionClients
from firebreak.adapters.eks import open_cluster
from firebreak.core.errors import Denied
from sandbox.estate import CLUSTER, seed
from sandbox.template import Stack
from sandbox.world import Sandbox


def test_the_estate_has_what_responses_have_to_reckon_with() -> None:
    with Sandbox() as sandbox:
        estate = seed(sandbox, tags={"environment": "production"})
        ec2 = sandbox.client("ec2")
        assert len(estate.web) == 3
        health = sandbox.client("elbv2").describe_target_health(TargetGroupArn=estate.target_group)
        assert {each["Target"]["Id"] for each in health["TargetHealthDescriptions"]} == set(estate.web)
        found = ec2.describe_network_interfaces(
            Filters=[{"Name": "attachment.instance-id", "Values": [estate.bastion]}]
        )["NetworkInterfaces"]
        assert sorted(eni["Groups"][0]["GroupId"] for eni in found) == sorted(
            [estate.groups["admin"], estate.groups["web"]]
        )
        vpc = ec2.describe_vpcs(VpcIds=[estate.vpc])["Vpcs"][0]
        assert vpc["Ipv6CidrBlockAssociationSet"]
        (web,) = ec2.describe_instances(InstanceIds=estate.web[:1])["Reservations"][0]["Instances"]
        assert {"Key": "environment", "Value": "production"} in web["Tags"]
        assert [group["GroupId"] for group in web["SecurityGroups"]] == [estate.groups["web"]]


def test_the_cluster_answers_at_the_endpoint_that_eks_describes_and_its_nodes_are_instances() -> None:
    with Sandbox() as sandbox:
        estate = seed(sandbox)
        described = sandbox.client("eks").describe_cluster(name=CLUSTER)["cluster"]
        assert described["endpoint"] == f"{sandbox.url}/kubernetes/{CLUSTER}"
        with pytest.raises(sandbox.client("eks").exceptions.ResourceNotFoundException):
            sandbox.client("eks").describe_cluster(name="other")
        assert len(set(estate.nodes.values())) == 2


def test_seeding_leaves_no_calls_in_the_journal() -> None:
    with Sandbox() as sandbox:
        seed(sandbox)
        assert len(sandbox.journal) == 0


def test_the_users_key_is_theirs() -> None:
    with Sandbox() as sandbox:
        estate = seed(sandbox)
        sts = boto3.client(
            "sts",
            region_name="us-east-1",
            endpoint_url=sandbox.url,
            aws_access_key_id=estate.key,
            aws_secret_access_key="x",
        )
        assert sts.get_caller_identity()["Arn"] == f"arn:aws:iam::{sandbox.account}:user/{estate.user}"
        sts.close()


def test_a_role_that_is_granted_access_cordons_a_node_with_its_eks_token() -> None:
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole"}],
    }
    role = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "cordon", "AssumeRolePolicyDocument": trust}}
    with Sandbox([Stack("member", {"Resources": {"Role": role}})]) as sandbox:
        arn = f"arn:aws:iam::{sandbox.account}:role/cordon"
        estate = seed(sandbox, access={arn: ("system:masters",)})
        taken = sandbox.client("sts").assume_role(RoleArn=arn, RoleSessionName="inc-1")["Credentials"]
        session = boto3.Session(
            taken["AccessKeyId"], taken["SecretAccessKey"], taken["SessionToken"], region_name=sandbox.region
        )
        cluster = open_cluster(SessionClients(session, sandbox.region, endpoint=sandbox.url), CLUSTER)
        nodes = cluster.call("GET", "/api/v1/nodes")["items"]
        assert {node["metadata"]["name"] for node in nodes} == set(estate.nodes)
        stranger = boto3.Session("AKIAIOSFODNN7EXAMPLE", "x", region_name=sandbox.region)
        refused = open_cluster(SessionClients(stranger, sandbox.region, endpoint=sandbox.url), CLUSTER)
        with pytest.raises(Denied):
            refused.call("GET", "/api/v1/nodes")
