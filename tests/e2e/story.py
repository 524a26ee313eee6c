"""What a test does to the application and sees of it: events in, people's answers, and the estate afterwards."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from firebreak.adapters.incident_rows import read_incident, read_step
from firebreak.core.audit import AuditRecord, broken_link
from firebreak.core.incident import Incident, StepRecord
from sandbox.lab import PERSON, Lab


@dataclass
class Story:
    """One test's view of the lab."""

    lab: Lab

    @property
    def sandbox(self) -> Any:
        return self.lab.sandbox

    def guardduty(
        self, instance: str, *, number: int = 1, kind: str = "Backdoor:EC2/C&CActivity.B!DNS", **more: Any
    ) -> dict[str, Any]:
        """A GuardDuty event as EventBridge delivers it."""
        sandbox = self.sandbox
        now = sandbox.clock.now().strftime("%Y-%m-%dT%H:%M:%S.000Z")
        detail = {
            "schemaVersion": "2.0",
            "accountId": sandbox.account,
            "region": sandbox.region,
            "partition": "aws",
            "id": f"{number:032x}",
            "arn": f"arn:aws:guardduty:{sandbox.region}:{sandbox.account}:detector/d/finding/{number:032x}",
            "type": kind,
            "severity": 8,
            "createdAt": now,
            "updatedAt": now,
            "resource": {"resourceType": "Instance", "instanceDetails": {"instanceId": instance}},
            "service": {
                "serviceName": "guardduty",
                "archived": False,
                "count": 1,
                "action": {"actionType": "DNS_REQUEST", "dnsRequestAction": {"domain": "c2.example.com"}},
            },
        }
        return {
            "version": "0",
            "id": f"00000000-0000-0000-0000-{number:012d}",
            "source": "aws.guardduty",
            "detail-type": "GuardDuty Finding",
            "account": sandbox.account,
            "time": now,
            "region": sandbox.region,
            "resources": [],
            "detail": {**detail, **more},
        }

    def falco(self, node: str, *, rule: str = "Fileless execution via memfd_create") -> dict[str, Any]:
        """An alert as falcosidekick sends it."""
        return {
            "uuid": "5f3b8a5c-0000-4000-8000-000000000001",
            "output": "10:00:00.000000000: Critical fileless execution",
            "priority": "Critical",
            "rule": rule,
            "time": self.sandbox.clock.now().strftime("%Y-%m-%dT%H:%M:%S.123456789Z"),
            "source": "syscall",
            "hostname": node,
            "output_fields": {
                "evt.time": 1793613600123456789,
                "container.id": "3ad7b26ded6d",
                "k8s.ns.name": "default",
                "k8s.pod.name": "shop-0",
                "proc.exepath": "memfd:x",
                "proc.cmdline": "x",
            },
            "tags": ["T1620", "container", "maturity_stable", "mitre_defense_evasion", "process"],
        }

    def put(self, event: dict[str, Any], within: float = 600) -> None:
        """Put an event on the default bus and let everything happen."""
        self.sandbox.put_event(event)
        self.sandbox.run_until_idle(within)

    def alert(self, body: str, within: float = 600) -> None:
        """Put an alert into the cluster's queue, as falcosidekick does, and let everything happen."""
        arn = self.sandbox.queue_arn("falco-prod")
        client = self.sandbox.client("sqs")
        url = client.get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"]
        client.send_message(QueueUrl=url, MessageBody=body)
        self.sandbox.run_until_idle(within)

    def answer(self, action: str = "approve", person: str = PERSON) -> tuple[int, str]:
        """Press a button of the newest question, and let everything happen."""
        message = self.lab.slack.messages[-1]
        button = next(
            element["action_id"]
            for block in message.blocks
            for element in block.get("elements", ())
            if action in element.get("action_id", "")
        )
        answered = self.lab.slack.press(message.ts, button, person)
        self.sandbox.run_until_idle(600)
        return answered

    def undo(self, incident: str, attempt: int = 1) -> None:
        """Start an undo, as the command line does."""
        (found,) = (story for story in self.incidents() if story.id == incident)
        states = self.sandbox.client("stepfunctions")
        machine = self.sandbox.functions.find("firebreak-triage").environment["FIREBREAK_STATE_MACHINE_ARN"]
        given = {"incident": incident, "revision": found.revision, "mode": "undo", "attempt": attempt}
        states.start_execution(
            stateMachineArn=machine, name=f"{incident}-r{found.revision}-undo-a{attempt}", input=json.dumps(given)
        )
        self.sandbox.run_until_idle(600)

    def rows(self, prefix: str = "") -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.sandbox.table_items(self.lab.table, prefix)
        return rows

    def incidents(self) -> list[Incident]:
        found = [read_incident(row) for row in self.rows("INCIDENT#") if row["sk"] == "INCIDENT"]
        return sorted(found, key=lambda incident: (incident.created_at, incident.id))

    def steps(self, incident: str) -> dict[str, StepRecord]:
        """The steps of an incident, by action."""
        rows = [row for row in self.rows(f"INCIDENT#{incident}") if row["sk"].startswith("STEP#")]
        return {step.action: step for step in map(read_step, rows)}

    def statuses(self, incident: str) -> dict[str, str]:
        return {action: step.status for action, step in self.steps(incident).items()}

    def groups(self, instance: str) -> dict[str, list[str]]:
        """Names of the security groups on each interface of an instance."""
        found = self.sandbox.client("ec2").describe_network_interfaces(
            Filters=[{"Name": "attachment.instance-id", "Values": [instance]}]
        )["NetworkInterfaces"]
        return {eni["NetworkInterfaceId"]: sorted(group["GroupName"] for group in eni["Groups"]) for eni in found}

    def isolated(self, instance: str) -> bool:
        return all(groups == ["firebreak-sealed"] for groups in self.groups(instance).values())

    def node(self, name: str) -> dict[str, Any]:
        """A node as the API server has it."""
        from sandbox.kubernetes_kinds import BY_PATH

        cluster = self.lab.estate.cluster
        assert cluster is not None
        nodes = {item.item["metadata"]["name"]: item.item for item in cluster.store.all(BY_PATH["", "v1", "nodes"])}
        return nodes[name]

    def whole(self, incident: str) -> bool:
        """Whether every audit chain of an incident follows from itself."""
        records = [
            AuditRecord.model_validate_json(row["body"]) for row in self.rows(f"AUDIT#{incident}") if "body" in row
        ]
        chains = {record.chain for record in records}
        return all(broken_link(record for record in records if record.chain == chain) is None for chain in chains)

    def refusals(self) -> list[str]:
        """What roles were refused by the policies so far, in words; it is then taken as meant."""
        refused = list(self.lab.judge.refused)
        self.lab.judge.refused.clear()
        return refused

    def failures(self) -> list[str]:
        """What functions raised, to be shown where a test fails."""
        return [
            f"{invocation.function_name}: {invocation.result.payload}"
            for invocation in self.sandbox.functions.invocations
            if invocation.result is not None and invocation.result.failed
        ]
