"""What the demo sees: of the estate by asking AWS and Kubernetes, of Firebreak by its stores, nothing by assumption."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError

from firebreak.core.approval import Approval
from firebreak.core.finding import Finding
from firebreak.core.incident import Incident, StepRecord
from firebreak.ports import Execution
from firebreak.wiring import Wiring
from sandbox.identity import Caller, access_key
from sandbox.kubernetes_kinds import BY_PATH
from sandbox.lab import Lab

OPERATOR = "ana"
SEALED = "firebreak-sealed"
INCIDENT_TAG = "firebreak:incident"
Groups = dict[str, tuple[str, ...]]
"""Ids of the security groups on each interface."""


@dataclass(frozen=True)
class Scheduling:
    """What of a node says which pods may come to it.

    Attributes:
        spec: its `spec`, whole.
        annotations: its annotations.
    """

    spec: dict[str, Any]
    annotations: dict[str, str]

    @property
    def cordoned(self) -> bool:
        """Whether no new pods come to it."""
        return bool(self.spec.get("unschedulable"))


@dataclass(frozen=True)
class Picture:
    """The estate at one moment, as far as anything of ours could change it.

    Attributes:
        groups: by instance, the security groups on each of its interfaces.
        nodes: by name.
        snapshots: ids.
        keys: the status of each key of the user, by its id.
        block: what of the bucket's public access block is on; None where it has none.
    """

    groups: dict[str, Groups]
    nodes: dict[str, Scheduling]
    snapshots: frozenset[str]
    keys: dict[str, str]
    block: frozenset[str] | None


@dataclass(frozen=True)
class Credentials:
    """What the operator's own commands reach the sandbox with."""

    endpoint: str
    region: str
    account: str
    access_key_id: str
    secret_access_key: str


