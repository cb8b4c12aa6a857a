"""Sends one notification over HTTP."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import requests
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError as TransportError

from ..http import Sessions

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT = (5.0, 15.0)
MOST_KEPT = 1024
"""Bytes of an answer that are kept."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """`status` or `error`, one of them; `duration` is in milliseconds, `head` the first bytes of the answer."""

    status: int | None = None
    error: str | None = None
    retry_after: str | None = None
    duration: int
    head: bytes | None = None


class Sender(Protocol):
    def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Sent:
        """POST once; never raises for what the receiver does."""
        ...


class _Direct(Sessions):
    def proxies_for(self, url: str) -> Mapping[str, str]:
        return {}


class RequestsSender:
    """No redirects, no cookies, no proxies or passwords from the environment; the answer is read a little way."""

    def __init__(self, sessions: Sessions | None = None, timeout: tuple[float, float] = TIMEOUT) -> None:
        self._sessions = sessions or _Direct()
        self._timeout = timeout

    def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Sent:
        prepared = requests.PreparedRequest()
        prepared.method, prepared.body, prepared.hooks = "POST", body, {"response": []}
        prepared.prepare_url(url, None)
        prepared.headers = CaseInsensitiveDict(headers)
        prepared.headers["Content-Type"] = "application/json"
        prepared.headers["Content-Length"] = str(len(body))
        started = time.perf_counter()
        try:
            answer = self._sessions.send(prepared, self._timeout)
            head = answer.raw.read(MOST_KEPT, decode_content=True)
            _let_go(answer)
        except (requests.RequestException, TransportError, OSError) as error:
            return Sent(error=_plainly(error), duration=_since(started))
        return Sent(
            status=answer.status_code,
            retry_after=answer.headers.get("Retry-After"),
            duration=_since(started),
            head=head,
        )


def _let_go(answer: requests.Response) -> None:
    """Keep the connection if the answer was read to its end, else close it: draining could take for ever."""
    if answer.raw.read(1):
        answer.close()
    else:
        answer.raw.release_conn()


def _since(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)


def _plainly(error: Exception) -> str:
    text = str(error)
    if isinstance(error, requests.Timeout) or "timed out" in text:
        return "no answer in time"
    if "Connection refused" in text:
        return "the connection was refused"
    if "getaddrinfo" in text or "Name or service not known" in text or "NameResolution" in text:
        return "there is no such host"
    if isinstance(error, requests.exceptions.SSLError):
        return "no secure connection: the certificate is not trusted, or there is none"
    return f"the connection broke ({type(error).__name__})"
