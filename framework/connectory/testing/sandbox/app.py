"""The WSGI application: who calls, which handler answers, what goes wrong, and a note of it."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from email.utils import format_datetime
from random import Random
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from .browser import consent
from .call import SECRETS, Call
from .clock import Clock, utc_now
from .control import Control
from .faults import KINDS, Fault, Faults, Kind
from .log import Entry, RequestLog
from .replies import ApiError, json_reply
from .resource import list_handler, record_handlers
from .routes import Routes
from .switches import Switches
from .table import Table

if TYPE_CHECKING:
    from datetime import datetime

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from .oauth import OAuth2Server
    from .pages import Style

Handler = Callable[[Call], Any]
"""Answers a call with a response, or with what becomes one: a JSON value, or a value and a status."""

Step = Callable[[Random], str]
"""One change, as a person would make it; returns what was done."""


def _error_body(error: ApiError) -> Any:
    return {"error": {"status": error.status, "message": error.message, **error.details}}


class Sandbox:
    """A fake provider: a WSGI application with its state at hand.

    >>> from connectory.testing.sandbox import NumberedPages
    >>> sandbox = Sandbox()
    >>> orders = sandbox.table("orders", sample=lambda random, number: {"name": f"Order {number}"}, filled=25)
    >>> sandbox.resource("/api/orders", orders, NumberedPages(), records="items")
    >>> sandbox.configure = lambda base_url: {"base.url": f"{base_url}/api"}
    >>> sandbox.configuration("http://127.0.0.1:8092")
    {'base.url': 'http://127.0.0.1:8092/api'}
    >>> from werkzeug.test import Client
    >>> Client(sandbox).get("/api/orders").json["total"], [entry.rows for entry in sandbox.log.of("/api/orders")]
    (25, [20])

    Everything it answers from is guarded by `lock`. `authenticate` names the caller of an API call, or raises
    `ApiError`; by default whoever has a live token of `oauth`. `error_body` is how the provider writes an error.
    `configure` says what an instance needs to use it, beside the OAuth2 client. `finish` has the last word on a reply.
    """

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
        self.tables: dict[str, Table] = {}
        self.faults = Faults({**KINDS, **(kinds or {})})
        self.log = RequestLog()
        self.oauth: OAuth2Server | None = None
        self.authenticate: Callable[[Request], str] = self._by_token
        self.error_body: Callable[[ApiError], Any] = _error_body
        self.configure: Callable[[str], Mapping[str, Any]] = lambda base_url: {"base.url": base_url}
        self.finish: Callable[[Response, Call], None] = lambda reply, call: None
        self.steps = 0
        self._switches: Switches = switches or Switches()
        self._habits: list[tuple[Step, float]] = []
        self._routes = Routes()
        self._control = Control(self)

    # Building one

    @property
    def switches(self) -> Any:
        return self._switches

    @switches.setter
    def switches(self, switches: Switches) -> None:
        with self.lock:
            self._switches = switches
            for table in self.tables.values():
                table.commit_delay = switches.commit_delay

    def table(
        self,
        name: str,
        *,
        sample: Callable[[Random, int], Mapping[str, Any]] | None = None,
        filled: int = 0,
        **options: Any,
    ) -> Table:
        """A table of this sandbox. `sample` makes up the values of its n-th record: for the first ones, and for `step`.

        The other options are those of `Table`.
        """
        random = Random(f"{self.seed} {name}")
        table = Table(clock=self.clock, random=random, lock=self.lock, sample=sample, **options)
        table.commit_delay = self._switches.commit_delay
        self.tables[name] = table
        if sample is not None:
            for number in range(1, filled + 1):
                # One an hour, the last one an hour ago: what was there before anybody polled.
                table.insert(sample(table.random, number), at=self.clock.now() - timedelta(hours=filled + 1 - number))
            self.habit(lambda random: f"created {name} {table.insert(sample(random, table.made + 1))[table.id]}", 1)
            self.habit(lambda random: _changed(random, name, table, sample), 2)
        return table

    def route(self, path: str, handler: Handler, *methods: str) -> None:
        """Answer a path such as `/orders/<order_id>`, by default to GET. The part in brackets is in `call.values`."""
        self._routes.add(path, handler, methods or ("GET",))

    def list(
        self,
        path: str,
        table: Table,
        style: Style,
        *,
        records: str = "",
        where: Callable[[Mapping[str, Any], Call], bool] = lambda row, call: True,
        show: Callable[[Mapping[str, Any], Call], Any] = lambda row, call: row,
    ) -> None:
        """Answer a path with a table, cut by `style`. `records` is where they stand in the body (`""`: they are it).

        `where` says which records a call asks for, `show` what it is shown of each.
        """
        self.route(path, list_handler(table.rows, style, records, where, show))

    def resource(self, path: str, table: Table, style: Style, **options: Any) -> None:
        """A list, and its records one by one: GET, POST, PUT, PATCH, DELETE. The options are those of `list`."""
        self.list(path, table, style, **options)
        for (suffix, methods), handler in record_handlers(table).items():
            self.route(f"{path}{suffix}", handler, *methods)

    def habit(self, step: Step, weight: float = 1) -> None:
        """What people do now and then; see `step`."""
        self._habits.append((step, weight))

    # Using one: what a sandbox is asked by `connect`, see `hookspecs.connect_open_sandbox`

    def configuration(self, base_url: str) -> dict[str, Any]:
        """What an instance needs to use the sandbox behind this address."""
        return {**self._client(), **self.configure(base_url.rstrip("/"))}

    def consent(self, authorize_url: str) -> str:
        """Log in and press Allow. The address that the browser would then be sent to."""
        if self.oauth is None:
            raise RuntimeError("this sandbox has no OAuth2 server")
        username, password = next(iter(self.oauth.authority.people.items()))
        return consent(self, authorize_url, username=username, password=password)

    def step(self) -> str:
        """One change of one record, as somebody at work would make it."""
        with self.lock:
            if not self._habits:
                raise RuntimeError("nobody works here: give a table a sample, or the sandbox a habit")
            steps = [step for step, _ in self._habits]
            done = self.random.choices(steps, [weight for _, weight in self._habits])[0](self.random)
            self.steps += 1
            return done

    def break_with(self, faults: Sequence[str]) -> None:
        """Have these faults on every call, `NAME` or `NAME=VALUE`; ValueError names those that are known."""
        self.faults.always(faults)

    def error(self, status: int, message: str, **details: Any) -> Response:
        """An error in the provider's own words."""
        return json_reply(self.error_body(ApiError(status, message, **details)), status)

    # Answering

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        # Leaving the request closes the files that were uploaded with it.
        with Request(environ) as request:
            # A body is read before the lock is taken, so that a slow sender keeps nobody waiting.
            request.get_data(parse_form_data=True)
            with self.lock:
                reply = self._answer(request)
        return reply(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if request.path.startswith("/_sandbox/"):
            return self._control.answer(request)
        if self.oauth is not None and request.path in self._oauth_paths(self.oauth):
            return self._answer_oauth(self.oauth, request)
        call = Call(request=request, faults=self.faults.draw("api"))
        reply = self._instead(call.faults) or self._handled(call)
        for _ in range(self._switches.steps_per_call):
            self.step()
        return self._finished(reply, call)

    def _oauth_paths(self, oauth: OAuth2Server) -> set[str]:
        return {path for path in (oauth.authorize_path, oauth.token_path, oauth.revoke_path) if path is not None}

    def _answer_oauth(self, oauth: OAuth2Server, request: Request) -> Response:
        if request.path == oauth.authorize_path:
            return self._finished(oauth.authorize(request), Call(request=request))
        if request.path == oauth.revoke_path:
            return self._finished(oauth.revoke(request), Call(request=request))
        call = Call(request=request, faults=self.faults.draw("token"))
        return self._finished(self._instead(call.faults) or oauth.token(request, call.faults), call)

    def _handled(self, call: Call) -> Response:
        try:
            handler, values = self._routes.match(call.request.path, call.request.method)
            call.user = self.authenticate(call.request)
            call.values = values
            return as_reply(handler(call))
        except ApiError as error:
            return json_reply(self.error_body(error), error.status)
        except HTTPException as error:
            return self.error(error.code or 500, error.name)

    def _instead(self, faults: Sequence[Fault]) -> Response | None:
        for fault in faults:
            instead = self.faults.kinds[fault.kind].instead
            if instead is not None:
                return instead(fault, self.error, self.clock.now())
        return None

    def _finished(self, reply: Response, call: Call) -> Response:
        self.log.add(self._entry(reply, call))
        reply.headers["Date"] = format_datetime(self.clock.now(), usegmt=True)
        reply.headers["X-Request-Id"] = secrets.token_hex(8)
        self.finish(reply, call)
        for fault in call.faults:
            damage = self.faults.kinds[fault.kind].damage
            if damage is not None:
                damage(reply, fault)
            elif (fault.kind, fault.value) == ("lost_refresh_token", "reply"):
                KINDS["dropped"].damage(reply, fault)  # type: ignore[misc]
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

    def _by_token(self, request: Request) -> str:
        if self.oauth is None:
            return "anybody"
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        user = self.oauth.authority.user_of(token) if kind.lower() == "bearer" else ""
        if not user:
            raise ApiError(401, "the access token is missing, unknown or has ended")
        return user

    def _client(self) -> dict[str, str]:
        if self.oauth is None:
            return {}
        client = self.oauth.client
        return {"oauth.api.key": client.client_id, "oauth.api.secret": client.client_secret}


def as_reply(answer: Any) -> Response:
    """What a handler returns, as a response: a response as it is, a JSON value, or a value and a status.

    >>> as_reply({"id": "7"}).json, as_reply(({"id": "7"}, 201)).status_code
    ({'id': '7'}, 201)
    """
    if isinstance(answer, Response):
        return answer
    return json_reply(*answer) if isinstance(answer, tuple) else json_reply(answer)


def _changed(random: Random, name: str, table: Table, sample: Callable[[Random, int], Mapping[str, Any]]) -> str:
    """Somebody edits one field of some record."""
    if not table.written:
        return f"created {name} {table.insert(sample(random, 1))[table.id]}"
    row_id = random.choice(list(table.written))
    values = dict(sample(random, table.made))
    values.pop(table.id, None)
    fields = random.sample(sorted(values), 1) if values else []
    table.update(row_id, {field: values[field] for field in fields})
    return f"updated {name} {row_id}"


# Who calls


def api_key(key: str, *, header: str | None = None, query: str | None = None) -> Callable[[Request], str]:
    """For `Sandbox.authenticate`: whoever has the key, in a header or in the query.

    >>> check = api_key("k3y", header="X-Api-Key")
    >>> check(Request.from_values("/orders", headers={"X-Api-Key": "k3y"}))
    'key'
    >>> check(Request.from_values("/orders"))
    Traceback (most recent call last):
    connectory.testing.sandbox.replies.ApiError: the API key is missing or wrong
    """

    def check(request: Request) -> str:
        given = request.headers.get(header, "") if header is not None else request.args.get(query or "", "")
        if not secrets.compare_digest(given.encode(), key.encode()):
            raise ApiError(401, "the API key is missing or wrong")
        return "key"

    return check


def basic(people: Mapping[str, str]) -> Callable[[Request], str]:
    """For `Sandbox.authenticate`: whoever logs in with HTTP Basic; `people` are passwords by user name.

    >>> check = basic({"ann": "pw"})
    >>> check(Request.from_values("/orders", headers={"Authorization": "Basic YW5uOnB3"}))
    'ann'
    """

    def check(request: Request) -> str:
        given = request.authorization
        if given is None or given.type != "basic" or people.get(given.username or "") != given.password:
            raise ApiError(401, "the user name or the password is wrong")
        return given.username or ""

    return check
