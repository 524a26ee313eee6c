"""Outline: which steps an incident's findings ask for, by their decisions, before any plan is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from firebreak.core.decision import Decision
from firebreak.core.finding import Finding
from firebreak.core.incident import Incident, Setting, StepRecord
from firebreak.core.model import digest
from firebreak.core.playbook import PlaybookStep
from firebreak.core.target import Target
from firebreak.pipeline.resolve import Resolved


def wanted_steps(
    incident: Incident,
    revision: int,
    findings: Sequence[Finding],
    resolved: Mapping[str, Resolved],
    decisions: Mapping[str, Decision],
) -> list[StepRecord]:
    """Return the steps that the findings' playbooks want, each once however many findings want it.

    Args:
        resolved, decisions: by the finding's key.
    """
    steps: dict[str, StepRecord] = {}
    for finding in findings:
        decision, found = decisions[finding.key], resolved[finding.key]
        for wanted in decision.steps:
            targets = [target for target in found.targets if target.kind == wanted.target_kind]
            for target in targets:
                step = _step(incident, revision, len(steps), decision, wanted, target, finding, resolved[finding.key])
                first = steps.setdefault(step.id, step)
                if finding.posture == "acting" != first.setting.posture:
                    steps[step.id] = first.model_copy(update={"setting": step.setting})
    return list(steps.values())


def _step(
    incident: Incident,
    revision: int,
    order: int,
    decision: Decision,
    wanted: PlaybookStep,
    target: Target,
    finding: Finding,
    resolved: Resolved,
) -> StepRecord:
    name = digest([wanted.action, target.key, wanted.parameters])[:12]
    return StepRecord(
        id=f"{wanted.action.replace('.', '-')}-{name}",
        incident=incident.id,
        revision=revision,
        order=order,
        action=wanted.action,
        effect=wanted.effect,
        stage=wanted.stage,
        target=target,
        parameters=wanted.parameters,
        consent=wanted.consent,
        setting=Setting(
            # where a look-up failed, what the instance belongs to may be unseen: a person judges
            posture="unknown" if resolved.incomplete and finding.posture == "acting" else finding.posture,
            environment=resolved.circumstances.environment,
            tags=resolved.circumstances.tags,
            names=tuple(name for each in resolved.targets for name in (each.key, getattr(each, "arn", "")) if name),
            named=len(finding.targets),
        ),
        playbook=decision.playbook or "",
        reasons=(
            f"{finding.source}: {finding.type}",
            *((f"{finding.order.by} orders it: {finding.order.reason}",) if finding.order else ()),
            *(str(reason) for reason in decision.reasons if reason.standing == "chosen"),
        ),
    )
