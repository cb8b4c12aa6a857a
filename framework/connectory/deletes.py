"""Ways to learn what was deleted. A plugin puts one of them on `Resource.deletes`; users opt in per poller entry.

* `AuditLog`: the provider keeps a log of deletions, which is a list like any other (ServiceNow's `sys_audit_delete`).
* `Feed`: the resource's own list tells what was deleted since a moment (Sage's `deleted_since`).
* `Sweep`: there is nothing of the kind. All ids are listed now and then, and those that are missing are deleted.

A log and a feed prove each deletion by an entry of their own. A sweep proves it by absence, so it counts only where
the listing is provably complete; `Proof` decides that. Nothing here talks to a provider.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from .model import Params, Resource, Response
from .path import Path

if TYPE_CHECKING:
    from .model import Request

Total = Callable[[Response], int | None]
"""Reads from a page how many records the provider counts; None where it does not say."""


class Counts(enum.Enum):
    """What a provider counts on each page of a list.

    >>> Sweep(params=(("sort", "id"),), total=total_in_header("X-Total-Count"), counts=Counts.REST).counts.value
    'rest'
    """

    WHOLE = "whole"
    """All records of the list, the same number on each page."""
    REST = "rest"
    """The records from the page's first one on: what a list counts that is asked for in keyset pages."""


def total_in_header(name: str) -> Total:
    """The count in a header, such as `X-Total-Count`.

    None where the header is missing or no number.

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


class Sender(Protocol):
    """What a strategy may ask the provider with: it signs as the instance and keeps to its limits."""

    def send(self, request: Request) -> Response:
        """The answer, where it is one to go on with; else a `ConnectoryError`."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class LogPart:
    """A part of a log of deletions that one list request can ask for.

    `accepts` is asked about each entry, a decoded object. An entry that it refuses shows that the provider ignored the
    request's filter; the reading stops with an error, and nothing is announced.

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

    `log` describes it as any resource: `id_field` names the entry, `updated_field` the moment of the deletion, which
    `date_format` (a SimpleDateFormat pattern) and `date_timezone` read. Make it light with `params`.
    `object_field` is the entry's field with the id of the deleted object.
    `query` is what stands behind the `?` of the log's poll URL. It may hold a template and a `where`; it stays empty
    where the element's `connect_translate_query` adds the window to every list that has an `updated_field`.
    `parts(log, sender, now)` may ask the provider which classes of objects count, and cut a long list of them into
    several requests. It is called before each reading, so it should cache.
    `interval` is the shortest time between two readings (0: with every poll), `overlap` how far behind the last one a
    reading starts: longer than an entry can take to appear. `kept` is how long the provider keeps entries; a reading
    that comes later than that says so. `item_path` is appended to the resource's path for a GET by id; `confirm` asks
    by it before each DELETED whether the object is really gone. `caveat` tells users which rights it takes, and what
    it cannot see.

    Errors: a page that cannot be read, an entry without a readable moment, one from before the window, and one that
    its part refuses are `ProviderError`s. Entries that the provider counts and does not show are a warning. In all of
    these cases the next reading starts at the same place.

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
    """A parameter of the resource's own list that makes it list what was deleted instead.

    `query` is what stands behind the `?` of a poll URL, with a template for the moment. Whether the provider's bound is
    inclusive or exclusive does not matter: the moment is stepped back by one unit of its pattern, and what was known
    already is not announced again.
    `date_field`, `date_format` and `date_timezone` read the moment of the deletion. A record without one is no
    deletion: an API that does not know the parameter would answer with the records that are there, so it stops the
    reading with a `ProviderError`, and nothing is announced. The other fields are those of `AuditLog`.

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
    """A listing of all ids of the resource; those that are known and not in it are deleted.

    `params` are added to the resource's and replace those of the same name: they ask for the id alone and, if need be,
    for an order. `total` and `counts` say what the provider counts. `ascending` is true of a list in the order of the
    ids, as text: a page that breaks it shows that the provider ignored the query.
    A sweep announces nothing unless every page was read to its end and each record that the provider counts was
    shown. `confirm` asks for each missing object by a GET of `item_path`, appended to the resource's path, and takes
    404 or 410 as proof; without it an object must be missing from two complete sweeps in a row.
    `interval` is the time between two sweeps.

    An object that leaves the resource's own filter is missing as well: with `confirm` it is found to be there, without
    it counts as deleted. What a login may not even count (a rule that narrows its queries) looks deleted; the share of
    objects that may vanish at once guards against a role that was lost.

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


@dataclass(kw_only=True, slots=True)
class Proof:
    """Watches a listing page by page and says why it cannot be taken as complete. Pure.

    `doubt` is the first reason found, None so far where there is none.
    """

    total: Total | None
    counts: Counts
    page_size: int
    ascending: bool = False
    doubt: str | None = None
    listed: int = 0
    pages: int = 0
    _counted: int | None = field(default=None)
    _last: str = ""

    def see(self, response: Response, ids: Sequence[str | None]) -> None:
        """One page: the ids of its records, None for one that shows none."""
        self.pages += 1
        self.listed += len(ids)
        self.doubt = self.doubt or self._doubt(response, ids)

    def end(self, distinct: int) -> str | None:
        """The list has ended; `distinct` counts the objects on all its pages. Why it is not complete, or None."""
        return self.doubt or self._doubt_end(distinct)

    def _doubt(self, response: Response, ids: Sequence[str | None]) -> str | None:
        if response.status >= 300:
            return f"the provider answered {response.status} instead of a page"
        if None in ids:
            return f"{ids.count(None)} records of a page do not show their id"
        return self._doubt_count(response, len(ids)) or self._doubt_order(ids)

    def _doubt_count(self, response: Response, shown: int) -> str | None:
        if self.total is None:
            return None
        counted = self.total(response)
        if counted is None:
            return "the provider does not say how many records there are"
        before, self._counted = self._counted, counted
        if self.counts is Counts.WHOLE:
            moved = before is not None and before != counted
            return f"the number of records went from {before} to {counted} meanwhile" if moved else None
        self._counted = counted - shown
        # More may be new ones. Fewer may be a right that was lost in the middle of the list.
        if before is not None and counted < before:
            return f"{before} more records were counted, and then only {counted}"
        if shown < min(self.page_size, counted):
            return f"a page shows {shown} records where {min(self.page_size, counted)} are counted"
        return None

    def _doubt_order(self, ids: Sequence[str | None]) -> str | None:
        if not self.ascending:
            return None
        for object_id in ids:
            if object_id is None or object_id <= self._last:
                return "the list is not in the order of the ids"
            self._last = object_id
        return None

    def _doubt_end(self, distinct: int) -> str | None:
        if not self.pages:
            return "no page was read"
        if distinct != self.listed:
            return f"{self.listed} records were listed, but only {distinct} different ones: the list moved meanwhile"
        left = self._left()
        return f"{left} records were not listed, or may not be read" if left else None

    def _left(self) -> int:
        """How many records were counted and not shown; less than none where more were shown."""
        if self._counted is None:
            return 0
        return self._counted if self.counts is Counts.REST else self._counted - self.listed
