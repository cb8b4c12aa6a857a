"""The part that all sandboxes share: faults, the log of requests, the clock, and the control surface."""

from __future__ import annotations

import secrets
import threading
from abc import ABC, abstractmethod
from email.utils import format_datetime
from random import Random
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from .browser import consent
from .call import SECRETS, Call
from .clock import Clock, utc_now
from .control import Control
from .faults import KINDS, Fault, Faults, Kind, Place
from .log import Entry, RequestLog
from .replies import ApiError, json_reply
from .switches import Switches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from .oauth import OAuth2Server


def _error_body(error: ApiError) -> Any:
    return {"error": {"status": error.status, "message": error.message, **error.details}}


class Provider(ABC):
    """A WSGI application that fakes a provider. A subclass decides which data it has and how it answers.

    `lock` guards all its state. `error_body` turns an error into the provider's JSON. `configure` returns the
    configuration keys of an instance, apart from those of the OAuth2 client. `settle` is called before each answer and
    makes the changes that are due by the clock; `finish` may change each reply last. `how` names the options that a
    write through the control surface may have, in addition to its moment `at`.

    `Sandbox` has tables and routes and is enough for most. A provider with a store of its own:

    >>> class Doorbell(Provider):
    ...     rings = 0
    ...     def handle(self, call): return json_reply({"rings": self.rings})
    ...     def make_step(self):
    ...         self.rings += 1
    ...         return "somebody rang"
    ...     def records(self, name): raise KeyError(name)
    ...     insert = update = delete = lambda self, name, *_, at=None: self.records(name)
    ...     def sizes(self): return {}
    ...     def switched(self): pass
    >>> doorbell = Doorbell()
    >>> doorbell.step()
    'somebody rang'
    >>> from werkzeug.test import Client
    >>> Client(doorbell).get("/").json
    {'rings': 1}
    """

    how: tuple[str, ...] = ()

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] = utc_now,
        seed: int = 1,
        switches: Switches | None = None,
        kinds: Mapping[str, Kind] | None = None,
    ) -> None:
        self.lock = threading.RLock()
        self.clock = clock if isinstance(clock, Clock) else Clock(clock)
        self.seed = seed
        self.random = Random(seed)
        self.faults = Faults({**KINDS, **(kinds or {})})
        self.log = RequestLog()
        self.oauth: OAuth2Server | None = None
        self.error_body: Callable[[ApiError], Any] = _error_body
        self.configure: Callable[[str], Mapping[str, Any]] = lambda base_url: {"base.url": base_url}
        self.settle: Callable[[], None] = lambda: None
        self.finish: Callable[[Response, Call], None] = lambda reply, call: None
        self.steps = 0
        self._switches: Switches = switches or Switches()
        self._control = Control(self)

    # For subclasses

    @abstractmethod
    def handle(self, call: Call) -> Response:
        """Answer a call of the API. Faults that replace the answer have been dealt with."""

    @abstractmethod
    def make_step(self) -> str:
        """Change one record, as a person at work would, and return what was done."""

    @abstractmethod
    def records(self, name: str) -> Sequence[Any]:
        """The records of a table as written. `KeyError` if there is no such table, here and below."""

    @abstractmethod
    def insert(self, name: str, values: Mapping[str, Any], *, at: datetime | None = None) -> Any:
        """Add a record to a table; `at` is the moment of the write, by default now."""

    @abstractmethod
    def update(self, name: str, record_id: str, values: Mapping[str, Any], *, at: datetime | None = None) -> Any:
        """Change some fields of a record."""

    @abstractmethod
    def delete(self, name: str, record_id: str, *, at: datetime | None = None) -> Any:
        """Delete a record, and return it."""

    @abstractmethod
    def sizes(self) -> Mapping[str, int]:
        """The number of records of each table."""

    @abstractmethod
    def switched(self) -> None:
        """Called after `switches` was replaced."""

    def lasting(self, request: Request) -> Iterable[Fault]:
        """Faults that follow from the switches; they apply to the login pages as well."""
        return ()

    # What `connect` asks of a sandbox, see `protocol`

    @property
    def switches(self) -> Any:
        return self._switches

    @switches.setter
    def switches(self, switches: Switches) -> None:
        with self.lock:
            self._switches = switches
            self.switched()

    def configuration(self, base_url: str) -> dict[str, Any]:
        """The configuration keys of an instance that uses the sandbox at this URL."""
        return {**self._client(), **self.configure(base_url.rstrip("/"))}

    @property
    def credentials(self) -> tuple[str, str] | None:
        """A user name and its password for the login pages; None if there are no such pages."""
        return None if self.oauth is None else next(iter(self.oauth.authority.people.items()), None)

    def consent(self, authorize_url: str) -> str:
        """Log in and press Allow; return the URL that the browser is redirected to."""
        if self.oauth is None:
            raise RuntimeError("this sandbox has no OAuth2 server")
        username, password = self.credentials or ("", "")
        return consent(self, authorize_url, username=username, password=password)

    def step(self) -> str:
        """Change one record, as a person at work would, and return what was done."""
        with self.lock:
            done = self.make_step()
            self.steps += 1
            return done

    def break_with(self, faults: Sequence[str]) -> None:
        """Apply these faults, `NAME` or `NAME=VALUE`, to every call. `ValueError` lists the known ones."""
        self.faults.always(faults)

    def error(self, status: int, message: str, **details: Any) -> Response:
        """An error in the provider's own words."""
        return json_reply(self.error_body(ApiError(status, message, **details)), status)

    # Answering

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        # Leaving the request closes the files that were uploaded with it.
        with Request(environ) as request:
            # Read the body before the lock is taken, so that a slow client does not block the others.
            request.get_data(parse_form_data=True)
            with self.lock:
                self.settle()
                reply = self._answer(request)
        return reply(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if request.path.startswith("/_sandbox/"):
            return self._control.answer(request)
        place, answer = self._door(request)
        call = Call(request=request, faults=tuple(self.lasting(request)))
        reply = self._instead(call)
        if reply is None and place is not None:
            call.faults += self.faults.draw(place)
            reply = self._instead(call)
        reply = reply or answer(call)
        if place == "api":
            for _ in range(self._switches.steps_per_call):
                self.step()
        return self._finished(reply, call)

    def _door(self, request: Request) -> tuple[Place | None, Callable[[Call], Response]]:
        """What answers a request, and where its faults are taken from; None means that it has none."""
        oauth = self.oauth
        if oauth is not None and request.path == oauth.authorize_path:
            return None, lambda call: oauth.authorize(call.request)
        if oauth is not None and request.path == oauth.revoke_path:
            return None, lambda call: oauth.revoke(call.request)
        if oauth is not None and request.path == oauth.token_path:
            return "token", lambda call: oauth.token(call.request, call.faults)
        return "api", self.handle

    def _instead(self, call: Call) -> Response | None:
        for fault in call.faults:
            instead = self.faults.kinds[fault.kind].instead
            if instead is not None:
                return instead(fault, self.error, self.clock.now())
        return None

    def _finished(self, reply: Response, call: Call) -> Response:
        self.log.add(self._entry(reply, call))
        kinds = [(fault, self.faults.kinds[fault.kind]) for fault in call.faults]
        for fault, kind in kinds:
            if kind.flaw is not None:
                kind.flaw(reply, fault)
        reply.headers["Date"] = format_datetime(self.clock.now(), usegmt=True)
        reply.headers["X-Request-Id"] = secrets.token_hex(8)
        self.finish(reply, call)
        for fault, kind in kinds:
            if kind.damage is not None:
                kind.damage(reply, fault)
        return reply

    def _entry(self, reply: Response, call: Call) -> Entry:
        request = call.request
        return Entry(
            at=self.clock.now(),
            method=request.method,
            path=request.path,
            params={name: value for name, value in request.args.items() if name not in SECRETS},
            status=reply.status_code,
            user=call.user,
            grant=request.form.get("grant_type", ""),
            faults=tuple(fault.kind for fault in call.faults),
            rows=call.rows,
        )

    def _client(self) -> dict[str, str]:
        if self.oauth is None:
            return {}
        client = self.oauth.client
        return {"oauth.api.key": client.client_id, "oauth.api.secret": client.client_secret}
