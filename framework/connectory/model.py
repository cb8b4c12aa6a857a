"""The facts that the rest of Connectory passes around: frozen, keyword-only, no I/O.

An `Element` and its `Resource`s are what a plugin knows about a provider. `Request`, `Response`, `Page` and
`Verdict` are one exchange with it. `PollerEntry`, `Query` and `Window` say what one poll asks for, and
`Event` is what it found.
"""

from __future__ import annotations

import email.utils
import enum
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

if TYPE_CHECKING:
    from marshmallow import Schema

    from .ceql import Expression
    from .deletes import Deletes
    from .http import Client
    from .ratelimits import Limit


Params = tuple[tuple[str, str], ...]
"""The parameters of a request in their order, not yet encoded: `(("limit", "50"), ("status", "open"))`."""

Config = Mapping[str, Any]
"""An instance's configuration: flat dotted keys, loaded values; secrets are `Secret`s."""

Endpoint = str | Callable[[Config], str]
"""A URL, or what builds it from an instance's configuration."""


def resolve_endpoint(endpoint: Endpoint, config: Config) -> str:
    return endpoint if isinstance(endpoint, str) else endpoint(config)


# One exchange with a provider


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A request relative to the instance's base URL; `path` starts with `/`, params are not yet encoded.

    >>> first = Request(path="/orders", params=(("limit", "50"),))
    >>> first.with_params(offset="50", limit=None).params
    (('offset', '50'),)
    """

    method: str = "GET"
    path: str
    params: Params = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None

    def with_params(self, **changes: str | None) -> Request:
        """The same request with these parameters set, or taken away where the value is None."""
        kept = tuple((name, value) for name, value in self.params if name not in changes)
        added = tuple((name, value) for name, value in changes.items() if value is not None)
        return replace(self, params=kept + added)

    def param(self, name: str) -> str | None:
        return next((value for key, value in self.params if key == name), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Response:
    """What came back: `headers` is case-insensitive, `body` is decoded (gzip) and whole.

    >>> answer = Response(status=200, headers={"Date": "Thu, 01 Jan 2026 12:00:00 GMT"}, body=b'{"items": []}')
    >>> answer.json(), answer.date.isoformat()
    ({'items': []}, '2026-01-01T12:00:00+00:00')
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str = ""

    @property
    def content_type(self) -> str:
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    @property
    def date(self) -> datetime | None:
        """The provider's own clock, from the HTTP `Date` header (one-second resolution)."""
        value = self.headers.get("Date")
        if not value:
            return None
        try:
            moment = email.utils.parsedate_to_datetime(value)
        except ValueError:
            return None
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)

    def json(self) -> Any:
        """The body as JSON; raises `msgspec.DecodeError` where it is none."""
        return msgspec.json.decode(self.body)


class Action(enum.Enum):
    """What to do with a response.

    >>> judge_by_status(Response(status=503, headers={}, body=b"")).action
    <Action.RETRY: 'retry'>
    """

    ACCEPT = "accept"
    EMPTY = "empty"
    """Accept it as a list without rows, whatever the body says."""
    RENEW = "renew"
    """The access token was refused: renew it once, send the request once more."""
    RETRY = "retry"
    """Nothing is wrong with the request: the same one may succeed later."""
    SHRINK = "shrink"
    """Like RETRY, but the page was too heavy: ask for half of it."""
    FAIL = "fail"


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """`reason` is for people; `retry_after` is in seconds; `hint` says what to do about it.

    >>> def judge(response: Response) -> Verdict:
    ...     if response.status == 402:
    ...         return Verdict(action=Action.FAIL, reason="the trial is over", hint="subscribe at acme.example/plans")
    ...     return judge_by_status(response)
    >>> judge(Response(status=402, headers={}, body=b"")).reason
    'the trial is over'
    """

    action: Action
    reason: str = ""
    retry_after: float | None = None
    hint: str | None = None
    provider_message: str | None = None


ACCEPT = Verdict(action=Action.ACCEPT)

Judge = Callable[[Response], Verdict]


