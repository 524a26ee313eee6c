"""One condition of a playbook, judged: it holds, it fails, or it is open, because what it asks is not looked up yet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

from firebreak.core.finding import Finding
from firebreak.core.glob import any_matches, matches
from firebreak.core.model import Model, Scalar
from firebreak.core.playbook import Environment, Match

Verdict: TypeAlias = Literal["holds", "fails", "open"]


class Circumstances(Model):
    """What was looked up about the targets of a finding.

    Attributes:
        environment: what they serve, by the deployment's reading of their tags.
        tags: their tags.
        facts: by name.
        kinds: kinds of target that the finding's targets are or belong to, once resolved: a pod's node, its instance.
    """

    environment: Environment = "unknown"
    tags: dict[str, str] = {}
    facts: dict[str, Scalar | tuple[Scalar, ...]] = {}
    kinds: frozenset[str] = frozenset()


def conditions(match: Match, finding: Finding, circumstances: Circumstances | None) -> Iterator[tuple[Verdict, str]]:
    """Judge every condition that is written, those that need no look-up first."""
    if match.source is not None:
        yield _said(finding.source == match.source, f"source is {finding.source}", match.source)
    if match.type is not None:
        yield _said(any_matches(match.type, finding.type), f"type is {finding.type}", *match.type)
    if match.severity is not None:
        fits = match.severity.at_least <= finding.severity <= match.severity.at_most
        yield _said(fits, f"severity is {finding.severity.word}", str(match.severity))
    if match.posture is not None:
        yield _said(finding.posture in match.posture, f"posture is {finding.posture}", *match.posture)
    if match.account is not None:
        yield _said(finding.account in match.account, f"account is {finding.account}", *match.account)
    if match.region is not None:
        yield _said(any_matches(match.region, finding.region), f"region is {finding.region}", *match.region)
    if match.kind is not None:
        yield _kinds(match.kind, circumstances)
    if match.environment is not None:
        yield _environment(match.environment, circumstances)
    for key, globs in match.tags.items():
        yield _tag(key, globs, circumstances)
    for name, values in match.facts.items():
        yield _fact(name, values, circumstances)


def _kinds(wanted: tuple[str, ...], circumstances: Circumstances | None) -> tuple[Verdict, str]:
    if circumstances is None:
        return _open("a target", *wanted)
    found = sorted(circumstances.kinds)
    fits = not circumstances.kinds.isdisjoint(wanted)
    return _said(fits, f"the finding leads to {', '.join(found) or 'no target'}", *wanted)


def _environment(wanted: tuple[Environment, ...], circumstances: Circumstances | None) -> tuple[Verdict, str]:
    if circumstances is None:
        return _open("environment", *wanted)
    found = circumstances.environment
    fits = found in wanted or (found == "unknown" and "production" in wanted)
    return _said(fits, f"environment is {found}", *wanted)


def _tag(key: str, globs: tuple[str, ...], circumstances: Circumstances | None) -> tuple[Verdict, str]:
    if circumstances is None:
        return _open(f"tag {key}", *globs)
    value = circumstances.tags.get(key)
    return _said(
        value is not None and any_matches(globs, value),
        f"tag {key} is {'missing' if value is None else repr(value)}",
        *globs,
    )


def _fact(name: str, values: tuple[Scalar, ...], circumstances: Circumstances | None) -> tuple[Verdict, str]:
    if circumstances is None:
        return _open(name, *values)
    if name not in circumstances.facts:
        return _said(False, f"{name} was not found", *values)
    found = circumstances.facts[name]
    members = found if isinstance(found, tuple) else (found,)
    fits = any(_fits(member, value) for member in members for value in values)
    return _said(fits, f"{name} is {', '.join(map(_word, members)) or 'empty'}", *values)


def _fits(found: Scalar, wanted: Scalar) -> bool:
    """A text by its glob, anything else by equality in which true is not 1, as it is for Python."""
    if isinstance(found, str) and isinstance(wanted, str):
        return matches(wanted, found)
    return isinstance(found, bool) == isinstance(wanted, bool) and found == wanted


def _said(fits: bool, found: str, *wanted: Scalar) -> tuple[Verdict, str]:
    return ("holds", found) if fits else ("fails", f"{found}, not {' or '.join(map(_word, wanted))}")


def _open(what: str, *wanted: Scalar) -> tuple[Verdict, str]:
    return "open", f"if {what} is {' or '.join(map(_word, wanted))}"


def _word(value: Scalar) -> str:
    return (
        {None: "none", True: "true", False: "false"}[value] if value is None or isinstance(value, bool) else str(value)
    )
