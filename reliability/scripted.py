"""Actions whose calls can be anything: one that keeps, one that contains in two phases, one that destroys; and a
look-up.

They are written as every action is, against the estate's API, and are registered in the harness alone.
"""

from __future__ import annotations

from typing import Any, ClassVar

from firebreak.core.action import Action, AnyAction, NoParameters
from firebreak.core.clients import Clients
from firebreak.core.enricher import Enricher, Enrichment
from firebreak.core.errors import PlanStale, TargetMissing
from firebreak.core.grant import Grant
from firebreak.core.model import Model
from firebreak.core.plan import Again, Change, Done, Draft, Plan, Progress, Verification
from firebreak.core.target import Instance, Target

SEALED = ("sealed",)
HALF = ("half",)


class Nothing(Model):
    """No state before."""


class Doors(Model):
    """The locks of each door before."""

    doors: dict[str, tuple[str, ...]]


class Collect(Action[Instance, NoParameters, Nothing]):
    """Copy an instance.

    Makes one copy and waits for it.

    Does not stop: anything.

    Next: nothing.
    """

    name = "scripted.collect"
    effect = "collect"
    target = Instance
    aspect = "copy"
    before = Nothing
    reads = (Grant(action="scripted:DescribeCopies"),)
    writes = (Grant(action="scripted:CreateCopy"),)

    def plan(self, clients: Clients, target: Instance, parameters: NoParameters) -> Draft:
        clients.aws("scripted").describe_copies(Instance=target.instance_id)
        change = Change(resource=target.label, what="copy", before="none", after="one")
        return Draft(before={}, changes=(change,), resources=(target.arn,))

    def apply(self, clients: Clients, plan: Plan) -> Progress:
        scripted, instance = clients.aws("scripted"), _instance(plan)
        if not self._copies(clients, plan):
            scripted.create_copy(Instance=instance, ClientToken=plan.digest)
        return Done()

    def verify(self, clients: Clients, plan: Plan) -> Verification:
        found = self._copies(clients, plan)
        complete = any(copy["Complete"] for copy in found)
        return Verification(ok=complete, saw=(f"{len(found)} copies",), after=15)

    def _copies(self, clients: Clients, plan: Plan) -> list[Any]:
        found = clients.aws("scripted").describe_copies(Instance=_instance(plan))["Copies"]
        return [copy for copy in found if copy["Token"] == plan.digest]


class Contain(Action[Instance, NoParameters, Doors]):
    """Seal the doors of an instance.

    Half-closes every door, waits, then seals each of them.

    Does not stop: what is inside.

    Next: nothing.
    """

    name = "scripted.contain"
    effect = "reversible"
    target = Instance
    aspect = "doors"
    before = Doors
    reads = (Grant(action="scripted:DescribeDoors"),)
    writes = (Grant(action="scripted:ModifyDoor"),)
    wait: ClassVar[int] = 30

    def plan(self, clients: Clients, target: Instance, parameters: NoParameters) -> Draft:
        doors = _doors(clients, target.instance_id)
        changes = tuple(
            Change(resource=door, what="locks", before=",".join(locks), after="sealed")
            for door, locks in doors.items()
            if locks != SEALED
        )
        return Draft(before=Doors(doors=doors).model_dump(mode="json"), changes=changes, resources=(target.arn,))

    def apply(self, clients: Clients, plan: Plan) -> Progress:
        before, now = Doors.model_validate(plan.before).doors, _doors(clients, _instance(plan))
        self._ours(before, now)
        if all(now[door] == before[door] for door in before):
            for door in before:
                _modify(clients, door, HALF)
            return Again(after=self.wait, because="half closed")
        for door, locks in now.items():
            if locks == before[door]:
                _modify(clients, door, HALF)
        for door, locks in now.items():
            if locks != SEALED:
                _modify(clients, door, SEALED)
        return Done()

    def verify(self, clients: Clients, plan: Plan) -> Verification:
        doors = _doors(clients, _instance(plan))
        return Verification(ok=all(locks == SEALED for locks in doors.values()), saw=(str(doors),))

    def secure(self, clients: Clients, plan: Plan) -> None:
        before, now = Doors.model_validate(plan.before).doors, _doors(clients, _instance(plan))
        if not {HALF, SEALED} & set(now.values()):
            return  # nothing was begun
        for door, locks in now.items():
            if locks in (before.get(door), HALF):  # a read that lags shows a door as it was that is half closed by now
                _modify(clients, door, SEALED)

    def undo(self, clients: Clients, plan: Plan) -> Progress:
        before, now = Doors.model_validate(plan.before).doors, _doors(clients, _instance(plan))
        self._ours(before, now)
        for door, locks in before.items():
            if now[door] != locks:
                _modify(clients, door, locks)
        return Done()

    def _ours(self, before: dict[str, tuple[str, ...]], now: dict[str, tuple[str, ...]]) -> None:
        if set(before) != set(now) or any(now[door] not in (before[door], HALF, SEALED) for door in before):
            raise PlanStale(f"someone else changed the doors: {now}")


class Destroy(Action[Instance, NoParameters, Nothing]):
    """Delete the thing in an instance.

    Deletes it.

    Does not stop: what else there is.

    Next: nothing.
    """

    name = "scripted.destroy"
    effect = "destructive"
    target = Instance
    aspect = "thing"
    before = Nothing
    reads = (Grant(action="scripted:DescribeThing"),)
    writes = (Grant(action="scripted:DeleteThing"),)

    def plan(self, clients: Clients, target: Instance, parameters: NoParameters) -> Draft:
        clients.aws("scripted").describe_thing(Instance=target.instance_id)
        change = Change(resource=target.label, what="thing", before="there", after="gone")
        return Draft(before={}, changes=(change,), resources=(target.arn,))

    def apply(self, clients: Clients, plan: Plan) -> Progress:
        if self._there(clients, plan):
            clients.aws("scripted").delete_thing(Instance=_instance(plan))
        return Done()

    def verify(self, clients: Clients, plan: Plan) -> Verification:
        return Verification(ok=not self._there(clients, plan), saw=("looked for the thing",))

    def _there(self, clients: Clients, plan: Plan) -> bool:
        try:
            clients.aws("scripted").describe_thing(Instance=_instance(plan))
        except TargetMissing:
            return False
        return True


class Names(Enricher):
    """Finds the other name of an instance."""

    name = "scripted_names"
    kinds = ("instance",)
    reads = (Grant(action="scripted:DescribeName"),)

    def enrich(self, clients: Clients, target: Target) -> Enrichment:
        assert isinstance(target, Instance)
        other = clients.aws("scripted").describe_name(Instance=target.instance_id)["Name"]
        return Enrichment(also=(target.model_copy(update={"instance_id": other}),) if other else ())


SCRIPTED: dict[str, AnyAction] = {unit.name: unit for unit in (Collect(), Contain(), Destroy())}
"""The actions by name."""


def _instance(plan: Plan) -> str:
    assert isinstance(plan.target, Instance)
    return plan.target.instance_id


def _doors(clients: Clients, instance: str) -> dict[str, tuple[str, ...]]:
    found = clients.aws("scripted").describe_doors(Instance=instance)["Doors"]
    return {door["Door"]: tuple(door["Locks"]) for door in found}


def _modify(clients: Clients, door: str, locks: tuple[str, ...]) -> None:
    clients.aws("scripted").modify_door(Door=door, Locks=list(locks))
