"""The fake API server without sockets: what a urllib3 pool would answer."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote, urlsplit

from urllib3.exceptions import ProtocolError
from urllib3.response import HTTPResponse

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Wire:
    """Stands in for a urllib3 pool and calls a WSGI application instead.

    Args:
        application: the API server.
        prefix: the path of its endpoint, taken off before the application sees the rest.
    """

    def __init__(self, application: Wsgi, prefix: str = "") -> None:
        self._application = application
        self._prefix = prefix

    def request(
        self, method: str, url: str, *, body: bytes | None = None, headers: dict[str, str], **_: Any
    ) -> HTTPResponse:
        """Make one request.

        Raises:
            ProtocolError: the application lost the connection.
        """
        parts, content = urlsplit(url), body or b""
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "PATH_INFO": unquote(parts.path).removeprefix(self._prefix),
            "QUERY_STRING": parts.query,
            "CONTENT_LENGTH": str(len(content)),
            "wsgi.input": io.BytesIO(content),
        }
        for name, value in headers.items():
            plain = name.upper().replace("-", "_")
            environ[plain if plain == "CONTENT_TYPE" else f"HTTP_{plain}"] = value
        started: list[Any] = []
        try:
            answer = b"".join(self._application(environ, lambda *given: started.extend(given)))
        except ConnectionError as error:
            raise ProtocolError("Connection aborted.", error) from error
        status, answer_headers = started[:2]
        return HTTPResponse(io.BytesIO(answer), headers=answer_headers, status=int(status.split()[0]))
