"""Pages by position: everything at once, an offset, or the number of a page."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..errors import RetryLaterError
from .walking import circle, page_size

if TYPE_CHECKING:
    from collections.abc import Generator

    from ..deletes import Total
    from ..model import Page, Query, Request


@dataclass(frozen=True, slots=True)
class SinglePage:
    """The provider answers everything at once.

    >>> from connectory.model import Query, Request
    >>> [request.path for request in SinglePage().walk(Request(path="/rates"), Query(page_size=100))]
    ['/rates']
    """

    def walk(self, request: Request, query: Query) -> Generator[Request, Page, None]:
        yield request


@dataclass(frozen=True, kw_only=True, slots=True)
class Offset:
    """`?offset=200&limit=100`: the position of the first record, and how many.

    `offset` and `limit` name the parameters, and `first` is the position of the first record. `most` is the largest
    limit that the provider accepts. Set it if there is one, because a page that is shorter than requested ends the
    walk. `total` reads how many records the list has (`deletes.total_in_body`, `total_in_header`). Then the walk ends
    at that number. If the number falls during the walk, the walk goes back by one page, because the records after a
    deleted record moved forward. `until_empty` continues after short pages, for providers that leave records out of
    pages.

    Errors: a `ProviderError` if two pages are equal, because then the provider ignores the parameters; a
    `RetryLaterError` if the list shrinks faster than it can be read. The provider must list in a stable order.

    >>> from connectory.model import Query, Request
    >>> next(Offset().walk(Request(path="/things"), Query(page_size=50))).params
    (('limit', '50'), ('offset', '0'))
    """

    offset: str = "offset"
    limit: str = "limit"
    first: int = 0
    most: int | None = None
    total: Total | None = None
    until_empty: bool = False

    def walk(self, request: Request, query: Query) -> Generator[Request, Page, None]:
        size = page_size(query, self.most)
        view = _View(total=self.total, until_empty=self.until_empty)
        at = 0
        while True:
            page = yield request.with_params(**{self.limit: str(size), self.offset: str(self.first + at)})
            view.read = at
            if view.is_last(page, at, size):
                return
            if view.shrank and at:
                at, size = max(0, at - size), _one_less(size)
                view.go_back(at)
            else:
                # Advance by the rows that came: a provider may give fewer than the limit, and would skip the rest.
                at += page.rows or size


@dataclass(frozen=True, kw_only=True, slots=True)
class PageNumber:
    """`?page=3&page_size=100`.

    `page` and `size` name the parameters; `size` is None if the provider alone decides how long a page is. `first` is
    the number of the first page. Set `repeats_last_page` if the provider answers a page after the end with the last
    page again: then a page that equals the page before ends the walk. `most`, `total`, `until_empty` and the errors
    are as for `Offset`.

    >>> from connectory.model import Query, Request
    >>> next(PageNumber(size="per_page", most=100).walk(Request(path="/things"), Query(page_size=1000))).params
    (('per_page', '100'), ('page', '1'))
    """

    page: str = "page"
    size: str | None = "page_size"
    first: int = 1
    most: int | None = None
    total: Total | None = None
    until_empty: bool = False
    repeats_last_page: bool = False

    def walk(self, request: Request, query: Query) -> Generator[Request, Page, None]:
        view = _View(total=self.total, until_empty=self.until_empty, repeats_last_page=self.repeats_last_page)
        if self.size is None:
            return self._count(request, view)
        return self._measure(request, self.size, page_size(query, self.most), view)

    def _count(self, request: Request, view: _View) -> Generator[Request, Page, None]:
        """Walk when the provider decides how long a page is: a page is short if a longer one came before."""
        number, size = 0, 1
        while True:
            page = yield request.with_params(**{self.page: str(self.first + number)})
            size = max(size, page.rows)
            if view.is_last(page, number * size, size):
                return
            if view.shrank:
                raise _shrinks()
            number += 1

    def _measure(self, request: Request, name: str, size: int, view: _View) -> Generator[Request, Page, None]:
        number = 0
        while True:
            page = yield request.with_params(**{name: str(size), self.page: str(self.first + number)})
            if view.is_last(page, number * size, size):
                return
            if view.shrank and number:
                was_exact = view.read == number * size + page.rows
                shorter = _one_less(size)
                number, size = (number - 1) * size // shorter, shorter
                view.go_back(number * size if was_exact else 0)
            else:
                number += 1


def _one_less(size: int) -> int:
    """The size for asking again: one record less, because a walk must not repeat a request."""
    if size == 1:
        raise _shrinks()
    return size - 1


@dataclass(kw_only=True, slots=True)
class _View:
    """What the pages of a walk have shown so far. `read` counts the records before the current page.

    A page may be shorter than requested for three reasons: it is the last one, the provider does not accept the size,
    or rights hide some of its records. Only a total tells these apart.
    """

    total: Total | None
    until_empty: bool = False
    repeats_last_page: bool = False
    read: int = 0
    shrank: bool = False
    _counted: int | None = field(default=None)
    _body: int | None = field(default=None)

    def is_last(self, page: Page, at: int, size: int) -> bool:
        """Whether the page that begins at position `at` is the last one."""
        total = self._count(page)
        if page.rows and self._is_same(page):
            if self.repeats_last_page and (total is None or at >= total):
                return True
            raise circle("the provider gave the same page twice")
        self.read += page.rows
        if total is None:
            return page.rows == 0 or (page.rows < size and not self.until_empty)
        if self.shrank and at:
            return False
        return at + size >= total if page.rows == 0 else self.read >= total

    def go_back(self, read: int) -> None:
        self.read, self._body = read, None

    def _is_same(self, page: Page) -> bool:
        before, self._body = self._body, hash(page.response.body)
        return before == self._body

    def _count(self, page: Page) -> int | None:
        """Read the total, and notice a list that shrinks: then records move forward and would be skipped.

        A list that grows does no harm: some records are shown twice.
        """
        counted = None if self.total is None else self.total(page.response)
        self.shrank = counted is not None and self._counted is not None and counted < self._counted
        self._counted = counted
        return counted


def _shrinks() -> RetryLaterError:
    return RetryLaterError(
        "records disappear from the list faster than it can be read", hint="the next poll reads the same window again"
    )
