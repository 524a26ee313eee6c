"""The API server of an EKS cluster: where it is, whom it trusts, and the token it takes."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import ssl
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from botocore.loaders import create_loader
from urllib3 import PoolManager

from firebreak.adapters.aws import SessionClients
from firebreak.adapters.kubernetes import KubernetesClient
from firebreak.core.errors import Denied, Retriable

TOKEN_LIFETIME = 60
"""Seconds the signed URL is valid for. EKS itself takes a token for 15 minutes, however short this is."""


def open_cluster(clients: SessionClients, cluster: str) -> KubernetesClient:
    """Return the client of a cluster's API server, with one token for as long as it lives.

    Endpoint and certificate authority come from eks:DescribeCluster alone.

    Args:
        clients: the step's clients; their role is who the cluster sees.
        cluster: name of the cluster.

    Raises:
        TargetMissing: there is no such cluster.
        Retriable: it is still being created.
        Denied: plain http beyond this machine, or no credentials to sign with.
    """
    described = clients.aws("eks").describe_cluster(name=cluster)["cluster"]
    endpoint, authority = described.get("endpoint"), (described.get("certificateAuthority") or {}).get("data")
    if not endpoint:
        raise Retriable(f"cluster {cluster} is {described.get('status')} and has no endpoint yet")
    pool = PoolManager() if _is_local(endpoint) else PoolManager(ssl_context=trust(cluster, endpoint, authority))

    def remaining() -> float:
        return clients.remaining()  # asked each time: clients that outlive an invocation get a new clock

    return KubernetesClient(pool, endpoint, lambda: eks_token(described["name"], clients), remaining)


def eks_token(cluster: str, clients: SessionClients) -> str:
    """Return a bearer token: a GetCallerIdentity request to the regional STS, signed for one cluster, in its own words
    (Amazon EKS Best Practices Guide: cluster authentication). Whoever holds it is us until it expires.

    Raises:
        Denied: there are no credentials.
    """
    credentials = clients.session.get_credentials()
    if credentials is None:
        raise Denied(f"cluster {cluster}: no AWS credentials to sign a token with; set a profile or a role")
    partition = clients.session.get_partition_for_region(clients.region)
    host = f"sts.{clients.region}.{dns_suffix(partition)}"
    return sign(cluster, clients.region, host, credentials.get_frozen_credentials())


def sign(cluster: str, region: str, host: str, credentials: ReadOnlyCredentials) -> str:
    """Return the token for a cluster, signed with frozen credentials.

    Args:
        cluster: what the token is good for; part of the signature.
        region: of the cluster and of STS.
        host: the regional STS endpoint.
        credentials: of the role.
    """
    request = AWSRequest(
        method="GET",
        url=f"https://{host}/",
        params={"Action": "GetCallerIdentity", "Version": "2011-06-15"},
        headers={"x-k8s-aws-id": cluster},
    )
    SigV4QueryAuth(credentials, "sts", region, expires=TOKEN_LIFETIME).add_auth(request)
    return "k8s-aws-v1." + base64.urlsafe_b64encode(request.url.encode()).decode().rstrip("=")


def dns_suffix(partition: str) -> str:
    """Return "amazonaws.com" or what a partition has in its stead, from botocore's own table."""
    table: dict[str, Any] = create_loader().load_data("partitions")
    return next(str(entry["outputs"]["dnsSuffix"]) for entry in table["partitions"] if entry["id"] == partition)


def trust(cluster: str, endpoint: str, authority: str | None) -> ssl.SSLContext:
    """Return a TLS context that trusts the cluster's own certificate authority and no other.

    Raises:
        Denied: plain http, or no usable authority.
    """
    if urlsplit(endpoint).scheme != "https":
        raise Denied(f"cluster {cluster}: {endpoint} is plain http, which would show our token to everyone on the way")
    if not authority:  # without one, Python would trust every public authority
        raise Denied(f"cluster {cluster}: eks:DescribeCluster names no certificate authority")
    try:
        context = ssl.create_default_context(cadata=base64.b64decode(authority, validate=True).decode("ascii"))
    except (binascii.Error, ssl.SSLError, ValueError) as error:
        raise Denied(f"cluster {cluster}: its certificate authority cannot be read: {error}") from error
    # Python 3.13 asks every authority for a key identifier, which those of EKS do not carry. Chain, dates and host name
    # are checked as before.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _is_local(endpoint: str) -> bool:
    parts = urlsplit(endpoint)
    if parts.scheme != "http":
        return False
    try:
        return ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False
