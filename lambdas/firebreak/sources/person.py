"""Orders of people: one action on one target, sent by `firebreak run` and done as if a playbook had wanted it."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, TypeVar

from pydantic import Field, ValidationError

from firebreak.core import registry
from firebreak.core.errors import FindingError, NotForFirebreak
from firebreak.core.finding import Finding, Order, Severity
from firebreak.core.model import Json, Model
from firebreak.core.source import Origin, Source
from firebreak.core.target import Target
from firebreak.wire import read

M = TypeVar("M", bound=Model)

BUS = "firebreak.person"
ORDER = "Order"


class Wanted(Model):
    """The detail of an order on the bus.

    Attributes:
        id: of this order; sent again it is the same one.
        order: what is wanted.
        target: on what.
    """

    id: str = Field(pattern=r"^[0-9a-f]{32}$")
    order: Order
    target: Target


def event(wanted: Wanted, account: str, region: str, at: datetime) -> dict[str, Json]:
    """Return an order as it stands on the bus of an account and region."""
    return {
        "source": BUS,
        "detail-type": ORDER,
        "account": account,
        "region": region,
        "time": at.isoformat(),
        "detail": wanted.model_dump(mode="json"),
    }


class Person(Source):
    """Orders as EventBridge delivers them.

    EventBridge does not say who sent an event: whoever may put this source onto the bus may name anybody. The policy of
    operators allows it.
    """

    name: ClassVar[str] = "person"
    pattern: ClassVar[dict[str, Json]] = {"source": [BUS], "detail-type": [ORDER]}
    urgent: ClassVar[dict[str, Json] | None] = {}

    def claims(self, event: dict[str, Json]) -> bool:
        return event.get("source") == BUS

    def normalise(self, event: dict[str, Json], origin: Origin) -> tuple[Finding, ...]:
        if event.get("detail-type") != ORDER:
            kind = str(event.get("detail-type"))[:100]
            raise NotForFirebreak(f"not for Firebreak: {BUS} {kind!r}; orders come as {ORDER!r}")
        wanted = _valid(Wanted, event.get("detail"), "detail")
        try:
            unit = registry.action(wanted.order.action)
        except KeyError as error:
            raise FindingError("detail.order.action", str(error.args[0])) from None
        parameters = _valid(unit.parameters, wanted.order.parameters, "detail.order.parameters")
        if wanted.target.kind != unit.target_kind:
            works = f"{unit.name} works on a target of kind {unit.target_kind}, not {wanted.target.kind}"
            raise FindingError("detail.target.kind", works)
        time = read.moment(event.get("time")) or read.EPOCH
        order = wanted.order.model_copy(update={"parameters": parameters.model_dump(mode="json")})
        finding = Finding(
            source=Person.name,
            id=wanted.id,
            account=wanted.target.account,
            region=wanted.target.region,
            partition=wanted.target.partition,
            type=unit.name,
            severity=Severity.HIGH,
            posture="acting",
            posture_reason="a person says so",
            targets=(wanted.target,),
            created_at=time,
            updated_at=time,
            order=order,
        )
        return (finding,)


def _valid(model: type[M], value: Json, path: str) -> M:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)[0]
        raise FindingError(".".join((path, *map(str, wrong["loc"]))), str(wrong["msg"])) from None
