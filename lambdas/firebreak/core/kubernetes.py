"""Kubernetes as units see it: paths that no name can break out of, lists page by page, which instance a node is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from firebreak.core.clients import Kubernetes
from firebreak.core.errors import Retriable, TargetMissing

PAGE = 250
"""Objects per page of a list. EKS runs at most 250 pods on a node or so, hence one page is the rule."""

PAGES = 1_000
"""Pages that are followed: a server that never ends its list must not keep us until the invocation is over."""

_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_PROVIDER_ID = re.compile(r"aws:///(?P<zone>[a-z0-9-]+)/(?P<instance>i-[0-9a-f]{8,17})")


def path(resource: str, name: str = "", *, namespace: str = "", api: str = "v1") -> str:
    """Return the path of a resource, or of one object of it.

    Names in findings are text that an attacker may have written. One that Kubernetes could never have given names
    nothing, and reaches no URL.

    Args:
        resource: plural, "nodes".
        name: of the object; "" for the collection.
        namespace: "" for what has none, or for all of them.
        api: "v1", "apps/v1".

    Raises:
        TargetMissing: name or namespace is not one that Kubernetes gives.
    """
    if (name and not _SUBDOMAIN.fullmatch(name)) or (namespace and not _LABEL.fullmatch(namespace)):
        asked = f"{namespace}/{name}" if namespace else name
        raise TargetMissing(f"{asked[:80]!r} cannot be a name in Kubernetes, so there is none among its {resource}")
    root = f"/apis/{api}" if "/" in api else f"/api/{api}"
    where = f"/namespaces/{quote(namespace, safe='')}" if namespace else ""
    return f"{root}{where}/{resource}" + (f"/{quote(name, safe='')}" if name else "")


def items(kubernetes: Kubernetes, collection: str, **selectors: str) -> Iterator[Any]:
    """Yield the objects of a collection, page by page.

    Args:
        kubernetes: the cluster's client.
        collection: from `path`.
        selectors: fieldSelector, labelSelector.

    Raises:
        Retriable: the list changed under a slow reader, has no end, or is none; start again.
    """
    query = {**selectors, "limit": str(PAGE)}
    for _ in range(PAGES):
        answer = kubernetes.call("GET", collection, query=query)
        page, metadata = answer.get("items") or [], answer.get("metadata") or {}
        cursor = metadata.get("continue") or "" if isinstance(metadata, dict) else None
        if not isinstance(page, list) or not isinstance(cursor, str):
            raise Retriable(f"GET {collection}: the answer is no list of objects; unknown outcome")
        yield from page
        if not cursor:
            return
        query = {**query, "continue": cursor}
    raise Retriable(f"GET {collection}: the list goes on after {PAGES} pages; start again")


def instance_id(provider_id: str, region: str) -> str | None:
    """Return the EC2 instance that a node's `spec.providerID` ("aws:///us-east-1a/i-0abc…") speaks of.

    None for Fargate, hybrid nodes, other clouds, and for a zone outside the region (Amazon EKS User Guide: the provider
    id of a node holds its Availability Zone and instance id).
    """
    found = _PROVIDER_ID.fullmatch(provider_id)
    return found["instance"] if found and found["zone"].startswith(region) else None
