"""The way to an EKS cluster: token, endpoint, certificate authority."""

from __future__ import annotations

import base64
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from wsgiref.simple_server import WSGIRequestHandler, make_server

import boto3
import botocore.session
import pytest
import urllib3
from botocore.credentials import ReadOnlyCredentials
from botocore.signers import RequestSigner
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from urllib3.exceptions import SSLError

from firebreak.adapters.aws import SessionClients
from firebreak.adapters.eks import dns_suffix, eks_token, open_cluster, sign, trust
from firebreak.core.errors import Denied, FirebreakError, Retriable, TargetMissing
from sandbox.kubernetes import Cluster
from sandbox.kubernetes_access import EksAccess, Identity

KEY, SECRET, SESSION = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "session+token/=="
ROLE = "arn:aws:iam::111122223333:role/firebreak-eks-cordon_node"
SESSION_ARN = "arn:aws:sts::111122223333:assumed-role/firebreak-eks-cordon_node/inc-0123456789ab"
RESPONDERS = "firebreak:responders"


class Described(SessionClients):
    """Clients whose eks:DescribeCluster answers what a test wants."""

    def __init__(self, cluster: dict[str, Any] | FirebreakError, region: str = "us-east-1", **keys: str | None) -> None:
        held = {"aws_access_key_id": KEY, "aws_secret_access_key": SECRET, "aws_session_token": SESSION, **keys}
        super().__init__(boto3.Session(region_name=region, **held), region)
        self.cluster = cluster
        self.asked: list[str] = []

    def aws(self, service: str) -> Any:
        clients = self

        class Eks:
            def describe_cluster(self, name: str) -> Any:
                clients.asked.append(f"{service} {name}")
                if isinstance(clients.cluster, FirebreakError):
                    raise clients.cluster
                return {"cluster": {"name": name, "status": "ACTIVE", **clients.cluster}}

        return Eks()


def url_in(token: str) -> str:
    encoded = token.removeprefix("k8s-aws-v1.")
    assert not encoded.endswith("=")
    return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()


def access(cluster: str = "prod", secret: str | None = SECRET, **given: Any) -> EksAccess:
    known = {KEY: Identity(SESSION_ARN, secret)}
    return EksAccess(cluster, known.get, given.pop("entries", {ROLE: (RESPONDERS,)}), **given)


def test_a_token_is_a_signed_question_to_the_regional_sts() -> None:
    token = eks_token("prod", Described({}))
    url = urlsplit(url_in(token))
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert token.startswith("k8s-aws-v1.")
    assert (url.scheme, url.netloc, url.path) == ("https", "sts.us-east-1.amazonaws.com", "/")
    assert (query["Action"], query["Version"], query["X-Amz-Expires"]) == ("GetCallerIdentity", "2011-06-15", "60")
    assert query["X-Amz-SignedHeaders"] == "host;x-k8s-aws-id"
    assert query["X-Amz-Security-Token"] == SESSION


def test_the_signature_is_the_one_that_botocores_own_presigner_makes() -> None:
    session = botocore.session.get_session()
    session.set_credentials(KEY, SECRET, SESSION)
    service = session.get_service_model("sts").service_id
    signer = RequestSigner(
        service, "eu-west-1", "sts", "v4", session.get_credentials(), session.get_component("event_emitter")
    )
    request = {
        "method": "GET",
        "url": "https://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15",
        "body": {},
        "headers": {"x-k8s-aws-id": "prod"},
        "context": {},
    }
    for _ in range(5):  # the two may fall into different seconds
        theirs = signer.generate_presigned_url(request, region_name="eu-west-1", expires_in=60, operation_name="")
        ours = url_in(
            sign("prod", "eu-west-1", "sts.eu-west-1.amazonaws.com", ReadOnlyCredentials(KEY, SECRET, SESSION))
        )
        if parse_qs(urlsplit(ours).query)["X-Amz-Date"] == parse_qs(urlsplit(theirs).query)["X-Amz-Date"]:
            break
    assert parse_qs(urlsplit(ours).query) == parse_qs(urlsplit(theirs).query)


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("eu-central-1", "sts.eu-central-1.amazonaws.com"),
        ("cn-north-1", "sts.cn-north-1.amazonaws.com.cn"),
        ("us-gov-west-1", "sts.us-gov-west-1.amazonaws.com"),
        ("us-iso-east-1", "sts.us-iso-east-1.c2s.ic.gov"),
    ],
)
def test_every_partition_has_its_own_sts(region: str, host: str) -> None:
    assert urlsplit(url_in(eks_token("prod", Described({}, region)))).netloc == host


