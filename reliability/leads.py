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


def _alert(lab: Lab, number: int) -> None:
    sandbox, moment = lab.sandbox, lab.sandbox.clock.now()
    alert = {**falco(sandbox.account, sandbox.region, number, moment)["detail"]["alert"], "rule": f"Rule {number}"}
    alert |= {"hostname": sorted(lab.estate.nodes)[0], "tags": ["T1620", "container", "process"]}
    queue = sandbox.queue_arn("falco-prod").rpartition(":")[2]
    client = sandbox.client("sqs")
    client.send_message(QueueUrl=client.get_queue_url(QueueName=queue)["QueueUrl"], MessageBody=json.dumps(alert))


def _finding(finding_type: str, resource: Callable[[Lab], dict[str, Any]]) -> Callable[[Lab, int], None]:
    def send(lab: Lab, number: int) -> None:
        sandbox = lab.sandbox
        event = guardduty(sandbox.account, sandbox.region, lab.estate.bastion, number, sandbox.clock.now())
        event["detail"] |= {"type": finding_type, "resource": resource(lab)}
        sandbox.put_event(event)

    return send


def _instance(lab: Lab) -> dict[str, Any]:
    return {"resourceType": "Instance", "instanceDetails": {"instanceId": lab.estate.bastion}}


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


def _function(lab: Lab) -> dict[str, Any]:
    sandbox, name = lab.sandbox, lab.estate.function
    arn = f"arn:aws:lambda:{sandbox.region}:{sandbox.account}:function:{name}"
    details = {"functionArn": arn, "functionName": name, "functionVersion": "$LATEST"}
    return {"resourceType": "Lambda", "lambdaDetails": details}


LEADS: tuple[Lead, ...] = (
    Lead("guardduty", frozenset({"instance"}), _finding("Backdoor:EC2/C&CActivity.B!DNS", _instance)),
    Lead("falco", frozenset({"instance", "node"}), _alert),
    Lead("guardduty", frozenset({"access_key"}), _finding("UnauthorizedAccess:IAMUser/MaliciousIPCaller.Custom", _key)),
    Lead(
        "guardduty",
        frozenset({"principal"}),
        _finding("UnauthorizedAccess:IAMUser/ConsoleLoginSuccess.B", _user),
    ),
    Lead("guardduty", frozenset({"bucket"}), _finding("Exfiltration:S3/AnomalousBehavior", _bucket)),
    Lead("guardduty", frozenset({"lambda_function"}), _finding("Backdoor:Lambda/C&CActivity.B", _function)),
)
"""The first that leads to all that a shape's steps are about is played."""
