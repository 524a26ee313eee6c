"""Falco: alerts on what happens inside machines and containers, and in the Kubernetes audit log."""

from __future__ import annotations

import json
import re
from typing import ClassVar, NamedTuple

from firebreak.core.errors import FindingError, InputError, NotForFirebreak
from firebreak.core.finding import Finding, Severity, Signal
from firebreak.core.intake import require_sound
from firebreak.core.model import Json
from firebreak.core.source import Origin, Source
from firebreak.core.target import Cluster, Host, KubernetesUser, Node, Pod, Target
from firebreak.wire import read
from firebreak.wire.falco_alert import Alert
from firebreak.wire.falco_rules import BY_PRIORITY, Meaning, meaning

BUS = "firebreak.falco"
ALERT = "Falco Alert"
TEST = "Test rule"
"""What falcosidekick's /test sends, at Debug, past every minimum priority."""

ENDS = 50
"""Remote ends of one finding."""

NODE = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\Z")
"""What a node may be called: a DNS subdomain (Kubernetes documentation, "Object Names and IDs")."""

OWN_FIELDS = (("firebreak_account", "account"), ("firebreak_cluster", "cluster"), ("firebreak_region", "region"))
"""What our Falco settings add to each alert, and what of the queue's identity it has to agree with."""


class Falco(Source):
    """Alerts of system calls and of the Kubernetes audit log; those of other plugins notify.

    On the bus the queue's identity stands beside the alert, since no alert can be trusted to say where it comes from:
    `{"account", "region", "cluster", "alert"}`, the alert an object or its JSON text. Bare alerts, as Falco prints
    them or falcosidekick sends them, take all three from the operator. Everything is urgent: priorities do not tell
    a reverse shell (Notice) from a package upgrade (Error).

    A finding's id is the alert's fingerprint: SHA-256 over account, cluster, source, rule, hostname (system calls
    only), namespace, workload or image, program, and what it touched. Repeats share it, redeliveries the `delivery`.
    """

    name: ClassVar[str] = "falco"
    pattern: ClassVar[dict[str, Json]] = {"source": [BUS], "detail-type": [ALERT]}
    urgent: ClassVar[dict[str, Json] | None] = {}

    def claims(self, event: dict[str, Json]) -> bool:
        if "detail-type" in event or event.get("source") == BUS:
            return event.get("source") == BUS
        if "rule" in event:
            return bool({"priority", "output", "output_fields"} & event.keys())
        return {"priority", "output_fields"} <= event.keys()

    def normalise(self, event: dict[str, Json], origin: Origin) -> tuple[Finding, ...]:
        if event.get("source") != BUS:
            given = (origin.account, origin.region, origin.cluster)
            place = _place("", given, "an alert does not say where it comes from; give --{}", origin.partition)
            return (_finding("", event, place, None),)
        kind = event.get("detail-type")
        if kind != ALERT:
            raise NotForFirebreak(f"not for Firebreak: {BUS} {str(kind)[:100]!r}; alerts come as {ALERT!r}")
        detail = event.get("detail")
        if not isinstance(detail, dict):
            raise FindingError("detail", "is not an object of account, region, cluster and alert")
        given = (detail.get("account"), detail.get("region"), detail.get("cluster"))
        place = _place("detail.", given, "the pipe has to add the queue's {}", origin.partition)
        return (_finding("detail.alert.", _alert(detail), place, event.get("time")),)


class _Place(NamedTuple):
    """Where an alert comes from, by what stands outside it. The cluster is "" for machines outside any."""

    account: str
    region: str
    cluster: str
    partition: str


def _place(path: str, given: tuple[Json, Json, Json], remedy: str, partition: str) -> _Place:
    account, region, cluster = read.account(given[0]), read.region(given[1]), given[2]
    if account is None:
        raise FindingError(f"{path}account", f"missing, or not 12 digits: {remedy.format('account')}")
    if region is None:
        raise FindingError(f"{path}region", f"missing, or not the name of a region: {remedy.format('region')}")
    if not isinstance(cluster, str) or not cluster.isprintable() or len(cluster) > 100:
        raise FindingError(f"{path}cluster", f"missing, or not the name of a cluster: {remedy.format('cluster')}")
    return _Place(account, region, cluster, partition)


