"""Keep what runs on an EC2 instance from the credentials of its role."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from firebreak.core.action import Action
from firebreak.core.clients import Aws, Clients
from firebreak.core.errors import PlanStale
from firebreak.core.grant import Grant
from firebreak.core.instances import living_instance
from firebreak.core.model import Json, Model
from firebreak.core.plan import Change, Done, Draft, Plan, Verification
from firebreak.core.target import Instance


class Parameters(Model):
    """How far the service is cut.

    Attributes:
        hop_limit: network hops that an answer may travel; 1 keeps containers with a network of their own from it.
        turn_off: whether the service is turned off altogether, for the instance itself too.
    """

    hop_limit: int = Field(default=1, ge=1, le=64)
    turn_off: bool = False


class Reach(Model):
    """Who is answered.

    Attributes:
        endpoint: whether anybody is.
        hop_limit: hops that an answer may travel.
    """

    endpoint: Literal["enabled", "disabled"]
    hop_limit: int

    def __str__(self) -> str:
        return "off" if self.endpoint == "disabled" else f"on, answers go {self.hop_limit} hops"


class Before(Model):
    """The service as found.

    Attributes:
        reach: what the action changes.
        tokens, ipv6, tags: its other options, for the record; they are not touched.
    """

    reach: Reach
    tokens: str
    ipv6: str
    tags: str


class RestrictMetadataService(Action[Instance, Parameters, Before]):
    """Keep what runs on an EC2 instance from the credentials of its role.

    Lowers the hop limit of the instance metadata service, so that containers with a network of their own get no answer
    any more, or turns the service off. A lower limit is left as it is; the service's other options are not touched.
    Undo sets back what was set.

    Does not stop: credentials that were got before, which stay valid for hours, wherever they are used; with the
    service on, programs of the instance itself and containers in its network. A launch template that makes the next
    instance is not changed.

    Next: deny the instance's credentials; require version 2 of the service; replace the instance.
    """

    name = "ec2.restrict_metadata_service"
    effect = "reversible"
    target = Instance
    aspect = "metadata reach"
    parameters = Parameters
    before = Before
    reads = (Grant(action="ec2:DescribeInstances"),)
    writes = (
        Grant(
            action="ec2:ModifyInstanceMetadataOptions",
            resources=("arn:{partition}:ec2:{region}:{account}:instance/*",),
        ),
    )

    def plan(self, clients: Clients, target: Instance, parameters: Parameters) -> Draft:
        instance = living_instance(clients.aws("ec2"), target.instance_id)
        options, found = instance["MetadataOptions"], _reach(instance)
        wanted = _wanted(found, parameters)
        return Draft(
            before=Before(
                reach=found,
                tokens=options["HttpTokens"],
                ipv6=options.get("HttpProtocolIpv6", "disabled"),
                tags=options.get("InstanceMetadataTags", "disabled"),
            ).model_dump(mode="json"),
            changes=_changes(target, found, wanted),
            resources=(target.arn,),
            effects=_effects(instance, wanted),
            residual=tuple(_residual(instance, wanted)),
        )

    def apply(self, clients: Clients, plan: Plan) -> Done:
        before = Before.model_validate(plan.before).reach
        return _bring(clients.aws("ec2"), plan, before, _wanted(before, Parameters.model_validate(plan.parameters)))

    def verify(self, clients: Clients, plan: Plan) -> Verification:
        instance = living_instance(clients.aws("ec2"), plan.target.label)
        before, found = Before.model_validate(plan.before).reach, _reach(instance)
        applied = instance["MetadataOptions"].get("State") == "applied"
        wanted = _wanted(before, Parameters.model_validate(plan.parameters))
        saw = f"metadata service of {plan.target.label}: {found}{'' if applied else ', not in force yet'}"
        return Verification(ok=applied and found == wanted, saw=(saw,))

    def undo(self, clients: Clients, plan: Plan) -> Done:
        before = Before.model_validate(plan.before).reach
        wanted = _wanted(before, Parameters.model_validate(plan.parameters))
        return _bring(clients.aws("ec2"), plan, wanted, before)


def _bring(ec2: Aws, plan: Plan, one: Reach, other: Reach) -> Done:
    """Bring the service from one reach to the other, from no third one."""
    found = _reach(living_instance(ec2, plan.target.label))
    if found == other:
        return Done()
    if found != one:
        raise PlanStale(
            f"the metadata service of {plan.target.label} is {found}, and was {one}. Someone else changed it, and "
            "nothing was written"
        )
    ec2.modify_instance_metadata_options(
        InstanceId=plan.target.label, HttpEndpoint=other.endpoint, HttpPutResponseHopLimit=other.hop_limit
    )
    return Done()


def _reach(instance: Json) -> Reach:
    options = instance["MetadataOptions"]
    return Reach(endpoint=options["HttpEndpoint"], hop_limit=options["HttpPutResponseHopLimit"])


def _wanted(before: Reach, parameters: Parameters) -> Reach:
    if before.endpoint == "disabled":
        return before
    if parameters.turn_off:
        return before.model_copy(update={"endpoint": "disabled"})
    return before.model_copy(update={"hop_limit": min(before.hop_limit, parameters.hop_limit)})


def _changes(target: Instance, found: Reach, wanted: Reach) -> tuple[Change, ...]:
    if found == wanted:
        return ()
    resource = f"instance {target.instance_id}"
    return (Change(resource=resource, what="metadata service", before=str(found), after=str(wanted)),)


def _effects(instance: Json, wanted: Reach) -> tuple[str, ...]:
    profile = instance.get("IamInstanceProfile", {}).get("Arn", "").rpartition("/")[2]
    role = f"the credentials of profile {profile}" if profile else "what the service tells"
    if wanted.endpoint == "disabled":
        return (f"nothing on the instance gets {role} any more, the Systems Manager agent included",)
    return (f"containers with a network of their own get {role} no more, whatever they need it for",)


def _residual(instance: Json, wanted: Reach) -> list[str]:
    said = ["credentials that were got before stay valid until they expire, some hours"]
    if wanted.endpoint == "enabled":
        said.append("programs of the instance itself, and containers in its network, are still answered")
        if instance["MetadataOptions"]["HttpTokens"] != "required":
            said.append("the service answers without a token, so that a forged request through a program is enough")
    return said
