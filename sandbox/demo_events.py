"""What happens to the estate in the demo's story, in the words of GuardDuty and Falco."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sandbox.events import envelope

ATTACKER = "198.51.100.66"
COMMAND_AND_CONTROL = "Backdoor:EC2/C&CActivity.B!DNS"
BRUTE_FORCED = "UnauthorizedAccess:EC2/SSHBruteForce"
FILELESS = "Fileless execution via memfd_create"


def command_and_control(account: str, region: str, instance: str, now: datetime) -> dict[str, Any]:
    """Return GuardDuty's event for an instance that asks for the name of an attacker's server."""
    action = {"actionType": "DNS_REQUEST", "dnsRequestAction": {"domain": "c2.example.com", "protocol": "UDP"}}
    return _finding(account, region, instance, now, COMMAND_AND_CONTROL, 8, {"action": action})


def brute_forced(account: str, region: str, instance: str, now: datetime) -> dict[str, Any]:
    """Return GuardDuty's event for an instance at which someone on the internet guesses passwords."""
    action = {
        "actionType": "NETWORK_CONNECTION",
        "networkConnectionAction": {
            "connectionDirection": "INBOUND",
            "remoteIpDetails": {"ipAddressV4": ATTACKER},
            "localPortDetails": {"port": 22, "portName": "SSH"},
            "remotePortDetails": {"port": 40022, "portName": "Unknown"},
            "protocol": "TCP",
            "blocked": False,
        },
    }
    return _finding(account, region, instance, now, BRUTE_FORCED, 8, {"action": action, "resourceRole": "TARGET"})


def fileless_execution(node: str, now: datetime) -> dict[str, Any]:
    """Return Falco's alert, as falcosidekick sends it, for a pod that runs a program from memory alone."""
    return {
        "uuid": str(uuid.uuid5(uuid.NAMESPACE_DNS, node)),
        "output": f"{now:%H:%M:%S.%f}000: Critical Fileless execution via memfd_create | proc_exepath=memfd:x",
        "priority": "Critical",
        "rule": FILELESS,
        "time": now.strftime("%Y-%m-%dT%H:%M:%S.%f000Z"),
        "source": "syscall",
        "hostname": node,
        "output_fields": {
            "evt.time": int(now.timestamp() * 1_000_000) * 1_000,
            "container.id": "3ad7b26ded6d",
            "container.image.repository": "shop",
            "k8s.ns.name": "default",
            "k8s.pod.name": "shop-0",
            "proc.exepath": "memfd:x",
            "proc.cmdline": "x",
        },
        "tags": ["T1620", "container", "maturity_stable", "mitre_defense_evasion", "process"],
    }


def _finding(
    account: str, region: str, instance: str, now: datetime, kind: str, severity: float, service: dict[str, Any]
) -> dict[str, Any]:
    identity = uuid.uuid5(uuid.NAMESPACE_DNS, f"{kind}/{instance}").hex
    time = now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    detail = {
        "schemaVersion": "2.0",
        "accountId": account,
        "region": region,
        "partition": "aws",
        "id": identity,
        "arn": f"arn:aws:guardduty:{region}:{account}:detector/12abc34d567e8fa901bc2d34e56789f0/finding/{identity}",
        "type": kind,
        "severity": severity,
        "createdAt": time,
        "updatedAt": time,
        "resource": {"resourceType": "Instance", "instanceDetails": {"instanceId": instance}},
        "service": {"serviceName": "guardduty", "archived": False, "count": 1, **service},
        "title": f"A finding of type {kind}.",
        "description": "What was seen, in a sentence.",
    }
    return envelope(now, account, region, "aws.guardduty", "GuardDuty Finding", detail, [])
