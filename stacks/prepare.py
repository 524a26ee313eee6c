"""What Prepare may do in an account: find the VPCs, and make and mend the quarantine groups, no others."""

from __future__ import annotations

from firebreak.core.grant import Grant, Permission
from firebreak.core.quarantine import NAMES, TAG

GROUPS = ("arn:{partition}:ec2:{region}:{account}:security-group/*",)
OURS = {"StringEquals": {f"aws:ResourceTag/{TAG}": list(NAMES)}}
MARKED = {"StringEquals": {f"aws:RequestTag/{TAG}": list(NAMES)}}

PREPARE: tuple[Permission, ...] = (
    Grant(action="ec2:DescribeVpcs"),
    Grant(action="ec2:DescribeSecurityGroups"),
    Grant(action="ec2:CreateSecurityGroup", resources=GROUPS, conditions=MARKED),
    Grant(action="ec2:CreateSecurityGroup", resources=("arn:{partition}:ec2:{region}:{account}:vpc/*",)),
    Grant(
        action="ec2:CreateTags",
        resources=GROUPS,
        conditions={"StringEquals": {"ec2:CreateAction": "CreateSecurityGroup"}},
        implied_by="ec2:CreateSecurityGroup",
    ),
    *(
        Grant(action=f"ec2:{change}", resources=GROUPS, conditions=OURS)
        for change in ("AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress", "RevokeSecurityGroupEgress")
    ),
)
