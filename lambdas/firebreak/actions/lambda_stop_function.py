"""Stop a Lambda function from being invoked."""

from __future__ import annotations

from functools import partial

from firebreak.core.action import Action, NoParameters
from firebreak.core.clients import Aws, Clients
from firebreak.core.errors import AwsError, Conflict, PlanStale
from firebreak.core.functions import Intake, Mapping, function_name, intake, unless_busy
from firebreak.core.grant import Grant
from firebreak.core.model import Model
from firebreak.core.plan import Again, Change, Done, Draft, Plan, Progress, Verification
from firebreak.core.target import LambdaFunction

FUNCTIONS = ("arn:{partition}:lambda:{region}:{account}:function:*",)
SETTLING = 10
"""Seconds after which to look again at a mapping. Lambda says "up to a minute"."""


class Source(Model):
    """An event source mapping as found.

    Attributes:
        uuid: its id.
        source: what it polls.
        polls: whether it was on.
    """

    uuid: str
    source: str
    polls: bool


class Before(Model):
    """What let the function run.

    Attributes:
        reserved: executions that were reserved for it; None where nothing was, which is not 0.
        sources: its event source mappings, by id.
    """

    reserved: int | None
    sources: tuple[Source, ...]

    @property
    def polling(self) -> frozenset[str]:
        """The mappings that are turned off, and on again."""
        return frozenset(source.uuid for source in self.sources if source.polls)


class StopFunction(Action[LambdaFunction, NoParameters, Before]):
    """Stop a Lambda function from being invoked.

    Sets its reserved concurrency to 0, so that every invocation of every version and alias is throttled, and turns off
    its event source mappings, so that what they poll is not used up by attempts. Mappings that were off stay off. Undo
    reserves as many executions as before, or none where none were reserved, and turns on the mappings that it turned
    off. It refuses where somebody has changed either since, and where the account cannot spare the executions any more.
    Where AWS takes no reservation of 0, because of provisioned concurrency, nothing is changed.

    Does not stop: invocations that run already, for up to 15 minutes; use elsewhere of the credentials of the
    function's role, which it may share with others; whoever may change the function's concurrency. Events sent to it
    asynchronously are tried for up to six hours and then lost or dead-lettered; what its sources keep for a shorter
    time than it is stopped is lost, too.

    Next: take code, layers and environment as evidence, revoke the sessions of its role, look at who changed it and
    what its URL and its resource policy let in.
    """

    name = "lambda.stop_function"
    effect = "reversible"
    target = LambdaFunction
    aspect = "invocation"
    before = Before
    reads = (
        Grant(action="lambda:GetFunctionConcurrency", resources=FUNCTIONS),
        Grant(action="lambda:ListEventSourceMappings"),
    )
    writes = (
        Grant(action="lambda:DeleteFunctionConcurrency", resources=FUNCTIONS),
        Grant(action="lambda:PutFunctionConcurrency", resources=FUNCTIONS),
        Grant(
            action="lambda:UpdateEventSourceMapping",
            resources=("arn:{partition}:lambda:{region}:{account}:event-source-mapping:*",),
        ),
    )

    def plan(self, clients: Clients, target: LambdaFunction, parameters: NoParameters) -> Draft:
        found = intake(clients.aws("lambda"), target)
        if unsettled := [mapping.label for mapping in found.mappings.values() if mapping.side == "unsettled"]:
            raise Conflict(f"{', '.join(unsettled)}: being changed, and whether it will be on does not show yet")
        before = Before(
            reserved=found.reserved,
            sources=tuple(
                Source(uuid=mapping.uuid, source=mapping.source, polls=mapping.side == "on")
                for mapping in found.mappings.values()
                if mapping.side != "gone"
            ),
        )
        polling = [found.mappings[uuid] for uuid in sorted(before.polling)]
        changes = (*_reservation(target, found), *(_turned_off(mapping) for mapping in polling))
        return Draft(
            before=before.model_dump(mode="json"),
            changes=changes,
            resources=(target.arn, *(target.mapping_arn(mapping.uuid) for mapping in polling)) if changes else (),
            effects=_effects(found),
            residual=(
                "invocations that run already go on, for up to 15 minutes",
                "credentials already given to its role stay valid, here and elsewhere",
            ),
        )

    def apply(self, clients: Clients, plan: Plan) -> Progress:
        aws, before, name = clients.aws("lambda"), Before.model_validate(plan.before), function_name(plan.target)
        found = intake(aws, plan.target)
        _refuse_foreign(name, before, found)
        if found.reserved != 0:  # first, since it alone stops the function; sources lose little until they are off
            unless_busy(lambda: aws.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0))
        return _turn(aws, before, found, on=False) or Done()

    def verify(self, clients: Clients, plan: Plan) -> Verification:
        before, found = Before.model_validate(plan.before), intake(clients.aws("lambda"), plan.target)
        planned = [found.mappings[source.uuid] for source in before.sources if source.uuid in found.mappings]
        return Verification(
            ok=found.reserved == 0 and all(mapping.state in ("Disabled", "Deleting") for mapping in planned),
            saw=(
                f"function {plan.target.label} has {_executions(found.reserved)}",
                *(f"{mapping.label} is {mapping.state}" for mapping in found.mappings.values()),
            ),
            after=SETTLING,
        )

    def undo(self, clients: Clients, plan: Plan) -> Progress:
        aws, before, name = clients.aws("lambda"), Before.model_validate(plan.before), function_name(plan.target)
        found = intake(aws, plan.target)
        _refuse_foreign(name, before, found)
        if found.reserved != before.reserved:  # first, or what is polled again would be used up by attempts
            _reserve(aws, name, before.reserved)
        if waits := _turn(aws, before, found, on=True):
            return waits
        gone = [source for source in before.sources if found.side(source.uuid) == "gone"]
        return Done(notes=tuple(f"event source mapping {source.uuid} is gone; not made again" for source in gone))


