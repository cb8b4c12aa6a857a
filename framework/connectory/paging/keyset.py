"""Pages by a place: each page asks for what comes after the last record of the page before."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import ProviderError
from .walking import circle, page_size

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from ..model import Page, Place, Query, Request


@dataclass(frozen=True, kw_only=True, slots=True)
class Keyset:
    """Each page asks for what comes after the last record of the page before, in the order of (updated stamp, id).

    `after_updated` and `after_id` name the parameters for the stamp and the id of the last record, which are sent as
    the provider wrote them; one of them may be None. With `after_updated` alone the bound must be inclusive, or
    records that share a stamp are lost; records at the bound then come twice, which does no harm. `order` holds the
    parameters that make the provider sort, and `size` names the parameter for the page size. `key` gives the sort key
    of an (id, stamp). With a `key` the order of each page is checked, because records are lost if the provider ignores
    the order. A short page ends the walk, unless `until_empty` is set.

    The resource must have an `updated_field`. A record that changes during the walk moves to a later page and comes
    again, so none is lost. Errors: a `ProviderError` if the place does not advance, or if the order is wrong.

    >>> from connectory.model import Page, Query, Request, Response
    >>> pages = Keyset(after_updated="since", after_id="since_id", order=(("sort", "updated,id"),), size="limit")
    >>> walk = pages.walk(Request(path="/things"), Query(page_size=2))
    >>> next(walk).params
    (('sort', 'updated,id'), ('limit', '2'))
    >>> empty = Response(status=200, headers={}, body=b"")
    >>> walk.send(Page(response=empty, rows=2, last=("b7", "2024-05-01"))).params[2:]
    (('since', '2024-05-01'), ('since_id', 'b7'))
    """

    after_updated: str | None = None
    after_id: str | None = None
    order: tuple[tuple[str, str], ...] = ()
    size: str | None = None
    most: int | None = None
    key: Callable[[Place], Any] | None = None
    until_empty: bool = False

    def walk(self, request: Request, query: Query) -> Generator[Request, Page, None]:
        size = page_size(query, self.most)
        sized = {} if self.size is None else {self.size: str(size)}
        first = request.with_params(**dict(self.order), **sized)
        place: Place | None = None
        passed: set[Place] = set()
        while True:
            page = yield first if place is None else first.with_params(**self._after(place))
            if page.rows == 0 or (page.rows < size and not self.until_empty):
                return
            self._check(place, page)
            place = page.last
            if place is None:
                raise ProviderError(
                    "the last record of a page has no id or updated stamp, so the next page cannot be requested",
                    hint="give the resource an id_field and an updated_field that its lists contain",
                )
            if place in passed:
                raise circle(
                    f"two pages end with the record {place[0]} at {place[1]}, or all records of a page share one stamp"
                )
            passed.add(place)

    def _after(self, place: Place) -> dict[str, str]:
        named = ((self.after_updated, place[1]), (self.after_id, place[0]))
        return {name: value for name, value in named if name is not None}

    def _check(self, before: Place | None, page: Page) -> None:
        if self.key is None:
            return
        places = [*([before] if before is not None else []), *page.places()]
        order = [self.key(place) for place in places]
        if any(later < earlier for earlier, later in itertools.pairwise(order)):
            raise ProviderError(
                "the provider did not follow the requested order of the list, so records could be missed",
                hint="check that the login may sort by the updated stamp and the id",
            )
