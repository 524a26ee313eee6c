"""The sandbox's HTTP server: one thread per connection, on a free port of the loopback interface."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

import werkzeug.serving
from moto.moto_server.werkzeug_app import MotoRequestHandler

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Server:
    """An application, listening on a free port of the loopback interface."""

    def __init__(self, application: Wsgi) -> None:
        self._server = werkzeug.serving.make_server(
            "127.0.0.1", 0, application, threaded=True, request_handler=_Handler
        )
        self._thread = threading.Thread(
            target=lambda: self._server.serve_forever(poll_interval=0.02), name="sandbox-front", daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        """ "http://127.0.0.1:<port>"."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Handler(MotoRequestHandler):
    # Without these two every answer on a kept connection waits 40 ms for an acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True

    def parse_request(self) -> bool:
        """Tell a client that waits for leave to send its body to go on, or S3's waits a second for each object."""
        parsed = super().parse_request()
        if parsed and self.headers.get("Expect", "").lower() == "100-continue":
            self.send_response_only(100)
            self.end_headers()
            self.wfile.flush()
        return bool(parsed)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """The journal is the log."""
