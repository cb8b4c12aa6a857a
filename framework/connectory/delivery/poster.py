"""Posts one notification over HTTP, and returns what the receiver answered."""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

import requests
from requests.structures import CaseInsensitiveDict

from ..failures import SENDING_ERRORS, unreachable
from .timed import TimedAdapter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from requests.adapters import HTTPAdapter

TIMEOUT = (5.0, 15.0)
"""Seconds to connect, and seconds for the whole answer."""
MOST_KEPT = 1024
"""Bytes of an answer that are read and stored."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Posted:
    """What came of a post: `status`, or `error` in plain words if the receiver did not answer.

    `retry_after` is the header as received, `duration` is in milliseconds, `head` is the beginning of the body.
    """

    status: int | None = None
    error: str | None = None
    retry_after: str | None = None
    duration: int
    head: bytes | None = None


class Poster(Protocol):
    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Posted:
        """POST once. A receiver or a network that fails is part of the answer, not an exception."""
        ...


class HttpPoster:
    """Posts with the `requests` library. Several threads may share it.

    It follows no redirects, keeps no cookies, and ignores the proxies and the netrc file of the environment. `adapter`
    makes the `requests` adapter that posts; you can pass one that refuses some addresses.
    """

    def __init__(
        self, adapter: Callable[[], HTTPAdapter] | None = None, timeout: tuple[float, float] = TIMEOUT
    ) -> None:
        self._timeout = timeout
        self._adapter = adapter() if adapter else TimedAdapter(timeout[1])

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Posted:
        started = time.perf_counter()
        try:
            answer = self._adapter.send(
                _prepare(url, headers, body), stream=True, timeout=self._timeout, verify=True, proxies={}
            )
            head = _read_head(answer)
        except SENDING_ERRORS as error:
            return Posted(error=unreachable(error, "", self._timeout).message, duration=_since(started))
        return Posted(
            status=answer.status_code,
            retry_after=answer.headers.get("Retry-After"),
            duration=_since(started),
            head=head,
        )

    def close(self) -> None:
        self._adapter.close()


def _prepare(url: str, headers: Mapping[str, str], body: bytes) -> requests.PreparedRequest:
    # Only the URL is prepared by requests: preparing everything costs as much as sending.
    prepared = requests.PreparedRequest()
    prepared.method = "POST"
    prepared.url, fixed = _target(url)
    prepared.headers = CaseInsensitiveDict({**fixed, **headers, "Content-Length": str(len(body))})
    prepared.hooks = {"response": []}
    prepared.body = body
    return prepared


@functools.lru_cache(maxsize=1024)
def _target(url: str) -> tuple[str, Mapping[str, str]]:
    """The prepared URL, and the headers that every request to it has; a password in the URL becomes one of them."""
    if urlsplit(url).scheme not in {"http", "https"}:
        raise requests.exceptions.InvalidURL(url)
    prepared = requests.Request("POST", url).prepare()
    headers = {"Content-Type": "application/json", "User-Agent": f"Connectory/{version('connectory')}"}
    if "Authorization" in prepared.headers:
        headers["Authorization"] = prepared.headers["Authorization"]
    return str(prepared.url), headers


def _read_head(answer: requests.Response) -> bytes:
    """The beginning of the body; empty if it breaks off. The status alone decides whether the post succeeded."""
    try:
        data: bytes = answer.raw.read(MOST_KEPT + 1)
    except SENDING_ERRORS:
        data = b""
        answer.raw.close()
    if len(data) > MOST_KEPT:
        # Close the connection: to reuse it, we would have to read the rest of the body, which could take very long.
        answer.raw.close()
    answer.raw.release_conn()
    return data[:MOST_KEPT]


def _since(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)
