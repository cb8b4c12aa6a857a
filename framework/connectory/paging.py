"""Ready-made paginators: each is one small frozen object that a plugin gives to its element or resource.

| paginator | the provider | how the end is known |
|---|---|---|
| `SinglePage` | answers everything at once | |
| `Offset` | takes an offset and a limit | the total, or a short page |
| `PageNumber` | takes the number of a page | the total, or a short page |
| `CursorInBody` | gives a token for the next page | no token |
| `NextLinkInBody`, `NextLinkInHeader` | gives the next page's address | no address |
| `Keyset` | lists what comes after a record | a short page |

`walk` is a generator that yields the request for a page and is sent the page; see `model.Paginator`. A walk that goes
round in circles ends with a `ProviderError`. The state of a walk lives in its generator, so one paginator serves all
instances at once.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urljoin, urlsplit

from . import path as jsonpath
from .errors import ProviderError, RetryLaterError
from .model import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from .deletes import Total
    from .model import Page, Place, Query


@dataclass(frozen=True, slots=True)
class SinglePage:
    """The provider answers everything at once.

    >>> from connectory.model import Query
    >>> [request.path for request in SinglePage().walk(Request(path="/rates"), Query(page_size=100))]
    ['/rates']
    """

    def walk(self, request: Request, query: Query) -> Generator[Request, Page, None]:
        yield request


# By position


@dataclass(frozen=True, kw_only=True, slots=True)
class Offset:
    """`?offset=200&limit=100`: the position of the first record, and how many.

    `offset` and `limit` name the parameters, `first` is the position of the first record. `most` is the largest limit
    that the provider takes; name it where there is one, for a page that is shorter than asked for ends the walk.
    `total` reads how many records the list has (`deletes.total_in_body`, `total_in_header`); the walk then ends there,
    and notices a list that has become shorter meanwhile: it goes back by a page, because the records behind a deleted
    one have moved up. `until_empty` goes on after short pages, for providers that thin pages out.

    Errors: a `ProviderError` where two pages are the same, for then the parameters are ignored; a `RetryLaterError`
    where the list shrinks faster than it can be read. The provider must list in an order that does not change.

    >>> from connectory.model import Query
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
        size = _page_size(query, self.most)
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
                # Not by the limit: a provider that cuts pages to less would have the rest skipped.
                at += page.rows or size


