"""What the fake API server holds: objects, one rising version counter, deletion with grace and finalizers, pages."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sandbox.kubernetes_answer import Failure, Object, already_exists, bad_request, conflict, not_found
from sandbox.kubernetes_kinds import Kind, tidy
from sandbox.kubernetes_owners import Owners, managed_fields

FINISHED = ("Succeeded", "Failed")
_KEPT = ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds")


@dataclass
class Record:
    """One stored object with the owners of its fields."""

    kind: Kind
    item: Object
    owners: Owners = field(default_factory=dict)

    @property
    def name(self) -> str:
        return str(self.item["metadata"]["name"])

    @property
    def version(self) -> str:
        return str(self.item["metadata"]["resourceVersion"])

    @property
    def terminating(self) -> bool:
        return "deletionTimestamp" in self.item["metadata"]

    @property
    def view(self) -> Object:
        """The object as the server shows it."""
        shown = deepcopy(self.item)
        if self.owners:
            shown["metadata"]["managedFields"] = managed_fields(self.owners, self.kind.api_version)
        return shown


class Store:
    """The objects of one cluster.

    Args:
        now: the time, aware.
        seed: what UIDs derive from, so that two runs agree.
    """

    def __init__(self, now: Callable[[], datetime], seed: str) -> None:
        self._now = now
        self._seed = seed
        self._made = 0
        self._records: dict[tuple[Kind, str, str], Record] = {}
        self._pages: dict[tuple[int, str], list[Record]] = {}
        self.version = 1

    def stamp(self, after: int = 0) -> str:
        """Return the time, `after` seconds from now, as Kubernetes writes it."""
        return (self._now() + timedelta(seconds=after)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def find(self, kind: Kind, namespace: str, name: str) -> Record | None:
        """Return a record, or None."""
        return self._records.get((kind, namespace if kind.namespaced else "", name))

    def get(self, kind: Kind, namespace: str, name: str) -> Record:
        """Return a record.

        Raises:
            Failure: 404.
        """
        record = self.find(kind, namespace, name)
        if record is None:
            raise not_found(name, kind.resource, kind.group)
        return record

    def all(self, kind: Kind, namespace: str = "") -> list[Record]:
        """Return the records of a kind, of one namespace if given, by namespace and name."""
        return [
            record
            for key, record in sorted(self._records.items(), key=lambda entry: entry[0][1:])
            if key[0] == kind and namespace in ("", key[1])
        ]

    def create(self, kind: Kind, namespace: str, item: Object, owners: Owners, dry: bool = False) -> Record:
        """Store a new object.

        Raises:
            Failure: 409, the name is taken.
        """
        record = Record(kind, deepcopy(item), owners)
        metadata = record.item["metadata"]
        if self.find(kind, namespace, metadata["name"]):
            raise already_exists(metadata["name"], kind.resource, kind.group)
        self._made += 1
        if kind.namespaced:
            metadata["namespace"] = namespace
        metadata["uid"] = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self._seed}/{self._made}"))
        metadata["creationTimestamp"] = self.stamp()
        if kind.counted:
            metadata["generation"] = 1
        record.item |= {"kind": kind.kind, "apiVersion": kind.api_version}
        tidy(record.item)
        metadata.pop("resourceVersion", None)
        if not dry:
            self._records[kind, namespace if kind.namespaced else "", metadata["name"]] = record
            self._touch(record)
        return record

    def update(self, record: Record, item: Object, owners: Owners | None = None, dry: bool = False) -> Record:
        """Put a new state in the place of a record's. A state that equals the old one moves no version.

        Args:
            record: the stored record.
            item: its new state; what the server alone sets is taken from the old one.
            owners: its new owners; None keeps them.
            dry: store nothing.
        """
        old = record.item["metadata"]
        new = Record(record.kind, deepcopy(item), record.owners if owners is None else owners)
        metadata = new.item["metadata"]
        for name in (*_KEPT, "generation", "resourceVersion"):
            metadata.pop(name, None)
            if name in old:
                metadata[name] = old[name]
        new.item |= {"kind": record.kind.kind, "apiVersion": record.kind.api_version}
        tidy(new.item)
        if new.item == record.item and new.owners == record.owners:
            return record
        if record.kind.counted and new.item.get("spec") != record.item.get("spec"):
            metadata["generation"] = old["generation"] + 1
        if dry:
            return new
        record.item, record.owners = new.item, new.owners
        self._touch(record)
        if record.terminating and not metadata.get("finalizers") and metadata.get("deletionGracePeriodSeconds") == 0:
            self.remove(record)
        return record

    def delete(self, record: Record, grace: int | None = None, dry: bool = False) -> bool:
        """Delete an object: pods after their grace, everything else at once unless a finalizer holds it.

        Returns:
            Whether the object is gone.
        """
        metadata, is_pod = record.item["metadata"], record.kind.resource == "pods"
        held = bool(metadata.get("finalizers")) or record.kind.resource == "namespaces"
        wait = self._grace(record.item, grace) if is_pod else 0
        if dry:
            return not held and wait == 0
        if is_pod or held:
            self._mark(record, wait)
        if held or wait:
            return False
        self.remove(record)
        return True

    def _grace(self, pod: Object, asked: int | None) -> int:
        if pod["status"].get("phase") in FINISHED or not pod["spec"].get("nodeName"):
            return 0
        return int(pod["spec"]["terminationGracePeriodSeconds"] if asked is None else asked)

    def _mark(self, record: Record, wait: int) -> None:
        metadata = record.item["metadata"]
        if record.terminating and wait >= metadata.get("deletionGracePeriodSeconds", 0) and wait:
            return
        if not record.terminating and record.kind.counted:
            metadata["generation"] += 1
        metadata["deletionTimestamp"] = self.stamp(wait)
        if record.kind.resource == "namespaces":
            record.item["status"] = {"phase": "Terminating"}
        else:
            metadata["deletionGracePeriodSeconds"] = wait
        self._touch(record)

    def remove(self, record: Record) -> None:
        """Take an object out, whatever holds it."""
        self._records = {key: kept for key, kept in self._records.items() if kept is not record}
        self._touch(record)

    def _touch(self, record: Record) -> None:
        self.version += 1
        record.item["metadata"]["resourceVersion"] = str(self.version)

    def page(self, found: list[Record], where: str, limit: int, cursor: str) -> tuple[list[Record], int, str]:
        """Return one page of a list, the version it shows and the cursor of the next page ("" at the end).

        All pages of a list show what its first page saw.

        Raises:
            Failure: 400, a cursor that is none of ours; 410, one that has expired.
        """
        version, start, shown = self.version, 0, found
        if cursor:
            try:
                told = json.loads(base64.urlsafe_b64decode(cursor))
                version, start = int(told["rv"]), int(told["start"])
            except (ValueError, KeyError, TypeError):
                raise bad_request("invalid continue token: continue key is not valid") from None
            if (version, where) not in self._pages:
                raise Failure(410, "Expired", "The provided continue parameter is too old to display a list result.")
            shown = self._pages[version, where]
        end = start + limit if limit else len(shown)
        if end >= len(shown):
            return shown[start:end], version, ""
        self._pages.setdefault((version, where), deepcopy(shown))
        token = base64.urlsafe_b64encode(json.dumps({"rv": version, "start": end}).encode()).decode()
        return shown[start:end], version, token

    def expire_cursors(self) -> None:
        """Forget every list that is being paged through."""
        self._pages.clear()


def check_preconditions(record: Record, preconditions: Object | None) -> None:
    """Compare `deleteOptions.preconditions` with an object.

    Raises:
        Failure: 409 where one does not hold.
    """
    wanted, metadata = preconditions or {}, record.item["metadata"]
    for name, word in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
        if wanted.get(name) not in (None, metadata[name]):
            why = (
                f"the {word} in the precondition ({wanted[name]}) does not match the {word} in record "
                f"({metadata[name]}). The object might have been deleted and then recreated"
            )
            raise conflict(record.name, record.kind.kind, record.kind.group, why)
