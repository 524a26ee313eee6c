"""What must hold whatever goes wrong. Some after every call, all at the end of every run.

I1 nothing lost · I2 authority · I3 liveness · I4 one effect · I5 exact undo · I6 before-state · I7 quiescence ·
I8 monotone · I9 audit · I10 blast radius · I11 preserve first · I12 tenancy · I13 single use · I14 convergence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from firebreak.adapters.incident_rows import ledger_pk
from firebreak.core.incident import BEGUN, MOVES, StepRecord
from reliability import at_end, blast
from reliability.estate import Effect
from reliability.injector import Call
from reliability.memory import MemoryWorld
from reliability.scripted import HALF, SCRIPTED, SEALED
from sandbox.invocation import current


@dataclass
class Watch:
    """Looks at a world after every call, and at its end.

    Attributes:
        world: what is looked at.
        before: the locks of each door when the story began.
        violations: what did not hold, each with the invariant's number.
    """

    world: MemoryWorld
    before: dict[str, tuple[str, ...]] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    _seen: dict[tuple[str, str], Any] = field(default_factory=dict)
    _statuses: dict[tuple[str, str], str] = field(default_factory=dict)
    _undone: set[tuple[str, str]] = field(default_factory=set)
    _made: Counter[tuple[str, str, int]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.before = dict(self.world.estate.doors)
        self.world.injector.after = self.call

    # After every call.

    def call(self, call: Call) -> None:
        """Look at what a call changed."""
        effects = self.world.estate.effects
        if effects and effects[-1].call == call.number:
            self._effect(effects[-1])
        if call.name.startswith("dynamodb:") and not call.reads:
            self._moves(call)

    def _effect(self, effect: Effect) -> None:
        instance, _, _ = effect.resource.partition("/")
        for violation in blast.touched(effect.resource):
            self._broken(10, violation)
        name = effect.role.removeprefix("firebreak-").replace("-", ".", 1)
        if name not in SCRIPTED:
            self._broken(2, f"{effect.operation} under the role {effect.role}, which is no action's")
            return
        steps = [step for step in self.world.steps if step.action == name and step.target.label == instance]
        under = [step for step in steps if step.status in (*BEGUN, "undoing")]
        if not steps:
            self._broken(12, f"{effect.operation} on {effect.resource}, which no step is about")
            return
        if not under:
            statuses = ", ".join(step.status for step in steps)
            self._broken(9, f"{effect.operation} on {effect.resource} without an intent: its step is {statuses}")
            return
        step = under[0]
        self._authority(step, effect)
        self._leased(step, effect)
        if step.effect == "destructive":
            waiting = [
                other.action
                for other in self.world.steps
                if other.incident == step.incident
                and other.stage == "preserve"
                and not other.settled
                and other.status != "decided"  # it could not be planned: there is no evidence to be had
            ]
            if waiting:
                self._broken(11, f"{effect.operation} before {', '.join(waiting)} had ended")
        if step.effect == "reversible":
            self._doors(step, effect)
        if effect.operation == "create_copy":
            self._made[step.incident, step.id, step.revision] += 1

    def _authority(self, step: StepRecord, effect: Effect) -> None:
        if step.plan is None:
            self._broken(2, f"{effect.operation} without a plan")
            return
        if step.consent == "auto":
            return
        row = self.world.table.rows.get((f"APPROVAL#{step.approval}", "APPROVAL"))
        stands = row and (row["status"]["S"], row["digest"]["S"]) == ("redeemed", step.plan.digest)
        if not stands:
            self._broken(2, f"{effect.operation}: no redeemed approval of this plan")

    def _leased(self, step: StepRecord, effect: Effect) -> None:
        invocation = current()
        row = self.world.table.rows.get((ledger_pk(step.target, SCRIPTED[step.action].aspect), "LEASE"))
        if invocation is None or row is None or row["holder"]["S"] != invocation.aws_request_id:
            self._broken(4, f"{effect.operation} on {effect.resource} by a run that does not hold the lease")

    def _doors(self, step: StepRecord, effect: Effect) -> None:
        door, became = effect.resource, tuple(effect.value.split(",")) if effect.value else ()
        row = self.world.table.rows.get((ledger_pk(step.target, "doors"), "BASELINE"))
        if row is None:
            self._broken(6, f"{door} changed before its state was written down")
        elif door not in self.world.estate.touched and str(list(self.before[door])).replace("'", '"') not in row[
            "body"
        ]["S"].replace(", ", ",").replace(",", ", "):
            self._broken(6, f"{door}: what was written down is not what was there")
        if step.status != "undoing" and (step.incident, step.id) in self._undone:
            self._broken(8, f"{door} became {effect.value} after it had been released")
        if step.status != "undoing" and became not in (HALF, SEALED):
            self._broken(4, f"{door} became {effect.value}, which is no state of containment")
        last = self._seen.get(("door", door))
        ours = door not in self.world.estate.touched
        if became == HALF and last == SEALED and ours and step.status != "undoing":
            self._broken(4, f"{door} was opened again after it was sealed")
        self._seen["door", door] = became

    def _moves(self, call: Call) -> None:
        rows = self.world.table.rows
        for key in _touched(call.request):
            row = rows.get(key)
            if row is None or not key[0].startswith("INCIDENT#") or "status" not in row:
                continue
            now, was = row["status"]["S"], self._statuses.get(key)
            self._statuses[key] = now
            if key[1] == "INCIDENT" and was is not None and was != now and now not in MOVES[was]:  # type: ignore[index]
                self._broken(8, f"{key[0]} went from {was} to {now}")
            if key[1].startswith("STEP#"):
                step = key[1].removeprefix("STEP#")
                if now in BEGUN and was not in BEGUN:
                    for violation in blast.begun(self.world, StepRecord.model_validate_json(row["body"]["S"])):
                        self._broken(10, violation)
                if was == "undone" and now in BEGUN:
                    self._broken(8, f"{step} went from undone to {now}")
                if was in ("denied", "expired") and now in BEGUN:
                    self._broken(13, f"{step} went from {was} to {now}")
                if now == "undone":
                    self._undone.add((key[0].removeprefix("INCIDENT#"), step))

    # At the end.

    def end(self, *, undone: bool) -> None:
        """Look at the whole state, once nothing goes wrong any more.

        Args:
            undone: whether the story ends with an undo of everything.
        """
        for check in (at_end.lost, at_end.live, at_end.quiet, at_end.audit, at_end.evidence):
            self.violations += check(self.world)
        self.violations += self._effects()
        self.violations += self._unclaimed()
        if undone:
            for door, locks in self.before.items():
                found, theirs = self.world.estate.doors[door], self.world.estate.touched
                if not theirs and not self.world.injector.denied and found != locks:
                    self._broken(5, f"{door} is {found} after the undo, and was {locks}")
                elif door in theirs and found != theirs[door] and not self._lagged:
                    self._broken(5, f"{door} is {found}, and somebody else had made it {theirs[door]}")

    def _effects(self) -> Iterator[str]:
        for (_, step, revision), count in self._made.items():
            if count > 1:
                yield f"I4 {step} of revision {revision} made {count} copies"
        half = [door for door, locks in self.world.estate.doors.items() if locks == HALF]
        if half and not any("EXPOSED" in notice for notice in self.world.services.notices):
            yield f"I4 left half open: {', '.join(half)}"

    def _unclaimed(self) -> Iterator[str]:
        """A door where nothing of ours stands is as it was, unless somebody else changed it."""
        stands = {step.target.label for step in self.world.steps if step.stands}
        for door, locks in self.before.items():
            found = self.world.estate.doors[door]
            if found != locks and door not in self.world.estate.touched and door.partition("/")[0] not in stands:
                yield f"I5 {door} is {found}, was {locks}, and no step of ours stands there"

    @property
    def _lagged(self) -> bool:
        """Whether a read answered with what was so before: EC2 has no conditional write, so that an undo which reads
        the state before somebody else's change overwrites that change."""
        return any(fault.kind == "stale_read" for fault in self.world.injector.struck)

    def _broken(self, number: int, words: str) -> None:
        self.violations.append(f"I{number} {words}")


def _touched(request: Any) -> Iterator[tuple[str, str]]:
    writes = (
        [next(iter(item.values())) for item in request["TransactItems"]] if "TransactItems" in request else [request]
    )
    for write in writes:
        key = write.get("Key") or write.get("Item")
        if key is not None:
            yield key["pk"]["S"], key["sk"]["S"]
