"""What a request to the fake API server asks for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

import yaml

from sandbox.kubernetes_access import Asked
from sandbox.kubernetes_answer import Cause, Failure, bad_request, invalid
from sandbox.kubernetes_patch import APPLY

_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch"}
_OPTIONS = {"POST": "CreateOptions", "PUT": "UpdateOptions", "PATCH": "PatchOptions", "DELETE": "DeleteOptions"}
VALIDATIONS = ("", "Ignore", "Warn", "Strict")


@dataclass(frozen=True)
class Request:
    """One request.

    Attributes:
        token: the bearer token, "" without one.
        media_type: of the body, without parameters.
        agent: the User-Agent.
    """

    method: str
    path: str
    query: dict[str, str]
    content: bytes
    token: str
    media_type: str
    agent: str

    @cached_property
    def _parts(self) -> tuple[str, str, list[str]]:
        """Group, version and the rest of the path; ("", "", []) where it is no resource's."""
        parts = self.path.strip("/").split("/")
        if parts[0] == "api" and len(parts) > 2:
            return "", parts[1], parts[2:]
        if parts[0] == "apis" and len(parts) > 3:
            return parts[1], parts[2], parts[3:]
        return "", "", []

    @property
    def version(self) -> str:
        """Version of the API group."""
        return self._parts[1]

    @cached_property
    def asked(self) -> Asked:
        """The request in the words of authorization."""
        group, version, rest = self._parts
        if not version:
            return Asked(self.method.lower(), path=self.path)
        namespace = ""
        if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in ("status", "finalize"):
            namespace, rest = rest[1], rest[2:]
        resource, name, subresource = (*rest, "", "")[:3]
        one_or_many = {"GET": ("get", "list"), "DELETE": ("delete", "deletecollection")}
        verb = _VERBS.get(self.method) or one_or_many.get(self.method, ("", ""))[not name]
        if resource == "namespaces":
            namespace = name
        return Asked(verb, resource, subresource, group, namespace, name)

    @cached_property
    def body(self) -> Any:
        """The parsed body, {} where there is none.

        Raises:
            Failure: 400.
        """
        if not self.content:
            return {}
        try:
            return yaml.safe_load(self.content) if self.media_type == APPLY else json.loads(self.content)
        except (ValueError, yaml.YAMLError) as error:
            raise bad_request(f"couldn't get version/kind; json parse error: {error}") from None

    @property
    def manager(self) -> str:
        """Whom the server writes down as owner of what changes."""
        return self.query.get("fieldManager") or self.agent.partition("/")[0] or "unknown"

    @property
    def dry(self) -> bool:
        """Whether nothing may be stored.

        Raises:
            Failure: 422, a value other than All.
        """
        value = self.query.get("dryRun", "")
        if value not in ("", "All"):
            raise self.bad_option(Cause("FieldValueNotSupported", "dryRun", f'Unsupported value: ["{value}"]'))
        return value == "All"

    @property
    def validation(self) -> str:
        """What happens to unknown fields: Ignore, Warn or Strict.

        Raises:
            Failure: 422, any other value.
        """
        value = self.query.get("fieldValidation", "")
        if value not in VALIDATIONS:
            raise self.bad_option(Cause("FieldValueNotSupported", "fieldValidation", f'Unsupported value: "{value}"'))
        return value or "Warn"

    def bad_option(self, cause: Cause) -> Failure:
        """Return the 422 of an option of the request itself."""
        return invalid("", _OPTIONS[self.method], "meta.k8s.io", [cause])


def read(environ: dict[str, Any]) -> Request:
    """Read a request from its WSGI environment."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    scheme, _, credential = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    return Request(
        method=environ["REQUEST_METHOD"],
        path=environ.get("PATH_INFO") or "/",
        query=dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)),
        content=environ["wsgi.input"].read(length) if length else b"",
        token=credential if scheme == "Bearer" else "",
        media_type=environ.get("CONTENT_TYPE", "").partition(";")[0].strip(),
        agent=environ.get("HTTP_USER_AGENT", ""),
    )
