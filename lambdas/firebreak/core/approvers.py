"""Who may answer a question, read from the settings as JSON.

The settings are checked at synth by `firebreak.core.deployment`; this reads the few members that the public function
needs, without pydantic, and fails closed: a person that no rule names may nothing, and a rule that names nobody
approves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from firebreak.core.errors import SettingsError
from firebreak.core.glob import matches

EFFECTS = ("collect", "reversible", "destructive")
ENVIRONMENTS = ("production", "other")


@dataclass(frozen=True)
class Rule:
    """Some people may consent to some steps; see `firebreak.core.people.ApproverRule`."""

    people: frozenset[str]
    effects: frozenset[str]
    environments: frozenset[str]
    quorum: int

    def applies(self, effect: str, environment: str) -> bool:
        """Whether it is about steps of this effect in this environment; an unknown one counts as production."""
        counts_as = "production" if environment == "unknown" else environment
        return effect in self.effects and not self.environments.isdisjoint((environment, counts_as))


@dataclass(frozen=True)
class Approvers:
    """The people of a deployment and what they may consent to.

    Attributes:
        app, team, enterprise: the Slack app, workspace and organisation that requests have to come from; "" where
            there is none, which no request matches.
        members: the person of each Slack user id.
        callers: (account and name, or account, role glob and session; person) of each ARN.
        rules: who may what.
    """

    app: str
    team: str
    enterprise: str
    members: Mapping[str, str]
    callers: Sequence[tuple[str, str]]
    rules: Sequence[Rule]

    @classmethod
    def read(cls, deployment: Mapping[str, Any]) -> Approvers:
        """Return the approvers of a deployment.

        Args:
            deployment: `deployment.json`.

        Raises:
            SettingsError: it is not what synth writes.
        """
        try:
            slack = deployment.get("slack") or {}
            people = deployment.get("people", ())
            return cls(
                app=slack.get("app") or "",
                team=slack.get("team") or "",
                enterprise=slack.get("enterprise") or "",
                members={person["slack"]: person["name"] for person in people if person.get("slack")},
                callers=[(arn, person["name"]) for person in people for arn in person.get("iam", ())],
                rules=[
                    Rule(
                        people=frozenset(rule["people"]),
                        effects=frozenset(rule.get("effects", EFFECTS)),
                        environments=frozenset(rule.get("environments", ENVIRONMENTS)),
                        quorum=int(rule.get("quorum", 1)),
                    )
                    for rule in deployment.get("approvers", ())
                ],
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise SettingsError(f"deployment.json: people and approvers cannot be read: {error!r}") from error

    def from_slack(self, app: str, team: str | None, enterprise: str | None) -> bool:
        """Whether a request comes from our app in our workspace.

        Where an organisation installed the app, requests may name no workspace; then the organisation has to be ours.
        """
        if not self.app or app != self.app:
            return False
        if team is not None:
            return bool(self.team) and team == self.team
        return bool(self.enterprise) and enterprise == self.enterprise

    def member(self, user: str) -> str | None:
        """Return the person with a Slack user id, or None."""
        return self.members.get(user)

    def caller(self, arn: str) -> str | None:
        """Return the person who calls under an ARN, or None; None, too, where it fits several persons.

        Roles are compared by account and name and sessions by their whole name, as an assumed role's ARN bears them
        (`arn:aws:sts::<account>:assumed-role/<role>/<session>`; IAM User Guide, IAM identifiers). A role alone is
        nobody: everyone who may assume it would be the same person.
        """
        found = {person for pattern, person in self.callers if _fits(pattern, arn)}
        return found.pop() if len(found) == 1 else None

    def may(self, effect: str, environment: str) -> frozenset[str]:
        """Return who may answer for a step; nobody where no rule applies."""
        return frozenset().union(*(rule.people for rule in self.rules if rule.applies(effect, environment)))

    def quorum(self, effect: str, environment: str) -> int:
        """Return how many different persons have to agree."""
        return max((rule.quorum for rule in self.rules if rule.applies(effect, environment)), default=1)


def _fits(pattern: str, arn: str) -> bool:
    """Compare part by part, so that a glob in a role's name never reaches into the session's."""
    wanted, given = pattern.split("/"), arn.split("/")
    if ":assumed-role" not in pattern:
        return pattern == arn
    return (
        len(wanted) == len(given) == 3
        and wanted[0] == given[0]
        and wanted[2] == given[2]
        and matches(wanted[1], given[1])
    )
