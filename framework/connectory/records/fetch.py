"""Reads one window of one resource, page after page."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

import msgspec

from ..errors import ProviderError
from ..http import PageTooHeavyError
from ..model import Action, Page, Response
from .changes import Identified, identify, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..model import Place, Request, Verdict, Window
    from ..plans.plan import Plan

T = TypeVar("T")

MOST_PAGES = 100_000
SMALLEST_PAGE = 25


@dataclass(frozen=True, kw_only=True, slots=True)
class FetchedPage:
    """`number` counts from 1; `last` says that no page follows."""

    number: int
    request: Request
    response: Response
    records: Identified
    last: bool


class Exchanger(Protocol):
    """What `fetch` asks: a client, or one that listens to it, or a recording."""

    def exchange(self, request: Request) -> tuple[Response, Verdict]: ...


def fetch(plan: Plan, window: Window, client: Exchanger, page_size: int | None = None) -> Iterator[FetchedPage]:
    """Yield the pages of a window. A page that is cut short or unreadable raises, and nothing after it is read."""
    first, query = plan.request(window, page_size)
    walk = plan.paginator.walk(first, query)
    request: Request | None = next(walk)
    asked: set[Request] = set()
    number = 0
    while request is not None:
        if request in asked or number >= MOST_PAGES:
            raise _endless(plan, request, number)
        asked.add(request)
        number += 1
        response, verdict = client.exchange(request)
        records = _read(plan, response, empty=verdict.action is Action.EMPTY)
        places = functools.partial(_places, plan, records)
        page = Page(response=response, rows=records.usable, last=_last(plan, records), places=places)
        try:
            following: Request | None = walk.send(page)
        except StopIteration:
            following = None
        yield FetchedPage(number=number, request=request, response=response, records=records, last=following is None)
        request = following
        # Or two pages would be held while the next one is read.
        del response, records, page, places


def in_smaller_pages(page_size: int, read: Callable[[int], T]) -> T:
    """What `read` returns for the largest page that the provider can give, beginning with this one."""
    while True:
        try:
            return read(page_size)
        except PageTooHeavyError:
            half = smaller(page_size)
            if half is None:
                raise
            page_size = half


def smaller(page_size: int) -> int | None:
    """Half a page, or None where it is small already."""
    return page_size // 2 if page_size // 2 >= SMALLEST_PAGE else None


def _read(plan: Plan, response: Response, *, empty: bool) -> Identified:
    if empty:
        return Identified(rows=(), ids=(), versions=())
    try:
        records = identify(plan, plan.rows(response.body), response.body)
        if records.ids and not records.usable:
            _refuse_nameless(plan, response.body)
        return records
    except msgspec.DecodeError as error:
        raise PageTooHeavyError(
            f"the provider's page of {plan.name} is not a list of records: {error}",
            hint="it was cut short, or a proxy answered; it is asked for again in smaller pages",
        ) from error


def _refuse_nameless(plan: Plan, body: bytes) -> None:
    """Records that show fields, and none of them an id, are not hidden: the id is looked for in the wrong place."""
    shown = (msgspec.json.decode(raw) for raw in plan.raws(body))
    if any(isinstance(record, dict) and any(record.values()) for record in shown):
        raise ProviderError(
            f"no record of {plan.name} has the field {plan.id_field!r}, by which they are told apart",
            hint="correct idField in the poller entry, or let the request ask for that field; nothing was skipped",
        )


def _last(plan: Plan, records: Identified) -> tuple[str, str] | None:
    """The id and stamp that the provider would order the last usable record by."""
    if plan.place is None:
        return None
    for row, object_id in zip(reversed(records.rows), reversed(records.ids), strict=True):
        if object_id is not None:
            return str(plain(plan.place_id(row))), str(plain(plan.place(row)))
    return None


def _places(plan: Plan, records: Identified) -> list[Place]:
    if plan.place is None:
        return []
    get_id, get_stamp = plan.place_id, plan.place
    usable = (row for row, object_id in zip(records.rows, records.ids, strict=True) if object_id is not None)
    return [(str(plain(get_id(row))), str(plain(get_stamp(row)))) for row in usable]


def _endless(plan: Plan, request: Request, number: int) -> ProviderError:
    if number >= MOST_PAGES:
        return ProviderError(f"the list of {plan.name} did not end after {number} pages", hint="narrow the poll URL")
    return ProviderError(
        f"paging does not advance: page {number + 1} of {plan.name} asks for what an earlier page had",
        hint="the provider ignores the paging parameters, or the element's paginator is wrong",
        where=request.path,
    )
