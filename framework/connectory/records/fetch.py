"""Reads one window of one resource, page after page."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import msgspec

from ..errors import ProviderError
from ..http import PageTooHeavyError
from ..model import Action, Page, Response
from .identify import NO_RECORDS, Identified, identify, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..model import Place, Request, Verdict, Window
    from ..plans.plan import Plan

MOST_PAGES = 100_000


@dataclass(frozen=True, kw_only=True, slots=True)
class FetchedPage:
    """`number` counts from 1; `last` is True if no page follows."""

    number: int
    request: Request
    response: Response
    records: Identified
    last: bool


class Exchanger(Protocol):
    """Answers the requests of `fetch`: a client, a client whose answers are recorded, or a recording of them."""

    def exchange(self, request: Request) -> tuple[Response, Verdict]: ...


def fetch(plan: Plan, window: Window, client: Exchanger, page_size: int | None = None) -> Iterator[FetchedPage]:
    """Yield the pages of a window. After a page that is cut short or unreadable, it raises and reads no further."""
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
        records = NO_RECORDS if verdict.action is Action.EMPTY else _read(plan, response.body)
        places = functools.partial(_places, plan, records)
        page = Page(response=response, rows=records.usable, last=_last(plan, records), places=places)
        try:
            following: Request | None = walk.send(page)
        except StopIteration:
            following = None
        page.drop_records()
        yield FetchedPage(number=number, request=request, response=response, records=records, last=following is None)
        request = following
        # Drop the page before the next one is read, so that only one is in memory.
        del response, records, page, places


def _read(plan: Plan, body: bytes) -> Identified:
    try:
        records = identify(plan, body)
        if records.ids and not records.usable:
            _refuse_nameless(plan, records)
        return records
    except msgspec.DecodeError as error:
        raise PageTooHeavyError(
            f"the provider's page of {plan.name} is not a list of records: {error}",
            hint="the answer was cut short, or a proxy answered instead; the list is read again in smaller pages",
        ) from error


def _refuse_nameless(plan: Plan, records: Identified) -> None:
    """Raise if records show fields but no id: missing rights would hide all fields, so the id field must be wrong."""
    shown = (msgspec.json.decode(raw) for raw in records.raws)
    if any(isinstance(record, dict) and any(record.values()) for record in shown):
        raise ProviderError(
            f"no record of {plan.name} has the id field {plan.id_field!r}, so records cannot be told apart",
            hint="correct idField in the poller entry, or let the request ask for that field; nothing was skipped",
        )


def _last(plan: Plan, records: Identified) -> tuple[str, str] | None:
    """The last usable record's id and stamp, by which the provider orders its list."""
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
        f"paging does not advance: page {number + 1} of {plan.name} asks for the same as an earlier page",
        hint="the provider ignores the paging parameters, or the element's paginator is wrong",
        where=request.path,
    )