def _refuse_foreign(name: str, before: Before, found: Intake) -> None:
    """Raise PlanStale where the function is neither as it was found nor as the plan leaves it."""
    foreign = [
        f"{mapping.label} was off and is on"
        for uuid, mapping in found.mappings.items()
        if mapping.side == "on" and uuid in {source.uuid for source in before.sources} - before.polling
    ]
    if found.reserved not in (0, before.reserved):
        foreign.insert(0, f"it has {_executions(found.reserved)}, and had {_executions(before.reserved)}")
    if foreign:
        raise PlanStale(f"function {name}: {'; '.join(foreign)}. Someone else changed it, and nothing was written")


def _turn(aws: Aws, before: Before, found: Intake, *, on: bool) -> Again | None:
    """Turn the planned mappings on or off. Return what to wait for where Lambda is still busy with some of them."""
    busy = []
    for mapping in (found.mappings[uuid] for uuid in sorted(before.polling) if found.side(uuid) != "gone"):
        if mapping.side == ("on" if on else "off"):
            continue
        if mapping.settled:
            unless_busy(partial(aws.update_event_source_mapping, UUID=mapping.uuid, Enabled=on))
        else:
            busy.append(f"{mapping.label} is still {mapping.state}")
    return Again(after=SETTLING, because=", ".join(busy)) if busy else None


def _reserve(aws: Aws, name: str, reserved: int | None) -> None:
    if reserved is None:
        unless_busy(lambda: aws.delete_function_concurrency(FunctionName=name))
        return
    try:
        unless_busy(lambda: aws.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=reserved))
    except AwsError as error:
        if error.code != "InvalidParameterValueException":
            raise
        raise PlanStale(
            f"nothing was restored: {reserved} executions cannot be reserved for function {name} any more, since others"
            f" have reserved what there is. Free them, then undo again. {error}"
        ) from error


def _reservation(target: LambdaFunction, found: Intake) -> tuple[Change, ...]:
    if found.reserved == 0:
        return ()
    before = _executions(found.reserved)
    return (Change(resource=f"function {target.name}", what="reserved concurrency", before=before, after="0"),)


def _turned_off(mapping: Mapping) -> Change:
    return Change(resource=mapping.label, what="polling", before=mapping.state, after="Disabled")


def _executions(reserved: int | None) -> str:
    return "nothing reserved" if reserved is None else f"{reserved} executions reserved"


def _effects(found: Intake) -> tuple[str, ...]:
    freed = f"others may reserve its {found.reserved} executions meanwhile; undo then needs a person to free them"
    return (
        "whoever invokes it is throttled; asynchronous events are tried for up to six hours and then given up",
        *((freed,) if found.reserved else ()),
    )