def _alert(detail: dict[str, Json]) -> dict[str, Json]:
    alert = detail.get("alert")
    if isinstance(alert, str):
        try:
            alert = json.loads(alert)
        except (ValueError, RecursionError) as error:
            raise FindingError("detail.alert", f"is not JSON: {str(error)[:100]}") from None
    if not isinstance(alert, dict):
        raise FindingError("detail.alert", "is neither an object nor the JSON text of one")
    return alert


def _finding(path: str, raw: dict[str, Json], place: _Place, arrived: Json) -> Finding:
    try:
        require_sound(raw, "the alert")
    except InputError as error:
        raise FindingError(path.rstrip(".") or "alert", str(error)) from None
    rule = read.name(raw.get("rule"))
    if rule is None:
        raise FindingError(f"{path}rule", f"is not a printable text of 1 to {read.NAME_LIMIT} characters")
    word = raw.get("priority")
    by_priority = BY_PRIORITY.get(word.strip().lower()) if isinstance(word, str) else None
    if by_priority is None:
        raise FindingError(f"{path}priority", "is none of Falco's priorities, Emergency to Debug")
    alert = Alert.of(raw, rule)
    for field, identity in OWN_FIELDS:
        said, known = alert.get(field), getattr(place, identity)
        if said is not None and said != known:
            raise FindingError(f"{path}output_fields.{field}", f"says {said[:60]!r}, but it came from {known!r}")
    arrival = read.moment(arrived)
    time = alert.time or arrival or read.EPOCH
    if arrival is not None:
        time = min(time, arrival)  # a time to come, forged or by a wrong clock, would make all later repeats old
    signal, means = _signal(rule), meaning(rule, alert.source)
    return Finding(
        source=Falco.name,
        id=alert.fingerprint(place.account, place.cluster),
        delivery=alert.delivery,
        account=place.account,
        region=place.region,
        partition=place.partition,
        type=rule,
        severity=_severity(signal, means, by_priority),
        score=str(word).strip(),
        posture=means.posture,
        posture_reason=means.because,
        signal=signal,
        targets=tuple(_targets(alert, place)),
        actors=tuple(dict.fromkeys(alert.actors())),
        remotes=tuple(dict.fromkeys(alert.remotes()))[:ENDS],
        created_at=time,
        updated_at=time,
        sample=rule == TEST,
        tags=alert.tags(),
        untrusted=alert.untrusted(),
    )


def _signal(rule: str) -> Signal:
    if not rule.startswith("Falco internal:"):
        return "threat"
    return "heartbeat" if "metrics snapshot" in rule else "sensor_blind"


def _severity(signal: Signal, means: Meaning, by_priority: Severity) -> Severity:
    if signal == "sensor_blind":
        return Severity.MEDIUM  # losing events can be provoked; Falco calls it Debug
    return by_priority if means.severity is None else means.severity


def _targets(alert: Alert, place: _Place) -> list[Target]:
    cluster, own = place.cluster, {"account": place.account, "region": place.region, "partition": place.partition}
    found: list[Target] = []
    if cluster and alert.pod:
        namespace, pod = alert.pod
        found.append(Pod(cluster=cluster, namespace=namespace, name=pod, uid=alert.get("k8s.pod.uid"), **own))
    if hostname := alert.hostname:
        found.append(Host(cluster=cluster, name=hostname, **own))
    if cluster and alert.source == "k8s_audit":
        node = alert.get("ka.target.name") if alert.get("ka.target.resource") == "nodes" else None
        if node and NODE.match(node):
            found.append(Node(cluster=cluster, name=node, **own))
        if user := alert.get("ka.user.name"):
            found.append(KubernetesUser(cluster=cluster, name=user, **own))
    if cluster and alert.source in ("syscall", "internal", "k8s_audit"):
        found.append(Cluster(name=cluster, **own))
    return found
