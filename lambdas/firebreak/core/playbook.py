"""Playbooks: which finding gets which steps, under which consent. What operators write, in its checked form.

A condition that is not written holds for everything; of one that lists several values one has to fit. All conditions
of a playbook have to hold. The playbook with the lowest priority number whose conditions hold decides, alone.
"""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, Literal, TypeAlias, get_args

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, model_validator

from firebreak.core.action import Effect
from firebreak.core.finding import Posture, Severity
from firebreak.core.glob import covers
from firebreak.core.incident import Consent
from firebreak.core.model import Json, Model, Scalar, digest
from firebreak.core.plan import Stage
from firebreak.core.spelling import AccountId, Glob, Name, Some
from firebreak.core.target import Target

Environment: TypeAlias = Literal["production", "other", "unknown"]
"""What a target serves, by its tags; unknown counts as production wherever it matters."""


def _band(value: Any) -> Any:
    words = {severity.word: severity for severity in Severity}
    if isinstance(value, Severity):
        return value
    if isinstance(value, str) and value in words:
        return words[value]
    raise ValueError(f"not a severity; one of {', '.join(words)}")


KINDS: frozenset[str] = frozenset(member.model_fields["kind"].default for member in get_args(get_args(Target)[0]))
"""Every kind of target."""


def _kind(value: str) -> str:
    if value not in KINDS:
        raise ValueError(f"no kind of target is called {value!r}; there is {', '.join(sorted(KINDS))}")
    return value


Kind: TypeAlias = Annotated[str, AfterValidator(_kind)]

Band: TypeAlias = Annotated[Severity, BeforeValidator(_band), PlainSerializer(lambda band: Severity(band).word)]
"""A severity, by its word."""


class SeverityRange(Model):
    """Severity bands, both ends included.

    Attributes:
        at_least: the lowest band that fits.
        at_most: the highest band that fits.
    """

    at_least: Band = Severity.INFO
    at_most: Band = Severity.CRITICAL

    @model_validator(mode="after")
    def _not_empty(self) -> SeverityRange:
        if self.at_least > self.at_most:
            raise ValueError(
                f"at least {self.at_least.word} and at most {self.at_most.word} fits nothing; swap them or drop one"
            )
        return self

    def covers(self, other: SeverityRange) -> bool:
        """Whether every band of the other is in it."""
        return self.at_least <= other.at_least and other.at_most <= self.at_most

    def __str__(self) -> str:
        return f"{self.at_least.word} to {self.at_most.word}"


class Match(Model):
    """The conditions of a playbook. The first six are known from the finding, the last four are looked up.

    Attributes:
        source: the source's name, "guardduty" or "falco".
        type: globs over the source's type or rule name, case-sensitive: `Backdoor:EC2/*`.
        severity: the bands.
        posture: whether the target acts, is a victim, or the source cannot tell.
        account: account ids the finding belongs to.
        region: globs over the region, `eu-*`.
        kind: kinds of target; one of the finding's targets has to be, or belong to, one of these. A pod leads to its
            node, a node to its instance; an instance does not lead to its node, but has the fact `instance.cluster`.
        environment: what the target serves. An unknown one is taken for production.
        tags: per tag key of the target, globs over its value. A tag that is missing does not fit.
        facts: per name of a fact, values, of which texts are globs; a fact that is a list fits where one of its members
            does. A fact that was not found does not fit.
    """

    source: str | None = None
    type: Some[Glob] | None = None
    severity: SeverityRange | None = None
    posture: Some[Posture] | None = None
    account: Some[AccountId] | None = None
    region: Some[Glob] | None = None
    kind: Some[Kind] | None = None
    environment: Some[Environment] | None = None
    tags: dict[str, Some[Glob]] = {}
    facts: dict[str, Some[Scalar]] = {}

    def covers(self, other: Match) -> bool:
        """Whether everything that the other takes is taken by this one. True is always right; False may be cautious."""
        return all(
            (
                self.source in (None, other.source),
                _globs_cover(self.type, other.type),
                (self.severity or SeverityRange()).covers(other.severity or SeverityRange()),
                _values_cover(self.posture, other.posture),
                _values_cover(self.account, other.account),
                _globs_cover(self.region, other.region),
                _values_cover(self.kind, other.kind),
                _values_cover(_counted(self.environment), _counted(other.environment)),
                *(_globs_cover(globs, other.tags.get(key)) for key, globs in self.tags.items()),
                *(_values_cover(values, other.facts.get(name)) for name, values in self.facts.items()),
            )
        )


def _globs_cover(wide: tuple[str, ...] | None, narrow: tuple[str, ...] | None) -> bool:
    return wide is None or (narrow is not None and all(any(covers(one, glob) for one in wide) for glob in narrow))


def _values_cover(wide: tuple[Scalar, ...] | None, narrow: tuple[Scalar, ...] | None) -> bool:
    return wide is None or (
        narrow is not None and all(any(_value_covers(one, each) for one in wide) for each in narrow)
    )


def _value_covers(wide: Scalar, narrow: Scalar) -> bool:
    if isinstance(wide, str) and isinstance(narrow, str):
        return covers(wide, narrow)
    return repr(wide) == repr(narrow)  # to Python, true is 1


def _counted(environments: tuple[Environment, ...] | None) -> tuple[Environment, ...] | None:
    return (*environments, "unknown") if environments and "production" in environments else environments


class PlaybookStep(Model):
    """One step of a playbook.

    Attributes:
        action: the action's name.
        parameters: complete, as the action's model dumps them (`with` in YAML).
        consent: "auto" runs it where the guard agrees, "ask" asks a person first.
        stage: when it runs.
        effect, target_kind: as the action declares them, so that deciding needs no action imported.
    """

    action: str
    parameters: Json = {}
    consent: Consent
    stage: Stage
    effect: Effect
    target_kind: str


class Playbook(Model):
    """What to do about some findings.

    Attributes:
        name: unique; lower case words with dashes.
        description: what it is for, for the people who read a decision.
        priority: unique; the lowest number that matches decides.
        match: its conditions.
        steps: what to do, in this order within a stage; none means that people are told, if that.
        notify: whether people are told.
    """

    name: Name
    description: str = Field(min_length=1, max_length=1000)
    priority: int = Field(ge=1, le=1_000_000)
    match: Match
    steps: tuple[PlaybookStep, ...] = ()
    notify: bool = True


class Playbooks(Model):
    """All playbooks of a deployment, by priority, in whatever order and files they were written.

    Attributes:
        playbooks: lowest priority number first.
    """

    playbooks: tuple[Playbook, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _by_priority(cls, value: Any) -> Any:
        given = value.get("playbooks", ()) if isinstance(value, dict) else ()
        if not given or not all(isinstance(playbook, Playbook) for playbook in given):
            return value
        return value | {"playbooks": tuple(sorted(given, key=lambda playbook: playbook.priority))}

    @model_validator(mode="after")
    def _unique(self) -> Playbooks:
        for what in ("name", "priority"):
            counts = Counter(getattr(playbook, what) for playbook in self.playbooks)
            if twice := [value for value, count in counts.items() if count > 1]:
                raise ValueError(f"{what} {twice[0]} is used by more than one playbook")
        priorities = [playbook.priority for playbook in self.playbooks]
        if priorities != sorted(priorities):
            raise ValueError("playbooks are not in the order of their priorities")
        return self

    @property
    def version(self) -> str:
        """Digest of everything in them; decisions and plans are recorded under it."""
        return digest(self.model_dump(mode="json"))
