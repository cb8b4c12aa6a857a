"""Ways to find what was deleted. A plugin puts one of them on `Resource.deletes`; users opt in per poller entry.

* `AuditLog`: the provider keeps a log of deletions, which is read as a list (ServiceNow's `sys_audit_delete`).
* `Feed`: the resource's own list can show what was deleted since a moment (Sage's `deleted_since`).
* `Sweep`: the provider has neither. All ids are listed from time to time, and an id that is missing was deleted.

A log and a feed prove each deletion by an entry. A sweep proves it by absence, so it counts only if the listing is
provably complete; `proof.Proof` decides that. Nothing here sends requests.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .model import Params, Resource, Response
from .model import Sender as Sender  # noqa: PLC0414 - it may be imported from here, too
from .path import Path

Total = Callable[[Response], int | None]
"""Reads from a page how many records the provider counts; None if the page does not say."""


class Counts(enum.Enum):
    """What a provider counts on each page of a list.

    >>> Sweep(params=(("sort", "id"),), total=total_in_header("X-Total-Count"), counts=Counts.REST).counts.value
    'rest'
    """

    WHOLE = "whole"
    """All records of the list, the same number on each page."""
    REST = "rest"
    """Only the records from this page on. A list in keyset pages counts them so."""


def total_in_header(name: str) -> Total:
    """The count in a header, such as `X-Total-Count`.

    None if the header is missing or is not a number.

    >>> read = total_in_header("X-Total-Count")
    >>> read(Response(status=200, headers={"X-Total-Count": "230"}, body=b"[]"))
    230
    >>> read(Response(status=200, headers={}, body=b"[]")) is None
    True
    """

    def read(response: Response) -> int | None:
        return _count(response.headers.get(name))

    return read


def total_in_body(path: str) -> Total:
    """The count at a JSON path of the body, such as `$total` or `meta.total`.

    None if the body has no number there.

    >>> read = total_in_body("$total")
    >>> read(Response(status=200, headers={}, body=b'{"$total": 230, "$items": []}'))
    230
    >>> read(Response(status=200, headers={}, body=b"[]")) is None
    True
    """
    place = Path.parse(path)

    def read(response: Response) -> int | None:
        value = place.find_in(response.body)
        return value if type(value) is int and value >= 0 else None

    return read


def _count(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None


@dataclass(frozen=True, kw_only=True, slots=True)
class LogPart:
    """A part of a log of deletions that one list request can ask for.

    `accepts` is called with each entry, a decoded object. If it refuses an entry, the provider ignored the filter of
    the request: the reading stops with an error, and nothing is announced.

    >>> part = LogPart(
    ...     log=Resource(name="removals", path="/audit", params=(("class", "order"),)),
    ...     accepts=lambda entry: entry["class"] == "order",
    ... )
    >>> part.accepts({"class": "order", "object": "17"}), part.accepts({"class": "customer", "object": "4"})
    (True, False)
    """

    log: Resource
    accepts: Callable[[Mapping[str, Any]], bool] = lambda entry: True


def whole_log(log: Resource, sender: Sender, now: datetime) -> Sequence[LogPart]:
    return [LogPart(log=log)]


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditLog:
    """A log of deletions that is a list of its own.

    `log` describes the list as a resource: `id_field` is the path of the entry's id, and `updated_field` the path of
    the moment of the deletion, which `date_format` (a SimpleDateFormat pattern) and `date_timezone` read. Use the
    `params` of the log to ask only for the fields that are needed. `object_field` is the JSON path of the deleted
    object's id. `query` is the part of the log's poll URL after the `?`. It may contain a template and a `where`.
    Leave it empty if the element's `connect_translate_query` adds the window to every list that has an
    `updated_field`. `parts(log, sender, now)` may ask the provider which classes of objects to look for, and split a
    long list of them into several requests. It is called before each reading, so it should cache its answer.
    `interval` is the shortest time between two readings (0: read with every poll). A reading starts `overlap` before
    the last one; choose it longer than an entry can take to appear. `kept` is how long the provider keeps entries; a
    reading after a longer pause gives a warning. With `confirm`, a GET by id, of the resource's path and `item_path`,
    checks before each DELETED that the object is really gone. `caveat` tells users which rights the log needs and what
    it does not show.

    Errors: a `ProviderError` for a page that cannot be read, an entry without a readable moment, an entry from before
    the window, and an entry that its part refuses. If the provider counts more entries than it shows, there is a
    warning. In all of these cases the next reading starts at the same place.

    >>> removals = AuditLog(
    ...     log=Resource(name="removals", path="/audit", params=(("kind", "removal"),), updated_field="at"),
    ...     object_field="object.id",
    ...     date_format="yyyy-MM-dd'T'HH:mm:ss'Z'",
    ...     query="since=${gmtDate:yyyy-MM-dd'T'HH:mm:ss'Z'}",
    ...     total=total_in_header("X-Total-Count"),
    ...     caveat="Needs the right to read the audit log.",
    ... )
    >>> Resource(name="orders", path="/orders", deletes=removals).deletes.object_field
    'object.id'
    """

    log: Resource
    object_field: str
    date_format: str
    date_timezone: str | None = None
    query: str = ""
    parts: Callable[[Resource, Sender, datetime], Sequence[LogPart]] = whole_log
    total: Total | None = None
    counts: Counts = Counts.WHOLE
    interval: timedelta = timedelta(0)
    overlap: timedelta = timedelta(minutes=5)
    kept: timedelta | None = None
    item_path: str = "/{id}"
    confirm: bool = False
    caveat: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Feed:
    """A parameter of the resource's own list that makes it show deleted records instead.

    `query` is the part of a poll URL after the `?`, with a template for the moment. The bound may be inclusive or
    strict (see `Resource.bound`), because deletions that are known already are not announced again.
    `date_field` (a JSON path), `date_format` and `date_timezone` read the moment of the deletion. A record without this
    moment was not deleted: an API that does not know the parameter answers with the existing records. Then the reading
    stops with a `ProviderError`, and nothing is announced. The other fields are those of `AuditLog`.

    >>> deleted = Feed(
    ...     query="deleted_since=${gmtDate:yyyy-MM-dd'T'HH:mm:ss'Z'}&attributes=deleted_at",
    ...     date_field="deleted_at",
    ...     date_format="yyyy-MM-dd'T'HH:mm:ss'Z'",
    ...     total=total_in_body("$total"),
    ... )
    >>> Resource(name="orders", path="/orders", deletes=deleted).deletes.overlap
    datetime.timedelta(seconds=120)
    """

    query: str
    date_field: str
    date_format: str
    date_timezone: str | None = None
    total: Total | None = None
    counts: Counts = Counts.WHOLE
    interval: timedelta = timedelta(0)
    overlap: timedelta = timedelta(minutes=2)
    kept: timedelta | None = None
    item_path: str = "/{id}"
    confirm: bool = False
    caveat: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sweep:
    """A listing of all ids of the resource. An object that is known but not listed was deleted.

    `params` are added to those of the resource and replace parameters of the same name. Use them to ask for the id
    only and, if necessary, for an order. `total` and `counts` say what the provider counts. `ascending` is true for a
    list in the order of the ids as text; then a page in another order shows that the provider ignored the query.
    A sweep announces deletions only if every page was read to its end and every counted record was shown. With
    `confirm`, each missing object is asked for by a GET of the resource's path and `item_path`, and 404 or 410 proves
    the deletion. Without it, an object must be missing from two complete sweeps in a row.
    `interval` is the time between two sweeps.

    An object that no longer matches the resource's filter is also missing. `confirm` finds that it still exists;
    without `confirm` it counts as deleted. An object that the login can no longer see looks deleted too.
    `trackDeletes` limits the share of objects that may vanish at once, in case the login lost a role.

    >>> ids = Sweep(params=(("fields", "id"), ("sort", "id")), total=total_in_header("X-Total-Count"))
    >>> ids.interval, ids.confirm
    (datetime.timedelta(days=1), True)
    """

    params: Params = ()
    total: Total | None = None
    counts: Counts = Counts.WHOLE
    ascending: bool = False
    page_size: int | None = None
    interval: timedelta = timedelta(days=1)
    item_path: str = "/{id}"
    confirm: bool = True
    caveat: str = ""


Deletes = AuditLog | Feed | Sweep
