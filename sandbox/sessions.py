"""STS: who am I, and taking on a role. moto makes the credentials; the templates say who may have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from sandbox import wire
from sandbox.backend import Backend
from sandbox.cloud import RoleDocument
from sandbox.front import Answer, AwsFailure, Front
from sandbox.identity import Caller, Identities, session_arn
from sandbox.judge_policies import Asked, fitting, listed

SESSION_POLICY_LIMIT = 2048
_XML = "https://sts.amazonaws.com/doc/2011-06-15/"


class Sessions:
    """Serves STS.

    Args:
        roles: the roles of the templates by ARN. A role that is not among them cannot be taken on, as in an account
            where the member stack was never deployed.
    """

    def __init__(self, backend: Backend, identities: Identities, roles: Mapping[str, RoleDocument]) -> None:
        self._backend = backend
        self._identities = identities
        self._roles = roles

    def serve(self, front: Front) -> None:
        """Answer the operations of STS that our code uses."""
        front.serve("sts:AssumeRole", self._assume)
        front.serve("sts:GetCallerIdentity", self._who)

    def _assume(self, request: wire.Request, caller: Caller | None) -> Answer:
        wanted = request.parameters
        role, session, policy = wanted["RoleArn"], wanted["RoleSessionName"], wanted.get("Policy", "")
        me = caller
        document = self._roles.get(role)
        if me is None or document is None or not trusts(document.trust, me, wanted.get("ExternalId", "")):
            who = me.arn if me else request.key
            said = f"User: {who} is not authorized to perform: sts:AssumeRole on resource: {role}"
            raise AwsFailure("AccessDenied", said, 403)
        if len(policy) > SESSION_POLICY_LIMIT:
            said = f"The session policy has {len(policy)} characters, {SESSION_POLICY_LIMIT} are allowed"
            raise AwsFailure("ValidationError", said)
        account = role.split(":")[4]
        status, headers, body = self._backend.call(
            {
                "REQUEST_METHOD": "POST",
                "SERVER_NAME": "127.0.0.1",
                "SERVER_PORT": "80",
                "SERVER_PROTOCOL": "HTTP/1.1",
                "PATH_INFO": "/",
                "QUERY_STRING": "",
                "wsgi.url_scheme": "http",
                "CONTENT_TYPE": "application/x-www-form-urlencoded; charset=utf-8",
                **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in request.headers.items()},
                "HTTP_X_MOTO_ACCOUNT_ID": account,
            },
            request.body,
        )
        if key := ElementTree.fromstring(body).findtext(f".//{{{_XML}}}AccessKeyId"):  # noqa: S314  moto wrote it
            taken = Caller(session_arn(role, session), account, role, me.function, session, policy)
            self._identities.add(key, taken)
        return Answer(int(status.split()[0]), headers, body)

    def _who(self, request: wire.Request, caller: Caller | None) -> Answer:
        me = caller
        if me is None:
            raise AwsFailure("InvalidClientTokenId", "The security token included in the request is invalid.", 403)
        inner = f"<Arn>{me.arn}</Arn><UserId>AIDASANDBOX</UserId><Account>{me.account}</Account>"
        text = (
            f'<GetCallerIdentityResponse xmlns="{_XML}"><GetCallerIdentityResult>{inner}</GetCallerIdentityResult>'
            "<ResponseMetadata><RequestId>sandbox</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
        )
        return Answer(200, [("Content-Type", "text/xml")], text.encode())


def trusts(document: Mapping[str, Any], caller: Caller, external_id: str) -> bool:
    """Tell whether a trust policy lets a caller take the role on.

    Raises:
        Unjudged: the policy uses a condition that the sandbox does not know.
    """
    context = {"aws:PrincipalArn": caller.role or caller.arn, "aws:PrincipalAccount": caller.account}
    if external_id:
        context["sts:ExternalId"] = external_id
    effects = {
        statement["Effect"]
        for statement in fitting(Asked("sts:AssumeRole", context=context), document)
        if _names(statement.get("Principal", {}), caller)
    }
    return effects == {"Allow"}


def _names(principals: Any, caller: Caller) -> bool:
    """Tell whether a caller is among the principals of a statement."""
    named = [principals] if isinstance(principals, str) else listed(principals.get("AWS", []))
    roots = (caller.account, f"arn:aws:iam::{caller.account}:root")
    return any(name in ("*", caller.arn, caller.role, *roots) for name in named)
