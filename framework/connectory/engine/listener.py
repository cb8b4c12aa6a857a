"""Receives the redirect of a consent on this machine."""

from __future__ import annotations

import http.server
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..errors import ConfigurationError
from .oauth import is_loopback

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_PAGE = b"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Connectory</title>
<p>The answer has arrived. You can close this window.</p></html>
"""


class LoopbackListener:
    """Listens on the host, port and path of a loopback callback URL, from `with` to its end."""

    def __init__(self, callback_url: str) -> None:
        parts = urlsplit(callback_url)
        if parts.scheme != "http" or not parts.hostname or not is_loopback(parts.hostname):
            raise ConfigurationError(
                f"{callback_url!r} is not on this machine, so the answer cannot be received here",
                where="oauth.callback.url",
                hint="use http://127.0.0.1:8723/callback, or bring the code yourself with --code",
            )
        self._url = parts
        self._answer: str | None = None
        self._arrived = threading.Event()

    def __enter__(self) -> Self:
        host, port = self._url.hostname or "", self._url.port or 80
        try:
            self._server = http.server.ThreadingHTTPServer((host, port), self._handler())
        except OSError as error:
            raise ConfigurationError(
                f"cannot listen on {host}:{port}: {error.strerror}",
                where="oauth.callback.url",
                hint="end what uses the port, or register another callback URL with the provider",
            ) from error
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait(self, seconds: float) -> str | None:
        """The URL that the browser was sent to, or None where nothing arrived in time."""
        self._arrived.wait(seconds)
        return self._answer

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        listener = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                listener._take(self)

            def log_message(self, *_arguments: object) -> None:
                """The request line holds the code: it is not logged."""

        return Handler

    def _take(self, request: http.server.BaseHTTPRequestHandler) -> None:
        parts = urlsplit(request.path)
        if parts.path != (self._url.path or "/"):
            request.send_error(404)
            return
        request.send_response(200)
        request.send_header("Content-Type", "text/html; charset=utf-8")
        request.send_header("Content-Length", str(len(_PAGE)))
        request.end_headers()
        request.wfile.write(_PAGE)
        self._answer = f"{self._url.scheme}://{self._url.netloc}{request.path}"
        self._arrived.set()
