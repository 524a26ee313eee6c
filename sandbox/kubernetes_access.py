"""Who a caller is (bearer tokens, EKS tokens) and what RBAC lets them do."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, urlsplit

from sandbox.kubernetes_answer import Failure, Object, dotted, named
from sandbox.kubernetes_kinds import BY_PATH
from sandbox.kubernetes_store import Record, Store

_RBAC = "rbac.authorization.k8s.io"
CLUSTER_BINDINGS, CLUSTER_ROLES = (BY_PATH[_RBAC, "v1", name] for name in ("clusterrolebindings", "clusterroles"))
BINDINGS, ROLES = (BY_PATH[_RBAC, "v1", name] for name in ("rolebindings", "roles"))
MASTERS = "system:masters"


@dataclass(frozen=True)
class User:
    """Who calls."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""

    @property
    def all_groups(self) -> tuple[str, ...]:
        """The groups with the one that every caller is in."""
        return (*self.groups, "system:unauthenticated" if self.name == "system:anonymous" else "system:authenticated")


ANONYMOUS = User("system:anonymous")


@dataclass(frozen=True)
class Identity:
    """Whom AWS knows under an access key.

    Attributes:
        arn: of the user, role or assumed-role session.
        secret: the secret key, to check the signature with; None takes it on trust.
    """

    arn: str
    secret: str | None = None


@dataclass
class EksAccess:
    """Turns EKS tokens into users, as the authenticator of an EKS cluster does (Amazon EKS User Guide: access entries).

    Attributes:
        cluster: the name that the token must have been signed for.
        identify: looks an access key id up.
        entries: Kubernetes groups by IAM principal ARN.
        now: the time, aware.
    """

    cluster: str
    identify: Callable[[str], Identity | None]
    entries: dict[str, tuple[str, ...]] = field(default_factory=dict)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    PREFIX = "k8s-aws-v1."

    def user(self, token: str) -> User | None:
        """Return the caller, or None where the token does not hold."""
        try:
            url = base64.urlsafe_b64decode(token.removeprefix(self.PREFIX) + "==").decode()
        except (binascii.Error, ValueError):
            return None
        host, query = urlsplit(url).netloc, dict(parse_qsl(urlsplit(url).query))
        credential = query.get("X-Amz-Credential", "").split("/")
        if (
            not url.startswith("https://")
            or not re.fullmatch(r"sts\.[a-z0-9-]+\.amazonaws\.com(\.cn)?", host)
            or query.get("Action") != "GetCallerIdentity"
            or "x-k8s-aws-id" not in query.get("X-Amz-SignedHeaders", "").split(";")
            or len(credential) != 5
            or not self._fresh(query)
        ):
            return None
        identity = self.identify(credential[0])
        if identity is None or (identity.secret and not self._signed(host, query, identity.secret)):
            return None
        principal = re.sub(r":sts:(.*):assumed-role/([^/]+)/.*", r":iam:\1:role/\2", identity.arn)
        if principal not in self.entries:
            return None
        return User(identity.arn, self.entries[principal], uid=f"aws-iam-authenticator:{principal}")

    def _fresh(self, query: Mapping[str, str]) -> bool:
        try:
            signed = datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            lifetime = int(query["X-Amz-Expires"])
        except (KeyError, ValueError):
            return False
        return 0 < lifetime <= 900 and abs(self.now() - signed) <= timedelta(minutes=15)

    def _signed(self, host: str, query: Mapping[str, str], secret: str) -> bool:
        """Check the signature (AWS Signature Version 4, query form) over our own cluster name."""
        rest = sorted(
            (quote(k, safe="-_.~"), quote(v, safe="-_.~")) for k, v in query.items() if k != "X-Amz-Signature"
        )
        canonical = "\n".join(
            (
                "GET",
                "/",
                "&".join(f"{name}={value}" for name, value in rest),
                f"host:{host}\nx-k8s-aws-id:{self.cluster}\n",
                "host;x-k8s-aws-id",
                hashlib.sha256(b"").hexdigest(),
            )
        )
        _, *scope = query["X-Amz-Credential"].split("/")
        hashed = hashlib.sha256(canonical.encode()).hexdigest()
        text = "\n".join(("AWS4-HMAC-SHA256", query["X-Amz-Date"], "/".join(scope), hashed))
        key = f"AWS4{secret}".encode()
        for part in (*scope, text):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return hmac.compare_digest(key.hex(), query.get("X-Amz-Signature", ""))