def test_an_unknown_partition_is_no_suffix() -> None:
    with pytest.raises(StopIteration):
        dns_suffix("aws-nowhere")


def test_a_cluster_takes_the_token_signed_for_it() -> None:
    user = access().user(eks_token("prod", Described({})))
    assert user is not None
    assert (user.name, user.groups) == (SESSION_ARN, (RESPONDERS,))


FORGERIES: dict[str, tuple[str, EksAccess]] = {
    "another cluster's": ("", access("staging")),
    "signed with another secret": ("", access(secret="other")),
    "too old": ("", access(now=lambda: datetime.now(UTC) + timedelta(minutes=16))),
    "of a role without an access entry": ("", access(entries={"arn:aws:iam::111122223333:role/other": ()})),
    "of an unknown key": ("AKIAIOSFODNN7EXAMPLE|AKIAI44QH8DHBEXAMPLE", access()),
    "to another host": ("sts.us-east-1.amazonaws.com|sts.us-east-1.example.com", access(secret=None)),
    "another action": ("GetCallerIdentity|GetSessionToken", access(secret=None)),
    "without the cluster in its signature": ("%3Bx-k8s-aws-id|", access(secret=None)),
    "over http": ("https|http", access(secret=None)),
    "valid for too long": ("Expires=60|Expires=901", access(secret=None)),
    "without a date": ("X-Amz-Date|X-Date", access(secret=None)),
}


@pytest.mark.parametrize("what", FORGERIES)
def test_a_cluster_takes_no_other_token(what: str) -> None:
    change, strict = FORGERIES[what]
    url = url_in(eks_token("prod", Described({})))
    old, _, new = change.partition("|")
    assert old in url
    forged = url.replace(old, new) if old else url
    assert strict.user("k8s-aws-v1." + base64.urlsafe_b64encode(forged.encode()).decode().rstrip("=")) is None


def test_a_token_that_is_no_base64_is_nobodys() -> None:
    assert access().user("k8s-aws-v1.%%%") is None


