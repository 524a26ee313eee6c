"""Roles and policies: in moto, and kept as written for whoever judges calls."""

from __future__ import annotations

import json
from typing import Any

from sandbox.cloud import Cloud, RoleDocument
from sandbox.resource import Made, Resource, creates

AWS_MANAGED = "arn:aws:iam::aws:policy/"


@creates(
    "AWS::IAM::Role",
    uses="RoleName AssumeRolePolicyDocument Policies ManagedPolicyArns Path PermissionsBoundary",
    ignores="Description MaxSessionDuration",
)
def role(cloud: Cloud, resource: Resource) -> Made:
    """A role. AWS's own managed policies are kept by name: moto does not load them."""
    properties = resource.properties
    name = resource.name("RoleName")
    path = properties.get("Path", "/")
    client = cloud.client("iam", resource.account)
    trust = properties["AssumeRolePolicyDocument"]
    made = client.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    document = RoleDocument(trust, boundary=properties.get("PermissionsBoundary", ""))
    cloud.roles[made["Arn"]] = document
    for policy in properties.get("Policies", ()):
        _inline(cloud, resource, name, policy["PolicyName"], policy["PolicyDocument"])
    for arn in properties.get("ManagedPolicyArns", ()):
        document.managed.append(arn)
        if not arn.startswith(AWS_MANAGED):
            client.attach_role_policy(RoleName=name, PolicyArn=arn)
    return Made(name, {"Arn": made["Arn"], "RoleId": made["RoleId"]})


@creates("AWS::EKS::AccessEntry", uses="ClusterName PrincipalArn KubernetesGroups Type")
def access_entry(cloud: Cloud, resource: Resource) -> Made:
    """Who a role is inside a cluster. The cluster may come later: it is not of our stacks."""
    cluster, principal = resource.properties["ClusterName"], resource.properties["PrincipalArn"]
    groups = tuple(resource.properties.get("KubernetesGroups", ()))
    cloud.access.setdefault(cluster, {})[principal] = groups
    return Made(f"{cluster}|{principal}")


@creates("AWS::IAM::Policy", uses="PolicyName PolicyDocument Roles")
def policy(cloud: Cloud, resource: Resource) -> Made:
    """An inline policy of roles."""
    properties = resource.properties
    for name in properties["Roles"]:
        _inline(cloud, resource, name, properties["PolicyName"], properties["PolicyDocument"])
    return Made(properties["PolicyName"])


@creates(
    "AWS::IAM::ManagedPolicy", uses="ManagedPolicyName PolicyDocument Roles Path", ignores="Description Users Groups"
)
def managed_policy(cloud: Cloud, resource: Resource) -> Made:
    """A managed policy."""
    properties = resource.properties
    client = cloud.client("iam", resource.account)
    text = json.dumps(properties["PolicyDocument"])
    made = client.create_policy(
        PolicyName=resource.name("ManagedPolicyName", 128), Path=properties.get("Path", "/"), PolicyDocument=text
    )["Policy"]
    for name in properties.get("Roles", ()):
        client.attach_role_policy(RoleName=name, PolicyArn=made["Arn"])
        _document(cloud, resource.account, name).policies.append(properties["PolicyDocument"])
    return Made(made["Arn"], {"PolicyArn": made["Arn"]})


def _inline(cloud: Cloud, resource: Resource, role_name: str, name: str, document: Any) -> None:
    client = cloud.client("iam", resource.account)
    client.put_role_policy(RoleName=role_name, PolicyName=name, PolicyDocument=json.dumps(document))
    _document(cloud, resource.account, role_name).policies.append(document)


def _document(cloud: Cloud, account: str, name: str) -> RoleDocument:
    return next(
        document
        for arn, document in cloud.roles.items()
        if arn.split(":")[4] == account and arn.rpartition("/")[2] == name
    )
