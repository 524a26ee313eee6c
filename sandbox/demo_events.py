"""What happens to the estate in the demo's story, in the words of GuardDuty and Falco."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.events import envelope

ATTACKER = "198.51.100.66"
COMMAND_AND_CONTROL = "Backdoor:EC2/C&CActivity.B!DNS"
BRUTE_FORCED = "UnauthorizedAccess:EC2/SSHBruteForce"
FILELESS = "Fileless execution via memfd_create"
STOLEN_KEY = "UnauthorizedAccess:IAMUser/TorIPCaller"
OPENED_BUCKET = "Policy:S3/BucketPublicAccessGranted"


@dataclass(frozen=True)
class Key:
    """An access key of a user.

    Attributes:
        id: of the key.
        user_name, user_id: whose it is.
    """

    id: str
    user_name: str
    user_id: str


def command_and_control(account: str, region: str, instance: str, now: datetime) -> dict[str, Any]:
    """Return GuardDuty's event for an instance that asks for the name of an attacker's server."""
    action = {"actionType": "DNS_REQUEST", "dnsRequestAction": {"domain": "c2.example.com", "protocol": "UDP"}}
    return _finding(account, region, _instance(instance), now, COMMAND_AND_CONTROL, 8, {"action": action})


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
    service = {"action": action, "resourceRole": "TARGET"}
    return _finding(account, region, _instance(instance), now, BRUTE_FORCED, 8, service)


def stolen_key(account: str, region: str, key: Key, now: datetime) -> dict[str, Any]:
    """Return GuardDuty's event for a user's key with which somebody calls AWS out of the Tor network."""
    resource = {"resourceType": "AccessKey", "accessKeyDetails": _details(key)}
    return _finding(account, region, resource, now, STOLEN_KEY, 5, {"action": _called("ListUsers", "iam")})


def opened_bucket(account: str, region: str, bucket: str, key: Key, now: datetime) -> dict[str, Any]:
    """Return GuardDuty's event for a bucket that a user has opened to everyone."""
    details = {"arn": f"arn:aws:s3:::{bucket}", "name": bucket, "type": "Destination"}
    resource = {"resourceType": "S3Bucket", "s3BucketDetails": [details], "accessKeyDetails": _details(key)}
    return _finding(account, region, resource, now, OPENED_BUCKET, 8, {"action": _called("PutBucketPolicy", "s3")})


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


def everyone_reads(bucket: str) -> str:
    """Return a bucket policy that lets everyone read every object."""
    allow = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [allow]})


def _instance(instance: str) -> dict[str, Any]:
    return {"resourceType": "Instance", "instanceDetails": {"instanceId": instance}}


def _details(key: Key) -> dict[str, str]:
    return {
        "accessKeyId": key.id,
        "principalId": key.user_id,
        "userType": "IAMUser",
        "userName": key.user_name,
    }


def _called(api: str, service: str) -> dict[str, Any]:
    remote = {"ipAddressV4": ATTACKER}
    call = {"api": api, "serviceName": f"{service}.amazonaws.com", "callerType": "Remote IP", "remoteIpDetails": remote}
    return {"actionType": "AWS_API_CALL", "awsApiCallAction": call}


def _finding(
    account: str,
    region: str,
    resource: dict[str, Any],
    now: datetime,
    kind: str,
    severity: float,
    service: dict[str, Any],
) -> dict[str, Any]:
    identity = uuid.uuid5(uuid.NAMESPACE_DNS, f"{kind}/{json.dumps(resource, sort_keys=True)}").hex
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
        "resource": resource,
        "service": {"serviceName": "guardduty", "archived": False, "count": 1, **service},
        "title": f"A finding of type {kind}.",
        "description": "What was seen, in a sentence.",
    }
    return envelope(now, account, region, "aws.guardduty", "GuardDuty Finding", detail, [])
