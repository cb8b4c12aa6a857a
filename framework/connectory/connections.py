"""The connections to providers: one adapter with a pool per host, one TLS context per trust setting, bounded reading.

All clients of a process share them. requests would make a TLS context per host, at 15 ms and 0.7 MB each, read the
environment for each request, and keep cookies; nothing of that happens here.
"""

from __future__ import annotations

import functools
import os
import socket
import threading
import zlib
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit
from urllib.request import getproxies

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_environ_proxies
from urllib3.connection import HTTPConnection

from .errors import ConfigurationError, ProviderError, RetryLaterError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

MOST_HOSTS = 1000
MOST_CONNECTIONS = 16
"""Connections that stay open to one host: as many as workers may use one host at the same time."""


class PageTooHeavyError(RetryLaterError):
    """The answer was cut short, or too large: ask for less at a time."""


def trusted_bundle(environ: Mapping[str, str] = os.environ) -> str:
    """The file or folder of trusted authorities: the one that the environment names, else the one requests ships."""
    names = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
    return next((environ[name] for name in names if environ.get(name)), DEFAULT_CA_BUNDLE_PATH)


def tls_context(bundle: str) -> ssl.SSLContext:
    """The TLS context for one bundle; the same bundle always gives the same context."""
    with _contexts_lock:
        return _make_context(bundle)


_contexts_lock = threading.Lock()


@functools.cache
def _make_context(bundle: str) -> ssl.SSLContext:
    from urllib3.util.ssl_ import create_urllib3_context

    context = create_urllib3_context()
    try:
        if os.path.isdir(bundle):  # noqa: PTH112 - the text is only passed on to ssl
            context.load_verify_locations(capath=bundle)
        else:
            context.load_verify_locations(cafile=bundle)
    except OSError as error:
        raise ConfigurationError(
            f"the bundle of trusted certificates cannot be read: {error.strerror or error}",
            where=bundle,
            hint="REQUESTS_CA_BUNDLE or SSL_CERT_FILE holds its name",
        ) from error
    return context


class SharedTLSAdapter(HTTPAdapter):
    """An adapter that uses one TLS context for all hosts, keeps connections to many hosts, and drops cookies."""

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
        """Do nothing: the context verifies already, and a bundle named here would be read again for each connection."""

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:
        return super().request_url(request, proxies) if proxies else request.path_url

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        # No cookies, because they tie parallel calls to one session on the server. The encoding is not guessed.
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
    """Probe idle connections every minute: routers forget them between two polls, and the next request would hang."""
    options = [*HTTPConnection.default_socket_options, (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    if hasattr(socket, "TCP_KEEPIDLE"):
        options.append((socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60))
    return options


_SOCKET_OPTIONS = _socket_options()


class Sessions:
    """The connections that clients share. `adapter` makes the adapter that sends; a test may pass one that answers.

    Connections to `hosts` hosts are kept open. By default that is half the number of files that the process may open,
    and at most 1,000.
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
        """The adapter, made at first use. All threads share it: otherwise every thread would in time hold a connection
        to every host."""
        adapter = self._adapter
        if adapter is None:
            with self._lock:
                adapter = self._adapter = self._adapter or self._make()
        return adapter

    def send(self, prepared: requests.PreparedRequest, timeout: tuple[float, float]) -> requests.Response:
        """Send the request unchanged: no cookies, no redirects, no netrc. The body of the answer is not read yet."""
        proxies = self.proxies_for(str(prepared.url))
        return self.adapter.send(prepared, stream=True, timeout=timeout, verify=True, proxies=dict(proxies))

    def proxies_for(self, url: str) -> Mapping[str, str]:
        """The proxies that the environment names for this URL's host; looked up once per host."""
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
    """The connections of all clients that were not given any."""
    return Sessions()


def _most_hosts() -> int:
    """How many hosts connections may stay open to, so that at most half of the allowed open files are used."""
    try:
        import resource
    except ImportError:  # pragma: no cover - Windows
        return MOST_HOSTS
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return MOST_HOSTS if limit == resource.RLIM_INFINITY else max(10, min(MOST_HOSTS, limit // 2))


# Bodies


def read_body(answer: requests.Response, most: int, where: str) -> bytes:
    """The whole body, decompressed. It is read in one piece: reading it in chunks takes more than twice as long."""
    length = answer.headers.get("Content-Length", "")
    known = length.isdigit()
    if known and int(length) > most:
        _refuse_large(answer, most, where)
    # When the length is known, read without a limit: only then does urllib3 notice a body that ends too early.
    body: bytes = answer.raw.read(None if known else most + 1, decode_content=False)
    encoding = answer.headers.get("Content-Encoding", "").strip().lower()
    if encoding in {"gzip", "x-gzip"}:
        body = _inflate(body, most)
    elif encoding not in {"", "identity"}:
        raise ProviderError(f"the answer is compressed with {encoding!r}, but only gzip was requested", where=where)
    if len(body) > most:
        _refuse_large(answer, most, where)
    return body


def _inflate(data: bytes, most: int) -> bytes:
    """Decompress a gzip stream of one or more members, and stop soon after `most` bytes. Damage raises `zlib.error`."""
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
            piece = stream.unused_data.lstrip(b"\0")  # some servers pad with zeros
    if data and not stream.eof:
        raise zlib.error("it ends too early")
    return b"".join(parts)


_GZIP = zlib.MAX_WBITS | 16
# Small pieces decompress twice as fast as large ones, and a compression bomb is noticed early.
_PIECE = 10 * 1024


def _refuse_large(answer: requests.Response, most: int, where: str) -> NoReturn:
    answer.raw.close()
    raise PageTooHeavyError(
        f"the answer is larger than {most / 1024 / 1024:g} MB",
        where=where,
        hint="ask for smaller pages or fewer fields",
    )
