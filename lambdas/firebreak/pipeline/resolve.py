"""Resolve: what a finding names, looked up again in AWS and Kubernetes before anything is planned.

Event contents never pick a target on their own: a name becomes a target only where a look-up under the observer role
finds it, and everything it is or belongs to (a pod's node, a node's instance) is found here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from firebreak.core.clients import Clients
from firebreak.core.decision import Circumstances
from firebreak.core.enricher import Enricher, Fact
from firebreak.core.errors import AwsError, Denied, KubernetesError, Refused, TargetMissing
from firebreak.core.model import Model, Scalar
from firebreak.core.playbook import Environment
from firebreak.core.target import GLOBAL, Target

LIMIT = 50
"""Targets that are looked up for one finding; an attack sequence may name hundreds, and steps are capped far below."""


class Resolved(Model):
    """What the names in a finding stand for.

    Attributes:
        targets: those named and those found, each once; a missing one is left out.
        circumstances: what playbooks match on.
        notes: what could not be looked up, in words.
        incomplete: whether something could not be looked up, so that what is known may be the lesser part.
    """

    targets: tuple[Target, ...] = ()
    circumstances: Circumstances = Circumstances()
    tags: dict[str, dict[str, str]] = {}
    notes: tuple[str, ...] = ()
    incomplete: bool = False


@dataclass(frozen=True)
class Resolve:
    """The use case, for one incident.

    Args:
        enrichers: by name.
        observer: gives read-only clients for an account and region.
        environment: the deployment's reading of tags.
    """

    enrichers: Mapping[str, Enricher]
    observer: Callable[[str, str], Clients]
    environment: Callable[[Mapping[str, str]], Environment]

    def __call__(self, named: Iterable[Target]) -> Resolved:
        """Look up targets and what they belong to.

        Raises:
            Retriable: look again later.
        """
        waiting, found, notes = list(named), dict[str, Target](), list[str]()
        facts, tags, done = list[Fact](), dict[str, dict[str, str]](), set[str]()
        incomplete = False
        while waiting and len(done) < LIMIT:
            target = waiting.pop(0)
            if target.key in done:
                continue
            done.add(target.key)
            try:
                for enricher in self._for(target):
                    enrichment = enricher.enrich(self.observer(target.account, target.region), target)
                    facts += enrichment.facts
                    tags.setdefault(target.key, {}).update(enrichment.tags)
                    waiting += enrichment.also
                found[target.key] = target
            except TargetMissing as missing:
                notes.append(f"{target.kind} {target.label} is not there (any more): {missing}")
            except (Denied, AwsError, KubernetesError, Refused) as error:
                notes.append(f"{target.kind} {target.label} could not be looked up: {error}")
                incomplete = True
        if waiting:
            incomplete = True
            notes.append(f"more than {LIMIT} targets: {len(waiting)} were not looked up")
        return Resolved(
            targets=tuple(found.values()),
            circumstances=self._circumstances(found, facts, tags),
            tags=tags,
            notes=tuple(notes),
            incomplete=incomplete,
        )

    def _for(self, target: Target) -> list[Enricher]:
        if target.region == GLOBAL:
            return []
        return [enricher for enricher in self.enrichers.values() if target.kind in enricher.kinds]

    def _circumstances(
        self, found: Mapping[str, Target], facts: Iterable[Fact], tags: Mapping[str, Mapping[str, str]]
    ) -> Circumstances:
        merged = {key: value for each in tags.values() for key, value in each.items()}
        environments = {self.environment(each) for each in tags.values() if each} or {"unknown"}
        strictest: Environment = next(word for word in ("production", "unknown", "other") if word in environments)
        values: dict[str, Scalar | tuple[Scalar, ...]] = {}
        for fact in facts:
            values[fact.name] = _both(values[fact.name], fact.value) if fact.name in values else fact.value
        return Circumstances(
            environment=strictest,
            tags=merged,
            facts=values,
            kinds=frozenset(target.kind for target in found.values()),
        )


def _both(one: Scalar | tuple[Scalar, ...], other: Scalar | tuple[Scalar, ...]) -> tuple[Scalar, ...]:
    """Two targets' values of one fact: a playbook that asks for either finds it."""
    ones = one if isinstance(one, tuple) else (one,)
    others = other if isinstance(other, tuple) else (other,)
    return (*ones, *(value for value in others if value not in ones))
