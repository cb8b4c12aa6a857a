"""The sandbox with tables and routes: checks who calls, and finds the handler that answers."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from .call import Call
from .clock import utc_now
from .lists.resource import list_handler, record_handlers
from .lists.table import Row, Table
from .provider import Provider
from .replies import ApiError, json_reply
from .routes import Routes

if TYPE_CHECKING:
    from datetime import datetime

    from .faults import Kind
    from .lists.pages import Style
    from .switches import Switches

Handler = Callable[[Call], Any]
"""Answers a call with a response, a JSON value, or a JSON value and a status."""

Step = Callable[[Random], str]
"""Makes one change, as a person would, and returns what was done."""


class Sandbox(Provider):
    """A fake provider with tables and routes: a WSGI application whose state a test can read and change.

    >>> from connectory.sandbox import NumberedPages
    >>> sandbox = Sandbox()
    >>> orders = sandbox.table("orders", sample=lambda random, number: {"name": f"Order {number}"}, filled=25)
    >>> sandbox.resource("/api/orders", orders, NumberedPages(), records="items")
    >>> sandbox.configure = lambda base_url: {"base.url": f"{base_url}/api"}
    >>> sandbox.configuration("http://127.0.0.1:8092")
    {'base.url': 'http://127.0.0.1:8092/api'}
    >>> from werkzeug.test import Client
    >>> Client(sandbox).get("/api/orders").json["total"], [entry.rows for entry in sandbox.log.of("/api/orders")]
    (25, [20])

    `authenticate` returns the user of an API call, or raises `ApiError`. By default it accepts the live tokens of
    `oauth`, or everybody if there is no OAuth2 server. `Provider` describes the rest.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] = utc_now,
        seed: int = 1,
        switches: Switches | None = None,
        kinds: Mapping[str, Kind] | None = None,
    ) -> None:
        super().__init__(clock=clock, seed=seed, switches=switches, kinds=kinds)
        self.tables: dict[str, Table] = {}
        self.authenticate: Callable[[Request], str] = self._by_token
        self._habits: list[tuple[Step, float]] = []
        self._routes = Routes()

    # Building one

    def table(
        self,
        name: str,
        *,
        sample: Callable[[Random, int], Mapping[str, Any]] | None = None,
        filled: int = 0,
        **options: Any,
    ) -> Table:
        """Add a table. `sample` makes up the values of its n-th record: for the `filled` first ones, and for `step`.

        The other options are those of `Table`.
        """
        random = Random(f"{self.seed} {name}")
        table = Table(clock=self.clock, random=random, lock=self.lock, sample=sample, **options)
        table.commit_delay = self._switches.commit_delay
        self.tables[name] = table
        if sample is not None:
            for number in range(1, filled + 1):
                # One record an hour, the newest an hour old: these exist before the first poll.
                table.insert(sample(table.random, number), at=self.clock.now() - timedelta(hours=filled + 1 - number))
            self.habit(lambda random: f"created {name} {table.insert(sample(random, table.made + 1))[table.id]}", 1)
            self.habit(lambda random: _changed(random, name, table, sample), 2)
        return table

    def route(self, path: str, handler: Handler, *methods: str) -> None:
        """Answer a path such as `/orders/<order_id>`, GET by default. The handler finds the id in `call.values`."""
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
        """Answer a path with the records of a table, paged by `style`.

        `records` is the place of the records in the body; `""` means that they are the body. `where` decides which
        records match a call, and `show` returns what the call sees of a record.
        """
        self.route(path, list_handler(table.rows, style, records, where, show))

    def resource(self, path: str, table: Table, style: Style, **options: Any) -> None:
        """Answer a list and its single records: GET, POST, PUT, PATCH, DELETE. The options are those of `list`."""
        self.list(path, table, style, **options)
        for (suffix, methods), handler in record_handlers(table).items():
            self.route(f"{path}{suffix}", handler, *methods)

    def habit(self, step: Step, weight: float = 1) -> None:
        """Add a change that `step` may make; a greater weight makes it more frequent."""
        self._habits.append((step, weight))

    # The methods that `Provider` asks for

    def switched(self) -> None:
        for table in self.tables.values():
            table.commit_delay = self._switches.commit_delay

    def make_step(self) -> str:
        if not self._habits:
            raise RuntimeError("step() has nothing to do: give a table a `sample`, or call habit()")
        steps = [step for step, _ in self._habits]
        return self.random.choices(steps, [weight for _, weight in self._habits])[0](self.random)

    def records(self, name: str) -> Sequence[Row]:
        return list(self.tables[name].written.values())

    def insert(self, name: str, values: Mapping[str, Any], *, at: datetime | None = None) -> Row:
        return self.tables[name].insert(values, at=at)

    def update(self, name: str, record_id: str, values: Mapping[str, Any], *, at: datetime | None = None) -> Row:
        return self.tables[name].update(record_id, values, at=at)

    def delete(self, name: str, record_id: str, *, at: datetime | None = None) -> Row:
        return self.tables[name].delete(record_id, at=at)

    def sizes(self) -> Mapping[str, int]:
        return {name: len(table) for name, table in self.tables.items()}

    def handle(self, call: Call) -> Response:
        try:
            handler, values = self._routes.match(call.request.path, call.request.method)
            call.user = self.authenticate(call.request)
            call.values = values
            return as_reply(handler(call))
        except ApiError as error:
            return json_reply(self.error_body(error), error.status)
        except HTTPException as error:
            return self.error(error.code or 500, error.name)

    def _by_token(self, request: Request) -> str:
        if self.oauth is None:
            return "anybody"
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        user = self.oauth.authority.user_of(token) if kind.lower() == "bearer" else ""
        if not user:
            raise ApiError(401, "the access token is missing, unknown or expired")
        return user


def as_reply(answer: Any) -> Response:
    """The response for what a handler returned: a response, a JSON value, or a JSON value and a status.

    >>> as_reply({"id": "7"}).json, as_reply(({"id": "7"}, 201)).status_code
    ({'id': '7'}, 201)
    """
    if isinstance(answer, Response):
        return answer
    return json_reply(*answer) if isinstance(answer, tuple) else json_reply(answer)


def _changed(random: Random, name: str, table: Table, sample: Callable[[Random, int], Mapping[str, Any]]) -> str:
    """Change one field of a random record, as a person would."""
    if not table.written:
        return f"created {name} {table.insert(sample(random, 1))[table.id]}"
    row_id = random.choice(list(table.written))
    values = dict(sample(random, table.made))
    values.pop(table.id, None)
    fields = random.sample(sorted(values), 1) if values else []
    table.update(row_id, {field: values[field] for field in fields})
    return f"updated {name} {row_id}"


# Authentication


def api_key(key: str, *, header: str | None = None, query: str | None = None) -> Callable[[Request], str]:
    """For `Sandbox.authenticate`: accepts calls that carry the key, in a header or in the query.

    >>> check = api_key("k3y", header="X-Api-Key")
    >>> check(Request.from_values("/orders", headers={"X-Api-Key": "k3y"}))
    'key'
    >>> check(Request.from_values("/orders"))
    Traceback (most recent call last):
    connectory.sandbox.replies.ApiError: the API key is missing or wrong
    """

    def check(request: Request) -> str:
        given = request.headers.get(header, "") if header is not None else request.args.get(query or "", "")
        if not secrets.compare_digest(given.encode(), key.encode()):
            raise ApiError(401, "the API key is missing or wrong")
        return "key"

    return check


def basic(people: Mapping[str, str]) -> Callable[[Request], str]:
    """For `Sandbox.authenticate`: accepts HTTP Basic; `people` maps user names to passwords.

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
