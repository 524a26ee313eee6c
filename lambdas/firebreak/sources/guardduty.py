"""Amazon GuardDuty: findings as EventBridge delivers them."""

from __future__ import annotations

import re
from datetime import datetime
from typing import ClassVar

from firebreak.core.errors import FindingError, NotForFirebreak
from firebreak.core.finding import Actor, Finding, Remote, Severity
from firebreak.core.model import Json
from firebreak.core.source import Origin, Source
from firebreak.core.target import Target
from firebreak.wire import guardduty_action, guardduty_sequence, read
from firebreak.wire.guardduty_posture import posture
from firebreak.wire.guardduty_sample import is_sample
from firebreak.wire.guardduty_targets import MOST, Owner, actor_names, distinct, targets
from firebreak.wire.guardduty_untrusted import untrusted
from firebreak.wire.read import member

BUS = "aws.guardduty"
FINDING = "GuardDuty Finding"

OTHER_MESSAGES = {
    "GuardDuty Runtime Protection Healthy": "runtime monitoring covers a resource again",
    "GuardDuty Runtime Protection Unhealthy": "runtime monitoring lost a resource: restore coverage, contain nothing",
    "GuardDuty Malware Protection Object Scan Result": "the result of one object's malware scan, not a finding",
    "GuardDuty Malware Protection Resource Status Active": "malware protection of a bucket is on",
    "GuardDuty Malware Protection Resource Status Warning": "malware protection of a bucket has a problem",
    "GuardDuty Malware Protection Resource Status Error": "malware protection of a bucket does not work",
    "GuardDuty Malware Protection Post Scan Action Failed": "a scanned object could not be tagged",
    "AWS API Call via CloudTrail": "somebody called GuardDuty's API",
}
"""Amazon GuardDuty User Guide, "Processing GuardDuty findings with Amazon EventBridge" and its malware chapters."""

TYPE = re.compile(r"[A-Za-z0-9]+:[A-Za-z0-9]+/[A-Za-z0-9]")
"""How a finding type begins: purpose, resource, family."""

BANDS = ((9, Severity.CRITICAL), (7, Severity.HIGH), (4, Severity.MEDIUM), (1, Severity.LOW), (0, Severity.INFO))
WORDS = {severity.word: severity for severity in Severity} | {"informational": Severity.INFO}

ENDS = 50
"""Actors and remote ends of one finding."""


class GuardDuty(Source):
    """Findings of every resource type: network, DNS, API, runtime, malware, logins, attack sequences.

    Taken: the camelCase form, in its envelope or bare. Refused: the PascalCase form of the GetFindings API, whose
    members differ by more than case. Urgent: High and Critical by number, and every attack sequence.
    """

    name: ClassVar[str] = "guardduty"
    pattern: ClassVar[dict[str, Json]] = {"source": [BUS], "detail-type": [FINDING]}
    urgent: ClassVar[dict[str, Json] | None] = {
        "detail": {"$or": [{"severity": [{"numeric": [">=", 7]}]}, {"type": [{"prefix": "AttackSequence:"}]}]}
    }

    def claims(self, event: dict[str, Json]) -> bool:
        if "detail-type" in event or event.get("source") == BUS:
            return event.get("source") == BUS
        return any(map(_is_finding, (event, event.get("detail"), member(event, "Findings"))))

    def normalise(self, event: dict[str, Json], origin: Origin) -> tuple[Finding, ...]:
        kind = event.get("detail-type")
        if isinstance(kind, str) and kind != FINDING:
            said = OTHER_MESSAGES.get(kind, "another message of GuardDuty's, not a finding")
            raise NotForFirebreak(f"not for Firebreak: {BUS} {kind[:100]!r}: {said}")
        bare = event.get("source") != BUS and not _is_finding(event.get("detail"))
        return (_Reading("" if bare else "detail.", event, event if bare else event.get("detail"), origin).finding(),)


def _is_finding(value: Json) -> bool:
    if isinstance(value, list):
        return bool(value) and _is_finding(value[0])
    if not isinstance(value, dict) or "resourcesAffected" in value:  # Macie's, whose types look alike
        return False
    types = (value.get("type"), value.get("Type"))
    arns = (value.get("arn"), value.get("Arn"))
    services = (member(value, "service", "serviceName"), member(value, "Service", "ServiceName"))
    return (
        any(isinstance(kind, str) and TYPE.match(kind) for kind in types)
        or any(isinstance(arn, str) and ":guardduty:" in arn[:64] for arn in arns)
        or GuardDuty.name in services
        or {"accountId", "severity", "type", "resource"} <= value.keys()
    )


