"""Receives the redirect at the end of a consent on this machine."""

from __future__ import annotations

import http.server
import socket
import socketserver
import threading
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from ... import hints
from ...errors import ConfigurationError
from ...schemas import OAUTH_CALLBACK_URL
from .oauthsession import is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

_PAGE = b"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Connectory</title>
<p>The answer has arrived. You can close this window.</p></html>
"""

LOOPBACK_CALLBACK = "http://127.0.0.1:8723/callback"
"""The value of `oauth.callback.url` when a program on this machine waits for the person who gives the consent."""


class LoopbackListener:
    """Listens on the host, port and path of a loopback callback URL, inside a `with` block.

    `expects(state)` says whether an answer belongs to a login that is under way. Other answers are refused, and the
    listener goes on waiting, because any page in the browser could send one.
    """

    def __init__(self, callback_url: str, expects: Callable[[str], bool] = lambda state: True) -> None:
        self._host, self._port, self._path = _checked(callback_url)
        self._callback_url = callback_url.partition("?")[0]
        self._expects = expects
        self._answer: str | None = None
        self._ended = threading.Event()

    def __enter__(self) -> Self:
        try:
            self._server = _Server(self._host, self._port, self)
        except OSError as error:
            raise ConfigurationError(
                f"cannot listen on {self._host}:{self._port}: {error.strerror}",
                where=OAUTH_CALLBACK_URL,
                hint="end what uses the port, or register another callback URL with the provider",
            ) from error
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._server.shutdown()
        self._server.server_close()

    def wait(self, seconds: float) -> str | None:
        """The URL that the browser was sent to; None if nothing arrived within this time or before `stop`."""
        self._ended.wait(seconds)
        return self._answer

    def stop(self) -> None:
        """End `wait`, from another thread or a signal handler."""
        self._ended.set()

    def take(self, target: str) -> bool:
        """Whether a request is the provider's answer. The first answer is kept."""
        parts = urlsplit(target)
        fields = parse_qs(parts.query)
        if parts.path != self._path or not {"code", "error"} & fields.keys():
            return False
        # Some providers send a refusal without a state.
        if not self._expects(fields.get("state", [""])[0]) and ("code" in fields or "state" in fields):
            return False
        self._answer = self._answer or f"{self._callback_url}?{parts.query}"
        return True


def _checked(callback_url: str) -> tuple[str, int, str]:
    parts = urlsplit(callback_url)
    try:
        port = parts.port or 80
    except ValueError:
        port = 0
    if parts.scheme != "http" or not port or not parts.hostname or not is_loopback(parts.hostname):
        raise ConfigurationError(
            f"{callback_url!r} is not on this machine, so the answer cannot be received here",
            where=OAUTH_CALLBACK_URL,
            hint=hints.bring_code(LOOPBACK_CALLBACK),
        )
    return parts.hostname, port, parts.path or "/"


class _Server(http.server.ThreadingHTTPServer):
    """One thread per connection, because browsers open connections that they do not use."""

    def __init__(self, host: str, port: int, listener: LoopbackListener) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.listener = listener
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        # The inherited method looks up this machine's full name, which takes seconds on some machines.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server
    timeout = 30

    def do_GET(self) -> None:
        if not self.server.listener.take(self.path):
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(_PAGE)))
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(_PAGE)
        self.server.listener.stop()

    def log_message(self, *_arguments: object) -> None:
        """Log nothing: the request line contains the code."""
