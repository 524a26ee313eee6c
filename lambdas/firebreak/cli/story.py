"""An incident whole, as the table has it: findings, steps, questions and the trail, and whether the trail holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from firebreak.cli.console import Console
from firebreak.core.approval import Approval, Vote
from firebreak.core.audit import AuditRecord, broken_link
from firebreak.core.finding import Finding
from firebreak.core.incident import EFFECTIVE, Incident, StepRecord
from firebreak.core.model import Json


@dataclass(frozen=True)
class Asked:
    """A question about a step, and who said what."""

    approval: Approval
    votes: Sequence[Vote]


@dataclass(frozen=True)
class Story:
    """An incident and everything about it, that of the incidents it absorbed included.

    Attributes:
        decisions: what was decided, revision by revision.
        steps: in the order they were decided.
        asked: questions by step id.
        trail: audit records, chain by chain.
        breaks: where the trail does not hold, in words.
    """

    incident: Incident
    findings: Sequence[Finding]
    decisions: Sequence[Json]
    steps: Sequence[StepRecord]
    asked: dict[str, Asked]
    trail: Sequence[AuditRecord]
    breaks: Sequence[str]

    @property
    def standing(self) -> list[StepRecord]:
        """The steps whose changes undo would take back, or look at, newest first."""
        done = [step for step in self.steps if step.effect == "reversible" and step.status in EFFECTIVE]
        return sorted(done, key=lambda step: (step.started_at is not None, step.started_at, step.order), reverse=True)

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON value."""
        return {
            "incident": self.incident.model_dump(mode="json"),
            "findings": [finding.model_dump(mode="json") for finding in self.findings],
            "decisions": list(self.decisions),
            "steps": [step.model_dump(mode="json") for step in self.steps],
            "approvals": [
                {
                    "id": asked.approval.id,
                    "step": step,
                    "status": asked.approval.status,
                    "digest": asked.approval.digest,
                    "approvers": list(asked.approval.approvers),
                    "votes": [
                        {"person": v.person, "choice": v.choice, "route": v.route, "reason": v.reason, "at": str(v.at)}
                        for v in asked.votes
                    ],
                }
                for step, asked in self.asked.items()
            ],
            "trail": [{**record.model_dump(mode="json"), "hash": record.hash} for record in self.trail],
            "trail_breaks": list(self.breaks),
        }


def tell(console: Console, incident: str) -> Story:
    """Read an incident.

    Raises:
        TargetMissing: there is none of that id.
    """
    table = console.wiring.table()
    incidents, approvals = console.wiring.incidents(table), console.wiring.approvals(table)
    found = incidents.incident(incident)
    every = (incident, *found.absorbed)
    steps = [step for each in every for step in incidents.steps(each)]
    asked = {}
    for step in steps:
        approval = approvals.get(step.approval) if step.approval else None
        if approval is not None:
            asked[step.id] = Asked(approval, approvals.votes(approval.id))
    trail = incidents.trail(incident)
    own = [step for step in steps if step.incident == incident]
    return Story(
        incident=found,
        findings=incidents.findings(incident),
        decisions=incidents.decisions(incident),
        steps=steps,
        asked=asked,
        trail=trail,
        breaks=broken(trail, {"incident": found.head, **{step.id: step.head for step in own}}),
    )


def broken(trail: Sequence[AuditRecord], heads: dict[str, str]) -> list[str]:
    """Return where a trail does not hold: a record that was changed, taken out or put in, or an end that was cut off.

    Args:
        trail: records, chain by chain.
        heads: hash of the newest record of each chain, as the row it is about says.
    """
    chains = {name: list(records) for name, records in groupby(trail, key=lambda record: record.chain)}
    said = []
    for name, records in chains.items():
        if (place := broken_link(records)) is not None:
            said.append(f"{name}: record {place} does not follow from what is before it")
    for name, head in heads.items():
        if head and (name not in chains or chains[name][-1].hash != head):
            said.append(f"{name}: the newest record is not the one that its row names")
    return said
