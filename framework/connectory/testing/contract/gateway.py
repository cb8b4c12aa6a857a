"""A proxy in front of a sandbox: keeps each exchange, and makes one fail on demand, whatever sandbox it is."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from werkzeug.test import Client as WsgiClient
from werkzeug.wrappers import Request, Response

from ...sandbox import empty_reply, html_reply, json_reply

if TYPE_CHECKING:
    from collections.abc import Mapping

Trouble = Callable[[Callable[[], Response]], Response]
"""Makes an answer; it may call its argument to get the true answer of the provider."""

MOST_CALLS = 400
"""If a check makes more calls, its paginator does not end."""


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """A request and its answer. `is_login` is true for the OAuth2 endpoints."""

    method: str
    path: str
    params: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    status: int
    body: bytes
    is_login: bool

    @property
    def bearer(self) -> str:
        """The access token of the request; empty if it has none."""
        kind, _, token = self.headers.get("Authorization", "").partition(" ")
        return token if kind.lower() == "bearer" else ""


class Gateway:
    """A WSGI application. The next API calls get the `troubles`, one each; None lets a call pass.

    `always` applies to every other API call. `watch` is called with each API request before it is answered.
    """

    def __init__(self, application: Any) -> None:
        self._application = application
        self.login_paths: frozenset[str] = frozenset()
        self.exchanges: list[Exchange] = []
        self.count = 0
        self.troubles: deque[Trouble | None] = deque()
        self.always: Trouble | None = None
        self.watch: Callable[[Request], None] | None = None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        request.get_data(cache=True)
        is_login = request.path in self.login_paths
        reply = self._pass_on(request) if is_login else self._api(request)
        self.exchanges.append(
            Exchange(
                method=request.method,
                path=request.path,
                params=tuple(request.args.items(multi=True)),
                headers=dict(request.headers.items()),
                status=reply.status_code,
                body=reply.get_data(),
                is_login=is_login,
            )
        )
        return reply(environ, start_response)

    @property
    def is_exhausted(self) -> bool:
        """Whether there were more calls than any paginator can need."""
        return self.count > MOST_CALLS

    @property
    def calls(self) -> list[Exchange]:
        """The exchanges with the API."""
        return [exchange for exchange in self.exchanges if not exchange.is_login]

    @property
    def renewals(self) -> list[Exchange]:
        """The POSTs to the OAuth2 endpoints."""
        return [exchange for exchange in self.exchanges if exchange.is_login and exchange.method == "POST"]

    def script(self, *troubles: Trouble | None) -> None:
        self.troubles.extend(troubles)

    def _api(self, request: Request) -> Response:
        self.count += 1
        if self.is_exhausted:
            return json_error(508, "this check has made too many calls")
        if self.watch is not None:
            self.watch(request)
        trouble = self.troubles.popleft() if self.troubles else self.always
        return self._pass_on(request) if trouble is None else trouble(lambda: self._pass_on(request))

    def _pass_on(self, request: Request) -> Response:
        answer = WsgiClient(self._application, use_cookies=False).open(
            path=request.path,
            query_string=request.query_string.decode("latin-1"),
            base_url=request.root_url,
            method=request.method,
            headers=list(request.headers.items()),
            data=request.get_data(),
            buffered=True,
        )
        return Response(answer.get_data(), status=answer.status_code, headers=list(answer.headers))


def instead(reply: Response) -> Trouble:
    """This answer, without asking the provider."""
    return lambda ask: Response(reply.get_data(), status=reply.status_code, headers=list(reply.headers))


def login_page() -> Trouble:
    return instead(html_reply("Log in", "<form><input name=username></form>"))


def gateway_page(status: int = 502) -> Trouble:
    return instead(html_reply("Bad Gateway", "<h1>Bad Gateway</h1>", status))


def cut(ask: Callable[[], Response]) -> Response:
    """The first two thirds of the true answer, as if they were the whole."""
    reply = ask()
    body = reply.get_data()
    reply.set_data(body[: max(1, len(body) * 2 // 3)])
    return reply


def dropped(ask: Callable[[], Response]) -> Response:
    """Half of the true answer, after which the connection breaks."""
    reply = ask()
    length = len(reply.get_data())
    reply.set_data(reply.get_data()[: length // 2])
    reply.headers["Content-Length"] = str(max(length, 1))
    return reply


def json_error(status: int, message: str) -> Response:
    """An error in a format that many providers use."""
    return json_reply({"error": {"status": status, "message": message}}, status)


def nothing(status: int = 200) -> Trouble:
    """An answer without a body."""
    return instead(empty_reply(status))
