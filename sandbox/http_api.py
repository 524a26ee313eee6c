"""HTTP APIs: routes to functions, payload format 2.0 ("Working with AWS Lambda proxy integrations for HTTP APIs")."""

from __future__ import annotations

import base64
import json
import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.client import responses
from typing import Any

import werkzeug.wrappers

from sandbox import wire
from sandbox.clock import Clock
from sandbox.functions import Functions
from sandbox.identity import Caller


@dataclass(frozen=True)
class Route:
    """One route.

    Attributes:
        key: "POST /approvals/{id}" or "$default".
        function: ARN of the function behind it.
        iam: whether the caller has to sign.
    """

    key: str
    function: str
    iam: bool

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """Return the path parameters where this route takes the request."""
        verb, _, template = self.key.partition(" ")
        if verb not in ("ANY", method):
            return None
        pattern = "".join(
            f"(?P<{part[1:-1].rstrip('+')}>{'.+' if part.endswith('+}') else '[^/]+'})"
            if part.startswith("{")
            else re.escape(part)
            for part in re.split(r"(\{[^}]*\})", template)
        )
        found = re.fullmatch(pattern, path)
        return None if found is None else found.groupdict()


@dataclass
class HttpApi:
    """One API, as a WSGI application.

    Args:
        id: API id.
        account: its account.
        caller: tells whom an access key stands for; None if for nobody.
    """

    id: str
    account: str
    clock: Clock
    functions: Functions
    caller: Callable[[str], Caller | None]
    routes: list[Route] = field(default_factory=list)

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        request = werkzeug.wrappers.Request(environ)
        status, headers, body = self._answer(request)
        start(f"{status} {responses.get(status, 'Status')}", headers)
        return [body]

    def _answer(self, request: werkzeug.wrappers.Request) -> tuple[int, list[tuple[str, str]], bytes]:
        found = self._route(request.method, request.path)
        if found is None:
            return _message(404, "Not Found")
        route, parameters = found
        authorizer: dict[str, Any] | None = None
        if route.iam:
            key, _, service = wire.credential_scope(request.headers.get("Authorization", ""))
            caller = self.caller(key) if service == "execute-api" else None
            if caller is None:
                return _message(403, "Forbidden")
            authorizer = {"iam": _identity(caller, key)}
        result = self.functions.invoke(route.function, self._event(request, route, parameters, authorizer))
        if result.failed:
            return _message(500, "Internal Server Error")
        return _reply(result.payload)

    def _route(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        for route in sorted(self.routes, key=lambda route: (route.key.count("{"), route.key)):
            parameters = route.match(method, path)
            if parameters is not None:
                return route, parameters
        return next(((route, {}) for route in self.routes if route.key == "$default"), None)

    def _event(
        self,
        request: werkzeug.wrappers.Request,
        route: Route,
        parameters: Mapping[str, str],
        authorizer: Mapping[str, Any] | None,
    ) -> dict[str, Any]:
        body = request.get_data()
        now = self.clock.now()
        context: dict[str, Any] = {
            "accountId": self.account,
            "apiId": self.id,
            "domainName": request.host,
            "domainPrefix": self.id,
            "http": {
                "method": request.method,
                "path": request.path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": request.headers.get("User-Agent", ""),
            },
            "requestId": uuid.uuid4().hex,
            "routeKey": route.key,
            "stage": "$default",
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(now.timestamp() * 1000),
        }
        if authorizer is not None:
            context["authorizer"] = authorizer
        event: dict[str, Any] = {
            "version": "2.0",
            "routeKey": route.key,
            "rawPath": request.path,
            "rawQueryString": request.query_string.decode(),
            "headers": {name.lower(): value for name, value in request.headers},
            "requestContext": context,
            "isBase64Encoded": False,
        }
        if parameters:
            event["pathParameters"] = dict(parameters)
        if request.args:
            event["queryStringParameters"] = {name: ",".join(request.args.getlist(name)) for name in request.args}
        if body:
            # API Gateway hands on text as it is and everything else in base64.
            text = _text(body, request.mimetype)
            event |= {
                "isBase64Encoded": text is None,
                "body": base64.b64encode(body).decode() if text is None else text,
            }
        return event


def _text(body: bytes, kind: str) -> str | None:
    textual = kind.startswith("text/") or kind in ("", "application/json", "application/xml", "application/javascript")
    try:
        return body.decode() if textual else None
    except UnicodeDecodeError:
        return None


def _identity(caller: Caller, key: str) -> dict[str, Any]:
    return {
        "accessKey": key,
        "accountId": caller.account,
        "callerId": f"AIDASANDBOX:{caller.session}" if caller.session else "AIDASANDBOX",
        "cognitoIdentity": None,
        "principalOrgId": None,
        "userArn": caller.arn,
        "userId": f"AROASANDBOX:{caller.session}" if caller.session else "AIDASANDBOX",
    }


def _message(status: int, text: str) -> tuple[int, list[tuple[str, str]], bytes]:
    return status, [("Content-Type", "application/json")], json.dumps({"message": text}).encode()


def _reply(payload: Any) -> tuple[int, list[tuple[str, str]], bytes]:
    if not isinstance(payload, Mapping) or "statusCode" not in payload:
        return 200, [("Content-Type", "application/json")], json.dumps(payload).encode()
    body = payload.get("body") or ""
    content = base64.b64decode(body) if payload.get("isBase64Encoded") else str(body).encode()
    headers = {
        "content-type": "text/plain;charset=UTF-8",
        **{k.lower(): v for k, v in payload.get("headers", {}).items()},
    }
    return int(payload["statusCode"]), [(name, str(value)) for name, value in headers.items()], content
