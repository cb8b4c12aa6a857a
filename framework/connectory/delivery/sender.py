"""Makes one attempt: POSTs a notification, and says what came back."""

from __future__ import annotations

import functools
import http.client
import io
import time
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import requests
from requests.structures import CaseInsensitiveDict
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from ..connections import SharedTLSAdapter
from ..failures import SENDING_ERRORS, unreachable

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping

    from _typeshed import WriteableBuffer
    from requests.adapters import HTTPAdapter

TIMEOUT = (5.0, 15.0)
"""Seconds to connect, and for the whole answer."""
MOST_KEPT = 1024
"""Bytes of an answer that are read and kept."""
MOST_HOSTS = 200
MOST_CONNECTIONS = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """`status`, or `error` in plain words where no answer came; `retry_after` is the header as received.

    `duration` is in milliseconds, `head` the first bytes of the answer.
    """

    status: int | None = None
    error: str | None = None
    retry_after: str | None = None
    duration: int
    head: bytes | None = None


class Sender(Protocol):
    def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Sent:
        """POST once; never raises for what the receiver or the network does."""
        ...


class RequestsSender:
    """No redirects, no cookies, nothing from the environment (proxies, netrc). It may be shared by threads.

    `adapter` makes what sends; it is where somebody may refuse addresses.
    """

    def __init__(
        self, adapter: Callable[[], HTTPAdapter] | None = None, timeout: tuple[float, float] = TIMEOUT
    ) -> None:
        self._timeout = timeout
        self._adapter = adapter() if adapter else _CallbackAdapter(timeout[1])

    def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Sent:
        started = time.perf_counter()
        try:
            answer = self._adapter.send(
                _prepare(url, headers, body), stream=True, timeout=self._timeout, verify=True, proxies={}
            )
            head = _read_head(answer)
        except SENDING_ERRORS as error:
            return Sent(error=unreachable(error, "", self._timeout).message, duration=_since(started))
        return Sent(
            status=answer.status_code,
            retry_after=answer.headers.get("Retry-After"),
            duration=_since(started),
            head=head,
        )

    def close(self) -> None:
        self._adapter.close()


def _prepare(url: str, headers: Mapping[str, str], body: bytes) -> requests.PreparedRequest:
    # Assigned rather than prepared, but for the URL: preparing costs as much as sending.
    prepared = requests.PreparedRequest()
    prepared.method = "POST"
    prepared.url, fixed = _target(url)
    prepared.headers = CaseInsensitiveDict({**fixed, **headers, "Content-Length": str(len(body))})
    prepared.hooks = {"response": []}
    prepared.body = body
    return prepared


@functools.lru_cache(maxsize=1024)
def _target(url: str) -> tuple[str, Mapping[str, str]]:
    """A callback URL as it is sent to, and the headers of every request there (a password in the URL is one)."""
    if urlsplit(url).scheme not in {"http", "https"}:
        raise requests.exceptions.InvalidURL(url)
    prepared = requests.Request("POST", url).prepare()
    headers = {"Content-Type": "application/json", "User-Agent": f"Connectory/{version('connectory')}"}
    if "Authorization" in prepared.headers:
        headers["Authorization"] = prepared.headers["Authorization"]
    return str(prepared.url), headers


def _read_head(answer: requests.Response) -> bytes:
    """The first bytes of the body. The status has decided already, so a body that breaks off changes nothing."""
    try:
        data: bytes = answer.raw.read(MOST_KEPT + 1)
    except SENDING_ERRORS:
        data = b""
        answer.raw.close()
    if len(data) > MOST_KEPT:
        # Reading the rest, for the sake of the connection, could take for ever.
        answer.raw.close()
    answer.raw.release_conn()
    return data[:MOST_KEPT]


def _since(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)


# Bounding an answer as a whole: a socket's timeout starts again with each byte, so one byte now and then would hold a
# lane, and its lease, for hours.


class _CallbackAdapter(SharedTLSAdapter):
    def __init__(self, seconds: float) -> None:
        self._response = functools.partial(_TimedResponse, seconds)
        super().__init__(pool_connections=MOST_HOSTS, pool_maxsize=MOST_CONNECTIONS)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {
            scheme: self._timed(pool) for scheme, pool in (("http", HTTPConnectionPool), ("https", HTTPSConnectionPool))
        }

    def _timed(self, pool: type[HTTPConnectionPool]) -> type[HTTPConnectionPool]:
        response_class = {"response_class": staticmethod(self._response)}
        connection = type("TimedConnection", (pool.ConnectionCls,), response_class)
        return type("TimedPool", (pool,), {"ConnectionCls": connection})


class _TimedResponse(http.client.HTTPResponse):
    def __init__(self, seconds: float, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp.close()
        self.fp = io.BufferedReader(_TimedReader(sock, time.monotonic() + seconds))


class _TimedReader(io.RawIOBase):
    def __init__(self, sock: socket.socket, until: float) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._until = until

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
