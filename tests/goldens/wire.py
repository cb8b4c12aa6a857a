"""HTTP servers on this machine that write down each request as it came over the wire."""

from __future__ import annotations

import io
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Self

HIDDEN_HEADERS = {"authorization", "x-nonce", "x-signature"}
HIDDEN_FIELDS = {"code", "refresh_token"}


@dataclass
class Asked:
    """One request, with the status that it was answered with."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    status: str = ""

    def __str__(self) -> str:
        parts = urlsplit(self.target)
        lines = [f"{self.method} {parts.path} -> {self.status}"]
        params = parse_qsl(parts.query, keep_blank_values=True)
        lines += [f"    ? {name} = {value}" for name, value in params]
        # Shown where it is not simply these parameters with everything else than letters and digits encoded.
        lines += [f"    ? as sent: {parts.query}"] if urlencode(params, quote_via=quote, safe="") != parts.query else []
        of_requests = ("User-Agent", "python-requests/") in [(name, value[:16]) for name, value in self.headers]
        lines += [f"    {name}: {_masked(name, value, of_requests)}" for name, value in self.headers]
        fields = parse_qsl(self.body.decode(), keep_blank_values=True)
        lines += [f"    & {name} = {'***' if name in HIDDEN_FIELDS else value}" for name, value in fields]
        return "\n".join(lines)


def _masked(name: str, value: str, of_requests: bool) -> str:
    if of_requests and name in {"User-Agent", "Accept-Encoding"}:
        # A token's request has these as the version of the library has them.
        return "***"
    if name.lower() == "content-length":
        # That of a form with a random code in it.
        return "***"
    if name.lower() not in HIDDEN_HEADERS:
        return value
    scheme, space, _ = value.partition(" ")
    return f"{scheme} ***" if space else "***"


class _Handler(WSGIRequestHandler):
    def make_environ(self) -> dict[str, Any]:
        return super().make_environ() | {"goldens.sent": (self.command, self.path, list(self.headers.items()))}

    def send_response(self, code: Any, message: str | None = None) -> None:
        # Without the headers of the server: the Date is that of the sandbox.
        self.send_response_only(code, message)

    def log(self, *_arguments: Any) -> None:
        """Say nothing: what matters is written down."""


class Loopback:
    """Serves a WSGI application on a free port, from `with` to its end. `asked` are the requests."""

    def __init__(self, application: Callable[..., Any]) -> None:
        self.asked: list[Asked] = []
        self._application = application

    def __enter__(self) -> Self:
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True, request_handler=_Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def port(self) -> int:
        return self._server.port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def taken(self) -> list[Asked]:
        """The requests since this was asked last."""
        found, self.asked = self.asked, []
        return found

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        method, target, headers = environ["goldens.sent"]
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        asked = Asked(method, target, headers, body)
        self.asked.append(asked)

        def start(status: str, *more: Any) -> Any:
            asked.status = status
            return start_response(status, *more)

        return self._application(environ, start)


class Receiver:
    """A WSGI application that takes notifications. `answers` are the statuses of the next ones; then it is 200."""

    def __init__(self) -> None:
        self.answers: list[int] = []

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        status = self.answers.pop(0) if self.answers else 200
        return Response("ok" if status == 200 else "not now", status)(environ, start_response)