class _Reading:
    """One finding being read.

    Args:
        path: what stands before a member's name on the wire.
        envelope: the whole event.
        detail: the finding in it.
        origin: what the surroundings say.
    """

    def __init__(self, path: str, envelope: dict[str, Json], detail: Json, origin: Origin) -> None:
        self._path, self._envelope, self._origin = path, envelope, origin
        if "Findings" in envelope or (isinstance(detail, dict) and _is_api_form(detail)):
            raise NotForFirebreak(
                "refused: this is GuardDuty's PascalCase form, the answer of the GetFindings API; EventBridge delivers "
                "findings in camelCase, with other member names in places. Send the event itself"
            )
        if not isinstance(detail, dict):
            raise FindingError("detail", "missing" if detail is None else "is not an object")
        self._detail = detail

    def finding(self) -> Finding:
        account = self._required("accountId", self._origin.account, "--account")
        owner_account = read.account(account)
        if owner_account is None:
            raise self._unusable("accountId", account, "is not an account id of 12 digits")
        where = self._required("region", self._origin.region, "--region")
        region = read.region(where)
        if region is None:
            raise self._unusable("region", where, "is not the name of a region")
        identifier, kind = self._name("id", 256), self._name("type", 512)
        severity, score = self._severity()
        resource = self._required("resource")
        if not isinstance(resource, dict):
            raise self._unusable("resource", resource, "is not an object")

        arn = read.name(self._detail.get("arn"))
        owner = Owner(self._partition(arn), owner_account, region)
        service = self._detail.get("service")
        action, sequence = member(service, "action"), member(service, "detection", "sequence")
        in_sequence = kind.startswith("AttackSequence:")
        found = distinct(guardduty_sequence.targets(owner, sequence) if in_sequence else targets(owner, resource, kind))
        direction = guardduty_action.direction(action)
        acting, because = posture(kind, direction, read.name(member(service, "resourceRole")))
        if in_sequence and not found:
            acting, because = "unknown", "the sequence came without its resources"
        created, updated = self._times(service)
        return Finding(
            source=GuardDuty.name,
            id=identifier,
            delivery=read.name(self._envelope.get("id")) if self._path else None,
            account=owner_account,
            region=region,
            partition=owner.partition,
            type=kind,
            severity=severity,
            score=score,
            posture=acting,
            posture_reason=because,
            targets=tuple(found[:MOST]),
            actors=tuple(_actors(resource, sequence)),
            remotes=tuple(_remotes(action, sequence)),
            created_at=created,
            updated_at=updated,
            count=read.whole(member(service, "count"), 1, 10**9) or 1,
            sample=is_sample(service, resource),
            archived=read.flag(member(service, "archived")),
            sequence=_sequence_arn(arn if in_sequence else self._detail.get("associatedAttackSequenceArn")),
            tags=_tags(resource, service, direction, found),
            untrusted=untrusted(self._detail),
        )

    def _required(self, field: str, given: str | None = None, option: str = "") -> Json:
        """Return a member, or what the surroundings give in its stead."""
        value = self._detail.get(field)
        if value is None:
            value = given
        if value is not None:
            return value
        near = next((key for key in self._detail if key != field and key.lower() == field.lower()), None)
        hint = f"; there is {near!r}, spelt otherwise" if near else ""
        if option and not self._path:
            hint += f"; give {option} if the finding itself lacks it"
        raise FindingError(f"{self._path}{field}", f"missing{hint}")

    def _name(self, field: str, limit: int) -> str:
        value = self._required(field)
        found = read.name(value)
        if found is None or len(found.encode()) > limit:
            raise self._unusable(field, value, f"is not a printable text of 1 to {limit} bytes")
        return found

    def _severity(self) -> tuple[Severity, str]:
        value = self._required("severity")
        number = read.number(value)
        if number is not None and 0 <= number <= 10:
            return next(band for least, band in BANDS if number >= least), str(value).strip()
        word = value.strip().lower() if isinstance(value, str) else ""
        if word in WORDS:
            return WORDS[word], word
        raise self._unusable("severity", value, "is not a number from 0 to 10")

    def _partition(self, arn: str | None) -> str:
        from_arn = (arn or "").split(":")[1:2]
        return (
            read.partition(self._detail.get("partition")) or read.partition("".join(from_arn)) or self._origin.partition
        )

    def _times(self, service: Json) -> tuple[datetime, datetime]:
        created = read.moment(self._detail.get("createdAt")) or read.moment(member(service, "eventFirstSeen"))
        updated = read.moment(self._detail.get("updatedAt")) or read.moment(member(service, "eventLastSeen"))
        arrived = read.moment(self._envelope.get("time")) if self._path else None
        updated = updated or created or arrived or read.EPOCH
        return created or updated, updated

    def _unusable(self, field: str, value: Json, reason: str) -> FindingError:
        shown = repr(value)[:60] if isinstance(value, (str, float)) else f"a value of type {type(value).__name__}"
        return FindingError(f"{self._path}{field}", f"{shown} {reason}")


def _is_api_form(detail: dict[str, Json]) -> bool:
    words = ("AccountId", "Id", "Type", "Severity", "Resource", "Service")
    return sum(word in detail and word[0].lower() + word[1:] not in detail for word in words) >= 2


def _sequence_arn(arn: Json) -> str | None:
    return read.name(arn) if read.arn_resource(arn, "guardduty") else None


def _actors(resource: Json, sequence: Json) -> list[Actor]:
    named = [Actor(principal_id=uid, access_key_id=key, name=name) for uid, key, name in actor_names(resource)]
    everyone = dict.fromkeys([*named, *guardduty_sequence.actors(sequence)])
    return [actor for actor in everyone if actor != Actor()][:ENDS]


def _remotes(action: Json, sequence: Json) -> list[Remote]:
    everyone = dict.fromkeys([*guardduty_action.remotes(action), *guardduty_sequence.remotes(sequence)])
    return [remote for remote in everyone if remote != Remote()][:ENDS]


def _tags(resource: Json, service: Json, direction: str | None, found: list[Target]) -> dict[str, str]:
    tags = {
        "resource_type": read.name(member(resource, "resourceType")),
        "action": read.name(member(service, "action", "actionType")),
        "feature": read.name(member(service, "featureName")),
        "direction": direction,
        "targets_left_out": str(len(found) - MOST) if len(found) > MOST else None,
    }
    return {name: value for name, value in tags.items() if value is not None}
