"""Which ways out of a subnet track every flow, whatever the security groups say.

Amazon EC2 User Guide, "Security group connection tracking": flows through a NAT gateway, transit gateway attachment,
egress-only internet gateway, Gateway Load Balancer or Network Firewall endpoint (and a Network Load Balancer, interface
endpoint or Global Accelerator, which no route shows) are always tracked, and so is ICMP. Changing a group leaves a
tracked flow running until it ends or idles out.
"""

from __future__ import annotations

from collections.abc import Iterable

from firebreak.core.model import Json

_ALWAYS = {
    "NatGatewayId": "NAT gateway",
    "TransitGatewayId": "transit gateway",
    "EgressOnlyInternetGatewayId": "egress-only internet gateway",
}
_DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")


def always_tracked(tables: Iterable[Json], enis: Iterable[Json]) -> tuple[str, ...]:
    """Return the always-tracked ways out of some interfaces' subnets, in words.

    Args:
        tables: the VPCs' route tables, as DescribeRouteTables answers them.
        enis: interfaces, as DescribeNetworkInterfaces answers them.
    """
    explicit: dict[str, Json] = {}
    main: dict[str, Json] = {}
    for table in tables:
        for association in table.get("Associations", ()):
            if subnet := association.get("SubnetId"):
                explicit[subnet] = table
            elif association.get("Main"):
                main[table["VpcId"]] = table
    used = [explicit.get(eni["SubnetId"]) or main.get(eni["VpcId"]) or {} for eni in enis]
    ways = {way for table in used for route in table.get("Routes", ()) if (way := _way(route))}
    return tuple(sorted(ways))


def _way(route: Json) -> str:
    if route.get("State") == "blackhole":
        return ""
    to = next((route[member] for member in _DESTINATIONS if route.get(member)), "?")
    for member, kind in _ALWAYS.items():
        if route.get(member):
            return f"{kind} {route[member]} (to {to})"
    if route.get("GatewayId", "").startswith("vpce-") and not route.get("DestinationPrefixListId"):  # not S3, DynamoDB
        return f"endpoint {route['GatewayId']} (to {to})"
    return ""
