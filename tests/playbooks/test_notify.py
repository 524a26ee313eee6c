"""playbooks/notify.yaml: what is never acted on, and where every documented type goes."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given

from firebreak.cli.guardduty_types import KnownType, known_types
from firebreak.core.decision import Circumstances, decide, may_act
from firebreak.core.finding import Finding, Severity
from firebreak.wire.guardduty_posture import posture
from tests.core.findings import circumstances, findings
from tests.playbooks.shipped import CRITICAL, HIGH, INSTANCE, PLAYBOOKS, POD, TASK, outcome

ROUTES = Path(__file__).parent / "routes.csv"

TARGETS: dict[str, tuple[str, ...]] = {
    "Instance": INSTANCE,
    "EKSCluster": POD,
    "ECSCluster": TASK,
    "Container": ("container", "instance"),
    "AccessKey": ("access_key",),
    "S3Bucket": ("bucket",),
    "Lambda": ("lambda_function",),
    "AttackSequence:EC2": INSTANCE,
    "AttackSequence:EKS": POD,
    "AttackSequence:ECS": TASK,
}


def routes() -> list[tuple[str, str, str, str, str]]:
    """Return type, resource, severity, playbook and steps of every documented type, as the source would hand it on.

    What has no direction has none here, and what "varies" is high.
    """
    return [
        (known.type, resource, _highest(known).word, *_route(known, resource))
        for known in known_types()
        for resource in known.resources
    ]


def _highest(known: KnownType) -> Severity:
    bands = {severity.word: severity for severity in Severity} | {"varies": HIGH}
    return max(bands[word.lower()] for word in known.severities)


def _route(known: KnownType, resource: str) -> tuple[str, str]:
    kinds = TARGETS.get(resource, TARGETS.get(known.type.partition("/")[0], ("resource",)))
    if "InstanceCredentialExfiltration" in known.type:
        kinds = (*kinds, "instance")
    playbook, steps = outcome(known.type, _highest(known), kinds, posture(known.type, None, None)[0])
    return str(playbook), " ".join(steps)


def test_every_documented_type_goes_where_it_was_said_to_go() -> None:
    with ROUTES.open(encoding="utf-8", newline="") as file:
        said = [tuple(row) for row in csv.reader(file)][1:]
    assert routes() == said
    assert len({row[0] for row in said}) == 227


def test_every_playbook_for_guardduty_takes_a_documented_type_in_these_circumstances_or_needs_others() -> None:
    taken = {row[3] for row in routes()}
    written = {playbook.name for playbook in PLAYBOOKS.playbooks if playbook.match.source != "falco"}
    assert written - taken == {
        # documented for instances; whether one is a node is looked up
        "eks-node-traffic",
        "eks-node-by-tag",
        "sequence-node-by-tag",
    }


@pytest.mark.parametrize(
    "kind",
    [
        "Recon:EC2/PortProbeUnprotectedPort",
        "UnauthorizedAccess:EC2/SSHBruteForce",
        "Backdoor:EC2/C&CActivity.B",
        "AttackSequence:EC2/CompromisedInstanceGroup",
        "Known Cryptominer Process Executed",
    ],
)
@pytest.mark.parametrize("source", ["guardduty", "falco"])
def test_a_victim_is_told_and_starts_nothing(kind: str, source: str) -> None:
    assert outcome(kind, CRITICAL, POD, "victim", source=source) == ("victims", [])


@given(finding=findings, found=circumstances)
def test_no_victim_gets_a_step_and_every_finding_a_playbook(finding: Finding, found: Circumstances) -> None:
    decision = decide(PLAYBOOKS, finding, found)
    if finding.posture == "victim":
        assert not decision.steps
        assert not may_act(PLAYBOOKS, finding)
    if finding.drop_reason is None:
        assert decision.playbook is not None
        assert decision.notify


@pytest.mark.parametrize("kind", ["Brand:New/Type", "99:EC2/Test", "x"])
def test_a_type_that_nobody_knows_is_told(kind: str) -> None:
    assert outcome(kind, CRITICAL) == ("everything-else", [])
