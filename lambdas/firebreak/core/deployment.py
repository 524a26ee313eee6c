"""One deployment's settings: accounts, mode, people, guard rails. `firebreak.yaml` in its checked form.

Every default is the careful one: with an empty file Firebreak watches the account it is deployed to, plans, tells, and
changes nothing. The file is read at synth and goes into the asset as `deployment.json`; the table can tighten the mode
afterwards and loosen nothing.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias, get_args

from pydantic import BeforeValidator, Field, field_validator, model_validator

from firebreak.core.action import Effect
from firebreak.core.guard_rails import EnvironmentTag, GuardMode, GuardRails
from firebreak.core.model import Model
from firebreak.core.people import ApprovalTimes, ApproverRule, Person, Slack
from firebreak.core.playbook import Environment
from firebreak.core.spelling import Misplaced, Several, Some, digits

CURRENT = "current"
"""The account or region that the credentials of `cdk deploy` point at, so that synth needs to know neither."""

Account: TypeAlias = Annotated[str, BeforeValidator(digits), Field(pattern=r"^([0-9]{12}|current)$")]
Region: TypeAlias = Annotated[str, Field(pattern=r"^([a-z]{2,}(-[a-z0-9]+)+|current)$")]
LogDays: TypeAlias = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]
"""What CloudWatch Logs takes (API reference, PutRetentionPolicy)."""


ENVIRONMENTS: tuple[Environment, ...] = ("production", "other")


class Home(Model):
    """The security account and the region in which the pipeline runs.

    Attributes:
        account: its number, or "current".
        region: its name, or "current".
    """

    account: Account = CURRENT
    region: Region = CURRENT


class Member(Model):
    """An account that is watched and acted in.

    Attributes:
        account: its number, or "current" for the home account.
        regions: where; "current" is the home region.
        external_id: what its roles ask for when the security account assumes them. Needed for every other account.
    """

    account: Account = CURRENT
    regions: Some[Region] = (CURRENT,)
    external_id: str | None = Field(default=None, pattern=r"^[A-Za-z0-9+=,.@:/_-]{8,128}$")


class WatchedCluster(Model):
    """An EKS cluster whose Falco alerts are taken, through a queue of its own.

    Attributes:
        name: its name in EKS.
        account: the watched account it is in.
        region: the region it is in.
    """

    name: str = Field(pattern=r"^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$")
    account: Account = CURRENT
    region: Region = CURRENT


class Detection(Model):
    """What makes the findings.

    Attributes:
        detector: "existing" leaves GuardDuty as it is; "create" makes a detector in the home account and region with
            the features below, each of which AWS charges for. Synth cannot know which it has to be.
        eks_audit_logs: findings from the audit logs of EKS clusters.
        runtime_monitoring: findings from inside instances, nodes and tasks.
        runtime_agents: whether GuardDuty installs and updates the agents of runtime monitoring itself.
        ebs_malware_protection: scans volumes of instances that have findings.
        s3_data_events: findings from the use of buckets.
        rds_login_events: findings from logins to databases.
        lambda_network_logs: findings from the traffic of functions.
    """

    detector: Literal["existing", "create"] = "existing"
    eks_audit_logs: bool = True
    runtime_monitoring: bool = True
    runtime_agents: bool = True
    ebs_malware_protection: bool = True
    s3_data_events: bool = True
    rds_login_events: bool = True
    lambda_network_logs: bool = True


class Retention(Model):
    """How many days things are kept.

    Attributes:
        logs: logs of the functions and of the state machine.
        archive: events on the bus, for replay.
        raw_events: raw events of incidents; they can hold secrets from command lines.
        evidence: manifests and API answers of incidents.
    """

    logs: LogDays = 90
    archive: int = Field(default=30, ge=1, le=3650)
    raw_events: int = Field(default=90, ge=1, le=3650)
    evidence: int = Field(default=365, ge=1, le=3650)


class Deployment(Model):
    """All settings of a deployment.

    Attributes:
        prefix: the start of every name, of roles above all. "aws" and "ssm" are AWS's own.
        home: where the pipeline runs.
        members: the accounts it watches and acts in. Empty: the home account in the home region, and no other.
        clusters: EKS clusters with Falco.
        mode: the ceiling; the table may be tighter.
        environment: how tags tell production from the rest.
        people: who can be named below.
        approvers: who may consent to what.
        slack: where people are asked; without it they answer on the command line.
        approval: how long questions and answers are good for.
        guard: the guard rails.
        detection: what makes the findings.
        retention: how long things are kept.
        bulk_executions: executions that findings of the bulk lane may have running at once.
        notice_emails: addresses that are told of incidents and alarms; AWS asks each to confirm.
    """

    prefix: str = Field(default="firebreak", pattern=r"^[a-z](-?[a-z0-9])*$", max_length=20)
    home: Home = Home()
    members: Several[Member] = ()
    clusters: Several[WatchedCluster] = ()
    mode: GuardMode = "observe"
    environment: EnvironmentTag = EnvironmentTag()
    people: Several[Person] = ()
    approvers: Several[ApproverRule] = ()
    slack: Slack | None = None
    approval: ApprovalTimes = ApprovalTimes()
    guard: GuardRails = GuardRails()
    detection: Detection = Detection()
    retention: Retention = Retention()
    bulk_executions: int = Field(default=10, ge=1, le=500)
    notice_emails: Several[Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=254)]] = ()

    @property
    def watched(self) -> tuple[Member, ...]:
        """The accounts that are watched and acted in; never empty."""
        return self.members or (Member(),)

    @field_validator("prefix")
    @classmethod
    def _prefix_is_ours(cls, prefix: str) -> str:
        if prefix.startswith(("aws", "ssm")):
            raise ValueError("no parameter in Systems Manager may start with aws or ssm; choose another prefix")
        return prefix

    @model_validator(mode="after")
    def _members_fit(self) -> Deployment:
        for index, member in enumerate(self.members):
            at, account = ("members", index), self._account(member.account)
            if account in [self._account(earlier.account) for earlier in self.members[:index]]:
                raise Misplaced((*at, "account"), f"account {member.account} is listed twice; join the two")
            if account == self._account(CURRENT):
                continue
            if self.home.account == CURRENT:
                raise Misplaced(
                    (*at, "account"),
                    f"the roles in account {account} name the account they trust; write its number as home.account",
                )
            if member.external_id is None:
                raise Misplaced(at, f"account {account} needs an external_id, which its roles will ask for")
        return self

    @model_validator(mode="after")
    def _clusters_fit(self) -> Deployment:
        places = {
            (self._account(member.account), self._region(region))
            for member in self.watched
            for region in member.regions
        }
        seen: set[tuple[str, str, str]] = set()
        for index, cluster in enumerate(self.clusters):
            place = (self._account(cluster.account), self._region(cluster.region))
            if place not in places:
                raise Misplaced(
                    ("clusters", index),
                    f"no member covers account {cluster.account} in {cluster.region}; add it under members",
                )
            if (*place, cluster.name) in seen:
                raise Misplaced(("clusters", index), f"cluster {cluster.name} is listed twice; take one out")
            seen.add((*place, cluster.name))
        return self

    @model_validator(mode="after")
    def _people_differ(self) -> Deployment:
        for index, person in enumerate(self.people):
            for earlier in self.people[:index]:
                if shared := person.shares(earlier):
                    raise Misplaced(
                        ("people", index, shared), f"{earlier.name} has the same; one human is one person, listed once"
                    )
        return self

    @model_validator(mode="after")
    def _approvers_exist(self) -> Deployment:
        people = {person.name: person for person in self.people}
        for index, rule in enumerate(self.approvers):
            at = ("approvers", index, "people")
            for name in rule.people:
                if name not in people:
                    raise Misplaced(at, f"{name} is not listed under people; add the person or mend the name")
                if not people[name].iam and (people[name].slack is None or self.slack is None):
                    raise Misplaced(at, f"{name} has no way to answer; give the person an iam ARN, or slack with slack")
        if self.mode != "observe":
            for effect in get_args(Effect):
                self._can_ask(effect)
        return self

    def _can_ask(self, effect: Effect) -> None:
        for environment in ENVIRONMENTS:
            rules = [rule for rule in self.approvers if rule.applies(effect, environment)]
            able = {name for rule in rules for name in rule.people}
            quorum = max((rule.quorum for rule in rules), default=1)
            if len(able) < quorum:
                raise Misplaced(
                    ("approvers",) if self.approvers else ("mode",),
                    f"in mode {self.mode} people may be asked about a {effect} step where the environment is "
                    f"{environment}; that takes {quorum} of them, and {len(able)} may answer; name more approvers, or "
                    f"set mode: observe",
                )

    def _account(self, account: str) -> str:
        return self.home.account if account == CURRENT else account

    def _region(self, region: str) -> str:
        return self.home.region if region == CURRENT else region
