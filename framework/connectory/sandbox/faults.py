"""Errors on demand: scripted one by one, drawn by a seed, or on every call."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from random import Random
from typing import TYPE_CHECKING, Any, Literal, Protocol

from .replies import html_reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from werkzeug.wrappers import Response

Place = Literal["api", "token"]


class ErrorReply(Protocol):
    """Makes an error reply in the provider's format; `details` are passed to its `error_body`.

    >>> from connectory.sandbox import Sandbox
    >>> refuse: ErrorReply = Sandbox().error
    >>> refuse(403, "not for you").json
    {'error': {'status': 403, 'message': 'not for you'}}
    """

    def __call__(self, status: int, message: str, **details: Any) -> Response: ...


@dataclass(frozen=True)
class Fault:
    """A fault of some kind; the meaning of `value` depends on the kind.

    `at` is the place where it applies, by default that of its kind.

    >>> Fault.parse("rate_limited=5"), Fault.parse("rate_limited=5").number(30), Fault("forbidden").number(30)
    (Fault(kind='rate_limited', value='5', at=None), 5.0, 30)
    """

    kind: str
    value: str = ""
    at: Place | None = None

    def number(self, default: float) -> float:
        try:
            return float(self.value)
        except ValueError:
            return default

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Read a fault as written on a command line: NAME or NAME=VALUE."""
        kind, _, value = text.partition("=")
        return cls(kind.strip(), value.strip())


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What a fault does: it answers `instead` of the provider, it changes the body (`flaw`), or it changes the finished
    reply (`damage`), which has its headers by then and may be compressed.

    If none of them is set, the code that makes the answer looks for the fault itself (`call.fault(name)`).

    A provider that answers 418:

    >>> answer = lambda fault, error, now: error(418, fault.value)
    >>> teapot = Kind(description="418; the value is the message", instead=answer)
    >>> from connectory.sandbox import Sandbox
    >>> fake = Sandbox(kinds={"teapot": teapot})
    >>> fake.break_with(["teapot=no tea"])
    >>> from werkzeug.test import Client
    >>> Client(fake).get("/orders").json
    {'error': {'status': 418, 'message': 'no tea'}}
    """

    description: str
    at: Place = "api"
    instead: Callable[[Fault, ErrorReply, datetime], Response] | None = None
    flaw: Callable[[Response, Fault], None] | None = None
    damage: Callable[[Response, Fault], None] | None = None


class Faults:
    """The faults of the calls to come. `kinds` are the known kinds by name.

    >>> faults = Faults(KINDS)
    >>> faults.script(["rate_limited=5", None, "server_error"])
    >>> [[fault.kind for fault in faults.draw("api")] for _ in range(4)]
    [['rate_limited'], [], ['server_error'], []]
    >>> faults.always(["fire"])
    Traceback (most recent call last):
    ValueError: 'fire' is not a known fault; the known ones are rate_limited, server_error, ...
    """

    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        self.kinds = kinds
        self.clear()

    def clear(self) -> None:
        self._scripts: dict[Place, deque[Fault | None]] = {"api": deque(), "token": deque()}
        self._always: tuple[Fault, ...] = ()
        self._drawn: tuple[Fault, ...] = ()
        self._rate = 0.0
        self._random = Random(0)

    def script(self, faults: Iterable[Fault | str | None]) -> None:
        """Append faults for the next calls, one for each call; None leaves one call of the API without a fault."""
        for item in faults:
            fault = None if item is None else self._known(item)
            self._scripts["api" if fault is None else self._place(fault)].append(fault)

    def random(self, rate: float, kinds: Iterable[Fault | str] | None = None, seed: int = 1) -> None:
        """Apply one of these kinds to a share of all calls (`rate`, 0 to 1); the same seed gives the same faults."""
        self._drawn = tuple(self._known(item) for item in (self.kinds if kinds is None else kinds))
        self._rate = rate
        self._random = Random(seed)

    def always(self, faults: Iterable[Fault | str]) -> None:
        self._always = tuple(self._known(item) for item in faults)

    def draw(self, place: Place) -> tuple[Fault, ...]:
        """The faults of one call."""
        found = [fault for fault in self._always if self._place(fault) == place]
        if self._scripts[place]:
            scripted = self._scripts[place].popleft()
            found += [scripted] if scripted else []
        elif chance := self._chance(place):
            found.append(chance)
        return tuple(found)

    def waiting(self) -> int:
        return sum(len(script) for script in self._scripts.values())

    def _chance(self, place: Place) -> Fault | None:
        drawn = [fault for fault in self._drawn if self._place(fault) == place]
        if not drawn or self._random.random() >= self._rate:
            return None
        return self._random.choice(drawn)

    def _place(self, fault: Fault) -> Place:
        return fault.at or self.kinds[fault.kind].at

    def _known(self, item: Fault | str) -> Fault:
        fault = Fault.parse(item) if isinstance(item, str) else item
        if fault.kind not in self.kinds:
            raise ValueError(f"{fault.kind!r} is not a known fault; the known ones are {', '.join(self.kinds)}")
        return fault


# The kinds of every sandbox


def _status(status: int, message: str) -> Callable[[Fault, ErrorReply, datetime], Response]:
    return lambda fault, error, now: error(int(fault.number(status)), message)


def _rate_limited(fault: Fault, error: ErrorReply, now: datetime) -> Response:
    reply = error(429, "too many requests")
    if fault.value == "date":
        reply.headers["Retry-After"] = format_datetime(now + timedelta(seconds=30), usegmt=True)
    elif fault.value != "bare":
        reply.headers["Retry-After"] = str(int(fault.number(30)))
    return reply


def _login_page(fault: Fault, error: ErrorReply, now: datetime) -> Response:
    return html_reply("Log in", "<form><input name=username></form>")


def _bad_gateway(fault: Fault, error: ErrorReply, now: datetime) -> Response:
    return html_reply("502 Bad Gateway", "<h1>Bad Gateway</h1>", 502)


def _cut(reply: Response, fault: Fault) -> None:
    body = reply.get_data()
    reply.set_data(body[: int(len(body) * fault.number(0.6))])


def _drop(reply: Response, fault: Fault) -> None:
    """Announce the whole length but send half the body, so that the server closes the connection."""
    body = reply.get_data()
    reply.response = [body[: len(body) // 2]]
    reply.headers["Content-Length"] = str(max(len(body), 1))


def _slow(reply: Response, fault: Fault) -> None:
    body = reply.get_data()
    # Keep the header: a dropped reply announces more than it has.
    promised = reply.headers.get("Content-Length", str(len(body)))
    reply.response = _trickle(body, fault.number(1))
    reply.headers["Content-Length"] = promised


def _lose(reply: Response, fault: Fault) -> None:
    if fault.value == "reply":
        _drop(reply, fault)


def _trickle(body: bytes, seconds: float, pieces: int = 5) -> Iterator[bytes]:
    step = len(body) // pieces + 1
    for start in range(0, len(body) or 1, step):
        time.sleep(seconds / pieces)
        yield body[start : start + step]


KINDS: Mapping[str, Kind] = {
    "rate_limited": Kind(
        description="429 with Retry-After; the value is its seconds (30), 'date' for an HTTP date, 'bare' for none",
        instead=_rate_limited,
    ),
    "server_error": Kind(description="500; the value is another status", instead=_status(500, "unexpected error")),
    "unavailable": Kind(description="503", instead=_status(503, "service unavailable")),
    "unauthorized": Kind(description="401, as for an expired token", instead=_status(401, "the token is not valid")),
    "forbidden": Kind(description="403", instead=_status(403, "access denied")),
    "bad_gateway": Kind(description="502 with HTML from the load balancer", instead=_bad_gateway),
    "login_html": Kind(description="a login page instead of JSON", instead=_login_page),
    "cut_json": Kind(description="200 with a cut body; the value is the share that is kept (0.6)", flaw=_cut),
    "dropped": Kind(description="the connection breaks in the middle of the body", damage=_drop),
    "slow": Kind(
        description="the body arrives slowly; the value is the number of seconds that it takes (1)", damage=_slow
    ),
    "empty_page": Kind(description="the page is empty, but its totals count the rows"),
    "hidden_rows": Kind(description="rows are missing from the page; the value is the share that is missing (0.5)"),
    "ignored_filter": Kind(description="the conditions of the query are ignored"),
    "token_error": Kind(
        description="the token endpoint answers 500; the value is another status",
        at="token",
        instead=_status(500, "unexpected error"),
    ),
    "lost_refresh_token": Kind(
        description="the refresh token is revoked, so renewing fails; with the value 'reply' it is renewed, "
        "but the reply is lost",
        at="token",
        damage=_lose,
    ),
}
"""The kinds of every sandbox by name; `Sandbox(kinds=...)` adds more."""
