"""Events from a file, played against the estate: `firebreak demo --event FILE`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firebreak.cli.events import read_events
from firebreak.core.errors import InputError
from firebreak.core.finding import Finding
from firebreak.core.intake import normalise
from firebreak.core.model import Json
from firebreak.core.registry import sources
from firebreak.core.source import Origin
from firebreak.core.target import Cluster, Host, Instance, Node, Pod, Target
from sandbox.demo_sight import Sight
from sandbox.demo_stage import Stage
from sandbox.demo_story import send_alert
from sandbox.estate import CLUSTER
from sandbox.events import envelope
from sandbox.world import ACCOUNT, REGION

ORIGIN = Origin(account=ACCOUNT, region=REGION, cluster=CLUSTER)
FALCO = "firebreak.falco"
ARN = re.compile(r"arn:(aws[a-z-]*):([a-z0-9-]+):([a-z0-9-]*):(\d{12}|):")


@dataclass(frozen=True)
class Given:
    """One event of the file, known to be usable.

    Attributes:
        event: as it was given.
        findings: what Firebreak makes of it.
    """

    event: dict[str, Json]
    findings: tuple[Finding, ...]


def read(path: str) -> list[Given]:
    """Read a file of events, every one of them usable.

    Raises:
        InputError: it cannot be read, holds nothing, or one of its events is unusable; says which and why.
    """
    try:
        with Path(path).open("rb") as file:
            events = list(read_events(file))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; name a file with an event") from None
    if not events:
        raise InputError(f"{path}: the file holds no event")
    return [_usable(path, number, len(events), event) for number, event in enumerate(events, 1)]


def _usable(path: str, number: int, count: int, event: Json | InputError) -> Given:
    try:
        if isinstance(event, InputError):
            raise event
        return Given(event, normalise(event, ORIGIN, sources()))
    except InputError as error:
        where = f"{path}: " if count == 1 else f"{path}: event {number}: "
        raise InputError(f"{where}{error}") from None


@dataclass(frozen=True)
class FileScenes:
    """The events of a file, to be played one after another.

    Attributes:
        given: the events.
        as_estate: whether they are played as if they were about the estate.
    """

    given: tuple[Given, ...]
    as_estate: bool

    @classmethod
    def read(cls, path: str, as_estate: bool) -> FileScenes:
        """Read a file.

        Raises:
            InputError: it cannot be used; says why, in a line.
        """
        return cls(tuple(read(path)), as_estate)

    def __call__(self, stage: Stage) -> None:
        """Play them, and check what is claimed about each."""
        for each in self.given:
            _play(stage, Given(*_moved(each, stage.sight)) if self.as_estate else each)
        stage.sound()


def _play(stage: Stage, given: Given) -> None:
    sight, first = stage.sight, given.findings[0]
    stage.scene(f"{first.source}: {first.type}")
    for line in _elsewhere(given.findings, sight):
        stage.say("arrives", line)
    known = {incident.id: incident.revision for incident in sight.incidents()}
    begun = stage.begin(f"{first.severity.word} severity, {first.posture}: {_targets(given.findings)}")
    _send(sight, given.event)
    stage.settle()
    touched = [incident for incident in sight.incidents() if known.get(incident.id) != incident.revision]
    for incident in touched:
        report = stage.hold(incident, begun)
        for step in report.steps:
            if step.status in ("failed", "stale"):
                stage.check(f"{step.action} on {step.target} did not fail", False, step.error or step.status)
    for finding in given.findings:
        _read_back(stage, finding)
    if not touched:
        why = first.drop_reason and f"the finding is never acted on: {first.drop_reason}"
        stage.say("ends", why or "no incident was opened: no playbook acts on such a finding; people are told")


def _read_back(stage: Stage, finding: Finding) -> None:
    """Hold what Firebreak says it did against the estate."""
    sight = stage.sight
    for incident in sight.incidents():
        for step in sight.steps(incident.id):
            if step.status != "verified" or finding.key not in _findings(sight, incident.id):
                continue
            match step.action, step.target:
                case "ec2.isolate_instance", Instance(instance_id=instance):
                    groups = sight.groups(instance)
                    seen = ", ".join(f"{eni} {sight.named(ids)}" for eni, ids in sorted(groups.items()))
                    stage.check(f"{instance} is isolated", sight.isolated(groups), f"EC2: {seen}")
                case "eks.cordon_node", Node(name=node):
                    stage.check(f"{node} is cordoned", sight.node(node).cordoned, "Kubernetes")
                case "ebs.snapshot_volumes", _:
                    found = [each["SnapshotId"] for each in sight.snapshots(incident.id)]
                    stage.check("there are snapshots", bool(found), f"EC2: {', '.join(found)}")


def _findings(sight: Sight, incident: str) -> set[str]:
    return {finding.key for finding in sight.findings(incident)}


def _targets(findings: Sequence[Finding]) -> str:
    named = [f"{target.kind} {target.label}" for finding in findings for target in finding.targets]
    return ", ".join(named[:3]) + (f" and {len(named) - 3} more" if len(named) > 3 else "") or "no target"


def _elsewhere(findings: Sequence[Finding], sight: Sight) -> Iterator[str]:
    """Say in words where an event is about something that the estate does not have."""
    estate = sight.lab.estate
    there = {estate.bastion, *estate.web, *estate.nodes.values(), *estate.nodes}
    for finding in findings:
        if (finding.account, finding.region) != (ACCOUNT, REGION):
            yield (
                f"it is about account {finding.account} in {finding.region}; the estate is {ACCOUNT} in {REGION}. "
                "--as-estate plays it as about the estate"
            )
            return
        for target in finding.targets:
            name = getattr(target, "instance_id", None) or (target.name if isinstance(target, Host | Node) else None)
            if name is not None and name not in there:
                yield f"the estate has no {target.kind} {name}. --as-estate plays the event as about one that it has"
                return


def _send(sight: Sight, event: Mapping[str, Json]) -> None:
    """Hand an event in where its kind comes from: bare alerts by the cluster's queue, the rest by a bus of the estate.

    So a finding of another account arrives as it does at the administrator's: on our bus, and about theirs.
    """
    sandbox, now = sight.lab.sandbox, sight.lab.sandbox.clock.now()
    if "detail-type" not in event and "rule" in event:
        send_alert(sight, json.dumps(event))
        return
    bus = "firebreak" if event.get("source") == FALCO else "default"
    bare = "detail-type" not in event
    sandbox.put_event(
        envelope(now, sandbox.account, sandbox.region, "aws.guardduty", "GuardDuty Finding", event) if bare else event,
        f"arn:aws:events:{sandbox.region}:{sandbox.account}:event-bus/{bus}",
    )


def _moved(given: Given, sight: Sight) -> tuple[dict[str, Json], tuple[Finding, ...]]:
    """Return an event as if it was about the estate: its account and region, its bastion or node, its cluster."""
    moves = _moves(given.findings, sight)
    moved: dict[str, Json] = _rewritten(given.event, moves)
    return moved, normalise(moved, ORIGIN, sources())


def _moves(findings: Sequence[Finding], sight: Sight) -> dict[str, str]:
    estate = sight.lab.estate
    node, machine = sorted(estate.nodes.items())[0]
    targets: list[Target] = [target for finding in findings for target in finding.targets]
    of_cluster = any(isinstance(target, Cluster | Node | Pod | Host) for target in targets)
    moves: dict[str, str] = {}
    for finding in findings:
        moves |= {finding.account: ACCOUNT, finding.region: REGION}
    for target in targets:
        match target:
            case Instance(instance_id=instance):
                moves[instance] = machine if of_cluster else estate.bastion
            case Node(name=name) | Host(name=name):
                moves[name] = node
            case Cluster(name=name):
                moves[name] = CLUSTER
            case Pod(name=name):
                moves[name] = "shop-0"
        if isinstance(target, Node | Pod | Host) and target.cluster:
            moves[target.cluster] = CLUSTER
        if isinstance(target, Pod):
            moves[target.namespace] = "default"
    return moves


def _rewritten(value: Json, moves: Mapping[str, str]) -> Any:
    """Replace whole texts, and account and region inside ARNs; keys stay."""
    match value:
        case dict():
            return {name: _rewritten(member, moves) for name, member in value.items()}
        case list():
            return [_rewritten(member, moves) for member in value]
        case str() if value.startswith("{"):  # an alert as text
            return _rewritten_text(value, moves)
        case str():
            return moves.get(value) or ARN.sub(lambda found: _arn(found, moves), value)
        case _:
            return value


def _rewritten_text(value: str, moves: Mapping[str, str]) -> str:
    try:
        return json.dumps(_rewritten(json.loads(value), moves))
    except ValueError:
        return value


def _arn(found: re.Match[str], moves: Mapping[str, str]) -> str:
    partition, service, region, account = found.groups()
    return f"arn:{partition}:{service}:{moves.get(region, region)}:{moves.get(account, account)}:"