Place = tuple[str, str]
"""A record's id and updated stamp, as the provider wrote them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """What a paginator is told of the page it asked for.

    `rows` counts the usable records in it; `last` holds the id and the updated stamp of the last usable one, as the
    provider wrote them, and `places()` those of all of them.

    >>> page = Page(response=Response(status=200, headers={}, body=b"[]"), rows=2, last=("17", "2026-01-01T12:00:00Z"))
    >>> page.rows, page.last, list(page.places())
    (2, ('17', '2026-01-01T12:00:00Z'), [])
    """

    response: Response
    rows: int
    last: Place | None = None
    places: Callable[[], Sequence[Place]] = tuple


class Paginator(Protocol):
    """Walks a list: yields the request for each page, is sent the page, returns when there are no more.

    One paginator object serves all instances at once, so the state of a walk lives in the generator.

    Pages by a number in the path, which none of the ready-made ones knows:

    >>> class NumberInPath:
    ...     def walk(self, request: Request, query: Query) -> Generator[Request, Page, None]:
    ...         number, page = 1, None
    ...         while page is None or page.rows:
    ...             page = yield replace(request, path=f"{request.path}/{number}")
    ...             number += 1
    >>> walk = NumberInPath().walk(Request(path="/orders"), Query(page_size=2))
    >>> next(walk).path
    '/orders/1'
    >>> walk.send(Page(response=Response(status=200, headers={}, body=b"[1, 2]"), rows=2)).path
    '/orders/2'
    >>> list(walk) if walk.gi_frame is None else "there is more"
    'there is more'
    """

    def walk(self, request: Request, query: Query) -> Generator[Request, Page, None]: ...


# What a plugin knows


class Pkce(enum.Enum):
    """Whether the consent carries a code challenge: `OFF` for providers that refuse one.

    >>> oauth = OAuth2(authorize_url="https://acme.example/a", token_url="https://acme.example/t", pkce=Pkce.REQUIRED)
    >>> oauth.pkce.value
    'required'
    """

    OFF = "off"
    OPTIONAL = "optional"
    REQUIRED = "required"


@dataclass(frozen=True, kw_only=True, slots=True)
class OAuth2:
    """A provider's OAuth2 endpoints and habits.

    `client_auth` is where the client id and secret travel on token calls: `basic` (header) or `body`.
    `is_dead(response)` says whether a refused refresh means that a person must consent again; by default every
    400 and 401 does. A refresh token that nobody has used for `keep_alive` is renewed, so that it does not end.

    >>> oauth = OAuth2(
    ...     authorize_url=lambda config: config["acme.url"] + "/oauth/authorize",
    ...     token_url="https://login.acme.example/oauth/token",
    ...     scope="orders:read",
    ...     client_auth="body",
    ...     keep_alive=timedelta(days=14),
    ... )
    >>> resolve_endpoint(oauth.authorize_url, {"acme.url": "https://acme.example"})
    'https://acme.example/oauth/authorize'
    """

    authorize_url: Endpoint
    token_url: Endpoint
    revoke_url: Endpoint | None = None
    scope: str | None = None
    client_auth: str = "basic"
    pkce: Pkce = Pkce.OPTIONAL
    authorize_params: Params = ()
    is_dead: Callable[[Response], bool] = lambda response: response.status in {400, 401}
    keep_alive: timedelta | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Resource:
    """One list that an instance offers, such as `incidents`.

    `path` is relative to the element's base URL. `*_field` are JSON paths into a record; `version_field` is the
    provider's own change counter, where it has one. `records_path` is where the list sits in the body (`""`: the body
    is the list). `poller` is the default entry of `event.poller.configuration`; None: not polled unless configured.
    `deletes` is how deletions are found, one of those in `deletes`; None: they cannot be.

    >>> STAMP = "yyyy-MM-dd'T'HH:mm:ss'Z'"
    >>> orders = Resource(
    ...     name="orders",
    ...     path="/v1/orders",
    ...     records_path="data.items",
    ...     updated_field="updated_at",
    ...     poller={
    ...         "url": f"/hubs/ecommerce/orders?where=updated_at>='${{gmtDate:{STAMP}}}'",
    ...         "idField": "id",
    ...         "datesConfiguration": {"updatedDateField": "updated_at", "updatedDateFormat": STAMP},
    ...     },
    ... )
    >>> orders.id_field, orders.poller["url"]
    ('id', "/hubs/ecommerce/orders?where=updated_at>='${gmtDate:yyyy-MM-dd'T'HH:mm:ss'Z'}'")
    """

    name: str
    path: str
    params: Params = ()
    id_field: str = "id"
    updated_field: str | None = None
    created_field: str | None = None
    version_field: str | None = None
    records_path: str = ""
    paginator: Paginator | None = None
    poller: Mapping[str, Any] | None = None
    deletes: Deletes | None = None
    description: str = ""


def judge_by_status(response: Response) -> Verdict:
    """The verdict for a provider that uses HTTP statuses as everybody does.

    >>> judge_by_status(Response(status=429, headers={"Retry-After": "30"}, body=b"")).retry_after
    30.0
    >>> judge_by_status(Response(status=404, headers={}, body=b"")).action.name
    'FAIL'
    """
    status = response.status
    if status < 300:
        return ACCEPT
    if status == 401:
        return Verdict(action=Action.RENEW, reason="the provider refused the access token")
    if status == 429 or status >= 500:
        return Verdict(action=Action.RETRY, reason=f"the provider answered {status}", retry_after=retry_after(response))
    return Verdict(action=Action.FAIL, reason=f"the provider answered {status}")


def retry_after(response: Response) -> float | None:
    """Seconds from the `Retry-After` header, which holds either seconds or an HTTP date; never negative."""
    value = response.headers.get("Retry-After", "").strip()
    if not value:
        return None
    if value.isdigit():
        return float(value)
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - (response.date or datetime.now(UTC))).total_seconds())


@dataclass(frozen=True, kw_only=True, slots=True)
class Element:
    """A provider, as its plugin describes it.

    `config_schema` is a marshmallow schema whose fields are the element's own configuration keys (`data_key` holds the
    dotted name; `metadata={"secret": True}` marks a secret). `probe` is a cheap request that proves that a login works.
    `settle` is how far behind the provider's own clock a poll stops, and `overlap` how far behind the last poll it
    starts: together they catch records that become visible late. `account` makes a cheap request and names the account
    that is logged in, empty where the provider does not say; a new login must be of the same one. `limits` are what the
    provider allows one account, which `account_key` tells from others: by default, by its host and OAuth2 client.

    `page_size` is in records.

    >>> from marshmallow import Schema
    >>> acme = Element(
    ...     key="acme",
    ...     name="Acme Shop",
    ...     hub="ecommerce",
    ...     base_url="https://api.acme.example/v1",
    ...     config_schema=Schema,
    ...     probe=Request(path="/orders", params=(("limit", "1"),)),
    ... )
    >>> acme.settle, acme.overlap, acme.page_size
    (datetime.timedelta(seconds=5), datetime.timedelta(seconds=60), 1000)
    """

    key: str
    name: str
    hub: str
    base_url: Endpoint
    config_schema: type[Schema]
    id: int | None = None
    description: str = ""
    image: str = ""
    oauth: OAuth2 | None = None
    judge: Judge = judge_by_status
    paginator: Paginator | None = None
    probe: Request | None = None
    headers: tuple[tuple[str, str], ...] = (("Accept", "application/json"),)
    page_size: int = 1000
    settle: timedelta = timedelta(seconds=5)
    overlap: timedelta = timedelta(seconds=60)
    account: Callable[[Client], str] | None = None
    limits: tuple[Limit, ...] = ()
    account_key: Callable[[Config], str] | None = None


# What one poll asks for


@dataclass(frozen=True, kw_only=True, slots=True)
class DatesConfiguration:
    """`datesConfiguration` of a poller entry: JSON paths, SimpleDateFormat patterns, zones for zone-less values."""

    updated_field: str | None = None
    updated_format: str | None = None
    updated_timezone: str | None = None
    created_field: str | None = None
    created_format: str | None = None
    created_timezone: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackDeletes:
    """`trackDeletes` of a poller entry; None stands for what the resource's way of finding deletions does by itself.

    `max_share` of the known objects, or 5 where that is more, may vanish in one sweep without a person's consent.
    """

    interval: timedelta | None = None
    max_share: float = 0.1
    confirm: bool | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackChanges:
    """`trackChanges` of a poller entry: events name the fields that changed, and give their `previous` values."""

    previous: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class PollerEntry:
    """One resource of `event.poller.configuration`. Durations that the platform writes in seconds are timedeltas."""

    url: str
    id_field: str = ""
    dates: DatesConfiguration = field(default_factory=DatesConfiguration)
    filter_by_updated_date: bool = True
    filter_by_current_date: bool = False
    created_check_tolerance: timedelta = timedelta(0)
    page_size: int | None = None
    poll_delay: timedelta = timedelta(0)
    overlap: timedelta | None = None
    track_deletes: TrackDeletes | None = None
    track_changes: TrackChanges | None = None
    ignore_fields: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """The span of updated stamps that a poll must cover, both ends included; aware UTC.

    >>> window = Window(start=datetime(2026, 1, 1, 12, tzinfo=UTC), end=datetime(2026, 1, 1, 12, 15, tzinfo=UTC))
    >>> window.end - window.start
    datetime.timedelta(seconds=900)
    """

    start: datetime
    end: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """A list request in the platform's terms, for `connect_translate_query` and the paginator.

    `params` are what stood in the URL beside `where`, untouched. `window` is None outside of polling.

    >>> from connectory import parse_ceql
    >>> query = Query(expression=parse_ceql("status = 'open'"), params=(("embed", "lines"),), page_size=100)
    >>> query.params, query.window
    ((('embed', 'lines'),), None)
    """

    expression: Expression | None = None
    params: Params = ()
    page_size: int
    window: Window | None = None


# What a poll found


class EventType(enum.StrEnum):
    CREATED = "CREATED"
    UPDATED = "UPDATED"
    DELETED = "DELETED"


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """`sequence` counts the events of one object from 1; `date` is the object's updated stamp, aware UTC.

    `raw` is the record as the provider wrote it, JSON bytes.
    """

    type: EventType
    resource: str
    object_id: str
    date: datetime
    sequence: int
    version: str
    raw: bytes
