"""The client of one instance: sends a `Request`, lets the element judge the answer, and acts on the verdict.

The connections that all clients share are in `connections`, and what goes wrong on the way is named in `failures`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urljoin, urlsplit

import requests
from requests.structures import CaseInsensitiveDict
from requests.utils import requote_uri

from . import hints
from .connections import PageTooHeavyError, Sessions, default_sessions, read_body
from .errors import AuthenticationError, ConfigurationError, ConnectoryError, ProviderError, RetryLaterError
from .failures import SENDING_ERRORS, unreachable
from .model import Action, Request, Response, Verdict, judge_by_status
from .ratelimits import seconds_to_reset

if TYPE_CHECKING:
    from collections.abc import Iterable
    from urllib.parse import SplitResult

    from requests.auth import AuthBase

    from .model import Judge

__all__ = ["Client", "PageTooHeavyError", "Sessions", "Transport", "encode"]

MOST_BODY = 64 * 1024 * 1024
TIMEOUT = (10.0, 60.0)
"""The most seconds that connecting may take, and that may pass between two bytes of an answer."""

MOST_REDIRECTS = 3

Transport = Callable[[requests.PreparedRequest], Response]
"""Sends one request unchanged and returns the answer. It raises a `ConnectoryError` if no answer came."""


@dataclass(kw_only=True)
class Client:
    """Talks to one provider as one instance. Threads may share it.

    `judge` decides what an answer means. When the provider refuses the token, the client renews it and sends the
    request once more. `transport` replaces the network: use it to watch requests, or to answer them from a file.

    `timeout` holds two numbers of seconds: for connecting, and between two bytes of the answer. `most_body` is the
    largest body in bytes, after decompression. `send` raises an `AuthenticationError` when a person must log in, a
    `RetryLaterError` (`retry_after` is in seconds) when the same request may succeed later, and a `ProviderError` when
    the request would fail again.

    >>> from connectory.sandbox import Sandbox
    >>> from connectory.testing.transport import wsgi_sessions
    >>> fake = Sandbox()
    >>> fake.route("/v1/me", lambda call: {"login": "ann"})
    >>> client = Client(base_url="http://acme.example/v1", sessions=wsgi_sessions({"acme.example": fake}))
    >>> client.send(Request(path="/me")).json()
    {'login': 'ann'}
    >>> client.send(Request(path="/nothing"))
    Traceback (most recent call last):
    connectory.errors.ProviderError: acme.example/nothing: the provider answered 404
    """

    base_url: str
    auth: AuthBase | None = None
    judge: Judge = judge_by_status
    headers: Iterable[tuple[str, str]] = ()
    sessions: Sessions | None = None
    timeout: tuple[float, float] = TIMEOUT
    most_body: int = MOST_BODY
    transport: Transport | None = None

    def __post_init__(self) -> None:
        self.base_url = self.base_url.rstrip("/")
        self._host = _checked_host(self.base_url)
        self._sessions = self.sessions or default_sessions()
        self._transmit = self.transport or self.transmit
        self._headers = {"User-Agent": _user_agent(), "Accept-Encoding": "gzip"} | dict(self.headers)

    def send(self, request: Request) -> Response:
        """The answer, if it is usable; otherwise an `AuthenticationError` or a `ProviderError` is raised."""
        return self.exchange(request)[0]

    def exchange(self, request: Request) -> tuple[Response, Verdict]:
        """The answer and its verdict, which is ACCEPT or EMPTY. Every other verdict raises an error."""
        response, verdict, prepared = self._try(request)
        if verdict.action is Action.RENEW and self._renew(prepared):
            response, verdict, prepared = self._try(request)
        if verdict.action in {Action.ACCEPT, Action.EMPTY}:
            return response, verdict
        raise _error(verdict, response, f"{self._host}{request.path.partition('?')[0]}")

    def _renew(self, prepared: requests.PreparedRequest) -> bool:
        """Whether the auth now has a newer token than the request carried; see `hookspecs.connect_build_auth`."""
        renew: Callable[[requests.PreparedRequest], bool] | None = getattr(self.auth, "renew", None)
        return renew is not None and renew(prepared)

    def _try(self, request: Request) -> tuple[Response, Verdict, requests.PreparedRequest]:
        prepared = self._prepare(request)
        response = self._transmit(prepared)
        for _ in range(MOST_REDIRECTS):
            target = _same_host_redirect(prepared, response)
            if target is None:
                break
            prepared.url = target
            response = self._transmit(prepared)
        return response, self.judge(response), prepared

    def _prepare(self, request: Request) -> requests.PreparedRequest:
        # Assign the parts instead of calling `prepare`: they are well-formed, and preparing takes as long as sending.
        prepared = requests.PreparedRequest()
        prepared.method = request.method
        prepared.url = self.base_url + _target(request)
        prepared.headers = CaseInsensitiveDict(self._headers)
        prepared.headers.update(request.headers)
        prepared.hooks = {"response": []}
        prepared.body = request.body
        if request.body is not None:
            prepared.headers.setdefault("Content-Type", "application/json")
            prepared.headers["Content-Length"] = str(len(request.body))
        elif request.method not in {"GET", "HEAD"}:
            prepared.headers["Content-Length"] = "0"
        return prepared if self.auth is None else self.auth(prepared)

    def transmit(self, prepared: requests.PreparedRequest) -> Response:
        """Send a prepared request over the network and read the answer."""
        try:
            answer = self._sessions.send(prepared, self.timeout)
            try:
                body = read_body(answer, self.most_body, self._host)
            finally:
                answer.raw.release_conn()
        except SENDING_ERRORS as error:
            # Do not chain the error: its causes repeat headers and the whole URL, which may hold secrets.
            raise unreachable(error, self._host, self.timeout) from None
        return Response(status=answer.status_code, headers=answer.headers, body=body, url=str(prepared.url))


def encode(params: Iterable[tuple[str, str]]) -> str:
    """A query string. A space becomes `%20` and a plus becomes `%2B`, because every provider reads these alike."""
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in params)


def _checked_host(base_url: str) -> str:
    parts = urlsplit(base_url)
    if parts.scheme not in {"http", "https"} or not _host_of(parts):
        raise ConfigurationError(
            f"{base_url!r} is not a URL that requests can be sent to", hint="write e.g. https://example.com/api"
        )
    if "@" in parts.netloc:
        raise ConfigurationError(
            "the base URL holds a user name or password", hint="send it with the element's auth instead"
        )
    return parts.netloc


def _host_of(parts: SplitResult) -> tuple[str, int | None] | None:
    try:
        return (parts.hostname, parts.port) if parts.hostname else None
    except ValueError:
        return None


def _target(request: Request) -> str:
    if not request.path.startswith("/"):
        raise ConfigurationError(
            f"the path {request.path!r} does not start with a slash",
            hint="write a path below the base URL, without a host",
        )
    if not request.params:
        return request.path
    return f"{request.path}{'&' if '?' in request.path else '?'}{encode(request.params)}"


def _same_host_redirect(prepared: requests.PreparedRequest, response: Response) -> str | None:
    """Where the answer redirects to, if that is the same host: a token is never sent to another host."""
    location = response.headers.get("Location")
    if prepared.method != "GET" or response.status not in {301, 302, 303, 307, 308} or not location:
        return None
    target = requote_uri(urljoin(str(prepared.url), location))
    here, there = urlsplit(str(prepared.url)), urlsplit(target)
    same = here.scheme == there.scheme and _host_of(here) == _host_of(there) and "@" not in there.netloc
    return target if same else None


def _error(verdict: Verdict, response: Response, where: str) -> ConnectoryError:
    reason = verdict.reason or f"the provider answered {response.status}"
    if verdict.action is Action.RENEW:
        return AuthenticationError(reason, where=where, hint=verdict.hint or hints.LOG_IN_AGAIN)
    details: dict[str, Any] = {
        "where": where,
        "hint": verdict.hint,
        "provider_message": verdict.provider_message,
        "provider_status": response.status,
    }
    wait = verdict.retry_after
    if wait is None and response.status == 429:
        wait = seconds_to_reset(response)
    if verdict.action is Action.SHRINK:
        return PageTooHeavyError(reason, retry_after=wait, **details)
    if verdict.action is Action.RETRY:
        return RetryLaterError(reason, retry_after=wait, **details)
    return ProviderError(reason, **details)


@functools.cache
def _user_agent() -> str:
    from importlib.metadata import version

    return f"Connectory/{version('connectory')}"