@dataclass(frozen=True)
class Asked:
    """What a request wants to do, in the words of authorization."""

    verb: str
    resource: str = ""
    subresource: str = ""
    group: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @property
    def full_resource(self) -> str:
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


_OPEN_PATHS = ("/healthz", "/livez", "/readyz", "/version")
_OWN_REVIEWS: Object = {
    "verbs": ["create"],
    "apiGroups": ["authorization.k8s.io", "authentication.k8s.io"],
    "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews"],
}


def rules_of(store: Store, user: User, namespace: str) -> Iterator[tuple[Object, str]]:
    """Yield the RBAC rules that a user has in a namespace ("" for the cluster), each with where it comes from."""
    bindings = store.all(CLUSTER_BINDINGS) + (store.all(BINDINGS, namespace) if namespace else [])
    for binding in bindings:
        subject = next((subject for subject in binding.item.get("subjects") or [] if _is(user, subject)), None)
        role = _role_of(store, binding) if subject else None
        if role and subject:
            source = f'{binding.kind.kind} "{binding.name}" of {role.kind.kind} "{role.name}"'
            for rule in role.item.get("rules") or []:
                yield rule, f'RBAC: allowed by {source} to {subject["kind"]} "{subject["name"]}"'
    if user != ANONYMOUS:
        yield _OWN_REVIEWS, ""


def _is(user: User, subject: Object) -> bool:
    match subject.get("kind"):
        case "Group":
            return subject.get("name") in user.all_groups
        case "User":
            return subject.get("name") == user.name
    return user.name == f"system:serviceaccount:{subject.get('namespace')}:{subject.get('name')}"


def _role_of(store: Store, binding: Record) -> Record | None:
    reference = binding.item["roleRef"]
    namespace = binding.item["metadata"].get("namespace", "")
    return store.find(CLUSTER_ROLES if reference["kind"] == "ClusterRole" else ROLES, namespace, reference["name"])


def allowed(store: Store, user: User, asked: Asked) -> tuple[bool, str]:
    """Tell whether a user may do something, and by which binding."""
    if MASTERS in user.groups:
        return True, ""
    if asked.path:
        return asked.verb == "get" and asked.path.rstrip("/") in _OPEN_PATHS, ""
    for rule, source in rules_of(store, user, asked.namespace):
        if _covers(rule, asked):
            return True, source
    return False, ""


def _covers(rule: Object, asked: Asked) -> bool:
    names = rule.get("resourceNames") or []
    wanted = (
        ("verbs", asked.verb),
        ("apiGroups", asked.group),
        ("resources", asked.full_resource),
    )
    return all({value, "*"} & set(rule.get(member) or []) for member, value in wanted) and (
        not names or asked.name in names
    )


def authorize(store: Store, user: User, asked: Asked) -> None:
    """Refuse what RBAC does not allow.

    Raises:
        Failure: 403, naming user, verb, resource, group and scope.
    """
    if allowed(store, user, asked)[0]:
        return
    if asked.path:
        message = f'forbidden: User "{user.name}" cannot {asked.verb} path "{asked.path}"'
        raise Failure(403, "Forbidden", message, {})
    subject = dotted(asked.resource, asked.group) + (f' "{asked.name}"' if asked.name else "")
    scope = f'in the namespace "{asked.namespace}"' if asked.namespace else "at the cluster scope"
    message = (
        f'{subject} is forbidden: User "{user.name}" cannot {asked.verb} resource "{asked.full_resource}" '
        f'in API group "{asked.group}" {scope}'
    )
    raise Failure(403, "Forbidden", message, named(asked.name, asked.resource, asked.group))