@dataclass
class Sight:
    """The demo's view of a lab."""

    lab: Lab
    names: dict[str, str] = field(default_factory=dict)

    @cached_property
    def credentials(self) -> Credentials:
        """The operator's: an IAM user that the settings know as the person who is asked."""
        sandbox = self.lab.sandbox
        key = access_key(f"operator {OPERATOR}")
        arn = f"arn:aws:iam::{sandbox.account}:user/{OPERATOR}"
        sandbox.cloud.identities.add(key, Caller(arn, sandbox.account, administrator=True))
        return Credentials(sandbox.url, sandbox.region, sandbox.account, key, "sandbox")

    @cached_property
    def wiring(self) -> Wiring:
        """Firebreak's stores, as an operator's command has them."""
        sandbox, mine = self.lab.sandbox, self.credentials
        triage = sandbox.functions.find("firebreak-triage").environment
        reach = {
            "AWS_ACCESS_KEY_ID": mine.access_key_id,
            "AWS_SECRET_ACCESS_KEY": mine.secret_access_key,
            "AWS_REGION": mine.region,
            "AWS_ENDPOINT_URL": mine.endpoint,
        }
        return Wiring({**triage, **reach}, sandbox.clock.now)

    @cached_property
    def _incidents(self) -> Any:
        return self.wiring.incidents(self.wiring.table())

    @cached_property
    def _approvals(self) -> Any:
        return self.wiring.approvals(self.wiring.table())

    def incidents(self) -> list[Incident]:
        """Return every incident, the oldest first."""
        found = [*self._incidents.incidents(over=True), *self._incidents.incidents(over=False)]
        return sorted(found, key=lambda incident: (incident.created_at, incident.id))

    def incident(self, incident: str) -> Incident:
        """Return an incident."""
        found: Incident = self._incidents.incident(incident)
        return found

    def findings(self, incident: str) -> Sequence[Finding]:
        """Return the findings of an incident."""
        findings: Sequence[Finding] = self._incidents.findings(incident)
        return findings

    def steps(self, incident: str) -> Sequence[StepRecord]:
        """Return the steps of an incident, in the order they were decided."""
        steps: Sequence[StepRecord] = self._incidents.steps(incident)
        return steps

    def approval(self, approval: str | None) -> Approval | None:
        """Return an approval, or None."""
        found: Approval | None = self._approvals.get(approval) if approval else None
        return found

    def undo(self, incident: Incident) -> None:
        """Start an undo, as `firebreak undo` does."""
        wanted = Execution(incident=incident.id, revision=incident.revision, mode="undo", attempt=1)
        self.wiring.machine().start(self._incidents.want_execution(wanted, self.lab.sandbox.clock.now()))

    # The estate.

    def picture(self) -> Picture:
        """Look at the whole estate."""
        estate = self.lab.estate
        instances = (estate.bastion, *estate.web, *estate.nodes.values())
        return Picture(
            {instance: self.groups(instance) for instance in instances},
            {node: self.node(node) for node in estate.nodes},
            frozenset(snapshot["SnapshotId"] for snapshot in self.snapshots()),
            self.keys(),
            self.block(),
        )

    def groups(self, instance: str) -> Groups:
        """Return the security groups on each interface of an instance, as EC2 has them."""
        found = self.lab.sandbox.client("ec2").describe_network_interfaces(
            Filters=[{"Name": "attachment.instance-id", "Values": [instance]}]
        )["NetworkInterfaces"]
        for interface in found:
            self.names |= {group["GroupId"]: group["GroupName"] for group in interface["Groups"]}
        return {
            interface["NetworkInterfaceId"]: tuple(sorted(group["GroupId"] for group in interface["Groups"]))
            for interface in found
        }

    def named(self, groups: Sequence[str]) -> str:
        """Return the names of groups that were seen, as a person reads them."""
        return ", ".join(sorted(self.names.get(group, group) for group in groups))

    def isolated(self, groups: Groups) -> bool:
        """Whether every interface carries the sealed group and nothing else."""
        return bool(groups) and all(self.named(each) == SEALED and len(each) == 1 for each in groups.values())

    def node(self, name: str) -> Scheduling:
        """Return what the API server has of a node."""
        cluster = self.lab.estate.cluster
        assert cluster is not None
        nodes = {record.name: record.view for record in cluster.store.all(BY_PATH["", "v1", "nodes"])}
        found = nodes[name]
        return Scheduling(found["spec"], dict(found["metadata"].get("annotations", {})))

    def keys(self) -> dict[str, str]:
        """Return the status of each key of the user, as IAM has it."""
        listed = self.lab.sandbox.client("iam").list_access_keys(UserName=self.lab.estate.user)["AccessKeyMetadata"]
        return {key["AccessKeyId"]: key["Status"] for key in listed}

    def block(self) -> frozenset[str] | None:
        """Return the flags that are on of the bucket's public access block, as S3 has it; None where there is none."""
        s3 = self.lab.sandbox.client("s3")
        try:
            found = s3.get_public_access_block(Bucket=self.lab.estate.bucket)["PublicAccessBlockConfiguration"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchPublicAccessBlockConfiguration":
                raise
            return None
        return frozenset(flag for flag, on in found.items() if on)

    def snapshots(self, incident: str | None = None) -> list[dict[str, Any]]:
        """Return the snapshots that EC2 has, those of one incident if given."""
        found = self.lab.sandbox.client("ec2").describe_snapshots(OwnerIds=["self"])["Snapshots"]
        return [
            snapshot
            for snapshot in found
            if incident is None
            or any(tag == {"Key": INCIDENT_TAG, "Value": incident} for tag in snapshot.get("Tags", ()))
        ]

    def volumes(self, instance: str) -> set[str]:
        """Return the ids of the volumes that are attached to an instance."""
        found = self.lab.sandbox.client("ec2").describe_volumes(
            Filters=[{"Name": "attachment.instance-id", "Values": [instance]}]
        )
        return {volume["VolumeId"] for volume in found["Volumes"]}

    def manifests(self, incident: str) -> list[str]:
        """Return where the evidence manifests of an incident are kept."""
        bucket = self.lab.sandbox.functions.find("firebreak-close").environment["FIREBREAK_EVIDENCE_BUCKET"]
        kept = self.lab.sandbox.client("s3").list_objects_v2(Bucket=bucket).get("Contents", ())
        mine = (each["Key"] for each in kept if {"manifests", incident} <= set(each["Key"].split("/")))
        return [f"s3://{bucket}/{key}" for key in mine]

    def defects(self) -> list[str]:
        """Return what went wrong in functions and executions."""
        raised = [
            f"{invocation.function_name}: {invocation.result.payload}"
            for invocation in self.lab.sandbox.functions.invocations
            if invocation.result is not None and invocation.result.failed
        ]
        ended = [
            f"execution {execution.name}: {execution.status} {execution.error} {execution.cause}"
            for execution in self.lab.sandbox.executions()
            if execution.status not in ("RUNNING", "SUCCEEDED")
        ]
        return [*raised, *ended]
