"""Close: what an execution came to, in one status, one manifest and one notice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from firebreak.clock import Clock
from firebreak.core.errors import Permanent
from firebreak.core.evidence import MANIFESTS, Manifest
from firebreak.core.incident import BEGUN, Incident, IncidentStatus, Mode, StepRecord, StepStatus
from firebreak.ports import Actor, Admission, FindingStore, IncidentStore, Messenger, Vault


@dataclass(frozen=True)
class Close:
    """The use case."""

    incidents: IncidentStore
    findings: FindingStore
    admission: Admission
    vault: Vault
    messenger: Messenger
    clock: Clock

    def handle(self, incident: str, revision: int, mode: Mode, execution: str, actor: Actor) -> None:
        """Conclude one execution. Running it again concludes the same.

        Raises:
            Permanent: it leaves a step half-way; its next attempt carries that on.
            Retriable: try again.
        """
        story = self.incidents.incident(incident)
        if not story.over and (mode == "undo" or revision > story.fenced):
            every = (incident, *story.absorbed)
            found = [step for each in every for step in self.incidents.steps(each)]
            steps = [self._concluded(step, incident, revision, mode, actor) for step in found]
            mine = [step for step in steps if step.incident == incident and step.revision == revision]
            if mode == "respond" and (half_way := [step.id for step in mine if step.status in BEGUN]):
                raise Permanent(f"{execution} leaves half-way, for its next attempt: {', '.join(half_way)}")
            status, reason = _released(story, steps) if mode == "undo" else _status(steps, self._notes(incident))
            if status != "acting" and (mode == "undo" or revision == story.revision or status != "closed"):
                # whichever revision ends last tells what came of it; only the newest may find nothing to do
                story = self._conclude(story, steps, status, reason, execution, actor)
        self.admission.leave(execution)

    def _notes(self, incident: str) -> Sequence[str]:
        """What could not be looked up, as the newest decision has it."""
        decisions = self.incidents.decisions(incident)
        return decisions[-1]["notes"] if decisions else ()

    def _concluded(self, step: StepRecord, incident: str, revision: int, mode: Mode, actor: Actor) -> StepRecord:
        """Settle a step that its execution leaves behind: nothing will come of it any more."""
        status: StepStatus
        if mode == "undo" and step.status in ("decided", "planned", "asking"):
            status, words = "refused", f"{step.action} on {step.target.label}: released before it began"
        elif mode == "undo" and step.status in BEGUN and step.effect != "reversible":
            status, words = (
                "failed",
                f"{step.action} on {step.target.label}: released while it ran; what it did is kept",
            )
        elif step.status == "decided" and step.incident != incident:
            status, words = "unneeded", f"incident {incident} took over before it was planned"
        elif mode == "respond" and step.status == "decided" and step.revision <= revision:
            status, words = "failed", f"{step.action} on {step.target.label} could not be planned, however often tried"
        elif mode == "respond" and step.status in ("planned", "asking") and step.revision == revision:
            # an execution that broke off had planned it, and the next one could not read its stage again
            status, words = "failed", f"{step.action} on {step.target.label} was planned, and could not be begun"
        else:
            return step
        after = step.model_copy(update={"status": status, "error": words, "settled_at": self.clock()})
        return self.incidents.change_step(step, after, actor, self.clock(), words)

    def _conclude(
        self,
        story: Incident,
        steps: Sequence[StepRecord],
        status: IncidentStatus,
        reason: str,
        execution: str,
        actor: Actor,
    ) -> Incident:
        over = status in ("closed", "merged")
        findings = self.incidents.findings(story.id)
        if status == "closed" and reason == RELEASED:
            for finding in findings:
                self.findings.hush(finding)
        after = story.model_copy(
            update={
                "status": status,
                "reason": reason if over else None,
                "released_at": self.clock() if reason == RELEASED else story.released_at,
            }
        )
        heads = [f"{step.id} {step.head}" for step in steps]
        every = (story.id, *story.absorbed)
        manifest = Manifest(
            incident=after,
            steps=tuple(steps),
            findings=tuple(findings),
            artefacts=tuple(artefact for each in every for artefact in self.incidents.artefacts(each)),
            trail=tuple(record for each in every for record in self.incidents.trail(each)),
        )
        where = self.vault.keep(f"{MANIFESTS}{story.id}/{execution}-", manifest.model_dump(mode="json")).where
        # the trails of the steps hang from the incident's own: none can be shortened unseen
        story = self.incidents.change_incident(
            story, after, status, actor, self.clock(), reason, f"manifest {where}", *heads
        )
        if over:
            self.incidents.hand_locks(story.locks, story.id, None)
        self.messenger.tell(f"Incident {story.id}: {status}", _lines(story, steps, reason), incident=story.id)
        return story


RELEASED = "released: everything reversible was taken back"


def _status(steps: Sequence[StepRecord], notes: Sequence[str]) -> tuple[IncidentStatus, str]:
    if not all(step.settled for step in steps):
        return "acting", "another revision is still at it"
    did = [step for step in steps if step.status == "verified"]
    if any(step.effect == "destructive" for step in did):
        return "eradicated", "what was found is removed"
    if any(step.effect == "reversible" for step in did) or any(step.status == "undo_failed" for step in steps):
        return "contained", "contained; `firebreak undo` takes it back"
    if not steps or all(step.status in ("unneeded", "gone") for step in steps):
        return "closed", "; ".join(("nothing to do: no step applies, or the target is gone", *notes))
    return "open", "nothing was contained; see its steps"


def _released(story: Incident, steps: Sequence[StepRecord]) -> tuple[IncidentStatus, str]:
    standing = [step for step in steps if step.stands]
    if standing:
        status: IncidentStatus = story.status if story.status in ("open", "eradicated") else "contained"
        return status, f"not taken back: {', '.join(f'{step.action} ({step.error})' for step in standing)}"
    return "closed", RELEASED


def _lines(story: Incident, steps: Sequence[StepRecord], reason: str) -> list[str]:
    lines = [story.title, reason]
    for step in steps:
        lines.append(
            f"{step.action} on {step.target.label}: {step.status}" + (f" ({step.error})" if step.error else "")
        )
        lines += [f"  still possible: {residual}" for residual in step.residual]
    return lines
