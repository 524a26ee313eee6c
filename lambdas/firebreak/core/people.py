"""Who may consent: people, by their name in Slack and in IAM, and the rules that make some of them approvers."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field

from firebreak.core.action import Effect
from firebreak.core.glob import covers
from firebreak.core.model import Model
from firebreak.core.playbook import Environment
from firebreak.core.spelling import Several, Some

PersonName: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$")]

Caller: TypeAlias = Annotated[
    str,
    Field(
        max_length=512,
        pattern=r"^arn:aws[a-z-]*:"
        r"(iam::[0-9]{12}:user/[A-Za-z0-9_+=,.@/-]+"
        r"|sts::[0-9]{12}:assumed-role/[A-Za-z0-9_+=,.@*?-]+/[A-Za-z0-9_+=,.@-]+)$",
    ),
]
"""An ARN as a caller of the API bears it: `…:user/ada`, or `…:assumed-role/<role>/<session>`. The role's name may hold
`*` and `?` (single sign-on ends it in a random suffix); user and session are always one."""


class Person(Model):
    """A human, who is one person on every route.

    Attributes:
        name: what records and messages call the person.
        slack: the member's id in Slack, `U…` or `W…`; a display name proves nothing.
        iam: the person's ARNs. Whoever assumes a role chooses the session's name unless the role's trust policy pins
            it (as single sign-on does): list only sessions of roles that do.
    """

    name: PersonName
    slack: str | None = Field(default=None, pattern=r"^[UW][A-Z0-9]{2,31}$")
    iam: Several[Caller] = ()

    def shares(self, other: Person) -> str | None:
        """Return the member in which two people could be taken for each other, or None."""
        if self.name == other.name:
            return "name"
        if self.slack is not None and self.slack == other.slack:
            return "slack"
        if any(covers(one, another) or covers(another, one) for one in self.iam for another in other.iam):
            return "iam"
        return None


class ApproverRule(Model):
    """Some people may consent to some steps.

    Attributes:
        people: their names.
        effects: to steps of which effect.
        environments: on targets of which environment; an unknown one counts as production.
        quorum: how many different people have to agree. Where several rules apply, their people add up and the
            highest quorum holds.
    """

    people: Some[PersonName]
    effects: Some[Effect] = ("collect", "reversible", "destructive")
    environments: Some[Environment] = ("production", "other")
    quorum: int = Field(default=1, ge=1, le=10)

    def applies(self, effect: Effect, environment: Environment) -> bool:
        """Whether it is about steps of this effect in this environment."""
        counts_as: Environment = "production" if environment == "unknown" else environment
        return effect in self.effects and (environment in self.environments or counts_as in self.environments)


class Slack(Model):
    """The workspace in which people are asked. All are ids, which a rename does not change.

    Attributes:
        channel: the private channel of the questions, `C…` or `G…`.
        team: the workspace, `T…`.
        app: the app, `A…`; requests of other apps are refused.
        enterprise: the organisation, `E…`, where the workspace is part of one.
    """

    channel: str = Field(pattern=r"^[CG][A-Z0-9]{2,31}$")
    team: str = Field(pattern=r"^T[A-Z0-9]{2,31}$")
    app: str = Field(pattern=r"^A[A-Z0-9]{2,31}$")
    enterprise: str | None = Field(default=None, pattern=r"^E[A-Z0-9]{2,31}$")


class ApprovalTimes(Model):
    """How long questions and answers are good for.

    Attributes:
        expire_after_minutes: a question that nobody has answered by then is denied.
        use_within_minutes: a yes that could not be used this long after the question's expiry is void.
    """

    expire_after_minutes: int = Field(default=60, ge=5, le=1440)
    use_within_minutes: int = Field(default=30, ge=1, le=1440)
