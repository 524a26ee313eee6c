"""The events that are played."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any


def guardduty(account: str, region: str, instance: str, number: int, moment: datetime) -> dict[str, Any]:
    """A command-and-control finding as EventBridge delivers it (Amazon GuardDuty User Guide, "EventBridge event")."""
    when = moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return {
        "version": "0",
        "id": f"00000000-0000-0000-0000-{number:012d}",
        "source": "aws.guardduty",
        "detail-type": "GuardDuty Finding",
        "account": account,
        "time": when,
        "region": region,
        "resources": [],
        "detail": {
            "schemaVersion": "2.0",
            "accountId": account,
            "region": region,
            "partition": "aws",
            "id": f"{number:032x}",
            "arn": f"arn:aws:guardduty:{region}:{account}:detector/d/finding/{number:032x}",
            "type": "Backdoor:EC2/C&CActivity.B!DNS",
            "severity": 8,
            "createdAt": when,
            "updatedAt": when,
            "resource": {"resourceType": "Instance", "instanceDetails": {"instanceId": instance}},
            "service": {
                "serviceName": "guardduty",
                "archived": False,
                "count": 1,
                "action": {"actionType": "DNS_REQUEST", "dnsRequestAction": {"domain": "c2.example.com"}},
            },
        },
    }


def falco(account: str, region: str, number: int, moment: datetime) -> dict[str, Any]:
    """A Falco alert on the bus, always of the same rule, node, pod and program."""
    when = moment + timedelta(milliseconds=number)
    alert = {
        "uuid": f"00000000-0000-4000-8000-{number:012d}",
        "output": "10:00:00.000000000: Critical fileless execution",
        "priority": "Critical",
        "rule": "Fileless execution via memfd_create",
        "time": when.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "source": "syscall",
        "hostname": "ip-10-0-0-8.ec2.internal",
        "output_fields": {
            "evt.time": 1793613600123456789 + number,
            "container.id": "3ad7b26ded6d",
            "k8s.ns.name": "default",
            "k8s.pod.name": "shop-0",
            "proc.exepath": "memfd:x",
            "proc.cmdline": f"x {number}",
        },
        "tags": ["T1620", "container", "process"],
    }
    return {
        "version": "0",
        "id": f"10000000-0000-0000-0000-{number:012d}",
        "source": "firebreak.falco",
        "detail-type": "Falco Alert",
        "account": account,
        "time": when.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": [],
        "detail": {"account": account, "region": region, "cluster": "prod", "alert": alert},
    }
