"""Whether what a GuardDuty finding points at does harm or suffers it.

The question behind each row: could an outsider who has broken into nothing cause this finding? Then the target is the
victim, or unknown at most, because to contain it automatically would hand that outsider a switch. The flag
`service.resourceRole` does not answer the question: sample findings say TARGET on outbound command-and-control
traffic too. Where it may speak at all, it may only play down.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal, TypeAlias

from firebreak.core.finding import Posture

Direction: TypeAlias = Literal["outbound", "inbound", "unknown"]
"""Who began the connection, seen from our resource; "unknown" where GuardDuty says that it cannot tell."""

MILDER: dict[Posture, Posture] = {"acting": "unknown", "unknown": "victim", "victim": "victim"}


@dataclass(frozen=True)
class Row:
    """One row of the table.

    Attributes:
        types: glob of finding types.
        posture: what they mean if our side began, or if the action has no direction.
        because: why, for people.
        inbound: what they mean if the other side began; None: one step milder.
        undirected: what they mean if nothing tells who began; None: the same as `posture`.
        hears_role: `resourceRole` TARGET makes it one step milder.
    """

    types: str
    posture: Posture
    because: str
    inbound: Posture | None = None
    undirected: Posture | None = None
    hears_role: bool = False


def _attack(types: str, because: str) -> Row:
    return Row(types, "acting", because, inbound="victim", undirected="unknown", hears_role=True)


TABLE: tuple[Row, ...] = (  # the first row that fits decides
    # what several findings and signals say together
    Row("AttackSequence:S3/*", "unknown", "the data suffers and the credentials act; which to contain is a choice"),
    Row("AttackSequence:*", "acting", "several signals together say that these resources are taken over"),
    # the resource itself does it
    Row("*:Runtime/*", "acting", "a process inside the resource does it"),
    Row("Backdoor:*", "acting", "the resource obeys an attacker's server, or attacks or spams others"),
    Row("CryptoCurrency:*", "acting", "the resource mines or talks to a mining pool"),
    Row("Trojan:*", "acting", "the resource behaves as malware does"),
    Row("Impact:EC2/*DomainRequest*", "acting", "the host itself asks for the domain"),
    Row("UnauthorizedAccess:*/TorClient", "acting", "the resource itself enters the Tor network"),
    Row("UnauthorizedAccess:*/TorRelay", "acting", "the resource relays for the Tor network"),
    Row("UnauthorizedAccess:EC2/MetadataDNSRebind", "acting", "the host itself looks up a name that leads to its keys"),
    Row("UnauthorizedAccess:Lambda/MaliciousIPCaller*", "acting", "the function itself calls a listed address"),
    # who began decides
    _attack("*:EC2/*BruteForce", "passwords are guessed: by this host, or by anyone outside against it"),
    _attack("Recon:EC2/Portscan", "ports are scanned: by this host, or by anyone outside on it"),
    _attack("Impact:EC2/PortSweep", "hosts are swept: by this host, or by anyone outside across it"),
    Row("UnauthorizedAccess:EC2/*IPCaller*", "acting", "this host calls a listed address", "victim", "unknown"),
    # someone outside does it to us
    Row("Recon:EC2/PortProbe*", "victim", "anyone outside may probe an open port"),
    Row("*:RDS/*FailedLogin", "victim", "anyone outside may try passwords and fail"),
    Row("Discovery:RDS/*", "victim", "anyone outside may knock at the database"),
    Row("*:Kubernetes/SuccessfulAnonymousAccess", "victim", "anyone who reaches this API server may call it"),
    # whoever holds the credential does it
    Row("Policy:IAMUser/*", "unknown", "a habit to be broken; nobody is shown to do harm"),
    Row("Impact:IAMUser/AnomalousModelInvocation", "unknown", "users of an application can cause it with its role"),
    Row("Impact:IAMUser/CostHarvesting", "unknown", "users of an application can cause it with its role"),
    Row("Impact:IAMUser/PromptInjection*", "unknown", "users of an application can cause it with its role"),
    Row("*:IAMUser/*", "acting", "whoever holds the credential does it"),
    # a person has to look
    Row("Behavior:EC2/*", "unknown", "unusual traffic; those who call this host can cause it", "victim"),
    Row("DefenseEvasion:EC2/Unusual*", "unknown", "unusual name resolution is no harm by itself"),
    Row("*/MaliciousFile*", "unknown", "a file at rest; whoever may upload can cause it"),
    Row("*/SuspiciousFile*", "unknown", "a file at rest; whoever may upload can cause it"),
    Row("*:RDS/*Successful*", "unknown", "someone got into the database, which itself suffers"),
    Row("*:S3/*", "unknown", "the data suffers; the caller acts, and may be nobody of ours"),
    Row("*:Kubernetes/*", "unknown", "a user acts on the cluster; a workload may be the means"),
    Row("*", "unknown", "nothing says who acts in findings of this type"),
)


def posture(finding_type: str, direction: Direction | None, role: str | None) -> tuple[Posture, str]:
    """Return whether the target acts or suffers, and why.

    Args:
        finding_type: "Backdoor:EC2/C&CActivity.B!DNS".
        direction: who began the connection; None where the action does not say.
        role: `service.resourceRole` as it came.
    """
    row = next(row for row in TABLE if fnmatchcase(finding_type, row.types))
    found = row.posture
    if direction == "inbound":
        found = row.inbound or _no_more_than_unknown(found)
    elif direction == "unknown":
        found = _no_more_than_unknown(found)
    elif direction is None:
        found = row.undirected or found
    if row.hears_role and role == "TARGET":
        found = MILDER[found]
    return found, row.because if direction is None else f"{row.because} ({direction})"


def _no_more_than_unknown(found: Posture) -> Posture:
    return MILDER[found] if found == "acting" else found
