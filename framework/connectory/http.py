"""The client of one instance: sends a `Request`, lets the element judge the answer, and acts on the verdict.

Connections are shared by all clients of a process: one adapter with a pool per host, one TLS context per trust setting
(requests makes one per host, at 15 ms and 0.7 MB each), no cookies, and no environment look-ups per request.
"""

from __future__ import annotations

import functools
import os
import socket
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import quote, urljoin, urlsplit
from urllib.request import getproxies

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_environ_proxies, requote_uri
from urllib3.connection import HTTPConnection
from urllib3.exceptions import HTTPError as TransportError

from . import hints
from .errors import AuthenticationError, ConfigurationError, ConnectoryError, ProviderError, RetryLaterError
from .model import Action, Request, Response, Verdict, judge_by_status
from .ratelimits import seconds_to_reset

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Mapping
    from urllib.parse import SplitResult

    from requests.auth import AuthBase

    from .model import Judge

MOST_BODY = 64 * 1024 * 1024
TIMEOUT = (10.0, 60.0)
"""Seconds to connect, and between two bytes of an answer."""

MOST_HOSTS = 1000
MOST_CONNECTIONS = 16
"""Kept open per host: as many as workers may ask one host at once."""
MOST_REDIRECTS = 3


class PageTooHeavyError(RetryLaterError):
    """The answer was cut short, or too large: ask for less at a time."""


# Connections


def trusted_bundle(environ: Mapping[str, str] = os.environ) -> str:
    """The file or folder of the authorities that are trusted: what the environment names, else what requests ships."""
    names = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
    return next((environ[name] for name in names if environ.get(name)), DEFAULT_CA_BUNDLE_PATH)


def tls_context(bundle: str) -> ssl.SSLContext:
    """The TLS context for one bundle, the same one each time."""
    with _contexts_lock:
        return _make_context(bundle)


_contexts_lock = threading.Lock()


@functools.cache
def _make_context(bundle: str) -> ssl.SSLContext:
    from urllib3.util.ssl_ import create_urllib3_context

    context = create_urllib3_context()
    try:
        if os.path.isdir(bundle):  # noqa: PTH112 - it is only handed on
            context.load_verify_locations(capath=bundle)
        else:
            context.load_verify_locations(cafile=bundle)
    except OSError as error:
        raise ConfigurationError(
            f"the bundle of trusted certificates cannot be read: {error.strerror or error}",
            where=bundle,
            hint="REQUESTS_CA_BUNDLE or SSL_CERT_FILE names it",
        ) from error
    return context


class SharedTLSAdapter(HTTPAdapter):
    """Gives every host the same TLS context, keeps connections to many hosts, and drops cookies."""

    def __init__(self, **options: Any) -> None:
        self._context = tls_context(trusted_bundle())
        super().__init__(**options)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options, ssl_context=self._context, socket_options=_SOCKET_OPTIONS)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        return super().proxy_manager_for(proxy, **options, ssl_context=self._context)

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> Any:
        parts = urlsplit(str(request.url))
        return {"scheme": parts.scheme, "host": parts.hostname, "port": parts.port}, {}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """The context verifies already; naming a bundle here would read it again for each connection."""

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:
        return super().request_url(request, proxies) if proxies else request.path_url

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        # Without the cookies, which tie parallel calls to one server-side session, and without guessing an encoding.
        response = requests.Response()
        response.status_code = resp.status
        response.headers = CaseInsensitiveDict(resp.headers)
        response.raw = resp
        response.reason = resp.reason
        response.url = str(req.url)
        response.request = req
        response.connection = self
        return response


