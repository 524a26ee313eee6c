"""One Falco alert, as Falco prints it, falcosidekick sends it or Falco Talon hands it on.

Every member but rule, priority and time may be missing or null, and anyone who reaches falcosidekick's port can write
all of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from firebreak.core.finding import Actor, Remote
from firebreak.core.model import Json, digest
from firebreak.wire import read
from firebreak.wire.read import member, name

NOTHING = frozenset({"<NA>", "N/A", "null"})

TEXTS = 30
"""Texts for display of one alert."""

_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
"""What Kubernetes makes random name endings of, so that they spell no words."""

_GENERATED = re.compile(rf"-(?:[{_LETTERS}0-9]{{8,10}}-[{_LETTERS}]{{5}}|[{_LETTERS}]{{5}}|[0-9]+)\Z")

Kind: TypeAlias = Literal["syscall", "internal", "other"]


@dataclass(frozen=True)
class Alert:
    """An alert, its parts made usable.

    Attributes:
        rule: name of the rule.
        source: where the event came from: "syscall", "k8s_audit", "aws_cloudtrail", "internal", …
        raw: the whole alert.
        fields: its output fields.
    """

    rule: str
    source: str
    raw: dict[str, Json]
    fields: dict[str, Json]

    @classmethod
    def of(cls, raw: dict[str, Json], rule: str) -> Alert:
        fields = raw.get("output_fields")
        source = name(raw.get("source")) or "syscall"  # falcosidekick writes "syscalls" where Falco wrote nothing
        if source == "syscalls":
            source = "syscall"
        if rule.startswith("Falco internal:"):
            source = "internal"
        return cls(rule, source, raw, fields if isinstance(fields, dict) else {})

    def get(self, field: str) -> str | None:
        """Return an output field as a name; what Falco could not look up is null, empty or "<NA>"."""
        found = name(self.fields.get(field))
        return None if found is None or found in NOTHING else found

    @property
    def delivery(self) -> str:
        """What redeliveries share: falcosidekick's uuid, Talon's trace id, else the digest of the alert."""
        return name(self.raw.get("uuid")) or name(self.raw.get("trace_id")) or digest(self.raw)

    @property
    def hostname(self) -> str | None:
        """The machine Falco ran on. With an audit log that is where the plugin runs, and says nothing."""
        if self.source not in ("syscall", "internal"):
            return None
        found = name(self.raw.get("hostname"))
        return self.get("evt.hostname") if found is None or found in NOTHING else found

    @property
    def pod(self) -> tuple[str, str] | None:
        """Namespace and name of the pod that did it, or, in an audit log, to which it was done."""
        if self.source == "k8s_audit":
            of_pod = self.get("ka.target.resource") == "pods"
            namespace, pod = self.get("ka.target.namespace"), self.get("ka.target.name") if of_pod else None
        else:
            namespace, pod = self.get("k8s.ns.name"), self.get("k8s.pod.name")
        if namespace and pod and len(namespace) <= 63 and len(pod) <= 253:
            return namespace, pod
        return None

    @property
    def time(self) -> datetime | None:
        """When it happened."""
        times = (self.raw.get("time"), self.fields.get("evt.time"), self.fields.get("evt.time.iso8601"))
        return next((found for value in times if (found := read.moment(value))), None)

    def actors(self) -> Iterator[Actor]:
        """Return the users that an audit log names; users inside a container are no actors of the estate's."""
        if self.source == "k8s_audit":
            for field in ("ka.user.name", "ka.impuser.name"):
                if user := self.get(field):
                    yield Actor(name=user)
        elif self.source == "aws_cloudtrail":
            found = Actor(
                principal_id=self.get("ct.user.principalid"),
                access_key_id=self.get("ct.user.accesskeyid"),
                name=self.get("ct.user.arn") or self.get("ct.user"),
            )
            if found != Actor():
                yield found

    def remotes(self) -> Iterator[Remote]:
        """Return the other ends."""
        port = read.whole(self.fields.get("fd.rport"), 1, 65535)
        domain = next(
            (found for each in read.texts(self.fields.get("fd.rip.name")) if (found := read.domain(each))), None
        )
        ip = read.ip(self.fields.get("fd.rip"))
        if ip or domain:
            yield Remote(ip=ip, domain=domain, port=port)
        for field in ("ka.sourceips", "ct.srcip"):
            for text in read.texts(self.fields.get(field)):
                for part in text.split(","):
                    if address := read.ip(part.strip()):
                        yield Remote(ip=address)

    def fingerprint(self, account: str, cluster: str) -> str:
        """Return what repeats of one alert share: rule, place, workload, program and what it touched.

        Time, process ids, command line, container id and output text are left out: they differ each time.
        """
        namespace, pod = self.pod or (self.get("k8s.ns.name") or self.get("ka.target.namespace"), None)
        workload = _GENERATED.sub("", pod) if pod else self.get("container.image.repository")
        parts = [account, cluster, self.source, self.rule, self.hostname, namespace, workload]
        return digest([*parts, self.get("proc.exepath"), self._touched()])

    def _touched(self) -> Json:
        file = self.get("fd.name")
        if file and file.startswith("/"):
            return file.rpartition("/")[0] or "/"
        end = self.get("fd.rip") or (file.rpartition("->")[2] if file and "->" in file else None) or self.get("ct.name")
        audit = [self.get(f"ka.{part}") for part in ("verb", "target.resource", "target.namespace", "target.name")]
        return end or (audit if any(audit) else None)

    def untrusted(self) -> dict[str, str]:
        """Return its texts for people to read."""
        found = {"output": read.prose(self.raw.get("output"))}
        for field, value in self.fields.items():
            if (label := name(field)) and not label.startswith("evt.time"):
                found[label[:128]] = read.prose(", ".join(read.texts(value)) if isinstance(value, list) else value)
        return dict([(label, text) for label, text in found.items() if text and text not in NOTHING][:TEXTS])

    def tags(self) -> dict[str, str]:
        """Return the rule's tags, each "true", and where the event came from."""
        return {tag[:128]: "true" for tag in read.texts(member(self.raw, "tags"))[:TEXTS]} | {
            "falco_source": self.source
        }