def test_without_credentials_there_is_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    clients = Described({})
    monkeypatch.setattr(clients.session, "get_credentials", lambda: None)
    with pytest.raises(Denied, match="no AWS credentials"):
        eks_token("prod", clients)


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def cluster() -> Cluster:
    made = Cluster("prod", eks=access())
    made.add("nodes", {"metadata": {"name": "blue"}})
    made.add(
        "clusterroles",
        {"metadata": {"name": "r"}, "rules": [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get"]}]},
    )
    made.add(
        "clusterrolebindings",
        {
            "metadata": {"name": "r"},
            "roleRef": {"kind": "ClusterRole", "name": "r"},
            "subjects": [{"kind": "Group", "name": RESPONDERS}],
        },
    )
    return made


def served(cluster: Cluster, context: ssl.SSLContext | None = None) -> Iterator[int]:
    server = make_server("127.0.0.1", 0, cluster, handler_class=Quiet)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def http_port(cluster: Cluster) -> Iterator[int]:
    yield from served(cluster)


class Authority:
    """A certificate authority as EKS makes it: no key identifiers, which strict verification asks for."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kubernetes")])
        is_authority = x509.BasicConstraints(ca=True, path_length=None)
        self.certificate = self._sign(self._name, self._key.public_key(), [(is_authority, True)])

    def _sign(self, name: x509.Name, key: ec.EllipticCurvePublicKey, extensions: list[Any]) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(self._name).public_key(key)
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(hours=1))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(self._key, hashes.SHA256())

    @property
    def data(self) -> str:
        """As DescribeCluster has it."""
        return base64.b64encode(self.certificate.public_bytes(serialization.Encoding.PEM)).decode()

    def server(self, folder: Path, address: str = "127.0.0.1") -> ssl.SSLContext:
        """A server's context with a certificate for an address."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kube-apiserver")])
        certificate = self._sign(name, key.public_key(), [(names, False)])
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (folder / "server.pem").write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.pem")
        return context


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


def described(port: int, authority: Authority | None = None, scheme: str = "https") -> Described:
    known = {"certificateAuthority": {"data": authority.data}} if authority else {}
    return Described({"endpoint": f"{scheme}://127.0.0.1:{port}", **known})


def test_a_loopback_endpoint_may_speak_plain_http(http_port: int, cluster: Cluster) -> None:
    clients = described(http_port, scheme="http")
    kubernetes = open_cluster(clients, "prod")
    assert kubernetes.call("GET", "/api/v1/nodes/blue")["metadata"]["name"] == "blue"
    assert kubernetes.call("GET", "/api/v1/nodes/blue")["metadata"]["name"] == "blue"
    assert clients.asked == ["eks prod"]
    assert [call.user for call in cluster.calls] == [SESSION_ARN] * 2


def test_the_clusters_own_authority_is_trusted_without_key_identifiers(
    cluster: Cluster, authority: Authority, tmp_path: Path
) -> None:
    serving = served(cluster, authority.server(tmp_path))
    kubernetes = open_cluster(described(next(serving), authority), "prod")
    assert kubernetes.call("GET", "/api/v1/nodes/blue")["metadata"]["name"] == "blue"
    assert list(serving) == []


def test_strict_verification_would_have_refused_it(cluster: Cluster, authority: Authority, tmp_path: Path) -> None:
    serving = served(cluster, authority.server(tmp_path))
    endpoint = f"https://127.0.0.1:{next(serving)}"
    strict = trust("prod", endpoint, authority.data)
    strict.verify_flags |= ssl.VERIFY_X509_STRICT
    with urllib3.PoolManager(ssl_context=strict) as pool, pytest.raises(SSLError, match="Authority Key Identifier"):
        pool.request("GET", endpoint, retries=False)
    assert list(serving) == []


@pytest.mark.parametrize("wrong", ["authority", "address"])
def test_no_other_server_gets_the_token(wrong: str, cluster: Cluster, authority: Authority, tmp_path: Path) -> None:
    address = "192.0.2.1" if wrong == "address" else "127.0.0.1"
    serving = served(cluster, authority.server(tmp_path, address))
    kubernetes = open_cluster(described(next(serving), Authority() if wrong == "authority" else authority), "prod")
    with pytest.raises(Denied, match="certificate is not the cluster's"):
        kubernetes.call("GET", "/api/v1/nodes/blue")
    assert cluster.calls == []
    assert list(serving) == []


def test_verification_is_whole_but_for_the_key_identifiers(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = ssl.create_default_context

    def strict(**given: Any) -> ssl.SSLContext:
        """As Python 3.13 makes it."""
        context = make(**given)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    monkeypatch.setattr(ssl, "create_default_context", strict)
    context = trust("prod", "https://api.example", authority.data)
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert not context.verify_flags & ssl.VERIFY_X509_STRICT
    assert len(context.get_ca_certs()) == 1


PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
UNUSABLE: dict[str, tuple[dict[str, Any] | FirebreakError, type[FirebreakError]]] = {
    "plain http beyond this machine": ({"endpoint": "http://192.0.2.10"}, Denied),
    "plain http to a name": ({"endpoint": "http://localhost.example"}, Denied),
    "another scheme": ({"endpoint": "ftp://127.0.0.1"}, Denied),
    "no authority": ({"endpoint": "https://api.example"}, Denied),
    "an empty authority": ({"endpoint": "https://api.example", "certificateAuthority": {"data": ""}}, Denied),
    "an authority that is no base64": (
        {"endpoint": "https://api.example", "certificateAuthority": {"data": "%"}},
        Denied,
    ),
    "an authority that is no certificate": (
        {"endpoint": "https://api.example", "certificateAuthority": {"data": base64.b64encode(b"x").decode()}},
        Denied,
    ),
    "a broken certificate": (
        {"endpoint": "https://api.example", "certificateAuthority": {"data": base64.b64encode(PEM.encode()).decode()}},
        Denied,
    ),
    "a cluster in the making": ({"status": "CREATING"}, Retriable),
    "no such cluster": (TargetMissing("describe_cluster: ResourceNotFoundException"), TargetMissing),
}


@pytest.mark.parametrize("what", UNUSABLE)
def test_what_cannot_be_trusted_is_refused_before_a_token_is_made(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answer, error = UNUSABLE[what]
    clients = Described(answer)
    monkeypatch.setattr(clients.session, "get_credentials", lambda: pytest.fail("a token was made"))
    with pytest.raises(error):
        open_cluster(clients, "prod")


def test_the_clients_remaining_time_is_asked_for_each_call(http_port: int) -> None:
    clients = described(http_port, scheme="http")
    kubernetes = open_cluster(clients, "prod")
    clients.remaining = lambda: 1.0
    with pytest.raises(Retriable, match="1 s left"):
        kubernetes.call("GET", "/api/v1/nodes/blue")
