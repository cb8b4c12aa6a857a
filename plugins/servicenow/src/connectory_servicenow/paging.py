"""Reads a list of the Table API while its rows change.

With an offset, a row that leaves the list would move all rows after it, and some would never be seen. So each page asks
for the rows after the last row of the page before: ordered by updated stamp and id within a poll's window, otherwise
by id.

ServiceNow removes the rows that the user may not read after it has cut a page to its limit, so a short or even an empty
page need not be the last. `X-Total-Count` counts all rows that match, hidden ones too. The last page is the one that
shows all remaining rows, so a poll that finds nothing takes one request.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from connectory.errors import ProviderError

if TYPE_CHECKING:
    from collections.abc import Generator

    from connectory.model import Page, Query, Request

Place = tuple[str, str]
"""The id and the updated stamp of a row."""

_ID = re.compile(r"[0-9a-f]{32}", re.IGNORECASE)
_STAMP = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}", re.ASCII)
_WINDOW = re.compile(r"(?:\A|\^)sys_updated_on<=")


@dataclass(frozen=True, slots=True)
class KeysetPages:
    def walk(self, request: Request, query: Query) -> Generator[Request, Page, None]:
        # The parameters of a poll URL come last and replace the defaults of the resource.
        request = replace(request, params=tuple(dict(request.params).items()))
        asked = request.param("sysparm_query") or ""
        limit = int(request.param("sysparm_limit") or query.page_size)
        by_stamp = bool(_WINDOW.search(asked))
        place: Place | None = None
        while True:
            following = request.with_params(sysparm_query=_query(asked, place, by_stamp=by_stamp))
            place = yield from _rows_of(following, limit, place, by_stamp=by_stamp)
            if place is None:
                return


def _query(asked: str, place: Place | None, *, by_stamp: bool) -> str:
    order = "ORDERBYsys_updated_on^ORDERBYsys_id" if by_stamp else "ORDERBYsys_id"
    return "^".join(part for part in (asked, _after(place, by_stamp=by_stamp), order) if part)


def _after(place: Place | None, *, by_stamp: bool) -> str:
    if place is None:
        return ""
    sys_id, updated = place
    if not by_stamp:
        return f"sys_id>{sys_id}"
    # ^OR binds to the condition just before it: at or after the stamp, and later than it or with a greater id.
    return f"sys_updated_on>={updated}^sys_updated_on>{updated}^ORsys_id>{sys_id}"


def _rows_of(
    request: Request, limit: int, before: Place | None, *, by_stamp: bool
) -> Generator[Request, Page, Place | None]:
    """Ask for the next rows, skipping pages that show none. Returns the place to continue from, or None at the end."""
    offset, counted = 0, None
    while True:
        page = yield _at(request, limit, offset)
        total = _total(page)
        if offset and counted is not None and total is not None and total != counted:
            # A row that left the list may have moved another one below the offset. One row more makes it a different
            # request, because repeating the same one would look like an endless loop.
            offset, counted, limit = 0, None, limit + 1
            continue
        place = _place(page, by_stamp=by_stamp)
        if _is_last(page, total, offset, limit, place):
            return None
        if place is not None:
            _check_order(before, page, by_stamp=by_stamp)
            return place
        counted = total if total is not None else counted
        offset += limit


def _at(request: Request, limit: int, offset: int) -> Request:
    return request.with_params(sysparm_limit=str(limit), sysparm_offset=str(offset) if offset else None)


def _is_last(page: Page, total: int | None, offset: int, limit: int, place: Place | None) -> bool:
    if total is None:
        # Some releases answer 403, without a count, to a page of which all rows are hidden.
        return page.rows == 0 and page.response.status != 403
    if place is None:
        return offset + limit >= total
    # `offset + limit >= total` would lose rows if the server uses smaller pages than the limit.
    return page.rows == total - offset


def _total(page: Page) -> int | None:
    value = page.response.headers.get("X-Total-Count", "")
    return int(value) if value.isdigit() else None


def _place(page: Page, *, by_stamp: bool) -> Place | None:
    """None if the page shows no row, or if its poller entry does not read the fields of the order."""
    if page.last is None or not _ID.fullmatch(page.last[0]):
        return None
    return page.last if not by_stamp or _STAMP.fullmatch(page.last[1]) else None


def _check_order(before: Place | None, page: Page, *, by_stamp: bool) -> None:
    """Refuse a page in the wrong order, because continuing from it would skip rows.

    A server ignores the order if the user may not sort by its columns.
    """
    places = page.places() or ([page.last] if page.last else [])
    order = [(updated, sys_id) if by_stamp else (sys_id,) for sys_id, updated in places]
    if before is not None:
        order.insert(0, (before[1], before[0]) if by_stamp else (before[0],))
    if any(one >= other for one, other in itertools.pairwise(order)):
        raise ProviderError(
            "ServiceNow did not follow the requested order of the list, so records could be missed",
            hint="give the integration user the right query_range on sys_updated_on and sys_id",
        )
