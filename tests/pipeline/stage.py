"""An instance with two interfaces, an incident about it, and what plans and executes its steps, by moto."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import boto3

import sandbox.moto_cures
from firebreak.adapters.incident_rows import attempt_write, new_incident
from firebreak.adapters.incident_table import IncidentTable
from firebreak.adapters.ledger_table import LedgerTable
from firebreak.adapters.sts import MemberSessions
from firebreak.adapters.table import Table
from firebreak.core.action import AnyAction
from firebreak.core.audit import broken_link
from firebreak.core.deployment import Deployment
from firebreak.core.errors import Held, NoConsent
from firebreak.core.finding import Severity
from firebreak.core.incident import Incident, Setting, StepRecord
from firebreak.core.plan import Plan
from firebreak.core.quarantine import DESCRIPTIONS, NAMES
from firebreak.core.registry import action
from firebreak.core.target import Instance
from firebreak.pipeline.execute import Execute, Operation
from firebreak.pipeline.step_run import Answer
from firebreak.ports import Actor
from tests.world import ACCOUNT, AUTOMATIC, REGION, START, World

sandbox.moto_cures.install()
INCIDENT = "inc-0123456789ab"


@dataclass
class Consents:
    """Consent that is given or not, as a test says."""

    because: str | None = None
    redeemed: list[str] = field(default_factory=list)

    def redeem(self, step: StepRecord, holder: str, now: datetime) -> None:
        if self.because is not None:
            raise NoConsent(self.because, "as the test says")
        self.redeemed.append(holder)

    def cancel(self, incident: str, now: datetime) -> None:
        """Nothing is open."""

    def expire_due(self, now: datetime) -> int:
        return 0


@dataclass
class Notices:
    """What people were told."""

    told: list[str] = field(default_factory=list)

    def tell(self, subject: str, lines: Any, *, incident: str | None = None) -> None:
        self.told.append(subject)


@dataclass
class Stage:
    """An instance with two interfaces, an incident about it, and what executes its steps."""

    world: World
    incidents: IncidentTable
    ledger: LedgerTable
    sessions: MemberSessions
    instance: Instance
    consent: Consents = field(default_factory=Consents)
    notices: Notices = field(default_factory=Notices)
    deployment: Deployment = AUTOMATIC
    left: float = 60.0

    @property
    def execute(self) -> Execute:
        return Execute(
            self.incidents,
            self.ledger,
            self.sessions,
            self.consent,
            self.notices,
            self.world.clock,
            self.deployment,
            action,
        )

    def run(self, step: str, operation: Operation = "run", mode: Any = "respond", request: str | None = None) -> Answer:
        self.world.requests += 1
        actor = Actor(name="execute", request=request or f"request-{self.world.requests}")
        return self.execute.handle(INCIDENT, step, mode, operation, actor, lambda: self.left)

    def settle(self, step: str, mode: Any = "respond") -> StepRecord:
        """Run a step as the state machine does: again and again, with its waits and its retries."""
        for _ in range(30):
            try:
                answer = self.run(step, mode=mode)
            except Held:
                self.world.pass_time(seconds=60)
                continue
            if answer.status == "settled":
                return self.step(step)
            self.world.pass_time(seconds=answer.after)
        raise AssertionError(f"{step} does not settle: {self.step(step)}")

    def step(self, step: str) -> StepRecord:
        return next(record for record in self.incidents.steps(INCIDENT) if record.id == step)

    def groups(self) -> dict[str, list[str]]:
        """Names of the groups on each interface."""
        found = self.world.client("ec2").describe_network_interfaces(
            Filters=[{"Name": "attachment.instance-id", "Values": [self.instance.instance_id]}]
        )["NetworkInterfaces"]
        return {eni["NetworkInterfaceId"]: sorted(group["GroupName"] for group in eni["Groups"]) for eni in found}

    def isolated(self) -> bool:
        return all(groups == ["firebreak-sealed"] for groups in self.groups().values())

    def plan(self, name: str, parameters: dict[str, Any] | None = None, **update: Any) -> StepRecord:
        """Plan a step and put it into the table, as Plan does."""
        unit: AnyAction = action(name)
        checked = unit.parameters.model_validate(parameters or {})
        draft = unit.plan(self.sessions.observer(ACCOUNT, REGION, INCIDENT, lambda: 60.0), self.instance, checked)
        step = StepRecord(
            id=f"{name.replace('.', '-')}-1",
            incident=INCIDENT,
            revision=1,
            order=0,
            action=name,
            effect=unit.effect,
            stage=unit.stage,
            target=self.instance,
            parameters=checked.model_dump(mode="json"),
            consent="auto",
            playbook="test",
            setting=Setting(posture="acting", environment="other"),
            status="planned",
        )
        plan = Plan(
            **draft.model_dump(),
            action=name,
            incident=INCIDENT,
            revision=1,
            step=step.id,
            target=self.instance,
            parameters=step.parameters,
            policy="p",
        )
        step = step.model_copy(update={"plan": plan, **update})
        self.incidents.add_steps(INCIDENT, [step], Actor(name="plan", request="p"), self.world.clock())
        return self.step(step.id)

    def contained_later(self, number: int) -> None:
        """Have another incident that was opened later, and is contained."""
        update = {
            "id": f"inc-{number:012x}",
            "status": "contained",
            "created_at": START + timedelta(seconds=1 + number),
        }
        _, writes = new_incident(self.incidents.incident(INCIDENT).model_copy(update=update), "opened", "triage", ())
        self.ledger._table.write_all(*writes)

    def chains(self) -> bool:
        """Whether every audit chain is whole."""
        trail = self.incidents.trail(INCIDENT)
        names = {record.chain for record in trail}
        return all(broken_link(record for record in trail if record.chain == name) is None for name in names)


def quarantine(ec2: Any, vpc: str) -> None:
    """Make the quarantine groups of a VPC as Prepare leaves them."""
    sealed, untrack = (
        ec2.create_security_group(GroupName=NAMES[kind], Description=DESCRIPTIONS[kind], VpcId=vpc)["GroupId"]
        for kind in ("sealed", "untrack")
    )
    egress = ec2.describe_security_groups(GroupIds=[sealed])["SecurityGroups"][0]["IpPermissionsEgress"]
    ec2.revoke_security_group_egress(GroupId=sealed, IpPermissions=egress)
    v4, v6 = {"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}, {"Ipv6Ranges": [{"CidrIpv6": "::/0"}]}
    ec2.authorize_security_group_ingress(GroupId=untrack, IpPermissions=[{"IpProtocol": "-1", **v4, **v6}])
    ec2.authorize_security_group_egress(GroupId=untrack, IpPermissions=[{"IpProtocol": "-1", **v6}])


def set_up(place: World) -> Stage:
    ec2 = boto3.client("ec2", region_name=REGION)
    place.clients["ec2"] = ec2
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    web = ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc)["GroupId"]
    instance = ec2.run_instances(
        ImageId="ami-12345678", MinCount=1, MaxCount=1, SubnetId=subnet, SecurityGroupIds=[web]
    )["Instances"][0]["InstanceId"]
    second = ec2.create_network_interface(SubnetId=subnet, Groups=[web])["NetworkInterface"]["NetworkInterfaceId"]
    ec2.attach_network_interface(NetworkInterfaceId=second, InstanceId=instance, DeviceIndex=1)
    session = boto3.Session(region_name=REGION)
    table = Table(place.client("dynamodb"), "firebreak", pause=lambda seconds: None)
    sessions = MemberSessions(session, AUTOMATIC, action, lambda clients, cluster: None)  # type: ignore[arg-type, return-value]
    quarantine(ec2, vpc)
    incident = Incident(
        id=INCIDENT,
        status="acting",
        revision=1,
        lane="urgent",
        severity=Severity.HIGH,
        title="test",
        account=ACCOUNT,
        region=REGION,
        created_at=START,
        updated_at=START,
    )
    _, writes = new_incident(incident, "opened", "triage", ())
    table.write_all(*writes, attempt_write(INCIDENT, 1, "respond", "urgent", START))
    target = Instance(account=ACCOUNT, region=REGION, instance_id=instance)
    return Stage(place, IncidentTable(table), LedgerTable(table), sessions, target)
