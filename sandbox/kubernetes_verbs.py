"""The verbs of the fake API server on its objects: get, list, create, update, patch, delete."""

from __future__ import annotations

from copy import deepcopy

from sandbox import kubernetes_owners as owners
from sandbox import kubernetes_patch as patches
from sandbox import kubernetes_select as select
from sandbox.kubernetes_access import Asked, User, authorize
from sandbox.kubernetes_answer import (
    Answer,
    Cause,
    Failure,
    Object,
    conflict,
    dotted,
    invalid,
    named,
    not_found,
    unknown_resource,
)
from sandbox.kubernetes_body import check_name, check_namespace, decoded, table, unknown, warning
from sandbox.kubernetes_eviction import evict
from sandbox.kubernetes_kinds import BY_PATH, Kind, problems, tidy, unknown_fields
from sandbox.kubernetes_owners import Manager, Owners
from sandbox.kubernetes_request import Request
from sandbox.kubernetes_store import Record, Store, check_preconditions

NAMESPACES = BY_PATH["", "v1", "namespaces"]
_POD_SPEC_MAY_CHANGE = ("tolerations", "activeDeadlineSeconds", "terminationGracePeriodSeconds")


class Verbs:
    """The verbs, over one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def answer(self, request: Request, user: User) -> Answer:
        """Answer an authorized request.

        Raises:
            Failure: every refusal.
        """
        asked = request.asked
        kind = BY_PATH.get((asked.group, request.version, asked.resource))
        if kind is None or (asked.subresource and asked.subresource not in kind.subresources):
            raise unknown_resource()
        match asked.verb:
            case "get":
                return Answer(200, self._get(kind, asked).view)
            case "list":
                return self._list(kind, request)
            case "create" if asked.subresource == "eviction":
                return evict(self._store, asked.namespace, asked.name, table(request.body), request.dry)
            case "create" if not asked.name and (asked.namespace or not kind.namespaced):
                return self._create(kind, request)
            case "update" if asked.name:
                return self._put(kind, request)
            case "patch" if asked.name:
                return self._patch(kind, request, user)
            case "delete":
                return self._delete(kind, request)
            case "deletecollection":
                return self._delete_collection(kind, request)
        raise Failure(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {})

    def _get(self, kind: Kind, asked: Asked) -> Record:
        return self._store.get(kind, asked.namespace, asked.name)

    def _selected(self, kind: Kind, request: Request) -> list[Record]:
        matches = [
            select.labels(request.query.get("labelSelector", "")),
            select.fields(request.query.get("fieldSelector", ""), kind.resource),
        ]
        found = self._store.all(kind, request.asked.namespace if kind.namespaced else "")
        return [record for record in found if all(match(record.item) for match in matches)]

    def _list(self, kind: Kind, request: Request) -> Answer:
        query = request.query
        where = f"{request.path}?{query.get('labelSelector', '')}&{query.get('fieldSelector', '')}"
        page, version, cursor = self._store.page(
            self._selected(kind, request), where, int(query.get("limit") or 0), query.get("continue", "")
        )
        metadata = {"resourceVersion": str(version), **({"continue": cursor} if cursor else {})}
        return Answer(200, _list_of(kind, metadata, page))

    def _create(self, kind: Kind, request: Request) -> Answer:
        item, headers = decoded(kind, request)
        dry, namespace = request.dry, request.asked.namespace
        check_namespace(kind, namespace, item)
        generated = item["metadata"].pop("generateName", "")
        if generated and not item["metadata"].get("name"):
            item["metadata"]["name"] = f"{generated}{self._store.version:05x}"
        given = owners.leaves(item)
        made = self._admit_new(kind, namespace, item, dry, {("Update", request.manager, ""): frozenset(given)})
        return Answer(201, made.view, headers)

    def _admit_new(self, kind: Kind, namespace: str, item: Object, dry: bool, owned: Owners) -> Record:
        metadata = item["metadata"]
        name = metadata.get("name", "")
        if kind.namespaced:
            home = self._store.find(NAMESPACES, "", namespace)
            if home is None:
                raise not_found(namespace, "namespaces")
            if home.terminating:
                raise _terminating(kind, name, namespace)
        for server_only in ("uid", "resourceVersion", "creationTimestamp", "deletionTimestamp", "managedFields"):
            metadata.pop(server_only, None)
        if name:
            kind.default(item)
        _refuse(kind, name, problems(kind, item))
        return self._store.create(kind, namespace, item, {who: what for who, what in owned.items() if what}, dry)

    def _put(self, kind: Kind, request: Request) -> Answer:
        item, headers = decoded(kind, request)
        asked, dry = request.asked, request.dry
        check_namespace(kind, asked.namespace, item)
        check_name(asked.name, item)
        record = self._get(kind, asked)
        check_preconditions(record, {"uid": item["metadata"].get("uid") or None})
        return self._write(record, item, request, dry, headers)

    def _patch(self, kind: Kind, request: Request, user: User) -> Answer:
        if request.media_type == patches.APPLY:
            return self._apply(kind, request, user)
        body, dry = request.body, request.dry
        if request.media_type not in (patches.MERGE, patches.STRATEGIC, patches.JSON_PATCH):
            raise Failure(415, "UnsupportedMediaType", "415: Unsupported Media Type", {})
        record = self._get(kind, request.asked)
        current = record.view
        if request.media_type == patches.JSON_PATCH:
            patched = patches.json_patch(current, body)
        else:
            strategic = request.media_type == patches.STRATEGIC
            patched = patches.merge(current, table(body), patches.LIST_KEYS if strategic else None)
        strange = unknown_fields(patched, kind.schema)
        if strange and request.validation == "Strict":
            said = f"Invalid value: strict decoding error: {unknown(strange)}"
            raise invalid("", "", "", [Cause("FieldValueInvalid", "patch", said)])
        check_namespace(kind, request.asked.namespace, patched)
        check_name(request.asked.name, patched)
        return self._write(record, patched, request, dry, warning(strange, request.validation))

    def _write(self, record: Record, item: Object, request: Request, dry: bool, headers: dict[str, str]) -> Answer:
        """Store a full new state that a PUT or PATCH came to, after every check."""
        kind, metadata, stored = record.kind, item["metadata"], record.item
        if metadata.get("resourceVersion") not in (None, "", record.version):
            why = "the object has been modified; please apply your changes to the latest version and try again"
            raise conflict(record.name, kind.resource, kind.group, why)
        subresource = request.asked.subresource
        new = deepcopy(stored)
        if subresource == "status":
            new["status"] = item.get("status") or {}
        else:
            new = {**item, **({"status": stored["status"]} if "status" in stored else {})}
            new["metadata"].pop("managedFields", None)
            tidy(new)
            _refuse(kind, record.name, self._changes_refused(record, new))
        manager: Manager = ("Update", request.manager, subresource)
        owned = owners.after_update(record.owners, stored, new, manager)
        return Answer(200, self._store.update(record, new, owned, dry).view, headers)

    def _changes_refused(self, record: Record, new: Object) -> list[Cause]:
        found = problems(record.kind, new)
        old, metadata = record.item["metadata"], new["metadata"]
        if metadata.get("uid") not in (None, "", old["uid"]):
            message = f'Invalid value: "{metadata["uid"]}": field is immutable'
            found.append(Cause("FieldValueInvalid", "metadata.uid", message))
        if record.kind.kind == "Pod" and _fixed(new) != _fixed(record.item):
            message = "Forbidden: pod updates may not change fields other than tolerations and deadlines"
            found.append(Cause("FieldValueForbidden", "spec", message))
        return found * record.kind.echoes

    def _apply(self, kind: Kind, request: Request, user: User) -> Answer:
        dry, asked = request.dry, request.asked
        if not request.query.get("fieldManager"):
            raise request.bad_option(Cause("FieldValueRequired", "fieldManager", "Required value"))
        wanted = table(request.body)
        wanted.setdefault("metadata", {})
        if strange := unknown_fields(deepcopy(wanted), kind.schema):
            message = f"failed to create typed patch object: .{strange[0]}: field not declared in schema"
            raise Failure(500, "", message)
        check_namespace(kind, asked.namespace, wanted)
        check_name(asked.name, wanted)
        record = self._store.find(kind, asked.namespace, asked.name)
        manager, force = request.manager, request.query.get("force") == "true"
        if record is None:
            authorize(self._store, user, Asked("create", asked.resource, "", asked.group, asked.namespace, asked.name))
            item, owned = owners.apply(None, {}, wanted, manager, force)
            return Answer(201, self._admit_new(kind, asked.namespace, item, dry, owned).view)
        if wanted["metadata"].get("resourceVersion") not in (None, "", record.version):
            raise conflict(record.name, kind.resource, kind.group, "the object has been modified")
        item, owned = owners.apply(record.item, record.owners, wanted, manager, force)
        tidy(item)
        if wanted["metadata"].get("uid"):
            item["metadata"]["uid"] = wanted["metadata"]["uid"]
        _refuse(kind, record.name, self._changes_refused(record, item))
        return Answer(200, self._store.update(record, item, owned, dry).view)

    def _delete(self, kind: Kind, request: Request) -> Answer:
        options, dry = table(request.body), request.dry
        record = self._get(kind, request.asked)
        check_preconditions(record, options.get("preconditions"))
        grace = options.get("gracePeriodSeconds", request.query.get("gracePeriodSeconds"))
        dry = dry or bool(options.get("dryRun"))
        gone = self._store.delete(record, None if grace is None else int(grace), dry)
        if kind.resource == "pods" or not gone:
            return Answer(200, record.view)
        details = {**named(record.name, kind.resource, kind.group), "uid": record.item["metadata"]["uid"]}
        body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
        return Answer(200, body)

    def _delete_collection(self, kind: Kind, request: Request) -> Answer:
        found, dry = self._selected(kind, request), request.dry
        for record in found:
            self._store.delete(record, None, dry)
        return Answer(200, _list_of(kind, {"resourceVersion": str(self._store.version)}, found))


def _refuse(kind: Kind, name: str, causes: list[Cause]) -> None:
    if causes:
        raise invalid(name, kind.kind, kind.group, causes)


def _terminating(kind: Kind, name: str, namespace: str) -> Failure:
    subject = dotted(kind.resource, kind.group)
    why = f"unable to create new content in namespace {namespace} because it is being terminated"
    cause = Cause("NamespaceTerminating", "metadata.namespace", f"namespace {namespace} is being terminated")
    details = {**named(name, kind.resource, kind.group), "causes": [cause.dump()]}
    return Failure(403, "Forbidden", f'{subject} "{name}" is forbidden: {why}', details)


def _fixed(pod: Object) -> Object:
    spec = {name: value for name, value in pod.get("spec", {}).items() if name not in _POD_SPEC_MAY_CHANGE}
    spec["containers"] = [{**container, "image": ""} for container in spec.get("containers", [])]
    return spec


def _list_of(kind: Kind, metadata: Object, records: list[Record]) -> Object:
    items = [{name: value for name, value in r.view.items() if name not in ("kind", "apiVersion")} for r in records]
    return {"kind": f"{kind.kind}List", "apiVersion": kind.api_version, "metadata": metadata, "items": items}
