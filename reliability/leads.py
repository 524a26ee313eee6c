"""The events that the sandbox world plays: which of them leads to which kinds of target.

Finding documents as the Amazon GuardDuty User Guide has them ("GuardDuty finding details", by resource type).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.events import falco, guardduty
from sandbox.lab import Lab


@dataclass(frozen=True)
class Lead:
    """An event and what it leads to.

    Attributes:
        source: whose it is: "guardduty" or "falco".
        kinds: the kinds of target that it leads to.
        send: has it come; takes the lab and a number that no other event has.
    """

    source: str
    kinds: frozenset[str]
    send: Callable[[Lab, int], None]


def lead(kinds: set[str]) -> Lead:
    """Return an event that leads to all of some kinds of target.

    Raises:
        ValueError: there is none.
    """
    for known in LEADS:
        if kinds <= known.kinds:
            return known
    raise ValueError(f"reliability/leads.py: no event leads to {', '.join(sorted(kinds))}; add one to LEADS")


def alert(**fields: str) -> Callable[[Lab, int], None]:
    """A Falco alert of a node of the estate, with some output fields of its own."""

    def send(lab: Lab, number: int) -> None:
        sandbox, moment = lab.sandbox, lab.sandbox.clock.now()
        told = {**falco(sandbox.account, sandbox.region, number, moment)["detail"]["alert"], "rule": f"Rule {number}"}
        told |= {"hostname": sorted(lab.estate.nodes)[0], "tags": ["T1620", "container", "process"]}
        told |= {"output_fields": told["output_fields"] | fields}
        queue = sandbox.queue_arn("falco-prod").rpartition(":")[2]
        client = sandbox.client("sqs")
        client.send_message(QueueUrl=client.get_queue_url(QueueName=queue)["QueueUrl"], MessageBody=json.dumps(told))

    return send


def finding(finding_type: str, resource: Callable[[Lab], dict[str, Any]]) -> Callable[[Lab, int], None]:
    """A GuardDuty finding about a resource of the estate."""

    def send(lab: Lab, number: int) -> None:
        sandbox = lab.sandbox
        event = guardduty(sandbox.account, sandbox.region, lab.estate.bastion, number, sandbox.clock.now())
        event["detail"] |= {"type": finding_type, "resource": resource(lab)}
        sandbox.put_event(event)

    return send


def instance(lab: Lab, instance_id: str = "") -> dict[str, Any]:
    """An instance as a finding describes it, the estate's bastion or another."""
    return {"resourceType": "Instance", "instanceDetails": {"instanceId": instance_id or lab.estate.bastion}}


def _user(lab: Lab) -> dict[str, Any]:
    user = lab.sandbox.client("iam").get_user(UserName=lab.estate.user)["User"]
    details = {"principalId": user["UserId"], "userType": "IAMUser", "userName": lab.estate.user}
    return {"resourceType": "AccessKey", "accessKeyDetails": details}


def _key(lab: Lab) -> dict[str, Any]:
    of_user = _user(lab)
    return of_user | {"accessKeyDetails": of_user["accessKeyDetails"] | {"accessKeyId": lab.estate.key}}


def _bucket(lab: Lab) -> dict[str, Any]:
    details = {"arn": f"arn:aws:s3:::{lab.estate.bucket}", "name": lab.estate.bucket, "type": "Destination"}
    return {**_key(lab), "resourceType": "S3Bucket", "s3BucketDetails": [details]}


def function(lab: Lab) -> dict[str, Any]:
    """The estate's function as a finding describes it."""
    sandbox, name = lab.sandbox, lab.estate.function
    arn = f"arn:aws:lambda:{sandbox.region}:{sandbox.account}:function:{name}"
    details = {"functionArn": arn, "functionName": name, "functionVersion": "$LATEST"}
    return {"resourceType": "Lambda", "lambdaDetails": details}


LEADS: tuple[Lead, ...] = (
    Lead("guardduty", frozenset({"instance"}), finding("Backdoor:EC2/C&CActivity.B!DNS", instance)),
    Lead("falco", frozenset({"instance", "node"}), alert()),
    Lead("guardduty", frozenset({"access_key"}), finding("UnauthorizedAccess:IAMUser/MaliciousIPCaller.Custom", _key)),
    Lead(
        "guardduty",
        frozenset({"principal"}),
        finding("UnauthorizedAccess:IAMUser/ConsoleLoginSuccess.B", _user),
    ),
    Lead("guardduty", frozenset({"bucket"}), finding("Exfiltration:S3/AnomalousBehavior", _bucket)),
    Lead("guardduty", frozenset({"lambda_function"}), finding("Backdoor:Lambda/C&CActivity.B", function)),
)
"""The first that leads to all that a shape's steps are about is played."""
