"""What an AWS request on the wire asks for, and how its service spells an error."""

from __future__ import annotations

import functools
import json
import re
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

import botocore.loaders
import botocore.model

_SIGNATURE = re.compile(r"Credential=([^/,\s]+)/(\d{8})/([^/,\s]+)/([^/,\s]+)/aws4_request")
_PRESIGNED = re.compile(r"([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request")
_CBOR = re.compile(r"/service/[^/]+/operation/(\w+)")
_MODELS = {
    "monitoring": "cloudwatch",
    "states": "stepfunctions",
    "elasticloadbalancing": "elbv2",
}


@dataclass(frozen=True)
class Request:
    """One AWS request.

    Attributes:
        service: signing name, "ec2"; "" where the request is not signed.
        operation: "DescribeInstances"; "" where it could not be told.
        key: the access key id it is signed with, "" if it is not.
        region: of its credential scope.
        body: the raw body.
        parameters: the body's members for JSON and query protocols.
        protocol: "json", "query", "ec2", "rest-json", "rest-xml".
        path: of the URL, decoded.
        query: of the URL, decoded.
        headers: names in lower case.
    """

    service: str
    operation: str
    key: str
    region: str
    body: bytes
    parameters: Mapping[str, Any]
    protocol: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


def read(environ: Mapping[str, Any], body: bytes) -> Request:
    """Read a request from its WSGI environment and body."""
    query = dict(urllib.parse.parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
    path = environ.get("PATH_INFO", "/")
    headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    key, region, service = credential_scope(headers.get("authorization", ""), query.get("X-Amz-Credential", ""))
    parameters: Mapping[str, Any]
    if target := headers.get("x-amz-target"):
        operation, protocol, parameters = target.rpartition(".")[2], "json", _json(body)
    elif cbor := _CBOR.fullmatch(path):
        operation, protocol, parameters = cbor[1], "cbor", {}
    elif environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded") or "Action" in query:
        parameters = dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True)) or query
        operation, protocol = str(parameters.get("Action", "")), "ec2" if service == "ec2" else "query"
    else:
        operation = _rest_operation(service, environ["REQUEST_METHOD"], path, headers, query)
        protocol = "rest-xml" if service in ("s3", "route53", "cloudfront") else "rest-json"
        parameters = _json(body) if protocol == "rest-json" else {}
    return Request(service, operation, key, region, body, parameters, protocol, path, query, headers)


def credential_scope(authorization: str, presigned: str = "") -> tuple[str, str, str]:
    """Return access key id, region and service that a request is signed for; "" where it is not signed."""
    signed = _SIGNATURE.search(authorization) or _PRESIGNED.fullmatch(presigned)
    return (signed[1], signed[3], signed[4]) if signed else ("", "us-east-1", "")


def error(request: Request, code: str, message: str, status: int) -> tuple[int, list[tuple[str, str]], bytes]:
    """Return status, headers and body of an error answer in the request's protocol."""
    if request.protocol in ("json", "rest-json", "cbor"):
        content = json.dumps({"__type": code, "message": message, "Message": message}).encode()
        return status, [("Content-Type", "application/x-amz-json-1.0"), ("x-amzn-ErrorType", code)], content
    inner = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    if request.protocol == "ec2":
        text = f"<Response><Errors><Error>{inner}</Error></Errors><RequestID>sandbox</RequestID></Response>"
    elif request.service == "s3":
        text = f"<Error>{inner}<RequestId>sandbox</RequestId></Error>"
    else:
        text = f"<ErrorResponse><Error><Type>Sender</Type>{inner}</Error><RequestId>sandbox</RequestId></ErrorResponse>"
    return status, [("Content-Type", "text/xml")], text.encode()


def _json(body: bytes) -> Mapping[str, Any]:
    try:
        parsed = json.loads(body or b"{}")
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


@dataclass(frozen=True)
class _Route:
    """A REST operation: how its request looks, and how particular that is."""

    operation: str
    method: str
    path: re.Pattern[str]
    query: frozenset[str]
    headers: frozenset[str]
    weight: int


@functools.cache
def _rest_routes(service: str) -> tuple[_Route, ...]:
    """The REST operations of a service, the most particular first."""
    loader = botocore.loaders.Loader()
    name = _MODELS.get(service, service)
    if name not in loader.list_available_services("service-2"):
        return ()
    model = loader.load_service_model(name, "service-2")
    routes = []
    for operation, definition in model["operations"].items():
        path, _, query = definition["http"]["requestUri"].partition("?")
        pattern = "".join(
            (".+" if part.endswith("+}") else "[^/]+") if part.startswith("{") else re.escape(part)
            for part in re.split(r"(\{[^}]*\})", path)
        )
        shape = model["shapes"].get(definition.get("input", {}).get("shape"), {})
        needed = [shape["members"][member] for member in shape.get("required", ())]
        members = {m["locationName"] for m in needed if m.get("location") == "querystring"}
        members |= set(urllib.parse.parse_qs(query, keep_blank_values=True))
        headers = {m["locationName"].lower() for m in needed if m.get("location") == "header"}
        weight = len(re.sub(r"\{[^}]*\}", "", path)) + 100 * (len(members) + len(headers))
        method = definition["http"]["method"]
        routes.append(
            _Route(operation, method, re.compile(pattern + "/?"), frozenset(members), frozenset(headers), weight)
        )
    return tuple(sorted(routes, key=lambda route: -route.weight))


def _rest_operation(service: str, method: str, path: str, headers: Mapping[str, str], query: Mapping[str, str]) -> str:
    for route in _rest_routes(service):
        if (
            route.method == method
            and route.query <= set(query)
            and route.headers <= set(headers)
            and route.path.fullmatch(path)
        ):
            return route.operation
    return ""
