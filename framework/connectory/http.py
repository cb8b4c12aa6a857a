"""The client of one instance: sends a `Request`, lets the element judge the answer, and acts on the verdict.

Connections are shared: one `requests.Session` per thread, one TLS context per process and trust setting (requests makes
one per host, at 15 ms and 0.7 MB each), no cookies, and no environment look-ups per request.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import quote, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import get_environ_proxies, should_bypass_proxies
from urllib3.exceptions import HTTPError as TransportError

from .errors import AuthenticationError, ProviderError, RetryLaterError
from .model import Action, Request, Response, Verdict, judge_by_status

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable, Mapping

    from requests.auth import AuthBase

    from .model import Judge

MOST_BODY = 64 * 1024 * 1024
TIMEOUT = (10.0, 60.0)
"""Seconds to connect, and between two bytes of an answer."""

MOST_HOSTS = 1000
MOST_REDIRECTS = 3


class PageTooHeavyError(RetryLaterError):
    """The answer was cut short: ask for less at a time."""


# Sessions


@lru_cache(maxsize=8)
def tls_context(bundle: str | None) -> ssl.SSLContext:
    """The TLS context for one CA bundle (file or folder); None: the bundle that requests ships."""
    from requests.utils import DEFAULT_CA_BUNDLE_PATH
    from urllib3.util.ssl_ import create_urllib3_context

    context = create_urllib3_context()
    place = bundle or DEFAULT_CA_BUNDLE_PATH
    if os.path.isdir(place):  # noqa: PTH112 - it is only handed on
        context.load_verify_locations(capath=place)
    else:
        context.load_verify_locations(cafile=place)
    return context


class SharedTLSAdapter(HTTPAdapter):
    """Gives every host the same TLS context, and keeps connections to many hosts."""

    def __init__(self, context: ssl.SSLContext | None = None, **options: Any) -> None:
        self._context = context or tls_context(_environment_bundle())
        super().__init__(**options)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options, ssl_context=self._context)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        return super().proxy_manager_for(proxy, **options, ssl_context=self._context)

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> Any:
        parts = urlsplit(str(request.url))
        return {"scheme": parts.scheme, "host": parts.hostname, "port": parts.port}, {}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """The context verifies already; naming a bundle here would read it again for each host."""


def _environment_bundle() -> str | None:
    names = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
    return next((os.environ[name] for name in names if os.environ.get(name)), None)


class Sessions:
    """One adapter per thread. `adapter` makes it; a test may give one that answers by itself."""

    def __init__(self, adapter: type[HTTPAdapter] | Any = None, hosts: int = MOST_HOSTS) -> None:
        self._make = adapter or (lambda: SharedTLSAdapter(pool_connections=hosts, pool_maxsize=4))
        self._local = threading.local()
        self._proxies: dict[str, Mapping[str, str]] = {}

    def send(self, prepared: requests.PreparedRequest, timeout: tuple[float, float]) -> requests.Response:
        """Send as it stands: no cookies, no redirects, no netrc; the body is not read yet."""
        adapter = getattr(self._local, "adapter", None)
        if adapter is None:
            adapter = self._local.adapter = self._make()
        sent: requests.Response = adapter.send(
            prepared, stream=True, timeout=timeout, verify=True, proxies=self._proxies_for(str(prepared.url))
        )
        return sent

    def _proxies_for(self, url: str) -> Mapping[str, str]:
        """The proxies that the environment names for a host, looked up once per host."""
        host = url.split("/", 3)[2]
        if host not in self._proxies:
            self._proxies[host] = {} if should_bypass_proxies(url, no_proxy=None) else get_environ_proxies(url)
        return self._proxies[host]


# The client


@dataclass(kw_only=True)
class Client:
    """Talks to one provider as one instance. It may be shared by threads.

    `judge` says what an answer means. A refused token is renewed once, and the request sent once more.
    """

    base_url: str
    auth: AuthBase | None = None
    judge: Judge = judge_by_status
    headers: Iterable[tuple[str, str]] = ()
    sessions: Sessions | None = None
    timeout: tuple[float, float] = TIMEOUT
    most_body: int = MOST_BODY

    def __post_init__(self) -> None:
        self.base_url = self.base_url.rstrip("/")
        self.sessions = self.sessions or Sessions()
        self._headers = {"User-Agent": _user_agent(), "Accept-Encoding": "gzip, deflate"} | dict(self.headers)
        self._where = urlsplit(self.base_url).netloc

    def send(self, request: Request) -> Response:
        """The answer, where it is one to go on with; else an `AuthenticationError` or a `ProviderError`."""
        return self.exchange(request)[0]

    def exchange(self, request: Request) -> tuple[Response, Verdict]:
        """The answer and its verdict, which is ACCEPT or EMPTY; other verdicts are raised as errors."""
        response, verdict, prepared = self._try(request)
        if verdict.action is Action.RENEW and self._renew(prepared):
            response, verdict, prepared = self._try(request)
        if verdict.action in {Action.ACCEPT, Action.EMPTY}:
            return response, verdict
        self._raise(request, response, verdict)
        return None

    def _renew(self, prepared: requests.PreparedRequest) -> bool:
        """Whether the auth has another token than the one the request carried; see `hookspecs.connect_build_auth`."""
        renew: Callable[[requests.PreparedRequest], bool] | None = getattr(self.auth, "renew", None)
        return renew is not None and renew(prepared)

    def _try(self, request: Request) -> tuple[Response, Verdict, requests.PreparedRequest]:
        prepared = self._prepare(request)
        response = self._send(prepared)
        for _ in range(MOST_REDIRECTS):
            target = _same_host_redirect(prepared, response)
            if target is None:
                break
            prepared.url = target
            response = self._send(prepared)
        return response, self.judge(response), prepared

    def _prepare(self, request: Request) -> requests.PreparedRequest:
        # Assigned rather than prepared: the parts are known to be well-formed, and preparing costs as much as sending.
        prepared = requests.PreparedRequest()
        prepared.method = request.method
        prepared.url = self.base_url + request.path + (f"?{encode(request.params)}" if request.params else "")
        prepared.headers = CaseInsensitiveDict(self._headers)
        prepared.headers.update(request.headers)
        prepared.hooks = {"response": []}
        prepared.body = request.body
        if request.body is not None:
            prepared.headers.setdefault("Content-Type", "application/json")
            prepared.headers["Content-Length"] = str(len(request.body))
        return prepared if self.auth is None else self.auth(prepared)

    def _send(self, prepared: requests.PreparedRequest) -> Response:
        assert self.sessions is not None  # noqa: S101 - set in __post_init__
        try:
            answer = self.sessions.send(prepared, self.timeout)
            try:
                body = self._read(answer)
            finally:
                answer.raw.release_conn()
        except (requests.RequestException, TransportError, OSError) as error:
            raise _unreachable(error, self._where) from error
        return Response(status=answer.status_code, headers=answer.headers, body=body, url=str(prepared.url))

    def _read(self, answer: requests.Response) -> bytes:
        """The whole body in one piece: reading it in chunks costs twice as much."""
        length = answer.headers.get("Content-Length", "")
        if length.isdigit() and int(length) > self.most_body:
            self._too_large(answer)
        if length.isdigit() and "Content-Encoding" not in answer.headers:
            body: bytes = answer.raw.read(decode_content=True)
        else:
            body = answer.raw.read(self.most_body + 1, decode_content=True)
        if len(body) > self.most_body:
            self._too_large(answer)
        return body

    def _too_large(self, answer: requests.Response) -> NoReturn:
        answer.close()
        raise PageTooHeavyError(
            f"the answer is larger than {self.most_body // 1024 // 1024} MB", where=self._where, hint="ask for less"
        )

    def _raise(self, request: Request, response: Response, verdict: Verdict) -> NoReturn:
        reason = verdict.reason or f"the provider answered {response.status}"
        where = f"{self._where}{request.path}"
        if verdict.action is Action.RENEW:
            raise AuthenticationError(reason, where=where, hint=verdict.hint or "a person must log in again")
        details: dict[str, Any] = {
            "where": where,
            "hint": verdict.hint,
            "provider_message": verdict.provider_message,
            "provider_status": response.status,
        }
        if verdict.action is Action.SHRINK:
            raise PageTooHeavyError(reason, retry_after=verdict.retry_after, **details)
        if verdict.action is Action.RETRY:
            raise RetryLaterError(reason, retry_after=verdict.retry_after, **details)
        raise ProviderError(reason, **details)


def encode(params: Iterable[tuple[str, str]]) -> str:
    """A query string; a space is `%20` and a plus `%2B`, which every provider reads alike."""
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in params)


def _same_host_redirect(prepared: requests.PreparedRequest, response: Response) -> str | None:
    """Where to go on, if it is the same host: a token is never carried to another one."""
    location = response.headers.get("Location")
    if prepared.method != "GET" or response.status not in {301, 302, 303, 307, 308} or not location:
        return None
    from urllib.parse import urljoin

    target = urljoin(str(prepared.url), location)
    here, there = urlsplit(str(prepared.url)), urlsplit(target)
    return target if (here.scheme, here.netloc) == (there.scheme, there.netloc) else None


def _unreachable(error: Exception, where: str) -> RetryLaterError:
    text = str(error)
    if isinstance(error, requests.Timeout) or "timed out" in text:
        return RetryLaterError("no answer in time", where=where, hint="it is tried again")
    if isinstance(error, requests.exceptions.SSLError) or "CERTIFICATE_VERIFY_FAILED" in text:
        return RetryLaterError(
            f"no secure connection: {_innermost(error)}",
            where=where,
            hint="check the certificate; REQUESTS_CA_BUNDLE names a bundle of your own authority",
        )
    if "Name or service not known" in text or "getaddrinfo" in text or "NameResolutionError" in text:
        return RetryLaterError("there is no such host", where=where, hint="check its name and the network")
    if "Connection refused" in text:
        return RetryLaterError("the connection was refused", where=where, hint="is it running, and is the port right?")
    return RetryLaterError(f"the connection broke: {_innermost(error)}", where=where, hint="it is tried again")


def _innermost(error: BaseException) -> str:
    """The text of the error at the bottom: those around it repeat the URL, which may hold secrets."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__ or error
    return str(error) or type(error).__name__


@lru_cache(maxsize=1)
def _user_agent() -> str:
    from importlib.metadata import version

    return f"Connectory/{version('connectory')}"
