"""Limits how long a whole answer may take.

The timeout of a socket starts again with each byte, so a receiver that sends one byte now and then would hold up a
lane, and its lease, for hours.
"""

from __future__ import annotations

import functools
import http.client
import io
import time
from typing import TYPE_CHECKING, Any

from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from ..connections import SharedTLSAdapter

if TYPE_CHECKING:
    import socket

    from _typeshed import WriteableBuffer

MOST_HOSTS = 200
MOST_CONNECTIONS = 64


class TimedAdapter(SharedTLSAdapter):
    """A requests adapter whose answers end within `seconds`, or fail with a timeout."""

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
