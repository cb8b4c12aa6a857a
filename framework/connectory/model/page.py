"""One page of a list, and the paginator that walks from page to page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from .exchange import Request, Response
    from .query import Query


Place = tuple[str, str]
"""A record's id and updated stamp, as the provider wrote them."""


@dataclass(kw_only=True, slots=True)
class Page:
    """What a paginator gets back for the page that it asked for.

    `rows` counts the usable records in the page. `last` is the place of the last usable record, and `places()` answers
    the places of all usable records. Read what you need before you yield the next request: then the body and the places
    are dropped, so that two pages are never in memory at once.

    >>> from connectory import Response
    >>> page = Page(response=Response(status=200, headers={}, body=b"[]"), rows=2, last=("17", "2026-01-01T12:00:00Z"))
    >>> page.rows, page.last, list(page.places())
    (2, ('17', '2026-01-01T12:00:00Z'), [])
    """

    response: Response
    rows: int
    last: Place | None = None
    places: Callable[[], Sequence[Place]] = tuple

    def drop_records(self) -> None:
        """Drop the body and the places. A paginator's frame holds its page until it is sent the next one."""
        self.response = replace(self.response, body=b"")
        self.places = tuple


class Paginator(Protocol):
    """Walks a list: yields the request for each page, is sent the page, and returns after the last page.

    One paginator object serves all instances at once, so the state of a walk lives in the generator.

    The ready-made paginators do not know a page number in the path; this one does:

    >>> from dataclasses import replace
    >>> from connectory import Query, Request, Response
    >>> class NumberInPath:
    ...     def walk(self, request, query):
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
