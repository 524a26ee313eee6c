"""What happened, `service.action`: who began it and the other ends.

Member names: Amazon GuardDuty API Reference, "Action", in the camelCase form that EventBridge delivers.
"""

from __future__ import annotations

from collections.abc import Iterator

from firebreak.core.finding import Remote
from firebreak.core.model import Json
from firebreak.wire import read
from firebreak.wire.guardduty_posture import Direction
from firebreak.wire.read import member, objects, texts

DIRECTIONS: dict[Json, Direction] = {"OUTBOUND": "outbound", "INBOUND": "inbound", "UNKNOWN": "unknown"}


def direction(action: Json) -> Direction | None:
    """Return who began the connection; None where the action does not say."""
    match member(action, "actionType"):
        case "DNS_REQUEST":
            return "outbound"
        case "PORT_PROBE":
            return "inbound"
    said = member(action, "networkConnectionAction", "connectionDirection")
    return DIRECTIONS.get(said.upper()) if isinstance(said, str) else None


def remotes(action: Json) -> Iterator[Remote]:
    """Return the other ends; one that names nothing may be among them."""
    connection = member(action, "networkConnectionAction")
    yield from _ends(connection, read.whole(member(connection, "remotePortDetails", "port"), 1, 65535))
    for probe in objects(member(action, "portProbeAction", "portProbeDetails")):
        yield from _ends(probe)
    call = member(action, "awsApiCallAction")
    yield from _ends(call)
    yield Remote(account=read.account(member(call, "remoteAccountDetails", "accountId")))
    yield Remote(domain=read.domain(member(call, "domainDetails", "domain")))
    kubernetes = member(action, "kubernetesApiCallAction")
    yield from _ends(kubernetes)
    for address in texts(member(kubernetes, "sourceIPs")):
        yield Remote(ip=read.ip(address))
    for login in objects(member(action, "rdsLoginAttemptAction")):
        yield from _ends(login)
    yield Remote(domain=read.domain(member(action, "dnsRequestAction", "domain")))


def _ends(part: Json, port: int | None = None) -> Iterator[Remote]:
    details = member(part, "remoteIpDetails")
    for version in ("ipAddressV4", "ipAddressV6"):
        if address := read.ip(member(details, version)):
            yield Remote(ip=address, port=port)
