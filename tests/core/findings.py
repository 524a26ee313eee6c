"""Findings and playbooks for tests of what decides about them, plain and arbitrary."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from firebreak.core.decision import Circumstances
from firebreak.core.finding import Finding, Severity
from firebreak.core.playbook import Match, Playbook, Playbooks, PlaybookStep, SeverityRange

NOW = datetime(2026, 11, 2, 10, 0, tzinfo=UTC)

SNAPSHOT = PlaybookStep(
    action="ebs.snapshot_volumes", consent="auto", stage="preserve", effect="collect", target_kind="instance"
)
ISOLATE = PlaybookStep(
    action="ec2.isolate_instance", consent="auto", stage="contain", effect="reversible", target_kind="instance"
)
TERMINATE = PlaybookStep(
    action="ec2.terminate_instance", consent="auto", stage="eradicate", effect="destructive", target_kind="instance"
)
CORDON = PlaybookStep(
    action="eks.cordon_node", consent="auto", stage="contain", effect="reversible", target_kind="node"
)


def a_finding(**members: Any) -> Finding:
    """Return a command-and-control finding, but for the members given."""
    plain: dict[str, Any] = {
        "source": "guardduty",
        "id": "5ec0ffee",
        "account": "111122223333",
        "region": "eu-central-1",
        "type": "Backdoor:EC2/C&CActivity.B",
        "severity": Severity.HIGH,
        "posture": "acting",
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Finding(**(plain | members))


def a_playbook(name: str = "only", priority: int = 10, *steps: PlaybookStep, **members: Any) -> Playbook:
    """Return a playbook; `match` takes everything unless it is given."""
    return Playbook(
        name=name,
        description="For a test.",
        priority=priority,
        match=members.pop("match", Match()),
        steps=steps,
        **members,
    )


def of(*playbooks: Playbook) -> Playbooks:
    return Playbooks(playbooks=playbooks)


_types = st.sampled_from(("Backdoor:EC2/Spambot", "Trojan:EC2/DropPoint", "Recon:EC2/Portscan", "Drop and execute"))
_globs = st.sampled_from(("*", "Backdoor:*", "*:EC2/*", "Drop ?nd*", "Trojan:EC2/DropPoint"))
_environments = st.sampled_from(("production", "other", "unknown"))
_postures = st.sampled_from(("acting", "victim", "unknown"))
_kinds = st.sampled_from(("instance", "node", "pod"))
_scalars = st.sampled_from((True, False, 1, 0, "x", "?", None))


def _some(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | st.lists(values, min_size=1, max_size=3).map(tuple)


matches = st.builds(
    Match,
    source=st.sampled_from((None, "guardduty", "falco")),
    type=_some(_globs),
    severity=st.none()
    | st.tuples(st.sampled_from(Severity), st.sampled_from(Severity)).map(
        lambda ends: SeverityRange(at_least=min(ends), at_most=max(ends))
    ),
    posture=_some(_postures),
    account=_some(st.sampled_from(("111122223333", "444455556666"))),
    region=_some(st.sampled_from(("eu-*", "us-east-1"))),
    kind=_some(_kinds),
    environment=_some(_environments),
    tags=st.dictionaries(st.just("role"), st.just(("web*",)), max_size=1),
    facts=st.dictionaries(st.just("spot"), st.lists(_scalars, min_size=1, max_size=2).map(tuple), max_size=1),
)
findings = st.builds(
    a_finding,
    source=st.sampled_from(("guardduty", "falco")),
    type=_types,
    severity=st.sampled_from(Severity),
    posture=_postures,
    account=st.sampled_from(("111122223333", "444455556666")),
    region=st.sampled_from(("eu-central-1", "us-east-1")),
    sample=st.booleans(),
    archived=st.booleans(),
    signal=st.sampled_from(("threat", "threat", "heartbeat")),
)
circumstances = st.builds(
    Circumstances,
    environment=_environments,
    tags=st.dictionaries(st.just("role"), st.sampled_from(("web1", "db")), max_size=1),
    facts=st.dictionaries(st.just("spot"), _scalars | st.lists(_scalars, max_size=2).map(tuple), max_size=1),
    kinds=st.frozensets(_kinds),
)
_steps = st.lists(
    st.sampled_from((SNAPSHOT, ISOLATE, TERMINATE, CORDON)), max_size=3, unique_by=lambda step: step.action
)


@st.composite
def playbook_lists(draw: st.DrawFn) -> list[Playbook]:
    """Playbooks with names and priorities of their own, in any order."""
    count = draw(st.integers(0, 4))
    priorities = draw(st.permutations(range(1, count + 1)))
    return [
        a_playbook(f"p{priority}", priority, *draw(_steps), match=draw(matches), notify=draw(st.booleans()))
        for priority in priorities
    ]