def _socket_options() -> list[tuple[int, int, int]]:
    """Probe connections that are idle between two polls: routers forget them, and then a request hangs."""
    options = [*HTTPConnection.default_socket_options, (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    if hasattr(socket, "TCP_KEEPIDLE"):
        options.append((socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60))
    return options


_SOCKET_OPTIONS = _socket_options()


class Sessions:
    """The connections that clients share. `adapter` makes what sends; a test may give one that answers by itself.

    `hosts` is how many hosts connections are kept to; by default as many as open files allow, at most 1,000.
    """

    def __init__(
        self, adapter: Callable[[], HTTPAdapter] | None = None, hosts: int | None = None, *, use_proxies: bool = True
    ) -> None:
        self._make = adapter or (
            lambda: SharedTLSAdapter(pool_connections=hosts or _most_hosts(), pool_maxsize=MOST_CONNECTIONS)
        )
        self._lock = threading.Lock()
        self._adapter: HTTPAdapter | None = None
        self._proxies: dict[str, Mapping[str, str]] = {}
        self._use_proxies = use_proxies

    @functools.cached_property
    def _any_proxies(self) -> bool:
        return self._use_proxies and bool(getproxies())

    @property
    def adapter(self) -> HTTPAdapter:
        """Made when it is first needed. One serves all threads: with one each, every thread would in time hold a
        connection to every host."""
        adapter = self._adapter
        if adapter is None:
            with self._lock:
                adapter = self._adapter = self._adapter or self._make()
        return adapter

    def send(self, prepared: requests.PreparedRequest, timeout: tuple[float, float]) -> requests.Response:
        """Send as it stands: no cookies, no redirects, no netrc; the body is not read yet."""
        proxies = self.proxies_for(str(prepared.url))
        return self.adapter.send(prepared, stream=True, timeout=timeout, verify=True, proxies=dict(proxies))

    def proxies_for(self, url: str) -> Mapping[str, str]:
        """The proxies that the environment names for a host, looked up once per host."""
        if not self._any_proxies:
            return {}
        host = url.split("/", 3)[2]
        proxies = self._proxies.get(host)
        if proxies is None:
            proxies = self._proxies[host] = get_environ_proxies(url)
        return proxies

    def close(self) -> None:
        with self._lock:
            adapter, self._adapter = self._adapter, None
        if adapter is not None:
            adapter.close()


@functools.cache
def default_sessions() -> Sessions:
    """What clients share that were given no sessions."""
    return Sessions()


def _most_hosts() -> int:
    """Half of what the system lets this process open, at most."""
    try:
        import resource
    except ImportError:  # pragma: no cover - Windows
        return MOST_HOSTS
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return MOST_HOSTS if limit == resource.RLIM_INFINITY else max(10, min(MOST_HOSTS, limit // 2))


# The client

Transport = Callable[[requests.PreparedRequest], Response]
"""Sends one request as it stands and returns the answer; raises a `ConnectoryError` where none came."""


@dataclass(kw_only=True)
class Client:
    """Talks to one provider as one instance. It may be shared by threads.

    `judge` says what an answer means. A refused token is renewed once, and the request sent once more.
    `transport` sends instead of the network: it is where requests can be watched, or answered from a file.

    `timeout` is in seconds, to connect and between two bytes; `most_body` is in bytes, decoded. `send` raises
    `AuthenticationError` where a person must log in, `RetryLaterError` (`retry_after` is in seconds) where the same
    request may succeed later, and `ProviderError` for what is final.

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
        """The answer, where it is one to go on with; else an `AuthenticationError` or a `ProviderError`."""
        return self.exchange(request)[0]

    def exchange(self, request: Request) -> tuple[Response, Verdict]:
        """The answer and its verdict, which is ACCEPT or EMPTY; other verdicts are raised as errors."""
        response, verdict, prepared = self._try(request)
        if verdict.action is Action.RENEW and self._renew(prepared):
            response, verdict, prepared = self._try(request)
        if verdict.action in {Action.ACCEPT, Action.EMPTY}:
            return response, verdict
        raise _error(verdict, response, f"{self._host}{request.path.partition('?')[0]}")

    def _renew(self, prepared: requests.PreparedRequest) -> bool:
        """Whether the auth has another token than the one the request carried; see `hookspecs.connect_build_auth`."""
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
        # Assigned rather than prepared: the parts are known to be well-formed, and preparing costs as much as sending.
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
        """Send a prepared request over the network, and read its answer."""
        try:
            answer = self._sessions.send(prepared, self.timeout)
            try:
                body = read_body(answer, self.most_body, self._host)
            finally:
                answer.raw.release_conn()
        except SENDING_ERRORS as error:
            # Not chained: the causes repeat headers and the whole URL, which may hold secrets.
            raise unreachable(error, self._host, self.timeout) from None
        return Response(status=answer.status_code, headers=answer.headers, body=body, url=str(prepared.url))


def encode(params: Iterable[tuple[str, str]]) -> str:
    """A query string; a space is `%20` and a plus `%2B`, which every provider reads alike."""
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in params)


def _checked_host(base_url: str) -> str:
    parts = urlsplit(base_url)
    if parts.scheme not in {"http", "https"} or not _host_of(parts):
        raise ConfigurationError(f"{base_url!r} is no URL to send requests to", hint="e.g. https://example.com/api")
    if "@" in parts.netloc:
        raise ConfigurationError("the base URL holds a user name or password", hint="let the element's auth carry it")
    return parts.netloc


def _host_of(parts: SplitResult) -> tuple[str, int | None] | None:
    try:
        return (parts.hostname, parts.port) if parts.hostname else None
    except ValueError:
        return None


def _target(request: Request) -> str:
    if not request.path.startswith("/"):
        raise ConfigurationError(f"the path {request.path!r} does not start with a slash", hint="name no host in it")
    if not request.params:
        return request.path
    return f"{request.path}{'&' if '?' in request.path else '?'}{encode(request.params)}"


def _same_host_redirect(prepared: requests.PreparedRequest, response: Response) -> str | None:
    """Where to go on, if it is the same host: a token is never carried to another one."""
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


# Bodies


def read_body(answer: requests.Response, most: int, where: str) -> bytes:
    """The whole body, inflated, in one piece: reading it in chunks costs more than twice as much."""
    length = answer.headers.get("Content-Length", "")
    known = length.isdigit()
    if known and int(length) > most:
        _refuse_large(answer, most, where)
    # A read without a limit notices a body that ends too early; its length is the limit.
    body: bytes = answer.raw.read(None if known else most + 1, decode_content=False)
    encoding = answer.headers.get("Content-Encoding", "").strip().lower()
    if encoding in {"gzip", "x-gzip"}:
        body = _inflate(body, most)
    elif encoding not in {"", "identity"}:
        raise ProviderError(f"the answer is encoded as {encoding!r}, which was not asked for", where=where)
    if len(body) > most:
        _refuse_large(answer, most, where)
    return body


def _inflate(data: bytes, most: int) -> bytes:
    """A gzip stream of one or more members, cut soon after `most` bytes; `zlib.error` where it is damaged."""
    parts, size, stream = [], 0, zlib.decompressobj(_GZIP)
    for start in range(0, len(data), _PIECE):
        piece = data[start : start + _PIECE]
        while piece:
            if stream.eof:
                stream = zlib.decompressobj(_GZIP)
            parts.append(stream.decompress(piece))
            size += len(parts[-1])
            if size > most:
                return b"".join(parts)
            piece = stream.unused_data.lstrip(b"\0")  # some servers pad
    if data and not stream.eof:
        raise zlib.error("it ends too early")
    return b"".join(parts)


_GZIP = zlib.MAX_WBITS | 16
# Inflating into small pieces is twice as fast as into large ones, and a bomb is noticed early.
_PIECE = 10 * 1024


def _refuse_large(answer: requests.Response, most: int, where: str) -> NoReturn:
    answer.raw.close()
    raise PageTooHeavyError(
        f"the answer is larger than {most / 1024 / 1024:g} MB",
        where=where,
        hint="ask for smaller pages or fewer fields",
    )


# Failures on the way

SENDING_ERRORS = (requests.RequestException, TransportError, OSError, ValueError, zlib.error)
"""What sending and reading may raise; `unreachable` says what it means."""


def unreachable(error: Exception, where: str, timeout: tuple[float, float]) -> ConnectoryError:
    """The failure in plain words, without the URL and the headers that the original texts repeat."""
    kinds = {type(cause).__name__ for cause in _causes(error)}
    connect, read = (f"{seconds:g} s" for seconds in timeout)
    if kinds & {"InvalidURL", "LocationParseError", "LocationValueError"}:
        return ConfigurationError("this is no address that a request can be sent to", where=where)
    if "ProxyError" in kinds:
        return RetryLaterError(
            "the proxy does not let us through", where=where, hint="look at HTTPS_PROXY and NO_PROXY"
        )
    if kinds & {"SSLCertVerificationError", "CertificateError"}:
        return ProviderError(
            f"its certificate is not trusted: {_innermost(error)}",
            where=where,
            hint="REQUESTS_CA_BUNDLE names a bundle of your own authorities",
        )
    if kinds & {"SSLError", "SSLEOFError", "SSLZeroReturnError"}:
        return RetryLaterError(f"no secure connection: {_innermost(error)}", where=where)
    if kinds & {"ConnectTimeout", "ConnectTimeoutError"} or "handshake" in _innermost(error):
        return RetryLaterError(f"no connection within {connect}", where=where, hint="check the address and the network")
    if kinds & {"ReadTimeout", "ReadTimeoutError", "TimeoutError"}:
        return RetryLaterError(f"no answer within {read}", where=where)
    if kinds & {"NameResolutionError", "gaierror"}:
        return RetryLaterError("there is no such host", where=where, hint="check its name and the network")
    if "ConnectionRefusedError" in kinds:
        return RetryLaterError("the connection was refused", where=where, hint="is it running, and is the port right?")
    if type(error) is zlib.error:
        return RetryLaterError(f"the answer is damaged: {error}", where=where)
    if isinstance(error, ValueError) and not isinstance(error, requests.RequestException):
        return ConfigurationError(
            "a header or the path holds a character that cannot be sent",
            where=where,
            hint="look for line breaks in keys",
        )
    return RetryLaterError(f"the connection broke: {_innermost(error)}", where=where)


def _causes(error: BaseException) -> list[BaseException]:
    """The error and what is behind it; urllib3 keeps some reasons in an argument only."""
    found: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in found:
        found.append(following)
        reason = getattr(following, "reason", None) or next(iter(following.args), None)
        following = (
            following.__cause__ or following.__context__ or (reason if isinstance(reason, BaseException) else None)
        )
    return found


def _innermost(error: BaseException) -> str:
    """The text of the error at the bottom: those around it repeat the URL."""
    cause = _causes(error)[-1]
    return getattr(cause, "strerror", None) or str(cause) or type(cause).__name__


@functools.cache
def _user_agent() -> str:
    from importlib.metadata import version

    return f"Connectory/{version('connectory')}"