@dataclass(frozen=True, kw_only=True, slots=True)
class PageNumber:
    """`?page=3&page_size=100`.

    `page` and `size` name the parameters; `size` is None where the provider alone decides how long a page is.
    `first` is the number of the first page. `repeats_last_page` is true of providers that answer a page past the end
    with the last one again: a page that equals the one before then ends the walk. `most`, `total` and `until_empty`
    are those of `Offset`, and so are the errors.

    >>> from connectory.model import Query
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
        return self._measure(request, self.size, _page_size(query, self.most), view)

    def _count(self, request: Request, view: _View) -> Generator[Request, Page, None]:
        """The provider decides how long a page is; the longest one seen tells a short one."""
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
    """A page that is asked for again is one record shorter, or it would be a request that was made already."""
    if size == 1:
        raise _shrinks()
    return size - 1


@dataclass(kw_only=True, slots=True)
class _View:
    """What the pages of a walk by position have shown. `read` counts the records before the page that is looked at.

    A page may be shorter than it was asked for because it is the last one, because the provider takes no such size, or
    because rights hide some of its records. Only a total tells these apart.
    """

    total: Total | None
    until_empty: bool = False
    repeats_last_page: bool = False
    read: int = 0
    shrank: bool = False
    _counted: int | None = field(default=None)
    _body: int | None = field(default=None)

    def is_last(self, page: Page, at: int, size: int) -> bool:
        """Whether the page that begins `at` ends the list."""
        total = self._count(page)
        if page.rows and self._is_same(page):
            if self.repeats_last_page and (total is None or at >= total):
                return True
            raise _circle("the provider gave the same page twice")
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
        """Only a list that shrinks hides records: one that grows shows some of them twice."""
        counted = None if self.total is None else self.total(page.response)
        self.shrank = counted is not None and self._counted is not None and counted < self._counted
        self._counted = counted
        return counted


def _page_size(query: Query, most: int | None) -> int:
    return query.page_size if most is None else min(query.page_size, most)


def _shrinks() -> RetryLaterError:
    return RetryLaterError(
        "the list loses records faster than it can be read", hint="the next poll reads the same window again"
    )


def _circle(what: str) -> ProviderError:
    return ProviderError(
        f"paging goes round in circles: {what}",
        hint="the provider ignores the paging parameters, or the element's paginator is wrong",
    )


# By what the provider hands out


@dataclass(frozen=True, kw_only=True, slots=True)
class CursorInBody:
    """A token in the body that is sent back for the next page.

    `cursor` is the token's JSON path (`meta.next`), `param` the parameter that takes it, `size` the one for the page
    size (None: there is none), `most` the largest. `more` is the path of a flag that says whether a page follows;
    without it the list ends where no token is given. `alone` sends the token without the first page's parameters.

    Errors: a `ProviderError` for a token that came before, and for a flag that promises a page without a token for it.

    >>> from connectory.model import Page, Query, Response
    >>> walk = CursorInBody(cursor="next", size="limit").walk(Request(path="/things"), Query(page_size=50))
    >>> next(walk).params
    (('limit', '50'),)
    >>> walk.send(Page(response=Response(status=200, headers={}, body=b'{"next": "a1"}'), rows=50)).params
    (('limit', '50'), ('cursor', 'a1'))
    """

    cursor: str
    param: str = "cursor"
    size: str | None = None
    most: int | None = None
    more: str | None = None
    alone: bool = False

    def walk(self, request: Request, query: Query) -> Generator[Request, Page, None]:
        sized = request if self.size is None else request.with_params(**{self.size: str(_page_size(query, self.most))})
        page = yield sized
        seen: set[str] = set()
        base = Request(path=request.path, headers=request.headers) if self.alone else sized
        while (token := self._token(page)) is not None:
            if token in seen:
                raise _circle("the provider gave the same token twice")
            seen.add(token)
            page = yield base.with_params(**{self.param: token})

    def _token(self, page: Page) -> str | None:
        body = page.response.body
        if self.more is not None and not jsonpath.find(body, self.more):
            return None
        token = jsonpath.find(body, self.cursor)
        if token is None or token == "" or token is False:
            if self.more is not None:
                raise ProviderError(f"the provider promises another page and gives no token for it at {self.cursor}")
            return None
        return str(token)


@dataclass(frozen=True, kw_only=True, slots=True)
class NextLinkInBody:
    """The address of the next page in the body, at the JSON path `link`.

    It may be absolute, or a path; a path that does not begin with that of the base URL is taken as one below it.
    It is sent as it was written. `size` and `most` are for the first page: the address holds the rest.

    Errors: a `ProviderError` for an address on another host, which would be handed the instance's token; for one
    outside the base URL; and for one that came before.

    >>> from connectory.model import Page, Query, Response
    >>> walk = NextLinkInBody(link="$next").walk(Request(path="/contacts"), Query(page_size=20))
    >>> next(walk).path
    '/contacts'
    >>> body = b'{"$next": "/contacts?page=2"}'
    >>> walk.send(Page(response=Response(status=200, headers={}, body=body, url="https://a.example/v3.1/contacts"),
    ...     rows=20)).path
    '/contacts?page=2'
    """

    link: str
    size: str | None = None
    most: int | None = None

    def walk(self, request: Request, query: Query) -> Generator[Request, Page, None]:
        return _follow(request, query, self.size, self.most, self._link)

    def _link(self, page: Page) -> str | None:
        link = jsonpath.find(page.response.body, self.link)
        return link.strip() or None if isinstance(link, str) else None


@dataclass(frozen=True, kw_only=True, slots=True)
class NextLinkInHeader:
    """`Link: <https://api.example.com/things?page=2>; rel="next"` (RFC 8288).

    `rel` is the relation to follow. Addresses, `size`, `most` and errors are those of `NextLinkInBody`.

    >>> from connectory.model import Page, Query, Response
    >>> walk = NextLinkInHeader(size="per_page", most=100).walk(Request(path="/things"), Query(page_size=500))
    >>> next(walk).params
    (('per_page', '100'),)
    >>> headers = {"Link": '<https://a.example/things?page=2>; rel="next", <https://a.example/things>; rel="first"'}
    >>> walk.send(Page(response=Response(status=200, headers=headers, body=b"[]", url="https://a.example/things"),
    ...     rows=100)).path
    '/things?page=2'
    """

    rel: str = "next"
    size: str | None = None
    most: int | None = None

    def walk(self, request: Request, query: Query) -> Generator[Request, Page, None]:
        return _follow(request, query, self.size, self.most, self._link)

    def _link(self, page: Page) -> str | None:
        return links(page.response.headers.get("Link", "")).get(self.rel.lower())


_LINK = re.compile(r"""\s*<([^>]*)>((?:\s*;\s*[^\s=;,"]+(?:\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s;,"]*))?)*)\s*(?:,|\Z)""")
_ATTRIBUTE = re.compile(r""";\s*([^\s=;,"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*))""")


def links(header: str) -> dict[str, str]:
    """The addresses of a `Link` header by their relation; those about another page (`anchor`) are left out.

    >>> links('</p?2>; rel="next last"; title="a, b", </p?1>; rel=prev')
    {'next': '/p?2', 'last': '/p?2', 'prev': '/p?1'}
    """
    found: dict[str, str] = {}
    for match in _LINK.finditer(header):
        attributes: dict[str, str] = {}
        for name, quoted, plain in _ATTRIBUTE.findall(match[2]):
            attributes.setdefault(name.lower(), quoted or plain)
        if "anchor" not in attributes:
            for relation in attributes.get("rel", "").lower().split():
                found.setdefault(relation, match[1].strip())
    return found


def _follow(
    request: Request, query: Query, size: str | None, most: int | None, link_of: Callable[[Page], str | None]
) -> Generator[Request, Page, None]:
    first = request if size is None else request.with_params(**{size: str(_page_size(query, most))})
    page = yield first
    base = _base_path(page.response.url, request.path)
    seen: set[str] = set()
    while (link := link_of(page)) is not None:
        path = _below_base(link, page.response.url, base)
        if path in seen:
            raise _circle("the provider gave the same address twice")
        seen.add(path)
        page = yield Request(path=path, headers=request.headers)


def _base_path(url: str, path: str) -> str:
    """The path of the base URL: what stands before the request's own path."""
    return urlsplit(url).path.removesuffix(path.partition("?")[0])


def _below_base(link: str, url: str, base: str) -> str:
    """The link as a request's path, with its query as it was written."""
    # Spaces and the like; what is encoded stays as it is.
    link = quote(link, safe="%/:=&?~#+!$,;'@()*[]")
    own, here = urlsplit(link), urlsplit(url)
    is_path = not own.scheme and not own.netloc and own.path.startswith("/")
    if is_path and not f"{own.path}/".startswith(f"{base}/"):
        return _target(own.path, own.query)
    there = urlsplit(urljoin(url, link))
    if (there.scheme, there.netloc) != (here.scheme, here.netloc):
        raise ProviderError(
            f"the next page is said to be on another host, {there.netloc or there.scheme}, which is not followed",
            hint="the instance's token is for its own host",
        )
    if not there.path.startswith(f"{base}/"):
        raise ProviderError(f"the next page is said to be at {there.path}, outside of {base or '/'}")
    return _target(there.path.removeprefix(base), there.query)


def _target(path: str, query: str) -> str:
    return f"{path}?{query}" if query else path


# By place


@dataclass(frozen=True, kw_only=True, slots=True)
class Keyset:
    """Each page asks for what comes after the last record of the page before, in the order of (updated stamp, id).

    `after_updated` and `after_id` name the parameters for the last record's stamp and id, as the provider wrote them;
    one of them may be None. With `after_updated` alone the bound must be inclusive, or records that share a stamp are
    lost; records at the bound come twice then, which does no harm. `order` is what makes the provider sort, `size` the
    parameter for the page size. `key` makes of an (id, stamp) what the order is by: pages are then checked, because a
    provider that ignores the order would have records skipped. A short page ends the walk, unless `until_empty`.

    The resource must have an `updated_field`. Records that change meanwhile move behind the place and come again, none
    is skipped. Errors: a `ProviderError` where the place does not advance, or where `key` shows another order.

    >>> from connectory.model import Page, Query, Response
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
        size = _page_size(query, self.most)
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
                    "the last record of a page shows no id and updated stamp to go on from",
                    hint="the resource needs an id_field and an updated_field that its lists show",
                )
            if place in passed:
                raise _circle(f"the place after {place[0]} at {place[1]} came before, or all of a page share one stamp")
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
                "the provider did not follow the order of the list, so its end cannot be found",
                hint="may the login sort by the updated stamp and the id?",
            )
