"""EKS: what moto has of a cluster has no API server. Ours is the fake one, mounted below the front."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox import wire
from sandbox.cloud import Cloud
from sandbox.front import AwsFailure
from sandbox.identity import Caller
from sandbox.kubernetes import Cluster
from sandbox.kubernetes_access import EksAccess, Identity

_NO_AUTHORITY = "c2FuZGJveA=="  # "sandbox"; plain HTTP on this machine needs no certificate


class Clusters:
    """The clusters by name. One account and region each, so a name says all.

    Args:
        cloud: what they are mounted in.
    """

    def __init__(self, cloud: Cloud) -> None:
        self.by_name: dict[str, Cluster] = {}
        self._cloud = cloud
        self._arns: dict[str, str] = {}
        cloud.front.serve("eks:DescribeCluster", self._describe)
        cloud.front.serve("eks:ListClusters", self._list)

    def add(self, name: str, account: str | None = None, region: str | None = None) -> Cluster:
        """Make an empty cluster and return it; give roles access by `grant`."""
        place = f"{region or self._cloud.region}:{account or self._cloud.account}"
        # tokens are signed in real time, whatever the virtual clock says
        entries = self._cloud.access.setdefault(name, {})
        access = EksAccess(name, self._identify, entries)
        cluster = Cluster(name, self._cloud.clock.now, access)
        self.by_name[name] = cluster
        self._arns[name] = f"arn:aws:eks:{place}:cluster/{name}"
        self._cloud.front.mount(f"/kubernetes/{name}", cluster)
        return cluster

    def grant(self, name: str, principal: str, *groups: str) -> None:
        """Make an access entry: who the IAM principal (ARN) is inside the cluster."""
        self._cloud.access.setdefault(name, {})[principal] = groups

    def _identify(self, key: str) -> Identity | None:
        caller = self._cloud.identities.find(key) or self._cloud.backend.user(key)
        return Identity(caller.arn) if caller else None

    def _describe(self, request: wire.Request, caller: Caller | None) -> Mapping[str, Any]:
        name = request.path.rpartition("/")[2]
        arn = self._arns.get(name, "")
        if not arn or (caller is not None and caller.account != arn.split(":")[4]):
            raise AwsFailure("ResourceNotFoundException", f"No cluster found for name: {name}.", 404)
        described = {
            "name": name,
            "arn": arn,
            "status": "ACTIVE",
            "version": "1.36",
            "endpoint": f"{self._cloud.url}/kubernetes/{name}",
            "certificateAuthority": {"data": _NO_AUTHORITY},
            "tags": {},
        }
        return {"cluster": described}

    def _list(self, request: wire.Request, caller: Caller | None) -> Mapping[str, Any]:
        account = caller.account if caller else self._cloud.account
        return {"clusters": sorted(name for name, arn in self._arns.items() if arn.split(":")[4] == account)}
